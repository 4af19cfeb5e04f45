"""The ASGI driver: a stack around an ASGI app.  It awaits in place, in the task it is called in, on any event loop."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._asgi_exchange import PASSING
from ._asgi_http import HttpExchange, PeekingExchange, offer_no_files
from ._asgi_websocket import WebsocketExchange
from ._wrapped import Wrapped

if TYPE_CHECKING:
    from ..types import ASGIApp, Receive, Scope, Send
    from ._asgi_exchange import AsgiExchange
    from ._layer import Layer, Start

    Kind = tuple[type[AsgiExchange], tuple[Start, ...]]


class AsgiStack(Wrapped):
    """An ASGI app with layers around it."""

    __slots__ = ()

    app: ASGIApp
    _plan: tuple[ASGIApp, dict[str, Kind], bool]

    def __init__(self, app: ASGIApp, layers: tuple[Layer, ...]) -> None:
        self.app, self.layers = app, layers
        peeks = any(layer.peek for layer in layers)
        handshakes = tuple(layer.start for layer in layers if layer.websocket)
        kinds: dict[str, Kind] = {
            "http": (PeekingExchange if peeks else HttpExchange, tuple(layer.start for layer in layers)),
            **({"websocket": (WebsocketExchange, handshakes)} if handshakes else {}),
        }
        self._plan = (app, kinds, any(layer.needs_bytes for layer in layers))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection (ASGI spec, "HTTP", "WebSocket"); a lifespan or an unknown scope is the app's alone."""
        app, kinds, needs_bytes = self._plan
        kind = kinds.get(scope["type"])
        if kind is None:
            await app(scope, receive, send)
            return
        make, starts = kind
        exchange = make()
        exchange.open(offer_no_files(scope) if needs_bytes else scope, receive, send)
        try:
            for call in exchange.enter(starts):
                await call.amake()
            if exchange.result is None:
                await exchange.run(app)
        except BaseException as error:
            await exchange.app_raised(error)
        else:
            if exchange.state is not PASSING:
                await exchange.app_returned()
        finally:
            if exchange.request.bindings is not None:
                exchange.request.unbind()

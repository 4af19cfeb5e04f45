"""The ASGI driver: a stack around an ASGI app.  It awaits in place, in the task it is called in, on any event loop."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._asgi_exchange import PASSING
from ._asgi_http import HttpExchange, offer_no_files
from ._asgi_peeking import PeekingExchange
from ._asgi_request import asgi_request
from ._asgi_websocket import WebsocketExchange
from ._dual import amake_all
from ._layer import decided, guards_and_rest
from ._wrapped import Wrapped

if TYPE_CHECKING:
    from ...types import ASGIApp, Receive, Scope, Send
    from ._asgi_exchange import AsgiExchange
    from ._layer import Layer, Start

    Kind = tuple[type[AsgiExchange], tuple[Start, ...], tuple[Start, ...]]


class AsgiStack(Wrapped):
    """An ASGI app with layers around it."""

    __slots__ = ()

    app: ASGIApp
    _plan: tuple[ASGIApp, dict[str, Kind], bool]

    def __init__(self, app: ASGIApp, layers: tuple[Layer, ...]) -> None:
        self.app, self.layers = app, layers
        peeks = any(layer.peek for layer in layers)
        handshakes = [layer for layer in layers if layer.websocket]
        kinds: dict[str, Kind] = {
            "http": (PeekingExchange if peeks else HttpExchange, *guards_and_rest(layers)),
            **({"websocket": (WebsocketExchange, *guards_and_rest(handshakes))} if handshakes else {}),
        }
        self._plan = (app, kinds, any(layer.needs_bytes for layer in layers))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection (ASGI spec, "HTTP", "WebSocket"); a lifespan or an unknown scope is the app's alone."""
        app, kinds, needs_bytes = self._plan
        kind = kinds.get(scope["type"])
        if kind is None:
            await app(scope, receive, send)
            return
        make, guards, starts = kind
        request = asgi_request(offer_no_files(scope) if needs_bytes else scope)
        try:
            for guard in guards:  # nothing is outside of these: they need no exchange, if they have nothing to say
                answer = guard(request)
                if answer is not None:
                    starts = (decided(guard, answer),)
                    break
            if not starts and request._body is None and request.bindings is None and request.limits is None:
                await app(request.hand_on(), receive, send)
                return
            exchange = make()
            exchange.open(request, receive, send)
            try:
                calls = exchange.enter(starts)
                if calls:
                    await amake_all(calls, None)
                if exchange.result is None:
                    await exchange.run(app)
            except BaseException as error:
                await exchange.app_raised(error)
            else:
                if exchange.state is not PASSING:
                    await exchange.app_returned()
        finally:
            if request.bindings is not None:
                request.unbind()

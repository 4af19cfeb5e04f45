"""The ASGI driver: a stack around an ASGI app.  It awaits in place, in the task it is called in, on any event loop."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from ._asgi_exchange import PASSING
from ._asgi_http import HttpExchange, PeekingExchange, offer_no_files
from ._asgi_websocket import WebsocketExchange

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..types import ASGIApp, Receive, Scope, Send
    from ._asgi_exchange import AsgiExchange
    from ._layer import Layer


class AsgiStack:
    """An ASGI app with layers around it; attributes it does not have are the inner app's.

    Attributes:
        app: the ASGI app inside.
        layers: the layers, outermost first.
    """

    __slots__ = ("_exchanges", "_needs_bytes", "app", "layers")

    def __init__(self, app: ASGIApp, layers: tuple[Layer, ...]) -> None:
        self.app = app
        self.layers = layers
        self._needs_bytes = any(layer.needs_bytes for layer in layers)
        peeks = any(layer.peek for layer in layers)
        handshakes = [layer.start for layer in layers if layer.websocket]
        self._exchanges: dict[str, Callable[..., AsgiExchange]] = {
            "http": partial(PeekingExchange if peeks else HttpExchange, [layer.start for layer in layers]),
            **({"websocket": partial(WebsocketExchange, handshakes)} if handshakes else {}),
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection (ASGI spec, "HTTP", "WebSocket"); a lifespan or an unknown scope is the app's alone."""
        make = self._exchanges.get(scope["type"])
        if make is None:
            await self.app(scope, receive, send)
            return
        exchange = make(offer_no_files(scope) if self._needs_bytes else scope, receive, send)
        try:
            for call in exchange.enter():
                await call.amake()
            if exchange.result is None:
                await exchange.run(self.app)
        except BaseException as error:
            await exchange.app_raised(error)
        else:
            if exchange.state is not PASSING:
                await exchange.app_returned()
        finally:
            exchange.leave()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):  # marks on the inner app say nothing about this one
            raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")
        return getattr(self.app, name)

    def __repr__(self) -> str:
        return f"<{', '.join(layer.name for layer in self.layers)} around {self.app!r}>"

"""The ASGI driver: a stack around an ASGI app.  It awaits in place, in the task it is called in, on any event loop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._asgi_exchange import PASSING
from ._asgi_http import HttpExchange, PeekingExchange, offer_no_files
from ._asgi_websocket import WebsocketExchange

if TYPE_CHECKING:
    from ..types import ASGIApp, Receive, Scope, Send
    from ._asgi_exchange import AsgiExchange
    from ._exchange import Start
    from ._layer import Layer


class AsgiStack:
    """An ASGI app with layers around it; attributes it does not have are the inner app's.

    Attributes:
        app: the ASGI app inside.
        layers: the layers, outermost first.
    """

    __slots__ = ("_kinds", "_needs_bytes", "app", "layers")

    def __init__(self, app: ASGIApp, layers: tuple[Layer, ...]) -> None:
        self.app = app
        self.layers = layers
        self._needs_bytes = any(layer.needs_bytes for layer in layers)
        http: type[AsgiExchange] = PeekingExchange if any(layer.peek for layer in layers) else HttpExchange
        handshakes = tuple(layer.start for layer in layers if layer.websocket)
        self._kinds: dict[str, tuple[type[AsgiExchange], tuple[Start, ...]]] = {
            "http": (http, tuple(layer.start for layer in layers))
        }
        if handshakes:
            self._kinds["websocket"] = (WebsocketExchange, handshakes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection (ASGI spec, "HTTP", "WebSocket"); a lifespan or an unknown scope is the app's alone."""
        app, kind = self.app, self._kinds.get(scope["type"])
        if kind is None:
            await app(scope, receive, send)
            return
        make, starts = kind
        exchange = make()
        exchange.open(offer_no_files(scope) if self._needs_bytes else scope, receive, send)
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

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):  # marks on the inner app say nothing about this one
            raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")
        return getattr(self.app, name)

    def __repr__(self) -> str:
        return f"<{', '.join(layer.name for layer in self.layers)} around {self.app!r}>"

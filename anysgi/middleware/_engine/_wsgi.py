"""The WSGI driver: a stack around a WSGI app.  It calls, and never awaits."""

from __future__ import annotations

from typing import TYPE_CHECKING
from wsgiref.util import FileWrapper

from ._layer import decided, guards_and_rest
from ._wrapped import Wrapped
from ._wsgi_http import PeekingExchange, WsgiExchange
from ._wsgi_request import wsgi_request

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ...types import Environ, StartResponse, WSGIApp
    from ._layer import Layer, Start


class WsgiStack(Wrapped):
    """A WSGI app with layers around it."""

    __slots__ = ()

    app: WSGIApp
    _plan: tuple[WSGIApp, tuple[Start, ...], tuple[Start, ...], type[WsgiExchange], bool]

    def __init__(self, app: WSGIApp, layers: tuple[Layer, ...]) -> None:
        self.app, self.layers = app, layers
        make = PeekingExchange if any(layer.peek for layer in layers) else WsgiExchange
        self._plan = (app, *guards_and_rest(layers), make, any(layer.needs_bytes for layer in layers))

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Serve one request (PEP 3333)."""
        app, guards, starts, make, needs_bytes = self._plan
        if needs_bytes and "wsgi.file_wrapper" in environ:
            environ["wsgi.file_wrapper"] = FileWrapper
        request = wsgi_request(environ)
        try:
            for guard in guards:  # nothing is outside of these: they need no exchange, if they have nothing to say
                answer = guard(request)
                if answer is not None:
                    starts = (decided(guard, answer),)
                    break
            if not starts and request._body is None and request.bindings is None and request.limits is None:
                return app(environ, start_response)
            exchange = make()
            exchange.open(request, start_response)
            for call in exchange.enter(starts):
                call.make()
            return exchange.run(app)
        finally:
            if request.bindings is not None:
                request.unbind()

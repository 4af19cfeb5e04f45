"""A small, obedient WSGI server whose every move can be replaced, and apps that do what they are told.

A case is `def case(wrap)`: it puts the validator around an app with `wrap`, and drives it.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    App = Callable[..., Any]
    Wrap = Callable[[App], App]
    Case = Callable[[Wrap], None]

GONE: Any = object()  # a key that is to be taken out
TEXT = ("Content-Type", "text/plain")


def environ_of(body: bytes = b"", **changes: Any) -> dict[str, Any]:
    """A good environ, with changes; `wsgi_input` is `wsgi.input`."""
    environ = {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": "/cart",
        "QUERY_STRING": "a=1",
        "CONTENT_LENGTH": str(len(body)),
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8000",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": "shop",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": Body(body),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    environ |= {key.replace("wsgi_", "wsgi."): _fresh(value) for key, value in changes.items()}
    return {key: value for key, value in environ.items() if value is not GONE}


def _fresh(value: Any) -> Any:
    """A stream for one request: a case may be run by several validators."""
    return type(value)(value.getvalue()) if isinstance(value, Body) else value


class Body(io.BytesIO):
    """A request body."""


class Server:
    """Calls an app as PEP 3333 says."""

    def __init__(self) -> None:
        self.started: Any = None
        self.sent: list[bytes] = []

    def start_response(self, status: Any, headers: Any, exc_info: Any = None) -> Any:
        if exc_info and self.sent:
            raise exc_info[1]
        self.started = (status, headers)
        return self.sent.append

    def serve(self, app: App, environ: Any) -> None:
        result = app(environ, self.start_response)
        try:
            for chunk in result:
                if chunk:
                    self.sent.append(chunk)
        finally:
            if hasattr(result, "close"):
                result.close()


def hello(environ: Any, start_response: Any) -> Any:
    start_response("200 OK", [TEXT])
    return [b"hello"]


def starts(status: Any = "200 OK", *headers: Any, chunks: Any = (b"hello",)) -> App:
    """An app that starts with these headers, and returns these chunks."""

    def app(environ: Any, start_response: Any) -> Any:
        start_response(status, list(headers) or [TEXT])
        return list(chunks) if isinstance(chunks, tuple) else chunks

    return app


def reads(read: Callable[[Any], Any]) -> App:
    """An app that does something with `wsgi.input`."""

    def app(environ: Any, start_response: Any) -> Any:
        read(environ["wsgi.input"])
        return hello(environ, start_response)

    return app


def wsgi(app: App = hello, body: bytes = b"", *, server: type[Server] = Server, **changes: Any) -> Case:
    """One request of a server."""

    def case(wrap: Wrap) -> None:
        server().serve(wrap(app), environ_of(body, **changes))

    return case

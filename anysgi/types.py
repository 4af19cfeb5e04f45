"""The types of both conventions: what anysgi accepts (loosely) and what it produces (precisely).

WSGI's own come from `wsgiref.types` (PEP 3333), ASGI's from `asgiref.typing`; only the aliases live here.  Nothing in
this file costs anything at run time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, MutableMapping
    from contextlib import AbstractAsyncContextManager
    from types import TracebackType
    from typing import TypeAlias

    Environ: TypeAlias = dict[str, Any]
    """A WSGI environ: native strings, plus whatever servers and middleware keep in it."""

    ExcInfo: TypeAlias = tuple[type[BaseException], BaseException, TracebackType | None]
    """What `sys.exc_info()` returns inside an `except` block."""

    Write: TypeAlias = Callable[[bytes], object]
    """The callable `start_response` returns (PEP 3333, "The write() Callable")."""

    StartResponse: TypeAlias = Callable[..., Write]
    """`start_response(status, headers, exc_info=None)`."""

    WSGIApp: TypeAlias = Callable[[Any, Any], Iterable[bytes]]
    """`app(environ, start_response)`; loose, so that apps typed against any stub fit."""

    Message: TypeAlias = MutableMapping[str, Any]
    """One ASGI message."""

    Scope: TypeAlias = MutableMapping[str, Any]
    """One ASGI connection scope."""

    Receive: TypeAlias = Callable[[], Awaitable[Message]]
    Send: TypeAlias = Callable[[Message], Awaitable[None]]

    ASGIApp: TypeAlias = Callable[[Any, Any, Any], Awaitable[None]]
    """`await app(scope, receive, send)`; loose, so that Starlette's and asgiref's types both fit."""

    ASGI2App: TypeAlias = Callable[[Any], Callable[[Any, Any], Awaitable[None]]]
    """`await app(scope)(receive, send)` (ASGI spec, "Legacy Applications")."""

    HeaderList: TypeAlias = list[tuple[bytes, bytes]]
    """ASGI headers: lowercased names, in order, duplicates kept."""

    Lifespan: TypeAlias = Callable[[Any], AbstractAsyncContextManager[Any]]
    """Takes the adapter, gives an async context manager; what it yields (a mapping or None) becomes the state."""

Convention = Literal["wsgi", "asgi"]
"""The two calling conventions."""

UnderscorePolicy = Literal["drop", "refuse", "keep"]
"""What becomes of request header names with an underscore: see `WsgiToAsgi(underscore_headers=...)`."""

LifespanMode = Literal["auto", "on", "off"]
"""When `AsgiToWsgi` runs the app's lifespan."""

ChunkedPolicy = Literal["auto", "stream", "spool"]
"""What `WsgiToAsgi` does with a request body of unknown length."""

AsgiMode = Literal["thread", "inline"]
"""Where the event loop of an `AsgiToWsgi` turns."""

LoopName = Literal["asyncio", "uvloop", "trio"]
"""The event loops `AsgiToWsgi` can run an app on."""

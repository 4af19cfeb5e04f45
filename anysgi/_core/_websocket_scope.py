"""A WebSocket's opening request, both ways: an environ as a `websocket` scope, and such a scope as an environ.

Sources: ASGI spec, "WebSocket Connection Scope"; RFC 6455 section 4.  It is an HTTP request like any other, so the
translation of those does nearly all of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._environ import environ_from_scope

if TYPE_CHECKING:
    from ..types import Environ, Scope, UnderscorePolicy

_TO_WEBSOCKET = {"http": "ws", "https": "wss"}
_TO_HTTP = {"ws": "http", "wss": "https"}


def asks_for_websocket(environ: Environ) -> bool:
    """Whether a request wants to become a WebSocket; only a GET can (RFC 6455 section 4.1)."""
    return (
        environ["REQUEST_METHOD"] == "GET"
        and "websocket" in _tokens(environ.get("HTTP_UPGRADE"))
        and "upgrade" in _tokens(environ.get("HTTP_CONNECTION"))
    )


def websocket_scope(request: Scope) -> dict[str, Any]:
    """Translate the opening request, as `scope_from_environ` left it, into a `websocket` scope."""
    scope = {key: value for key, value in request.items() if key != "method"}
    offered = str(scope["wsgi.environ"].get("HTTP_SEC_WEBSOCKET_PROTOCOL") or "")
    return scope | {
        "type": "websocket",
        "scheme": _TO_WEBSOCKET.get(scope["scheme"], scope["scheme"]),
        "subprotocols": [name for part in offered.split(",") if (name := part.strip())],
        "extensions": {"websocket.http.response": {}},
    }


def websocket_environ(scope: Scope, key: str, *, underscores: UnderscorePolicy, multiprocess: bool) -> Environ:
    """Translate a `websocket` scope into the environ of the GET that asks for the WebSocket.

    The handshake with the client is the server's, and the app's is ours: its key is our own, and it is offered no
    extensions.

    Args:
        scope: an ASGI `websocket` scope.
        key: the `Sec-WebSocket-Key` the app has to answer.
        underscores, multiprocess: as for `environ_from_scope`.

    Raises:
        BadRequest: the headers contradict themselves.
    """
    scheme = scope.get("scheme") or "ws"
    request = {**scope, "method": "GET", "scheme": _TO_HTTP.get(scheme, scheme)}
    environ = environ_from_scope(request, underscores=underscores, multiprocess=multiprocess)
    environ.pop("HTTP_SEC_WEBSOCKET_EXTENSIONS", None)
    environ.setdefault("HTTP_HOST", f"{environ['SERVER_NAME']}:{environ['SERVER_PORT']}")
    subprotocols = scope.get("subprotocols")
    if subprotocols:
        environ["HTTP_SEC_WEBSOCKET_PROTOCOL"] = ", ".join(subprotocols)
    return environ | {
        "HTTP_CONNECTION": "Upgrade",
        "HTTP_UPGRADE": "websocket",
        "HTTP_SEC_WEBSOCKET_KEY": key,
        "HTTP_SEC_WEBSOCKET_VERSION": "13",
        "asgi.scope": scope,
    }


def _tokens(value: str | None) -> set[str]:
    """The members of a comma-separated field, in lower case (RFC 9110 section 5.6.1)."""
    return {part.strip().lower() for part in (value or "").split(",")}

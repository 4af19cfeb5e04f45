"""The rules about the values in WebSocket scopes and messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._rule import ASGI, Milder
from ._values import is_one_shot, not_a, shown

if TYPE_CHECKING:
    from ._asgi_look import Look

    Message = dict[str, Any]
    Scope = dict[str, Any]

WEBSOCKET = ["websocket scope"]
_WS = "ASGI HTTP & WebSocket, WebSocket"


@ASGI.check("A087", "must", "server", on=WEBSOCKET, spec=_WS, write='"http_version": "1.1", "scheme": "ws"')
def websocket_scope_names_its_version(scope: Scope, look: Look) -> str | None:
    """a websocket scope's `http_version` is "1.1" or "2", its `scheme` not empty"""
    version, scheme = scope.get("http_version", "1.1"), scope.get("scheme", "ws")
    if version == "3":
        return Milder("ambiguous", "http_version is '3', which servers use and the spec does not name yet")
    good = version in ("1.1", "2") and isinstance(scheme, str) and scheme
    return None if good else f"http_version is {shown(version)}, scheme {shown(scheme)}"


@ASGI.check(
    "A088", "must", "server", on=WEBSOCKET, spec=_WS, write='{"type": "websocket", "path": "/", "headers": [], ...}'
)
def websocket_scope_is_like_http(scope: Scope, look: Look) -> str | None:
    """the rules about HTTP scopes hold for websocket scopes too, which have `path` and `headers`"""
    missing = [key for key in ("path", "headers") if key not in scope]
    return f"the scope has no {missing[0]!r}" if missing else None


@ASGI.check("A089", "must", "server", on=WEBSOCKET, spec=_WS, write='"subprotocols": []')
def subprotocols_are_text(scope: Scope, look: Look) -> str | None:
    """`subprotocols` is an iterable of non-empty `str`, empty if none were offered"""
    given = scope.get("subprotocols", ())
    if isinstance(given, (str, bytes)) or not hasattr(given, "__iter__"):
        return f"subprotocols is {shown(given)}"
    good = is_one_shot(given) or all(isinstance(name, str) and name for name in given)
    return None if good else f"subprotocols is {shown(given)}"


@ASGI.check(
    "A093",
    "must",
    "app",
    on=["websocket.accept"],
    spec=f"{_WS}; RFC 6455 section 4.2.2",
    write='"subprotocol": scope["subprotocols"][0]',
)
def subprotocol_was_offered(message: Message, look: Look) -> str | None:
    """`subprotocol` is None or one of those the client offered"""
    chosen = message.get("subprotocol")
    if chosen is None:
        return None
    if not isinstance(chosen, str):
        return f"subprotocol is {shown(chosen)}"
    offered = look.scope.get("subprotocols") or ()
    return (
        None if chosen in offered else Milder("lint", f"subprotocol is {chosen!r}, and the client offered {offered!r}")
    )


@ASGI.check("A094", "must", "app", on=["websocket.accept"], spec=_WS, write='"subprotocol": "v1"')
def accept_headers_are_allowed(message: Message, look: Look) -> str | None:
    """an accept's `headers` (from spec version 2.1 on) do not hold `sec-websocket-protocol`"""
    if b"sec-websocket-protocol" in look.fields.names:
        return "headers hold sec-websocket-protocol"
    return (
        f"headers, and the server speaks {look.version[0]}.{look.version[1]}"
        if look.fields.pairs and look.version < (2, 1)
        else None
    )


def _one_of_two(message: Message, look: Look) -> str | None:
    text, data = message.get("text"), message.get("bytes")
    if not isinstance(text, (str, type(None))) or not isinstance(data, (bytes, type(None))):
        return f"text is {shown(text)}, bytes is {shown(data)}"
    if (text is None) == (data is None):
        return "both text and bytes are None" if text is None else "both text and bytes are given"
    return None


@ASGI.check(
    "A095", "must", "server", on=["websocket.receive"], spec=_WS, write='{"type": "websocket.receive", "text": "hello"}'
)
def received_text_or_bytes(message: Message, look: Look) -> str | None:
    """`websocket.receive` has exactly one of `bytes` and `text`; either key may be missing"""
    return _one_of_two(message, look)


@ASGI.check("A096", "must", "app", on=["websocket.send"], spec=_WS, write='{"type": "websocket.send", "text": "hello"}')
def sent_text_or_bytes(message: Message, look: Look) -> str | None:
    """`websocket.send` has exactly one of `bytes` and `text`"""
    return _one_of_two(message, look)


@ASGI.check(
    "A098",
    "must",
    "server",
    on=["websocket.disconnect"],
    spec=_WS,
    write='{"type": "websocket.disconnect", "code": 1005}',
)
def disconnect_has_a_code(message: Message, look: Look) -> str | None:
    """`code` of `websocket.disconnect` is an `int`, 1005 if the peer sent none"""
    return not_a(int, message.get("code"), "code", "an int")


@ASGI.check("A099", "must", "server", on=["websocket.disconnect"], spec=_WS, write='"reason": ""')
def disconnect_reason_is_text(message: Message, look: Look) -> str | None:
    """`reason` of `websocket.disconnect` is a `str` or None"""
    return not_a((str, type(None)), message.get("reason"), "reason", "a str or None")


@ASGI.check("A100", "must", "app", on=["websocket.close"], spec=_WS, write='{"type": "websocket.close", "code": 1000}')
def close_code_is_an_int(message: Message, look: Look) -> str | None:
    """`code` of `websocket.close` is an `int` that may be sent; `reason` (from spec version 2.3 on) a `str` or None"""
    code, reason = message.get("code", 1000), message.get("reason")
    if not isinstance(code, int) or not isinstance(reason, (str, type(None))):
        return f"code is {shown(code)}, reason is {shown(reason)}"
    if not 1000 <= code <= 4999 or code in (1005, 1006, 1015):
        return Milder("lint", f"code is {code}, which no close frame may carry (RFC 6455 section 7.4)")
    if reason and look.version < (2, 3):  # an additional key, which that server passes over
        return Milder("lint", f"a reason, which is lost: the server speaks {look.version[0]}.{look.version[1]}")
    return None

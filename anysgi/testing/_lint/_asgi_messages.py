"""The rules about the values in HTTP messages, of which WebSocket's denial responses share some."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._rule import ASGI, Milder
from ._values import is_joined_cookie, not_a, shown, wrong_pairs

if TYPE_CHECKING:
    from ._asgi_look import Look

    Message = dict[str, Any]

HEADS = ["http.response.start", "websocket.http.response.start"]
WITH_HEADERS = [*HEADS, "http.response.trailers", "http.response.push", "websocket.accept"]
BODIES = ["http.response.body", "websocket.http.response.body"]
_EVENTS, _START = "ASGI, Events", "ASGI HTTP & WebSocket, Response Start"
_BODY, _REQUEST = "ASGI HTTP & WebSocket, Response Body", "ASGI HTTP & WebSocket, Request"
_WS = "ASGI HTTP & WebSocket, WebSocket"


# --- HTTP, from the server


@ASGI.check(
    "A051", "must", "server", on=["type received"], spec=_REQUEST, write='{"type": "http.request", "body": b""}'
)
def only_request_and_disconnect(message: Message, look: Look) -> str | None:
    """an HTTP app receives only `http.request` and `http.disconnect`"""
    kind = message.get("type")
    known = kind in ("http.request", "http.disconnect") or look.declares_its_own
    ours = look.protocol == "http" and isinstance(kind, str) and kind.startswith("http.")
    return f"receive() gave {kind!r}" if ours and not known else None


@ASGI.check("A052", "must", "server", on=["http.request"], spec=_REQUEST, write='event.get("body", b"")')
def request_body_is_bytes(message: Message, look: Look) -> str | None:
    """`body` of `http.request` is bytes, and optional: an app reads it with a default"""
    return not_a(bytes, message.get("body", b""), "body", "bytes")


@ASGI.check("A053", "must", "server", on=["http.request"], spec=_REQUEST, write='event.get("more_body", False)')
def request_more_body_is_bool(message: Message, look: Look) -> str | None:
    """`more_body` of `http.request` is a `bool`, and optional: an app reads it with a default"""
    return not_a(bool, message.get("more_body", False), "more_body", "a bool")


@ASGI.check("A049", "must", "server", on=["http.request"], spec=_REQUEST, write="the decoded contents of each chunk")
def body_is_decoded(message: Message, look: Look) -> str | None:
    """the body comes without the framing of `Transfer-Encoding: chunked`"""
    if b"transfer-encoding" not in look.headers.names:
        return None
    coded = any(b"chunked" in value.lower() for value in look.headers.values(b"transfer-encoding"))
    body = message.get("body")
    framed = coded and isinstance(body, bytes) and _is_one_chunk(body)
    return f"the body event holds {shown(body)}, with its framing" if framed else None


def _is_one_chunk(body: bytes) -> bool:
    """Whether it reads as size, CRLF, that many bytes, CRLF (RFC 9112 section 7.1)."""
    size, _, rest = body.partition(b"\r\n")
    try:
        length = int(size, 16) if len(size) <= 8 else 0
    except ValueError:
        return False
    return length > 0 and rest[length : length + 2] == b"\r\n"


# --- HTTP, from the app


@ASGI.check("A063", "must", "app", on=HEADS, spec=_START, write='"status": 200')
def status_is_an_int(message: Message, look: Look) -> str | None:
    """`status` is an `int` from 200 to 599; 1xx goes through extensions only"""
    status = message.get("status")
    if not isinstance(status, int):
        return f"status is {shown(status)}" if "status" in message else "there is no status"
    if isinstance(status, bool) or not 200 <= status <= 599:
        return Milder("lint", f"status is {status!r}")
    return None


@ASGI.check("A064", "must", "app", on=WITH_HEADERS, spec=_START, write='"headers": [(b"content-type", b"text/plain")]')
def response_headers_are_pairs(message: Message, look: Look) -> str | None:
    """`headers` is an iterable of two-item iterables of bytes"""
    return wrong_pairs(message.get("headers", ()), len(look.fields.pairs))


@ASGI.check("A065", "ambiguous", "app", on=WITH_HEADERS, spec=_START, write="(name.lower(), value)")
def response_header_names_are_lowercase(message: Message, look: Look) -> str | None:
    """header names are lowercased (Django keeps their case on purpose)"""
    upper = look.fields.not_lowercase
    return None if upper is None else f"the header name {upper!r} is not lowercase"


@ASGI.check("A066", "must", "app", on=WITH_HEADERS, spec=_START, write='"status": 200')
def no_pseudo_headers(message: Message, look: Look) -> str | None:
    """no pseudo headers"""
    pseudo = look.fields.pseudo
    return None if pseudo is None else f"headers hold {pseudo!r}"


@ASGI.check("A067", "lint", "app", on=WITH_HEADERS, spec="RFC 9110 section 5", write='(b"x-name", b"value")')
def headers_can_be_sent(message: Message, look: Look) -> str | None:
    """header names are RFC 9110 tokens, and values hold no CR, LF or NUL"""
    name, split = look.fields.no_token, look.fields.splitting
    if name is not None:
        return f"the header name {name!r} is no token"
    return f"the header {split[0]!r} holds a line break or NUL: {shown(split[1])}" if split else None


@ASGI.check("A068", "lint", "app", on=HEADS, spec=_START, write="no transfer-encoding: the server adds it")
def no_transfer_encoding(message: Message, look: Look) -> str | None:
    """`transfer-encoding` is the server's; the one an app sends is ignored"""
    return "transfer-encoding was sent" if b"transfer-encoding" in look.fields.names else None


@ASGI.check("A080", "lint", "app", on=HEADS, spec="RFC 9110 section 5.3", write="one of each")
def singletons_come_once(message: Message, look: Look) -> str | None:
    """there is at most one `content-length` and one `content-type`"""
    names = look.fields.names
    twice = next((name for name in (b"content-length", b"content-type") if names.count(name) > 1), None)
    return None if twice is None else f"{twice.decode()} comes {names.count(twice)} times"


@ASGI.check(
    "A081",
    "lint",
    "app",
    on=HEADS,
    spec="RFC 9110 section 5.3",
    write='(b"set-cookie", b"a=1"), (b"set-cookie", b"b=2")',
)
def cookies_are_not_joined(message: Message, look: Look) -> str | None:
    """each `set-cookie` is a header of its own"""
    cookies = look.fields.values(b"set-cookie")
    joined = next((value for value in cookies if is_joined_cookie(value.decode("utf-8", "replace"))), None)
    return None if joined is None else f"set-cookie is {shown(joined)}"


@ASGI.check(
    "A070", "must", "app", on=HEADS, spec=_START, write='"trailers": True, where "http.response.trailers" is offered'
)
def trailers_are_offered(message: Message, look: Look) -> str | None:
    """`trailers` is a `bool`, and True only where the extension is offered"""
    trailers = message.get("trailers", False)
    if not isinstance(trailers, bool):
        return f"trailers is {shown(trailers)}"
    blind = trailers and "http.response.trailers" not in look.extensions
    return "trailers is True, and the server does not offer 'http.response.trailers'" if blind else None


@ASGI.check("A072", "must", "app", on=BODIES, spec=_BODY, write='"body": text.encode()')
def body_is_bytes(message: Message, look: Look) -> str | None:
    """`body` is bytes"""
    body = message.get("body", b"")
    if isinstance(body, (bytearray, memoryview)):
        return Milder("ambiguous", f"body is a {type(body).__name__}, which some servers take")
    return not_a(bytes, body, "body", "bytes")


@ASGI.check("A073", "must", "app", on=[*BODIES, "http.response.zerocopysend"], spec=_BODY, write='"more_body": True')
def more_body_is_bool(message: Message, look: Look) -> str | None:
    """`more_body` is a `bool`"""
    return not_a(bool, message.get("more_body", False), "more_body", "a bool")


@ASGI.check("A078", "lint", "app", on=BODIES, spec="RFC 9110 section 6.4.1", write='{"type": "http.response.body"}')
def some_statuses_have_no_body(message: Message, look: Look) -> str | None:
    """a response with status 1xx, 204 or 304 has no body; that of a HEAD request is left to the server to drop"""
    return (
        f"{len(message['body'])} bytes of body on a {look.status}"
        if (look.status in (204, 304) or 100 <= look.status < 200) and message.get("body")
        else None
    )

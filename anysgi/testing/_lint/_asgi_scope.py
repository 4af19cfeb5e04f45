"""The rules about the values in HTTP scopes, of which WebSocket scopes share most.

The spec says "as in HTTP" there, and so do we: the same functions judge both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes

from ._rule import ASGI, Milder
from ._values import is_one_shot, not_a, shown, wrong_pairs

if TYPE_CHECKING:
    from ._asgi_look import Look

    Scope = dict[str, Any]

WEB, HTTP = ["http scope", "websocket scope"], ["http scope"]
_WWW = "ASGI HTTP & WebSocket, HTTP Connection Scope"
_COMPAT = "ASGI HTTP & WebSocket, WSGI Compatibility"


@ASGI.check("A030", "must", "server", on=HTTP, spec=_WWW, write='"http_version": "1.1"')
def http_version_is_known(scope: Scope, look: Look) -> str | None:
    """`http_version` is "1.0", "1.1" or "2\""""
    version = scope.get("http_version")
    if version == "3":
        return Milder("ambiguous", "http_version is '3', which servers use and the spec does not name yet")
    return None if version in ("1.0", "1.1", "2") else f"http_version is {shown(version)}"


@ASGI.check("A031", "must", "server", on=HTTP, spec=_WWW, write='"method": method.upper()')
def method_is_uppercase(scope: Scope, look: Look) -> str | None:
    """`method` is an uppercased `str`"""
    method = scope.get("method")
    good = isinstance(method, str) and method and method == method.upper()
    return None if good else f"method is {shown(method)}"


@ASGI.check("A032", "must", "server", on=HTTP, spec=_WWW, write='"scheme": "http"')
def scheme_is_not_empty(scope: Scope, look: Look) -> str | None:
    """`scheme`, if given, is a non-empty `str`"""
    scheme = scope.get("scheme", "http")
    return None if isinstance(scheme, str) and scheme else f"scheme is {shown(scheme)}"


@ASGI.check("A033", "must", "server", on=WEB, spec=_WWW, write='"path": unquote(raw_path)')
def path_is_decoded(scope: Scope, look: Look) -> str | None:
    """`path` is a `str`, percent-decoded once, without the query string"""
    path, raw = scope.get("path"), scope.get("raw_path")
    if not isinstance(path, str):
        return f"path is {shown(path)}, not a str"
    if isinstance(raw, bytes) and b"%" not in raw and "?" not in path:
        return None  # nothing to decode, and nothing left behind
    if isinstance(raw, bytes) and b"%" in raw and path == raw.decode("latin-1") and unquote_to_bytes(raw) != raw:
        return f"path is {path!r}, still percent-encoded"
    if isinstance(raw, bytes) and "?" in path and b"?" not in unquote_to_bytes(raw):
        return f"path is {path!r}, with the query string"
    twice = isinstance(raw, bytes) and b"%25" in raw and path.encode("utf-8", "surrogateescape") == _twice(raw)
    return f"path is {path!r}, decoded twice from {raw!r}" if twice else None


def _twice(raw: bytes) -> bytes:
    """What is decoded twice, if that differs from once."""
    once = unquote_to_bytes(raw)
    twice = unquote_to_bytes(once)
    return twice if twice != once else b"\0"


@ASGI.check("A034", "should", "server", on=WEB, spec=_WWW, write='"path": "/items"')
def path_begins_with_a_slash(scope: Scope, look: Look) -> str | None:
    """`path` begins with `/`, but for `OPTIONS *`"""
    path = scope.get("path")
    odd = isinstance(path, str) and not path.startswith("/") and scope.get("method") not in ("OPTIONS", "CONNECT")
    return f"path is {path!r}" if odd else None


@ASGI.check("A035", "must", "server", on=WEB, spec=_WWW, write='"raw_path": target.partition(b"?")[0]')
def raw_path_has_no_query(scope: Scope, look: Look) -> str | None:
    """`raw_path`, if given, is bytes without `?`"""
    raw = scope.get("raw_path")
    if raw is None:
        return None
    return None if isinstance(raw, bytes) and b"?" not in raw else f"raw_path is {shown(raw)}"


@ASGI.check("A036", "lint", "server", on=WEB, spec=_WWW, write='"path": unquote(raw_path.decode("ascii"))')
def raw_path_agrees(scope: Scope, look: Look) -> str | None:
    """`raw_path`, decoded, is `path`, unless a proxy or a mount rewrote it"""
    path, raw = scope.get("path"), scope.get("raw_path")
    if not isinstance(path, str) or not isinstance(raw, bytes) or (path.isascii() and raw == path.encode()):
        return None
    if path_is_decoded(scope, look) or "\ufffd" in path:
        return None  # a finding already; or bytes that are no UTF-8, replaced, as most servers do
    decoded = unquote_to_bytes(raw.partition(b"?")[0])
    given, root = _encodings(path), _encodings(str(scope.get("root_path") or ""))
    rewritten = any(decoded.endswith(one) or one.endswith(decoded) for one in given) and any(root)
    plus = decoded.replace(b" ", b"+") in given and decoded not in given
    return f"raw_path is {raw!r}, and path {path!r}" if (decoded not in given and not rewritten) or plus else None


def _encodings(path: str) -> set[bytes]:
    """The bytes a path may stand for: servers differ in what they do with bytes that are no UTF-8."""
    latin = {path.encode("latin-1")} if path.isascii() or max(path) <= "\xff" else set()
    return {
        path.encode("utf-8", "surrogateescape" if "\udc80" <= max(path, default="") <= "\udcff" else "replace")
    } | latin


@ASGI.check("A037", "must", "server", on=WEB, spec=_WWW, write='"query_string": b"q=1"')
def query_string_is_bytes(scope: Scope, look: Look) -> str | None:
    """`query_string` is bytes, percent-encoded, without the `?`; in a websocket scope it may be None"""
    query = scope.get("query_string", b"")
    if query is None and look.protocol == "websocket":
        return None
    return None if isinstance(query, bytes) and not query.startswith(b"?") else f"query_string is {shown(query)}"


@ASGI.check("A038", "must", "server", on=WEB, spec=_WWW, write='"root_path": ""')
def root_path_is_text(scope: Scope, look: Look) -> str | None:
    """`root_path`, if given, is a `str`"""
    return not_a(str, scope.get("root_path", ""), "root_path", "a str")


@ASGI.check(
    "A039",
    "ambiguous",
    "server",
    on=WEB,
    spec=_COMPAT,
    write='"path": root_path + path',
)
def path_includes_root_path(scope: Scope, look: Look) -> str | None:
    """`path` includes `root_path` (asgiref issue 424 asks whether it does)"""
    path, root = scope.get("path"), scope.get("root_path")
    apart = isinstance(path, str) and isinstance(root, str) and not path.startswith(root)
    return f"path {path!r} does not begin with root_path {root!r}" if apart else None


@ASGI.check("A040", "lint", "server", on=WEB, spec=_COMPAT, write='"root_path": "/api"')
def root_path_ends_at_a_segment(scope: Scope, look: Look) -> str | None:
    """`root_path` has no trailing `/`, and ends where a segment of `path` ends"""
    path, root = scope.get("path"), scope.get("root_path")
    if not isinstance(path, str) or not isinstance(root, str) or not root:
        return None
    if root.endswith("/"):
        return f"root_path is {root!r}"
    inside = path.startswith(root) and path != root and not path.startswith(f"{root}/")
    return f"root_path {root!r} ends inside a segment of path {path!r}" if inside else None


@ASGI.check("A041", "must", "server", on=WEB, spec=_WWW, write='"headers": [(b"host", b"example.org")]')
def request_headers_are_pairs(scope: Scope, look: Look) -> str | None:
    """`headers` is an iterable of two-item iterables of bytes"""
    return wrong_pairs(scope.get("headers", ()), len(look.headers.pairs))


@ASGI.check("A043", "should", "server", on=WEB, spec=_WWW, write="(name.lower(), value)")
def request_header_names_are_lowercase(scope: Scope, look: Look) -> str | None:
    """the server lowercases header names; an app still looks them up whatever their case"""
    upper = look.headers.not_lowercase
    return None if upper is None else f"the header name {upper!r} is not lowercase"


@ASGI.check("A044", "must", "server", on=WEB, spec=_WWW, write='(b"host", authority) in front')
def no_pseudo_headers_in_the_request(scope: Scope, look: Look) -> str | None:
    """no pseudo headers; `:authority` becomes a leading `host`"""
    pseudo = look.headers.pseudo
    return None if pseudo is None else f"headers hold {pseudo!r}"


@ASGI.check("A045", "ambiguous", "server", on=WEB, spec=_WWW, write='"headers": list(headers)')
def headers_can_be_read_twice(scope: Scope, look: Look) -> str | None:
    """`headers` is an iterable: an app may not assume a list, and a server had better give one"""
    headers = scope.get("headers", ())
    return f"headers is {shown(headers)}, which can be read once" if is_one_shot(headers) else None


@ASGI.check("A046", "must", "server", on=WEB, spec=_WWW, write='"client": ["127.0.0.1", 50000]')
def client_is_an_address(scope: Scope, look: Look) -> str | None:
    """`client`, if given, is None or `[host, port]`: a `str` and an `int`"""
    client = scope.get("client")
    return None if client is None or is_one_shot(client) or _is_address(client, int) else f"client is {shown(client)}"


@ASGI.check("A047", "must", "server", on=WEB, spec=_WWW, write='"server": ["127.0.0.1", 8000]')
def server_is_an_address(scope: Scope, look: Look) -> str | None:
    """`server`, if given, is None, `[host, port]` or `[path of a unix socket, None]`"""
    server = scope.get("server")
    if server is None or is_one_shot(server) or _is_address(server, int):
        return None
    unix = _is_address(server, type(None)) and server[0].startswith(("/", "@", "\0", "unix:"))
    return None if unix else f"server is {shown(server)}"


def _is_address(value: Any, port: type) -> bool:
    if not isinstance(value, (list, tuple)) or len(value) != 2:
        return False
    return isinstance(value[0], str) and isinstance(value[1], port) and not isinstance(value[1], bool)


@ASGI.check("A048", "must", "server", on=WEB, spec=_WWW, write='"state": lifespan_state.copy()')
def state_is_a_dict(scope: Scope, look: Look) -> str | None:
    """`state`, if given, is a dict"""
    return not_a(dict, scope.get("state", {}), "state", "a dict")


@ASGI.check("A082", "must", "server", on=WEB, spec=_WWW, write='b"; ".join(cookies)')
def one_cookie_header(scope: Scope, look: Look) -> str | None:
    """on HTTP/1.x the `cookie` header comes once; on HTTP/2 an app joins several with "; \""""
    cookies = look.headers.names.count(b"cookie")
    several = cookies > 1 and scope.get("http_version") in ("1.0", "1.1")
    return f"{cookies} cookie headers on HTTP/{scope['http_version']}" if several else None

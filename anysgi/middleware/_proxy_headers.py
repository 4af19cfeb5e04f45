"""`proxy_headers`: client, scheme and host as the proxies in front of the server saw them, if those are trusted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from ._engine._layer import middleware
from ._forwarded import Networks, Seen, forwarded, outermost, x_forwarded
from ._hosts import parse_host
from ._names import several

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from ._engine._request import Request

_READERS = {"x-forwarded": x_forwarded, "forwarded": forwarded}
_WEBSOCKET = {"http": "ws", "https": "wss"}
DIRECT_KEY = "anysgi.direct"
"""Where the request keeps what the server itself saw: client, scheme, host, root_path."""
_PARTS = frozenset(["for", "proto", "host", "prefix"])


@middleware(
    websocket=True,
    outside=["trusted_hosts", "https_redirect", "access_log", "rate_limit", "cors", "csrf", "security_headers"],
)
def proxy_headers(
    *,
    family: Literal["x-forwarded", "forwarded"] = "x-forwarded",
    trusted: Iterable[str] = ("127.0.0.1", "::1"),
    hops: int | None = None,
    believe: Collection[Literal["for", "proto", "host", "prefix"]] = ("for", "proto"),
) -> Callable[[Request], None]:
    """Put what trusted proxies say of a request into it: its client, its scheme; Host and a path prefix if asked.

    Only one family of headers is read, since a client can send the other one past a proxy that does not know it.  Lists
    are read from the right, and only as far as their writers are trusted.  What the server itself saw stays in
    `environ["anysgi.direct"]` or `scope["anysgi.direct"]`.

    Args:
        family: `"x-forwarded"` (`X-Forwarded-For`, `-Proto`, `-Host`, `-Port`, `-Prefix`) or `"forwarded"` (RFC 7239).
        trusted: addresses and networks of your proxies; `"unix"` for a peer without an address, `"*"` for everybody,
            which is safe only where nobody but the proxy can reach the server, and it replaces the header: most append
            to it (nginx's `$proxy_add_x_forwarded_for`), and what stands further left is the client's word; write
            `hops=1` for those.
        hops: the number of proxies in front, instead of `trusted`; a request that passed fewer is left as it is.
        believe: what your proxies set on every request: `"for"`, `"proto"`, `"host"` (with `-Port`), `"prefix"`.  What
            a proxy passes on as it came is the client's word; few set Host and prefix, and who forges a prefix chooses
            the path that `skip=` and links go by.

    Raises:
        ValueError: a family or part nobody knows, what is neither an address nor a network, or `hops` below 1.
    """
    if family not in _READERS:
        raise ValueError(f"proxy_headers(family={family!r}): write 'x-forwarded' or 'forwarded'")
    if hops is not None and hops < 1:
        raise ValueError(f"proxy_headers(hops={hops}): write the number of proxies, or trusted=[...]")
    believed = frozenset(several(believe))
    if believed - _PARTS:
        raise ValueError(f"proxy_headers(believe={believe!r}): write some of {', '.join(sorted(_PARTS))}")
    read = _READERS[family]
    networks = Networks(trusted)

    def change(request: Request) -> None:
        chain = read(request.headers.get)
        if hops is None:
            _apply(request, outermost(chain, request.client or "", networks), believed)
        elif len(chain) >= hops:
            view = Seen()
            for seen in chain[:hops]:
                view = seen.over(view)
            _apply(request, view, believed)

    return change


def _apply(request: Request, view: Seen, believed: frozenset[str]) -> None:
    """Change the request; what is no address, scheme, host or path is not believed, whoever said it."""
    direct = {name: getattr(request, name) for name in ("client", "scheme", "host", "root_path")}
    request.native[DIRECT_KEY] = direct
    if view.address and "for" in believed:
        request.client = view.address
    if view.proto in _WEBSOCKET and "proto" in believed:
        request.scheme = _WEBSOCKET[view.proto] if request.is_websocket else view.proto
    if "host" in believed and parse_host(view.host) is not None:
        request.headers.set("host", view.host)
    prefix = view.prefix.rstrip("/") if "prefix" in believed else ""
    if prefix.startswith("/") and not prefix.startswith("//") and prefix.isprintable():
        request.mount(prefix)

"""`proxy_headers`: client, scheme and host as the proxies in front of the server saw them, if those are trusted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from ._forwarded import Networks, Seen, forwarded, outermost, x_forwarded
from ._hosts import parse_host
from ._layer import Flow, middleware

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ._request import Request

_READERS = {"x-forwarded": x_forwarded, "forwarded": forwarded}
_WEBSOCKET = {"http": "ws", "https": "wss"}


@middleware(
    websocket=True,
    outside=["trusted_hosts", "https_redirect", "access_log", "rate_limit", "cors", "csrf", "security_headers"],
)
def proxy_headers(
    *,
    family: Literal["x-forwarded", "forwarded"] = "x-forwarded",
    trusted: Iterable[str] = ("127.0.0.1", "::1"),
    hops: int | None = None,
) -> Callable[[Request], Flow]:
    """Put what trusted proxies say of a request into it: the client's address, scheme, Host, and a path prefix.

    Only one family of headers is read, since a client can send the other one past a proxy that does not know it.  Lists
    are read from the right, and only as far as their writers are trusted.

    Args:
        family: `"x-forwarded"` (`X-Forwarded-For`, `-Proto`, `-Host`, `-Port`, `-Prefix`) or `"forwarded"` (RFC 7239).
        trusted: addresses and networks of your proxies; `"unix"` for a peer without an address, `"*"` for everybody,
            which is safe only where nobody but the proxy can reach the server.
        hops: the number of proxies in front, instead of `trusted`; a request that passed fewer is left as it is.

    Raises:
        ValueError: a family nobody knows, what is neither an address nor a network, or `hops` below 1.
    """
    if family not in _READERS:
        raise ValueError(f"proxy_headers(family={family!r}): write 'x-forwarded' or 'forwarded'")
    if hops is not None and hops < 1:
        raise ValueError(f"proxy_headers(hops={hops}): write the number of proxies, or trusted=[...]")
    read = _READERS[family]
    networks = Networks(trusted)

    def flow(request: Request) -> Flow:
        yield from ()  # hands nothing on, so the response does not pass here
        chain = read(request.headers.get)
        if hops is None:
            _apply(request, outermost(chain, request.client or "", networks))
        elif len(chain) >= hops:
            view = Seen()
            for seen in chain[:hops]:
                view = seen.over(view)
            _apply(request, view)
        return None

    return flow


def _apply(request: Request, view: Seen) -> None:
    """Change the request; what is no address, scheme, host or path is not believed, whoever said it."""
    if view.address:
        request.client = view.address
    if view.proto in _WEBSOCKET:
        request.scheme = _WEBSOCKET[view.proto] if request.is_websocket else view.proto
    if parse_host(view.host) is not None:
        request.headers.set("host", view.host)
    prefix = view.prefix.rstrip("/")
    if prefix.startswith("/") and not prefix.startswith("//") and prefix.isprintable():
        request.mount(prefix)

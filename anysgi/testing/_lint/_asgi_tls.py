"""The rules about the TLS extension of HTTP and WebSocket scopes; judged where there is one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._rule import ASGI
from ._values import shown

if TYPE_CHECKING:
    from ._asgi_look import Look

    Scope = dict[str, Any]

TLS = ["tls"]
_TLS = "ASGI TLS extension"


@ASGI.check("A133", "must", "server", on=TLS, spec=_TLS, write='"scheme": "https"')
def tls_only_on_tls(scope: Scope, look: Look) -> str | None:
    """`extensions["tls"]` is there only on TLS connections"""
    plain = scope.get("scheme", "http") in ("http", "ws")
    return f"a tls extension, and scheme {scope.get('scheme', 'http')!r}" if plain else None


def _tls(look: Look) -> dict[Any, Any] | None:
    tls = look.extensions.get("tls")
    return tls if isinstance(tls, dict) else None


@ASGI.check(
    "A134",
    "must",
    "server",
    on=TLS,
    spec=_TLS,
    write='"tls": {"server_cert": None, "tls_version": 0x0304, "cipher_suite": 0x1301}',
)
def tls_has_its_keys(scope: Scope, look: Look) -> str | None:
    """`tls` has `server_cert` (`str` or None), `tls_version` and `cipher_suite` (`int` or None; 16 bits)"""
    tls = _tls(look)
    if tls is None:
        return None
    for key, kind in {"server_cert": str, "tls_version": int, "cipher_suite": int}.items():
        value = tls.get(key, "missing" if kind is int else 0)
        if value is not None and not isinstance(value, kind):
            return f"tls[{key!r}] is {shown(tls[key]) if key in tls else 'missing'}"
    suite = tls["cipher_suite"]
    return None if suite is None or 0 <= suite <= 0xFFFF else f"cipher_suite is {suite}, more than 16 bits"


@ASGI.check("A135", "must", "server", on=TLS, spec=_TLS, write='"client_cert_chain": [pem]')
def client_chain_is_pem(scope: Scope, look: Look) -> str | None:
    """`client_cert_chain` is an iterable of PEM `str`, the client's own first"""
    chain = (_tls(look) or {}).get("client_cert_chain", ())
    if isinstance(chain, (str, bytes)) or not hasattr(chain, "__iter__"):
        return f"client_cert_chain is {shown(chain)}"
    strange = [item for item in chain if not isinstance(item, str) or not item.lstrip().startswith("-----BEGIN")]
    return f"client_cert_chain holds {shown(strange[0])}" if strange else None


@ASGI.check("A136", "must", "server", on=TLS, spec=_TLS, write='"client_cert_name": "CN=client,O=Example"')
def client_name_is_there(scope: Scope, look: Look) -> str | None:
    """where there is a client certificate, `client_cert_name` is its RFC 4514 name; where there is none, it is None"""
    tls = _tls(look)
    if tls is None:
        return None
    name, chain = tls.get("client_cert_name"), tls.get("client_cert_chain") or ()
    if name is not None and not (isinstance(name, str) and "=" in name):
        return f"client_cert_name is {shown(name)}, not like 'CN=client'"
    if chain and name is None:
        return "there is a client certificate and no client_cert_name"
    return f"client_cert_name is {name!r}, and there is no client certificate" if name and not chain else None


@ASGI.check("A137", "must", "server", on=TLS, spec=_TLS, write='"client_cert_error": None')
def client_error_is_text(scope: Scope, look: Look) -> str | None:
    """`client_cert_error` is None or a non-empty `str`"""
    error = (_tls(look) or {}).get("client_cert_error")
    return None if error is None or (isinstance(error, str) and error) else f"client_cert_error is {shown(error)}"


@ASGI.check("A138", "lint", "server", on=TLS, spec=_TLS, write='"scheme": "https"')
def tls_has_a_secure_scheme(scope: Scope, look: Look) -> str | None:
    """with `tls`, `scheme` is "https" or "wss", the one of its protocol"""
    scheme, secure = scope.get("scheme"), {"http": "https", "websocket": "wss"}[look.protocol]
    odd = scheme not in (secure, "http", "ws")
    return f"a tls extension, and scheme {shown(scheme)}" if odd else None

"""Middleware, written once for WSGI and ASGI.

    from anysgi.middleware import Stack, access_log, request_id

    stack = Stack(request_id(), access_log())    # outermost first
    application = stack(application)              # a WSGI or an ASGI app

Names are imported when they are first asked for (PEP 562): a layer brings in only what it needs itself.
"""

TYPE_CHECKING = False  # what type checkers read as true
if TYPE_CHECKING:
    from .._core._fields import Fields, Headers
    from ._access_log import access_log
    from ._body_limit import body_limit
    from ._capture import Captured, capture
    from ._compress import compress
    from ._conditional import conditional
    from ._cors import cors
    from ._csrf import csrf
    from ._decompress import decompress
    from ._digest import digest
    from ._engine._body import Body, Transform
    from ._engine._dual import Dual
    from ._engine._layer import Flow, Layer, Middleware, Skip, middleware
    from ._engine._outcome import Outcome
    from ._engine._request import Request
    from ._engine._response import Response
    from ._engine._stack import Stack
    from ._errors import errors
    from ._health import health
    from ._https_redirect import https_redirect
    from ._idempotency import idempotency
    from ._load_shed import load_shed
    from ._maintenance import maintenance
    from ._method_override import method_override
    from ._metrics import metrics
    from ._proxy_headers import proxy_headers
    from ._rate_limit import rate_limit
    from ._request_id import RequestIdFilter, current_request_id, request_id
    from ._security_headers import security_headers
    from ._server_timing import server_timing, span
    from ._timeout import timeout
    from ._tracing import tracing
    from ._trusted_hosts import trusted_hosts

__all__ = [
    # to write one
    "Body",
    "Dual",
    "Fields",
    "Flow",
    "Headers",
    "Outcome",
    "Request",
    "Response",
    "Transform",
    "middleware",
    # to use them
    "Layer",
    "Middleware",
    "Skip",
    "Stack",
    # the library
    "Captured",
    "RequestIdFilter",
    "access_log",
    "body_limit",
    "capture",
    "compress",
    "conditional",
    "cors",
    "csrf",
    "current_request_id",
    "decompress",
    "digest",
    "errors",
    "health",
    "https_redirect",
    "idempotency",
    "load_shed",
    "maintenance",
    "method_override",
    "metrics",
    "proxy_headers",
    "rate_limit",
    "request_id",
    "security_headers",
    "server_timing",
    "span",
    "timeout",
    "tracing",
    "trusted_hosts",
]

_HOMES = {
    "Body": "_engine._body",
    "Dual": "_engine._dual",
    "Fields": "._core._fields",
    "Flow": "_engine._layer",
    "Headers": "._core._fields",
    "Layer": "_engine._layer",
    "Middleware": "_engine._layer",
    "Outcome": "_engine._outcome",
    "Request": "_engine._request",
    "Response": "_engine._response",
    "Skip": "_engine._layer",
    "Stack": "_engine._stack",
    "Transform": "_engine._body",
    "middleware": "_engine._layer",
    # the library
    "Captured": "_capture",
    "RequestIdFilter": "_request_id",
    "access_log": "_access_log",
    "body_limit": "_body_limit",
    "capture": "_capture",
    "compress": "_compress",
    "conditional": "_conditional",
    "cors": "_cors",
    "csrf": "_csrf",
    "current_request_id": "_request_id",
    "decompress": "_decompress",
    "digest": "_digest",
    "errors": "_errors",
    "health": "_health",
    "https_redirect": "_https_redirect",
    "idempotency": "_idempotency",
    "load_shed": "_load_shed",
    "maintenance": "_maintenance",
    "method_override": "_method_override",
    "metrics": "_metrics",
    "proxy_headers": "_proxy_headers",
    "rate_limit": "_rate_limit",
    "request_id": "_request_id",
    "security_headers": "_security_headers",
    "server_timing": "_server_timing",
    "span": "_server_timing",
    "timeout": "_timeout",
    "tracing": "_tracing",
    "trusted_hosts": "_trusted_hosts",
}

if not TYPE_CHECKING:  # a checker would take any name for granted

    def __getattr__(name: str) -> object:
        from importlib import import_module

        home = _HOMES.get(name)
        if home is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}; it has {', '.join(__all__)}")
        found: object = getattr(import_module(f".{home}", __name__), name)
        globals()[name] = found
        return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

"""What both apps decide about cookies and proxies, compared: a difference logs people out, or lets anybody in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from ._finding import Evidence, Finding, line_of

if TYPE_CHECKING:
    from ._finding import Patient, Side

Cookie = dict[str, object]
_FLASK = {
    "name": "SESSION_COOKIE_NAME",
    "domain": "SESSION_COOKIE_DOMAIN",
    "path": "SESSION_COOKIE_PATH",
    "secure": "SESSION_COOKIE_SECURE",
    "samesite": "SESSION_COOKIE_SAMESITE",
    "httponly": "SESSION_COOKIE_HTTPONLY",
}
_STARLETTE = {
    "name": ("session_cookie", "session"),
    "domain": ("domain", None),
    "path": ("path", "/"),
    "secure": ("https_only", False),
    "samesite": ("same_site", "lax"),
}


def cookies(patient: Patient) -> Iterator[Finding]:
    """The session cookie's attributes, where both sides have one."""
    if patient.new is None:
        return
    old, new = _cookie(patient.app), _cookie(patient.new)
    if old is None or new is None:
        return
    for name in old:
        if _plain(old[name]) != _plain(new[name]):
            yield Finding(
                "cookies",
                "error" if name in ("name", "domain", "path") else "warning",
                f"the session cookie's {name} differs: {old[name]!r} and {new[name]!r}",
                (_shown(patient.app, name, old[name]), _shown(patient.new, name, new[name])),
                _FIXES.get(name, f"the same {name} on both sides"),
            )


_FIXES = {
    "name": "the same name on both sides if they share the session, clearly different ones if they do not",
    "secure": "secure on both sides as soon as there is HTTPS",
}


def _plain(value: object) -> object:
    """`/` and unset are the same path, `Lax` and `lax` the same word."""
    return value.lower() if isinstance(value, str) else (value or "")


def _shown(side: Side, name: str, value: object) -> Evidence:
    setting = {"Flask": _FLASK, "Quart": _FLASK, "Django": _FLASK}.get(side.framework or "", {}).get(name)
    setting = setting or _STARLETTE.get(name, (name,))[0]
    found = line_of(side.files, setting, value)
    return Evidence(f"{side.name}: {found.seen}", found.file, found.line)


def _cookie(side: Side) -> Cookie | None:
    reader = _READERS.get(side.framework or "")
    return reader(side.inner) if reader else None


def _flask_cookie(app: Any) -> Cookie:
    found: Cookie = {name: app.config.get(setting) for name, setting in _FLASK.items() if name != "httponly"}
    return found | {"path": found["path"] or app.config.get("APPLICATION_ROOT") or "/"}


def _django_cookie(_app: Any) -> Cookie | None:
    from django.conf import settings

    if "django.contrib.sessions.middleware.SessionMiddleware" not in settings.MIDDLEWARE:
        return None
    return {name: getattr(settings, setting) for name, setting in _FLASK.items() if name != "httponly"}


def _starlette_cookie(app: Any) -> Cookie | None:
    for item in app.user_middleware:
        if getattr(item.cls, "__name__", "") == "SessionMiddleware":
            return {name: item.kwargs.get(option, default) for name, (option, default) in _STARLETTE.items()}
    return None


_READERS: dict[str, Callable[[Any], Cookie | None]] = {
    "Flask": _flask_cookie,
    "Quart": _flask_cookie,
    "Django": _django_cookie,
    "Starlette": _starlette_cookie,
    "FastAPI": _starlette_cookie,
}


# --- proxies


def proxy_trust(patient: Patient) -> Iterator[Finding]:
    """Whether `X-Forwarded-*` is believed on one side only: scheme, host or client address then differ by route."""
    if patient.new is None:
        return
    trusted = [(side, list(_trusts(side))) for side in patient.sides]
    if bool(trusted[0][1]) != bool(trusted[1][1]):
        by, seen = next((side, seen) for side, seen in trusted if seen)
        other = next(side for side, seen in trusted if not seen)
        yield Finding(
            "proxy-trust",
            "error",
            f"{by.name} believes a proxy's X-Forwarded headers, {other.name} does not: scheme, host and client address "
            "will differ between moved and unmoved routes",
            tuple(Evidence(f"{by.name}: {item}") for item in seen),
            "one proxy_headers middleware around the router, and none inside",
        )


def _trusts(side: Side) -> Iterator[str]:
    """What around or inside an app rewrites the request by a proxy's headers."""
    for layer in layers(side):
        name = type(layer).__name__
        if name in ("ProxyFix", "ProxyHeadersMiddleware"):
            counts = {key: value for key, value in vars(layer).items() if key.startswith(("x_", "trusted"))}
            yield f"{name}({', '.join(f'{key}={value}' for key, value in counts.items())})"
    for item in getattr(side.inner, "user_middleware", ()):
        if getattr(item.cls, "__name__", "") == "ProxyHeadersMiddleware":
            yield "ProxyHeadersMiddleware"
    if side.framework == "Django":
        from django.conf import settings

        for name in ("SECURE_PROXY_SSL_HEADER", "USE_X_FORWARDED_HOST", "USE_X_FORWARDED_PORT"):
            if getattr(settings, name):
                yield f"{name} = {getattr(settings, name)!r}"


def layers(side: Side) -> Iterator[object]:
    """What is wrapped around the framework's app, and what a Flask app has put around its own `wsgi_app`."""
    for start in (side.app, getattr(side.inner, "wsgi_app", None), getattr(side.inner, "asgi_app", None)):
        layer = start
        while layer is not None and layer is not side.inner:
            yield layer
            layer = getattr(layer, "app", None) or getattr(layer, "wsgi_app", None)

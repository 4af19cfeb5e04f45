"""What stands around an app: adapters of others, and WSGI middleware that the new app will not have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._finding import Evidence, Finding
from ._sides import layers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._finding import Patient, Side

_ADAPTERS = {
    "asgiref.wsgi.WsgiToAsgi": "one thread for all requests, so one at a time; close() of a response is never called",
    "starlette.middleware.wsgi.WSGIMiddleware": "deprecated; close() of a response is never called",
    "uvicorn.middleware.wsgi.WSGIMiddleware": "deprecated; the body is read into memory, close() is never called",
    "a2wsgi.wsgi.WSGIMiddleware": "10 threads unless told otherwise; a client that leaves may keep one for good",
    "a2wsgi.asgi.ASGIMiddleware": "no lifespan; a request body without a length reads as empty",
}
_ELSEWHERE = frozenset(["ProxyFix", "ProxyHeadersMiddleware"])  # proxy-trust looks at these
_INSTEAD = {
    "WhiteNoise": "StaticFiles, or ServeStatic, on the new side; or one static layer around the router",
    "SharedDataMiddleware": "StaticFiles on the new side",
    "DispatcherMiddleware": "Mount on the new side",
}


def foreign_adapters(patient: Patient) -> Iterator[Finding]:
    """An adapter between the conventions that loses something."""
    for side in patient.sides:
        around = layers(side) if side.framework else (side.app,)  # nobody looks into what is around an unknown app
        for layer in (*around, *_mounted(side)):
            name = f"{type(layer).__module__}.{type(layer).__qualname__}"
            if name in _ADAPTERS:
                yield Finding(
                    "foreign-adapter",
                    "warning",
                    f"{side.name} is served through {name}: {_ADAPTERS[name]}",
                    (Evidence(f"{side.name}: {name}"),),
                    "AsgiToWsgi(app)" if name.endswith("ASGIMiddleware") else "WsgiToAsgi(app), from anysgi",
                )


def _mounted(side: Side) -> list[object]:
    return [app for route in getattr(side.inner, "routes", ()) or () if (app := getattr(route, "app", None))]


def wsgi_layers(patient: Patient) -> Iterator[Finding]:
    """WSGI middleware around the old app: what it does is not done for routes that move."""
    if patient.new is None or patient.app.convention != "wsgi":
        return
    there = {type(layer).__name__ for layer in layers(patient.new)}
    for layer in layers(patient.app):
        name = type(layer).__name__
        if name not in there | _ELSEWHERE and type(layer) is not type(patient.app.inner) and _is_middleware(layer):
            yield Finding(
                "wsgi-middleware",
                "warning",
                f"{name} stands around {patient.app.name} alone: what it does is not done for routes that move",
                (Evidence(f"{patient.app.name}: {type(layer).__module__}.{name}"),),
                _INSTEAD.get(name, f"{name} around the router, or its like around {patient.new.name}"),
            )


def _is_middleware(layer: object) -> bool:
    """An object of a class of its own: a bound method is the framework's, a function says nothing of what it does."""
    return type(layer).__module__ not in ("builtins", "types") and callable(layer)

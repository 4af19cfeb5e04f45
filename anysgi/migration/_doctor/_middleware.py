"""Starlette and FastAPI: middleware that runs the app in a task of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._inventory._source import place_of
from ._finding import Evidence, Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._finding import Patient


def base_http_middleware(patient: Patient) -> Iterator[Finding]:
    """`BaseHTTPMiddleware` (and `@app.middleware("http")`): context variables and disconnects do not get through."""
    for side in patient.sides:
        if side.framework in ("Starlette", "FastAPI"):
            for item in side.inner.user_middleware:
                if _is_base(item.cls):
                    dispatch = item.kwargs.get("dispatch")
                    seen = getattr(dispatch, "__qualname__", None) or item.cls.__qualname__
                    yield Finding(
                        "base-http-middleware",
                        "warning",
                        f"{seen} is a BaseHTTPMiddleware: context variables set in the app are lost, a client that "
                        "leaves is not noticed while streaming, and each request costs a task and a memory stream",
                        (Evidence(seen, *place_of(dispatch or item.cls)),),
                        "@anysgi.middleware.middleware on a generator: response = yield request",
                    )


def _is_base(cls: object) -> bool:
    return any(base.__name__ == "BaseHTTPMiddleware" for base in getattr(cls, "__mro__", ()))

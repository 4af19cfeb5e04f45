"""The scope an ASGI app gets under `AsgiToWsgi`: the request, and what this adapter and those around it know more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._core._lost_files import PATHSEND
from .._core._scope import scope_from_environ
from ._nesting import inherit_scope

if TYPE_CHECKING:
    from ..types import Environ


def app_scope(environ: Environ, state: dict[str, Any] | None, *, nested: bool, files: bool) -> dict[str, Any]:
    """Make the scope of one request.

    Args:
        environ: the request.
        state: what the app's lifespan left for its requests; None if it has none.
        nested: an ASGI server is further out, whose scope this one continues.
        files: the app may name a file for the server to send.
    """
    scope = scope_from_environ(environ)
    if not files:
        scope["extensions"].pop(PATHSEND, None)
    if scope["scheme"] == "https":
        from ._client_certificate import tls_extension  # here: the others need no ssl

        scope["extensions"]["tls"] = tls_extension(environ)
    if nested:
        return inherit_scope(scope, environ, state)
    if state is not None:
        scope["state"] = state.copy()
    return scope

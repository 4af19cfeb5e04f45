"""`to_asgi` and `to_wsgi`: adapt where needed, and only there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._core._detect import guess_convention
from ._asgi_to_wsgi import AsgiToWsgi
from ._wsgi_to_asgi import WsgiToAsgi

if TYPE_CHECKING:
    from ..types import ASGIApp, Convention, WSGIApp


def to_asgi(app: Any, *, convention: Convention | None = None, **options: Any) -> ASGIApp:
    """Return `app` as an ASGI app: itself if it is one, else wrapped in `WsgiToAsgi`.

    `to_asgi(to_wsgi(app)) is app`: an adapter without options of its own is taken off again.

    Args:
        app: a WSGI or an ASGI app.
        convention: which of them, where `guess_convention` cannot tell.
        options: for `WsgiToAsgi`; not used if there is nothing to adapt.

    Raises:
        ConventionError: `app` is no app, or its convention is unclear.
    """
    if isinstance(app, AsgiToWsgi) and app.plain:
        return app.app
    if (convention or guess_convention(app)) == "asgi":
        inner: ASGIApp = app
        return inner
    return WsgiToAsgi(app, **options)


def to_wsgi(app: Any, *, convention: Convention | None = None, **options: Any) -> WSGIApp:
    """Return `app` as a WSGI app: itself if it is one, else wrapped in `AsgiToWsgi`.

    `to_wsgi(to_asgi(app)) is app`: an adapter without options of its own is taken off again.

    Args:
        app: an ASGI or a WSGI app.
        convention: which of them, where `guess_convention` cannot tell.
        options: for `AsgiToWsgi`; not used if there is nothing to adapt.

    Raises:
        ConventionError: `app` is no app, or its convention is unclear.
    """
    if isinstance(app, WsgiToAsgi) and app.plain:
        return app.app
    if (convention or guess_convention(app)) == "wsgi":
        inner: WSGIApp = app
        return inner
    return AsgiToWsgi(app, **options)

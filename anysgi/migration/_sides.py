"""The two apps behind a router, each callable in both conventions.

Our own adapters are taken off where they are not needed: `legacy=WsgiToAsgi(flask_app, threads=64)` keeps its options
on an ASGI server, and is the bare Flask app on a WSGI server.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from .. import AsgiToWsgi, WsgiToAsgi, guess_convention, to_asgi, to_wsgi
from ._deadline import HeadDeadline

if TYPE_CHECKING:
    from ..types import ASGIApp, WSGIApp
    from ._table import Side


class SideApp:
    """One of the two apps.

    Args:
        name: which.
        app: a WSGI or an ASGI app.
        head_timeout: seconds the app may take to its response head; None: no limit.

    Attributes:
        state: what its lifespan left, for its requests.
        down: why it is not served; empty if it is.
    """

    def __init__(self, name: Side, app: Any, head_timeout: float | None = None) -> None:
        self.name = name
        self.app = app
        self.state: dict[str, Any] | None = None
        self.down = ""
        self._head_timeout = head_timeout
        guess_convention(app)  # what is no app is an error now

    @cached_property
    def asgi(self) -> ASGIApp:
        """The app as an ASGI app."""
        app = to_asgi(self.app.app if isinstance(self.app, AsgiToWsgi) else self.app)
        return app if self._head_timeout is None else HeadDeadline(app, self._head_timeout)

    @cached_property
    def wsgi(self) -> WSGIApp:
        """The app as a WSGI app; what it raises comes out of the call, so that the router can see it."""
        app: Any = self.app.app if isinstance(self.app, WsgiToAsgi) else self.app
        if isinstance(app, AsgiToWsgi) or guess_convention(app) == "wsgi":
            return to_wsgi(app, convention="wsgi")
        inner = app if self._head_timeout is None else HeadDeadline(app, self._head_timeout)
        return AsgiToWsgi(inner, raise_app_errors=True)

    def close(self) -> None:
        """End what the router itself put around the app."""
        made = self.__dict__.get("wsgi")
        if isinstance(made, AsgiToWsgi) and made is not self.app:
            made.close()
        adapted = self.__dict__.get("asgi")
        adapted = adapted.app if isinstance(adapted, HeadDeadline) else adapted
        if isinstance(adapted, WsgiToAsgi) and adapted is not self.app:
            adapted.drain()

    def __repr__(self) -> str:
        return f"{self.name}={self.app!r}"

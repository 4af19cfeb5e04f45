"""A pytest plugin: every app that a TestClient is made for is served through ASGI -> WSGI -> ASGI.

A TestClient runs the lifespan inside `with`, and only there, and so do the adapters.
"""

from __future__ import annotations

import functools
from typing import Any

from starlette.testclient import TestClient

from anysgi import AsgiToWsgi, WsgiToAsgi

_init, _enter = TestClient.__init__, TestClient.__enter__


def _bridge(app: Any, backend: Any, lifespan: Any) -> WsgiToAsgi:
    return WsgiToAsgi(AsgiToWsgi(app, loop=backend, lifespan=lifespan, raise_app_errors=True))


@functools.wraps(_init)
def init(self: Any, app: Any, *args: Any, backend: str = "asyncio", **options: Any) -> None:
    self.plain_app = app
    _init(self, _bridge(app, backend, "off"), *args, backend=backend, **options)


@functools.wraps(_enter)
def enter(self: Any) -> TestClient:
    self.app = self._transport.app = _bridge(self.plain_app, self.async_backend["backend"], "on")
    return _enter(self)


TestClient.__init__ = init
TestClient.__enter__ = enter

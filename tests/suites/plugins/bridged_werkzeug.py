"""A pytest plugin: every app that werkzeug's test Client calls is called through WSGI -> ASGI -> WSGI."""

from __future__ import annotations

from typing import Any

import werkzeug.test

from anysgi import AsgiToWsgi, WorkerPool, WsgiToAsgi

_pool = WorkerPool(4)
_run = werkzeug.test.run_wsgi_app


def run_wsgi_app(app: Any, environ: Any, buffered: bool = False) -> Any:
    bridged = AsgiToWsgi(WsgiToAsgi(app, pool=_pool), lifespan="off", raise_app_errors=True)
    return _run(bridged, environ, buffered)


werkzeug.test.run_wsgi_app = run_wsgi_app

"""A pytest plugin: every Flask app is called through WSGI -> ASGI -> WSGI."""

from __future__ import annotations

import weakref
from typing import Any

from flask import Flask

from anysgi import AsgiToWsgi, WorkerPool, WsgiToAsgi

_pool = WorkerPool(4)
_bridges: weakref.WeakKeyDictionary[Flask, AsgiToWsgi] = weakref.WeakKeyDictionary()
calls = 0


def bridge(app: Flask) -> AsgiToWsgi:
    here = weakref.ref(app)

    def whatever_it_is_now(environ: Any, start_response: Any) -> Any:
        return here().wsgi_app(environ, start_response)

    return AsgiToWsgi(WsgiToAsgi(whatever_it_is_now, pool=_pool), lifespan="off", raise_app_errors=True)


def call(app: Flask, environ: Any, start_response: Any) -> Any:
    global calls
    calls += 1
    if app not in _bridges:
        _bridges[app] = bridge(app)
    return _bridges[app](environ, start_response)


Flask.__call__ = call

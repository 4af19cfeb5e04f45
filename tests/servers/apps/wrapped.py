"""What a server imports: the app named by ANYSGI_TEST_APP inside the adapter named by ANYSGI_TEST_ADAPTER.

`anysgi` by default; `a2wsgi` and `native` (no adapter) are for proving the checks.  ANYSGI_TEST_OPTIONS is JSON with
the adapter's keyword arguments; ANYSGI_TEST_WAY is `w2a`, `a2w`, `both` (a WSGI app made ASGI and
then WSGI again) or `native`.
"""

from __future__ import annotations

import json
import os
from importlib import import_module
from typing import Any

from . import _parts as parts


def load(name: str) -> Any:
    return import_module("httpbin").app if name == "httpbin" else import_module(f"{__package__}.{name}_app").app


def by_anysgi(app: Any, way: str, options: dict[str, Any]) -> Any:
    from anysgi import AsgiToWsgi, WsgiToAsgi

    if way == "a2w":
        return AsgiToWsgi(app, **options)
    inner = WsgiToAsgi(app, lifespan=parts.lifespan, **options)
    return AsgiToWsgi(inner) if way == "both" else inner


def by_a2wsgi(app: Any, way: str, options: dict[str, Any]) -> Any:
    from a2wsgi import ASGIMiddleware, WSGIMiddleware

    if way == "a2w":
        return ASGIMiddleware(app)
    inner = WSGIMiddleware(app, workers=options.get("threads", 10))
    return ASGIMiddleware(inner) if way == "both" else inner


def wrap() -> Any:
    app, way = load(os.environ["ANYSGI_TEST_APP"]), os.environ["ANYSGI_TEST_WAY"]
    if way == "native":
        return app
    options = json.loads(os.environ.get("ANYSGI_TEST_OPTIONS", "{}"))
    match os.environ.get("ANYSGI_TEST_ADAPTER", "anysgi"):
        case "anysgi":
            return by_anysgi(app, way, options)
        case "a2wsgi":
            return by_a2wsgi(app, way, options)
    return app


application = wrap()

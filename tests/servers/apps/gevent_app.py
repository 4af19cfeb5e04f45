"""Under gunicorn's gevent worker: an ASGI app that waits, and a WSGI app behind both adapters that waits."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from anysgi import AsgiToWsgi, WsgiToAsgi


async def api(scope: Any, receive: Any, send: Any) -> None:
    if scope["path"] == "/wait":
        await asyncio.sleep(0.2)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"asgi"})


def shop(environ: Any, start_response: Any) -> Any:
    if environ["PATH_INFO"] == "/both/wait":
        time.sleep(0.2)  # gevent's own
    start_response("200 OK", [])
    return [b"wsgi"]


asgi, both = AsgiToWsgi(api, lifespan="off"), AsgiToWsgi(WsgiToAsgi(shop), lifespan="off")


def application(environ: Any, start_response: Any) -> Any:
    app = both if environ["PATH_INFO"].startswith("/both") else asgi
    return app(environ, start_response)

"""`application` tells what an app sees of its client's certificate: an ASGI app, and at /wsgi one of WSGI inside."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from anysgi import AsgiToWsgi, WsgiToAsgi

if TYPE_CHECKING:
    from collections.abc import Iterable

HEADERS = [(b"content-type", b"application/json")]


def inner(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps({name: value for name, value in environ.items() if name.startswith("SSL_")}).encode()]


as_asgi = WsgiToAsgi(inner)


async def outer(scope: Any, receive: Any, send: Any) -> None:
    if scope["path"] == "/wsgi":
        await as_asgi(scope, receive, send)
    else:
        await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
        await send({"type": "http.response.body", "body": json.dumps(scope["extensions"]["tls"]).encode()})


application = AsgiToWsgi(outer, lifespan="off")

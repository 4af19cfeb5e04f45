"""What `benchmarks.files` has gunicorn serve: one file, in three ways."""

from __future__ import annotations

import os
from typing import Any

from starlette.responses import FileResponse

from anysgi import AsgiToWsgi


def plain(environ: dict[str, Any], start_response: Any) -> Any:
    path = os.environ["ANYSGI_BENCH_FILE"]
    start_response("200 OK", [("Content-Length", str(os.stat(path).st_size))])
    return environ["wsgi.file_wrapper"](open(path, "rb"))


async def starlette(scope: Any, receive: Any, send: Any) -> None:
    await FileResponse(os.environ["ANYSGI_BENCH_FILE"])(scope, receive, send)


ours = AsgiToWsgi(starlette, lifespan="off")


def application(environ: dict[str, Any], start_response: Any) -> Any:
    path = environ["PATH_INFO"]
    if path == "/blocks":
        environ = {key: value for key, value in environ.items() if key != "wsgi.file_wrapper"}
    return (plain if path == "/native" else ours)(environ, start_response)

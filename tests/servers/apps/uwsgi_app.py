"""What uWSGI loads: an ASGI app in the mode that ANYSGI_TEST_MODE names; it says where it runs, and what it did."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from typing import Any

from anysgi import AsgiToWsgi


def say(word: str) -> None:
    sys.stderr.write(f"{word} in {os.getpid()}\n")


async def app(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        for phase in ("startup", "shutdown"):
            await receive()
            say(phase)
            await send({"type": f"lifespan.{phase}.complete"})
        return
    path, content = scope["path"], b"hello"
    if path == "/where":
        content = f"{os.getpid()} {threading.active_count()} {id(asyncio.get_running_loop())}".encode()
    if path == "/upload":
        content = b""
        while True:
            message = await receive()
            content += message["body"]
            if not message["more_body"]:
                break
    await send({"type": "http.response.start", "status": 200, "headers": []})
    for at in range(0, len(content), 1000):
        await send({"type": "http.response.body", "body": content[at : at + 1000], "more_body": True})
        await asyncio.sleep(0)
    await send({"type": "http.response.body", "body": b""})
    if path == "/later":
        await asyncio.sleep(0.05)
        say("background task")


application = AsgiToWsgi(app, mode=os.environ["ANYSGI_TEST_MODE"])  # type: ignore[arg-type]

try:
    import uwsgi
except ImportError:
    pass
else:
    uwsgi.atexit = application.close  # Python's own atexit is not run with --lazy-apps

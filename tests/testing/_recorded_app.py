"""The apps that `record_presets` serves: they write down how the server called them, in the file RECORD names."""

from __future__ import annotations

import json
import os
from typing import Any


def plain(value: Any) -> Any:
    """JSON as far as it goes; other things by the name of their class."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, bytes):
        return {"bytes": value.decode("latin-1")}
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    return {"object": f"{type(value).__module__}.{type(value).__qualname__}"}


def record(**facts: Any) -> None:
    with open(os.environ["RECORD"], "a", encoding="utf-8") as file:
        file.write(json.dumps(facts) + "\n")


async def asgi(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": message["type"] + ".complete"})
            if message["type"] == "lifespan.shutdown":
                return
    if scope["path"] == "/leave":
        await leave(receive, send)
        return
    record(scope=plain(scope))
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body"})


async def leave(receive: Any, send: Any) -> None:
    """The client announces ten bytes, sends three, and leaves."""
    message = await receive()
    while message["type"] == "http.request" and message.get("more_body"):
        message = await receive()
    try:
        for _ in range(3):
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"x", "more_body": True})
            break
    except Exception as error:
        record(upload=message["type"], send=(isinstance(error, OSError) and "OSError") or type(error).__name__)
    else:
        record(upload=message["type"], send="silent")


def wsgi(environ: Any, start_response: Any) -> list[bytes]:
    if environ["PATH_INFO"] == "/leave":
        try:
            got = environ["wsgi.input"].read(10)
        except Exception as error:
            record(upload=(isinstance(error, OSError) and "OSError") or type(error).__name__)
        else:
            record(upload="eof" if len(got) < 10 else "whole")
    else:
        record(environ=plain(environ))
    start_response("204 No Content", [])
    return []

"""What the validators cost, in microseconds a message: `python -m benchmarks.lint`.

A message is whatever one side hands the other: the scope or environ, an event, the head, a chunk.  Each figure is the
difference in CPU time between the app with and without its validator, the best of several runs that take turns.
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable
from time import thread_time
from typing import Any

from anysgi.testing import LintASGI, LintWSGI

ROUNDS, CALLS = 7, 300
HEADERS = [
    (b"content-type", b"text/plain"),
    (b"cache-control", b"no-store"),
    (b"x-request-id", b"4f2a"),
    (b"vary", b"accept"),
]
TEXT_HEADERS = [(name.decode().title(), value.decode()) for name, value in HEADERS]
STREAM = 100  # chunks


def scope() -> dict[str, Any]:
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": "/cart",
        "raw_path": b"/cart",
        "query_string": b"",
        "root_path": "",
        "headers": [(b"host", b"shop"), (b"accept", b"*/*"), (b"user-agent", b"curl/8"), (b"accept-encoding", b"gzip")],
        "client": ["127.0.0.1", 50000],
        "server": ["127.0.0.1", 8000],
        "extensions": {},
    }


def environ() -> dict[str, Any]:
    return {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": "/cart",
        "QUERY_STRING": "",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8000",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": "shop",
        "HTTP_ACCEPT": "*/*",
        "HTTP_USER_AGENT": "curl/8",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }


async def receive() -> dict[str, Any]:
    return {"type": "http.request", "body": b"", "more_body": False}


async def send(message: dict[str, Any]) -> None:
    pass


def asgi_app(chunks: int) -> Any:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
        for left in range(chunks - 1, -1, -1):
            await send({"type": "http.response.body", "body": b"hello", "more_body": left > 0})

    return app


def wsgi_app(chunks: int) -> Any:
    def app(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", TEXT_HEADERS)
        return iter([b"hello"] * chunks)

    return app


def asgi_seconds(app: Any) -> float:
    async def calls() -> float:
        start = thread_time()
        for _ in range(CALLS):
            await app(scope(), receive, send)
        return thread_time() - start

    return asyncio.run(calls())


def wsgi_seconds(app: Any) -> float:
    start = thread_time()
    for _ in range(CALLS):
        result = app(environ(), lambda status, headers, exc_info=None: print)
        for _chunk in result:
            pass
        if hasattr(result, "close"):
            result.close()
    return thread_time() - start


def cost(plain: Any, lint: Any, seconds: Callable[[Any], float], messages: int) -> float:
    """Microseconds a message."""
    pairs = [(seconds(plain), seconds(lint)) for _ in range(ROUNDS)]
    return (min(slow for _, slow in pairs) - min(fast for fast, _ in pairs)) / CALLS / messages * 1e6


def main() -> None:
    for chunks in (1, STREAM):
        asgi, wsgi = asgi_app(chunks), wsgi_app(chunks)
        figures = {
            "LintASGI": cost(asgi, LintASGI(asgi, on="collect"), asgi_seconds, 3 + chunks),
            "LintWSGI": cost(wsgi, LintWSGI(wsgi, on="collect"), wsgi_seconds, 2 + chunks),
        }
        for name, figure in figures.items():
            print(f"{name}  {chunks:>3} chunks  {figure:6.1f} us a message")


if __name__ == "__main__":
    main()

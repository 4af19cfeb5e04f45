"""No false alarm under real servers, with their own apps and with our adapters between two validators.

What is listed as known is true: each has its reason beside it.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

from tests.servers._client import Client
from tests.servers._process import start, until

from . import _frameworks

pytestmark = pytest.mark.server

SERVED = "tests.testing.lint.served:application"
GUNICORN = ["-m", "gunicorn", SERVED, "--bind", "fd://{fd}", "--graceful-timeout", "3", "--no-control-socket"]
SERVE = ["-m", "tests.testing.lint.serve"]
COMMANDS = {
    "uvicorn-h11": ["-m", "uvicorn", SERVED, "--fd", "{fd}", "--http", "h11", "--no-access-log"],
    "uvicorn-httptools": ["-m", "uvicorn", SERVED, "--fd", "{fd}", "--http", "httptools", "--no-access-log"],
    "hypercorn": ["-m", "hypercorn", f"asgi:{SERVED}", "--bind", "fd://{fd}", "--workers", "0"],
    "daphne": ["-m", "daphne", SERVED, "--fd", "{fd}", "--verbosity", "0"],
    "granian": [*SERVE, "granian", "{fd}"],
    "gunicorn-sync": [*GUNICORN, "--worker-class", "sync"],
    "gunicorn-gthread": [*GUNICORN, "--worker-class", "gthread", "--threads", "4"],
    "granian-wsgi": [*SERVE, "granian_wsgi", "{fd}"],
    "waitress": [*SERVE, "waitress", "{fd}"],
    "werkzeug": [*SERVE, "werkzeug", "{fd}"],
    "wsgiref": [*SERVE, "wsgiref", "{fd}"],
}
ASGI_SERVERS = ("uvicorn-h11", "uvicorn-httptools", "hypercorn", "daphne", "granian")
ASGI_APPS, WSGI_APPS = ("starlette", "fastapi"), ("flask", "django")
KNOWN: dict[str, dict[str, str]] = {
    "granian": {
        "A046 server": "the client's port is a str",
        "A047 server": "the server's port is a str",
        "A015 server": "one dict of extensions for all requests",
        "A030 server": "HTTP/1.0 is '1'",
    },
    "granian-wsgi": {
        "W049 server": "start_response returns None",
        "W032 server": "a body cut short is an end like any other",
        "A030 adapter": "SERVER_PROTOCOL of HTTP/1.0 is 'HTTP/1', and the adapter passes it on",
    },
    "werkzeug": {"W021 server": "REMOTE_PORT is an int"},
    "wsgiref": {"W032 server": "a body cut short is an end like any other"},
}
CELLS = [
    (
        server,
        app,
        ("native" if (app in ASGI_APPS) == (server in ASGI_SERVERS) else "w2a" if app in WSGI_APPS else "a2w"),
    )
    for server in COMMANDS
    for app in (*ASGI_APPS, *WSGI_APPS)
]
CELLS += [(server, app, "native") for server in ("uvicorn-httptools", "hypercorn") for app in _frameworks.ASGI]
CELLS += [(server, app, "native") for server in ("gunicorn-gthread", "waitress") for app in _frameworks.WSGI]
QUICK = [("uvicorn-h11", "flask", "w2a"), ("gunicorn-gthread", "starlette", "a2w")]


TARGETS = (
    *("/hello", "/download?size=300000", "/cookies", "/go", "/show/caf%C3%A9", "/show/%E9", "/nowhere"),
    *("/status/204", "/status/304", "/stream", "/error?tag=x", "/error-late?tag=x"),
)


def exercise(port: int) -> None:
    """Requests of all kinds; what the answers are does not matter here."""
    for target in (*TARGETS, *_frameworks.PATHS):
        ask(port, "GET", target)
    ask(port, "HEAD", "/download?size=300000")
    ask(port, "GET", "/hello", version="1.0")
    ask(port, "POST", "/echo", "Content-Length: 5", body=b"hello")
    for target in ("/upload", "/up"):
        ask(port, "POST", target, "Content-Length: 200000", body=b"x" * 200_000)
    ask(port, "POST", "/upload", "Transfer-Encoding: chunked", body=b"3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n")
    leave(port, "GET", "/endless?pause=0.01")
    leave(port, "POST", "/upload", "Content-Length: 1000000", body=b"some of the body")


def ask(port: int, method: str, target: str, *headers: str, body: bytes = b"", version: str = "1.1") -> None:
    """One request on a connection of its own, read to the end."""
    with Client(port, timeout=10) as client:
        client.request(
            method,
            target,
            "Connection: close",
            "Cookie: a=1; b=2",
            "X-Twice: 1",
            "X-Twice: 2",
            *headers,
            version=version,
        )
        with contextlib.suppress(OSError):
            client.send(body)
            while client.fill():
                pass


def leave(port: int, method: str, target: str, *headers: str, body: bytes = b"") -> None:
    """One request whose client breaks the connection."""
    client = Client(port, timeout=10)
    client.request(method, target, *headers)
    client.send(body)
    if method == "GET":
        client.fill()
    client.reset()


def found(folder: Path) -> dict[str, str]:
    file = folder / "findings"
    lines = file.read_text("utf-8").splitlines() if file.exists() else []
    return {line.partition(":")[0]: line for line in lines if line[:1] in "AW"}


@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    ("name", "app", "way"),
    [pytest.param(*cell, id="-".join(cell), marks=[] if cell in QUICK else [pytest.mark.slow]) for cell in CELLS],
)
def test_a_real_server_raises_no_false_alarm(name: str, app: str, way: str, tmp_path: Path) -> None:
    environ = {
        "ANYSGI_TEST_APP": app,
        "ANYSGI_TEST_WAY": "native",
        "ANYSGI_LINT_WAY": way,
        "ANYSGI_LINT_FILE": str(tmp_path / "findings"),
    }
    ready = "/" if app in _frameworks.ASGI + _frameworks.WSGI else "/hello"
    server = start(name, COMMANDS[name], environ, tmp_path, ready)
    try:
        exercise(server.port)
        until(lambda: server.get(ready, "Connection: close").status == 200, "it still answers")
    finally:
        server.stop()
    known = KNOWN.get(name, {}) | KNOWN.get(way, {})
    assert {key: line for key, line in found(tmp_path).items() if key not in known} == {}

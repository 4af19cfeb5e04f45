"""The matrix: which server runs which app, as command lines, and how a test asks for the cells it wants.

All commands are what a user would type, with the test's socket instead of a port.  `-W error` is on for every
process.  ANYSGI_TEST_ADAPTER=native exchanges the servers of the two halves, so that each app meets a server of its
own convention and the checks can be tried on something other than an adapter.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, replace

import pytest

NATIVE = os.environ.get("ANYSGI_TEST_ADAPTER") == "native"
WRAPPED = "apps.wrapped:application"
UVICORN = ["-m", "uvicorn", WRAPPED, "--fd", "{fd}", "--timeout-graceful-shutdown", "3", "--no-access-log"]
GUNICORN = ["-m", "gunicorn", WRAPPED, "--bind", "fd://{fd}", "--graceful-timeout", "3", "--no-control-socket"]
GRANIAN = ["-m", "granian", WRAPPED, "--port", "{port}"]
# SIGTERM reloads a uWSGI that is not told to end by it, and `--die-on-term` would not let it finish.
UWSGI = [
    *("-c", "import pyuwsgi, sys; pyuwsgi.run(sys.argv[1:])", "--http-socket", "127.0.0.1:{port}"),
    *("--module", WRAPPED, "--need-app", "--master", "--buffer-size", "65535"),
    *("--hook-master-start", "unix_signal:15 gracefully_kill_them_all"),
]
# Four threads: enough for every check, few enough that one leaked by one check is missed by the next.
COMMANDS: dict[str, list[str]] = {
    "uvicorn-h11": [*UVICORN, "--http", "h11", "--loop", "asyncio"],
    "uvicorn-httptools": [*UVICORN, "--http", "httptools", "--loop", "uvloop"],
    "uvicorn-h11-uvloop": [*UVICORN, "--http", "h11", "--loop", "uvloop"],
    "uvicorn-httptools-asyncio": [*UVICORN, "--http", "httptools", "--loop", "asyncio"],
    "hypercorn": ["-m", "hypercorn", f"asgi:{WRAPPED}", "--bind", "fd://{fd}", "--workers", "0"],
    # With `--workers 0` hypercorn's trio leaves SIGTERM to the system, which ends it on the spot.
    "hypercorn-trio": ["-m", "hypercorn", WRAPPED, "--bind", "fd://{fd}", "--worker-class", "trio"],
    "gunicorn-sync": [*GUNICORN, "--worker-class", "sync"],
    "gunicorn-gthread": [*GUNICORN, "--worker-class", "gthread", "--threads", "4"],
    "gunicorn-preload": [*GUNICORN, "--worker-class", "gthread", "--threads", "4", "--preload"],
    "gunicorn-gevent": [*GUNICORN, "--worker-class", "gevent"],
    "waitress": ["-m", "apps.waitress_run", "{fd}", "4", "0"],
    "waitress-lookahead": ["-m", "apps.waitress_run", "{fd}", "4", "1"],
    "daphne": ["-m", "daphne", WRAPPED, "--fd", "{fd}"],
    "granian": [*GRANIAN, "--interface", "asgi"],
    "gunicorn-asgi": [*GUNICORN, "--worker-class", "asgi"],
    "granian-wsgi": [*GRANIAN, "--interface", "wsgi", "--blocking-threads", "4"],
    "uwsgi": UWSGI,
    "uwsgi-threads": [*UWSGI, "--enable-threads", "--threads", "4"],
    "werkzeug": ["-m", "apps.werkzeug_run", "{fd}", "apps.wrapped"],
    "wsgiref": ["-m", "apps.wsgiref_run", "{fd}"],
    "cheroot": ["-m", "apps.cheroot_run", "{port}"],
    "mod_wsgi": ["-m", "apps.mod_wsgi_run", "{port}", "{folder}"],
}
# Said twice, the last counts.
PATIENCE = {
    "uvicorn": "--timeout-graceful-shutdown",
    "hypercorn": "--graceful-timeout",
    "gunicorn": "--graceful-timeout",
}
ASGI_SERVERS = ("uvicorn-h11", "uvicorn-httptools", "hypercorn")
WSGI_SERVERS = ("gunicorn-sync", "gunicorn-gthread", "gunicorn-preload", "waitress")
# Servers of which one app is tried, and those left to `make test-slow`.
MORE_ASGI_SERVERS = ("uvicorn-h11-uvloop", "uvicorn-httptools-asyncio", "hypercorn-trio")
MORE_WSGI_SERVERS = ("waitress-lookahead", "gunicorn-gevent")
SLOW = ("hypercorn-trio", "gunicorn-gevent")
WSGI_APPS = ("flask", "django", "wsgi")
ASGI_APPS = ("fastapi", "starlette", "asgi")


@dataclass(frozen=True)
class Cell:
    """One server with one app; `threads` limits the workers of the app, `options` go to the adapter.

    `patience` is how many seconds the server gives to requests in flight when it ends; 0: as COMMANDS has it.
    """

    server: str
    app: str
    way: str
    threads: int = 0
    options: str = "{}"
    patience: int = 0

    @property
    def name(self) -> str:
        extra = f"-{self.threads}-threads" if self.threads else ""
        return f"{self.server}-{self.app}{extra}" + (f"-{self.way}" if self.way in {"both", "native"} else "")

    @property
    def ready(self) -> str:
        """What answers 200 once the server is up."""
        return "/get" if self.app == "httpbin" else "/hello"

    @property
    def takes_one_at_a_time(self) -> bool:
        return self.server == "gunicorn-sync"

    @property
    def buffers_uploads(self) -> bool:
        """waitress reads a whole upload, to a file if it is big, before it calls the app."""
        return self.server.startswith("waitress")

    def command(self) -> list[str]:
        words = COMMANDS[self.server]
        if self.threads and self.server.startswith("gunicorn"):
            words = [*words, "--threads", str(self.threads)]
        if self.threads and self.server.startswith("waitress"):
            words = [*words[:-2], str(self.threads), words[-1]]
        if self.patience and (option := PATIENCE.get(self.server.partition("-")[0])):
            words = [*words, option, str(self.patience)]
        # gunicorn leaves its own listeners (at fd://, in a worker that exits) and the heartbeat file of a worker
        # that it had to kill to the garbage collector.
        left = ("unclosed <socket", "unclosed file <_io.FileIO") if self.server.startswith("gunicorn") else ()
        if self.buffers_uploads:  # the file of an upload whose client left half-way
            left = ("unclosed file <_io.BufferedRandom",)
        spared = [word for text in left for word in ("-W", f"ignore:{text}:ResourceWarning")]
        spared += ["-W", "ignore:'cgi' is deprecated:DeprecationWarning"] if self.app == "pyramid" else []  # WebOb
        return ["-W", "error", *spared, *words]

    def environ(self) -> dict[str, str]:
        options = json.loads(self.options)
        if self.threads and self.way == "w2a":
            options["threads"] = self.threads
        return {"ANYSGI_TEST_APP": self.app, "ANYSGI_TEST_WAY": self.way, "ANYSGI_TEST_OPTIONS": json.dumps(options)}


def half(way: str) -> list[Cell]:
    """All cells of one direction."""
    on_asgi = (way == "w2a") != NATIVE
    servers = ASGI_SERVERS if on_asgi else WSGI_SERVERS
    apps = WSGI_APPS if way == "w2a" else ASGI_APPS
    extra = MORE_ASGI_SERVERS if on_asgi else MORE_WSGI_SERVERS
    return [*(Cell(s, app, way) for s in servers for app in apps), *(Cell(s, apps[0], way) for s in extra)]


W2A = half("w2a")
A2W = half("a2w")
# One app a server: for what depends on the server and the adapter, not on the framework, and takes seconds.
ONE_APP_EACH = [
    cell for cell in (*W2A, *A2W) if cell.app in {"flask", "starlette"} and cell.server in ASGI_SERVERS + WSGI_SERVERS
]


def of(*cells: Cell) -> pytest.MarkDecorator:
    """Run the test on each of these cells; its `server` argument is the shared server of that cell."""
    marked = [
        pytest.param(
            cell,
            id=cell.name,
            marks=[
                pytest.mark.server,
                pytest.mark.xdist_group(cell.name),
                *([pytest.mark.slow] if cell.server in SLOW else []),
            ],
        )
        for cell in cells
    ]
    return pytest.mark.parametrize("cell", marked)


def with_threads(cells: list[Cell], threads: int) -> list[Cell]:
    return [replace(cell, threads=threads) for cell in cells]

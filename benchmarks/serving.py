"""The cases over real servers: the servers of a case all run at once, one of them at a time is under load.

With two cores or more, one-process servers share core 0 and the load generator has core 1 for itself, so nobody's
figure depends on where the kernel put whom.  gunicorn with eight processes may use both.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from statistics import median

from benchmarks import load, machine
from benchmarks.measure import Result, Slice, take_turns
from benchmarks.peers import OURS, have_ours
from benchmarks.servers import Server, ServerError, granian, gunicorn, uvicorn, waitress, werkzeug

Command = Callable[[int], list[str]]
# What the load generator saw, the server's memory meanwhile, and the processor seconds it used.
Seen = tuple[load.Summary, dict[str, float], float]

A2WSGI, ASGIREF = "uvicorn + a2wsgi", "uvicorn + asgiref"
GUNICORN, GUNICORN_MANY = "gunicorn gthread", "gunicorn 8 processes x 4 threads"
GRANIAN, WAITRESS, NATIVE = "granian (native WSGI)", "waitress", "Starlette native on uvicorn"
WERKZEUG = "werkzeug's server"
FLOOR = "Flask on uvicorn's loop (no adapter)"  # nobody's product: what an adapter that costs nothing would reach


@dataclass(frozen=True)
class Case:
    """One comparison of servers. `ours` is the name our contender has in it; `free` may use every core."""

    name: str
    title: str
    commands: dict[str, Command]
    path: str = "/"
    connections: int = 32
    seconds: int = 1
    rounds: int = 9
    ours: str = OURS
    free: tuple[str, ...] = ()
    unit: str = "requests/s"
    scheme: str = "http"


HELLO_SITES: dict[str, Command] = {
    OURS: partial(uvicorn, "flask_ours"),
    A2WSGI: partial(uvicorn, "flask_a2wsgi"),
    ASGIREF: partial(uvicorn, "flask_asgiref"),
    GUNICORN: partial(gunicorn, "flask_site"),
    WAITRESS: partial(waitress, "flask_site"),
    GRANIAN: partial(granian, "flask_site"),
    NATIVE: partial(uvicorn, "starlette_site"),
    FLOOR: partial(uvicorn, "flask_on_the_loop"),
}
FASTAPI_SITES: dict[str, Command] = {
    OURS: partial(gunicorn, "fastapi_ours"),
    "gunicorn gthread + a2wsgi": partial(gunicorn, "fastapi_a2wsgi"),
    "FastAPI native on uvicorn": partial(uvicorn, "fastapi_site"),
}
SLOW_SITES: dict[str, Command] = {
    OURS: partial(uvicorn, "flask_ours_many"),
    A2WSGI: partial(uvicorn, "flask_a2wsgi_many"),
    NATIVE: partial(uvicorn, "starlette_site"),
    GUNICORN_MANY: partial(gunicorn, "flask_site", workers=8, threads=4),
}
ASGI_SOCKETS: dict[str, Command] = {
    OURS: partial(gunicorn, "starlette_echo_ours", threads=40),
    NATIVE: partial(uvicorn, "starlette_echo"),
}
WSGI_SOCKETS: dict[str, Command] = {
    OURS: partial(uvicorn, "sock_echo_ours"),
    WERKZEUG: partial(werkzeug, "sock_echo"),
}
SOCKETS = partial(Case, connections=16, seconds=2, unit="messages/s", scheme="ws")
CASES = [
    Case("flask-hello", "Unchanged Flask hello, 32 connections (ours: on uvicorn)", HELLO_SITES),
    Case("fastapi-hello", "FastAPI hello on gunicorn gthread, 32 connections (ours: AsgiToWsgi)", FASTAPI_SITES),
    Case(
        "flask-slow",
        "Unchanged Flask waiting 150 ms for I/O, 500 connections (ours: on uvicorn, threads=500)",
        SLOW_SITES,
        path="/slow",
        connections=500,
        seconds=3,
        rounds=7,
        free=(GUNICORN_MANY,),
    ),
    SOCKETS("websocket-asgi", "Starlette WebSocket echo, 16 connections (ours: on gunicorn gthread)", ASGI_SOCKETS),
    SOCKETS("websocket-wsgi", "Flask-Sock WebSocket echo, 16 connections (ours: on uvicorn)", WSGI_SOCKETS),
]
BY_NAME = {case.name: case for case in CASES}


def core_plan() -> tuple[list[int] | None, list[int] | None]:
    """The cores of the servers and of the load generator; None, None where there is nothing to share out."""
    cores = machine.cores()
    return ([cores[0]], [cores[1]]) if len(cores) > 1 else (None, None)


def servers_of(case: Case) -> list[Server]:
    mine, _ = core_plan()
    names = [name for name in case.commands if name != OURS or have_ours()]
    return [Server(name, case.commands[name], case.path, None if name in case.free else mine) for name in names]


def one_slice(server: Server, case: Case, seconds: int, summaries: list[Seen]) -> float:
    """Checks the answer, loads the server for `seconds`, looks at its memory meanwhile; gives requests a second."""
    server.check()
    _, cores = core_plan()
    before = server.processor()
    process = load.start(f"{case.scheme}://127.0.0.1:{server.port}{case.path}", case.connections, seconds, cores)
    time.sleep(seconds * 0.7)
    memory = server.memory()
    try:
        summary = load.finish(process, seconds)
    except load.LoadError as error:
        raise load.LoadError(f"{error}; its log ends: {server.tail()}") from None
    summaries.append((summary, memory, server.processor() - before))
    return summary.per_second


def facts_of(summaries: list[Seen]) -> dict[str, float]:
    """A busy server far below 100 % of a core was robbed by others; requests per processor second still hold then."""
    return {
        "p50 ms": median(summary.p50 for summary, _, _ in summaries) / 1000,
        "p99 ms": median(summary.p99 for summary, _, _ in summaries) / 1000,
        "RSS MiB": max(memory["rss"] for _, memory, _ in summaries),
        "PSS MiB": max(memory["pss"] for _, memory, _ in summaries),
        "% of a core": median(cpu * 1e8 / summary.duration for summary, _, cpu in summaries),
        "per CPU s": median(summary.requests / max(cpu, 0.01) for summary, _, cpu in summaries),
    }


def run(case: Case, rounds: int, seconds: int, say: Callable[[str], None]) -> Result:
    """Starts everybody, one warm-up slice each, then takes turns; every process is gone at the end."""
    result = Result(case.name, case.title, case.unit, higher_is_better=True)
    servers = servers_of(case)
    kept: dict[str, list[Seen]] = {server.name: [] for server in servers}
    try:
        for server in servers:
            server.launch()
        for server in servers:
            warm_up(server, case, seconds, result, say)
        alive = [server for server in servers if server.name not in result.failures]
        slices: dict[str, Slice] = {one.name: partial(one_slice, one, case, seconds, kept[one.name]) for one in alive}
        take_turns(result, slices, rounds, say)
    finally:
        for server in servers:
            server.stop()
    result.facts = {name: facts_of(kept[name]) for name in result.samples}
    return result


def warm_up(server: Server, case: Case, seconds: int, result: Result, say: Callable[[str], None]) -> None:
    say(f"starting {server.name}")
    try:
        server.wait_until_right()
        one_slice(server, case, seconds, [])
    except (ServerError, load.LoadError, OSError) as error:
        result.fail(server.name, f"while warming up, {type(error).__name__}: {error}")

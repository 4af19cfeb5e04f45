"""The figures to reach, row by row as the issue states them, and a run's verdict on each: the only fixed figures here.

`kind` says what is compared: "cost" is ours divided by the peer's (small is good), "gain" is how many times better
ours is, "limit" is ours alone in the unit of the case, and "fact" and "fact ratio" look at a figure measured beside
(memory, bytes).
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median

from benchmarks import compression, files, imports, inprocess, middleware, peers, serving
from benchmarks.measure import Result, advantage

WINDOW_KIB = 256


@dataclass(frozen=True)
class Target:
    """One comparison of one row of the issue's table."""

    work: str
    figure: str
    case: str
    kind: str
    bound: float
    peer: str = ""
    fact: str = ""
    ours: str = peers.OURS


@dataclass(frozen=True)
class Verdict:
    """What was measured, as text, and whether the figure was reached; None: not measured."""

    measured: str
    reached: bool | None

    @property
    def word(self) -> str:
        return "not measured" if self.reached is None else "yes" if self.reached else "**no**"


def _memory(side: str, way: str) -> list[Target]:
    case, work = f"memory-{side}-{way}", f"memory: 1 GiB {way}, {side.upper()} application"
    return [
        Target(work, "<= 8 MiB growth", case, "limit", 8.0),
        Target(work, f"producer <= {WINDOW_KIB} KiB (the window) ahead", case, "fact", WINDOW_KIB, fact="ahead KiB"),
    ]


HELLO_1, HELLO_32 = "WSGI hello, in process, concurrency 1", "WSGI hello, in process, concurrency 32"
FLASK, SLOW = "unchanged Flask hello on uvicorn, 32 connections", "unchanged Flask, 150 ms of I/O, 500 connections"

FIVE = "stack of 5 header-level layers on a hello app"

TARGETS = [
    Target(HELLO_1, "<= 1.5 x a bare `run_in_executor` round trip", "wsgi-hello-1", "cost", 1.5, peers.EXECUTOR),
    Target(HELLO_1, ">= 5 x less than a2wsgi", "wsgi-hello-1", "gain", 5, "a2wsgi"),
    Target(HELLO_32, ">= 12 x less than a2wsgi", "wsgi-hello-32", "gain", 12, "a2wsgi"),
    Target(HELLO_32, "below one bare executor round trip", "wsgi-hello-32", "cost", 1.0, inprocess.ONE_HOP),
    Target("WSGI stream of 500 small chunks", ">= 100 x faster than a2wsgi", "wsgi-stream", "gain", 100, "a2wsgi"),
    Target("WSGI download 16 MiB", ">= 6 x faster than a2wsgi", "wsgi-download", "gain", 6, "a2wsgi"),
    Target("WSGI upload 16 MiB", ">= 4 x faster than a2wsgi", "wsgi-upload", "gain", 4, "a2wsgi"),
    Target("WSGI upload 16 MiB", "no slower than asgiref's spooling", "wsgi-upload", "gain", 1.0, "asgiref"),
    Target("ASGI hello under WSGI, 1 thread", ">= 3.5 x less than a2wsgi", "asgi-hello-1", "gain", 3.5, "a2wsgi"),
    Target("ASGI hello under WSGI, 8 threads", ">= 5 x less than a2wsgi", "asgi-hello-8", "gain", 5, "a2wsgi"),
    Target("ASGI stream of 500 small chunks", ">= 60 x faster than a2wsgi", "asgi-stream", "gain", 60, "a2wsgi"),
    Target("ASGI download 16 MiB", ">= 5 x faster than a2wsgi", "asgi-download", "gain", 5, "a2wsgi"),
    Target("ASGI upload 16 MiB", ">= 4 x faster than a2wsgi", "asgi-upload", "gain", 4, "a2wsgi"),
    Target(FLASK, ">= 3.5 x a2wsgi", "flask-hello", "gain", 3.5, serving.A2WSGI),
    Target(FLASK, ">= 3 x gunicorn gthread", "flask-hello", "gain", 3, serving.GUNICORN),
    Target(FLASK, ">= 0.95 x granian's native WSGI", "flask-hello", "gain", 0.95, serving.GRANIAN),
    Target(SLOW, ">= 60 % of Starlette native's requests/s", "flask-slow", "gain", 0.6, serving.NATIVE),
    Target(SLOW, ">= 10 x gunicorn 8 processes x 4 threads", "flask-slow", "gain", 10, serving.GUNICORN_MANY),
    # "Memory" may be read as the sum of RSS (what `ps` adds up) or of PSS (shared pages once): both are judged.
    Target(SLOW, "<= 1/4 of its memory (RSS)", "flask-slow", "fact ratio", 0.25, serving.GUNICORN_MANY, "RSS MiB"),
    Target(SLOW, "<= 1/4 of its memory (PSS)", "flask-slow", "fact ratio", 0.25, serving.GUNICORN_MANY, "PSS MiB"),
    Target("WebSocket echo on gunicorn gthread", ">= 0.5 x uvicorn", "websocket-asgi", "gain", 0.5, serving.NATIVE),
    Target("Flask-Sock echo on uvicorn", ">= 0.5 x werkzeug's server", "websocket-wsgi", "gain", 0.5, serving.WERKZEUG),
    Target(
        "FileResponse of 100 MiB on gunicorn", "<= 1.2 x gunicorn's own sendfile", "files", "cost", 1.2, files.NATIVE
    ),
    *(target for side in ("wsgi", "asgi") for way in ("up", "down") for target in _memory(side, way)),
    Target(FIVE, "ASGI: <= 1.0 x the same five by hand", "middleware-asgi", "cost", 1.0, middleware.HAND),
    Target(FIVE, "WSGI: <= 1.0 x the same five by hand", "middleware-wsgi", "cost", 1.0, middleware.HAND),
    Target(FIVE, ">= 60 x less than BaseHTTPMiddleware", "middleware-asgi-overhead", "gain", 60, middleware.BASE),
    *(
        Target(
            "one layer that only reads", "<= 1.5 µs", f"middleware-{c}-overhead", "limit", 1.5, ours=middleware.READS
        )
        for c in ("asgi", "wsgi")
    ),
    *(
        Target(
            "`compress` of a 1 MiB JSON body, gzip",
            f"{c.upper()}: >= Starlette's GZipMiddleware",
            compression.name(c),
            "gain",
            1.0,
            compression.STARLETTE,
        )
        for c in ("asgi", "wsgi")
    ),
    Target("`import anysgi`", "<= 30 ms", "import", "limit", 30.0),
    Target("`import anysgi`", "none of the extras imported", "import", "fact", 0, fact="extras"),
    Target(
        "both adapters imported", "none of the extras imported", "import", "fact", 0, fact="extras", ours=imports.BOTH
    ),
]


def judge(target: Target, results: dict[str, Result]) -> Verdict:
    result = results.get(target.case)
    if result is None or target.ours not in result.samples:
        return Verdict("", None)
    if target.kind in ("gain", "cost"):
        return _judge_ratio(target, result)
    if target.kind == "limit":
        figure = median(result.samples[target.ours])
        return Verdict(f"{figure:.1f} {result.unit}", figure <= target.bound)
    return _judge_fact(target, result)


def _judge_ratio(target: Target, result: Result) -> Verdict:
    gain = advantage(result, target.ours, target.peer)
    if gain is None:
        return Verdict(result.failures.get(target.peer, ""), None)
    if target.kind == "gain":
        return Verdict(f"{gain:.2f} x", gain >= target.bound)
    return Verdict(f"{1 / gain:.2f} x", 1 / gain <= target.bound)


def _judge_fact(target: Target, result: Result) -> Verdict:
    mine = result.facts.get(target.ours, {}).get(target.fact)
    if mine is None:
        return Verdict("", None)
    if target.kind == "fact":
        return Verdict(f"{mine:.0f}", mine <= target.bound)
    theirs = result.facts.get(target.peer, {}).get(target.fact)
    if not theirs:
        return Verdict("", None)
    return Verdict(f"{mine / theirs:.2f} ({mine:.0f} : {theirs:.0f})", mine / theirs <= target.bound)

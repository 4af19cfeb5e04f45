"""What the testing kit costs: `python -m benchmarks.testing`.

A one-shot `run()` against the same call written out by hand, taking turns, and 300 differential examples.  The figures
to hold: `run()` at most twice the call by hand plus 50 us; 300 examples in less than 20 s.

`run()` hands the app to a helper thread and waits.  After a rest Linux wakes both on one core: 35 to 50 us a call here.
In a loop without a rest it spreads them over two cores within 60 ms, and each wake-up then interrupts another core: 50
us on this virtual machine, whatever the threads wait on (queues, locks, pipes and eventfds were tried), and the figure
does not hold.  So a round starts rested, as a call does that is made once; what such a loop costs is told beside it.
"""

from __future__ import annotations

import asyncio
import io
import time
from collections.abc import Callable
from typing import Any
from wsgiref.util import setup_testing_defaults

from anysgi import WsgiToAsgi
from anysgi.testing import Program, Scenario, run
from anysgi.testing.strategies import differential

ROUNDS, CALLS = 15, 200
REST = 0.05  # seconds before a round
SCENARIO = Scenario()


def wsgi_app(environ: Any, start_response: Any) -> list[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"hello"]


async def asgi_app(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": b"hello"})


def wsgi_by_hand() -> None:
    environ: dict[str, Any] = {}
    setup_testing_defaults(environ)
    environ["wsgi.input"], environ["wsgi.errors"] = io.BytesIO(), io.StringIO()
    heads: list[Any] = []
    assert b"".join(wsgi_app(environ, lambda *head: heads.append(head))) == b"hello"


def asgi_by_hand() -> None:
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "asgi": {"version": "3.0"}, "method": "GET", "path": "/", "headers": []}
    asyncio.run(asgi_app(scope, receive, send))
    assert sent[1]["body"] == b"hello"


def microseconds(call: Callable[[], object], calls: int = CALLS) -> float:
    time.sleep(REST)
    started = time.perf_counter()
    for _ in range(calls):
        call()
    return (time.perf_counter() - started) / calls * 1e6


def one_shot() -> None:
    pairs: dict[str, tuple[Callable[[], object], Callable[[], object]]] = {
        "wsgi": (wsgi_by_hand, lambda: run(wsgi_app, SCENARIO)),
        "wsgi, inline": (wsgi_by_hand, lambda: run(wsgi_app, SCENARIO, inline=True)),
        "asgi": (asgi_by_hand, lambda: run(asgi_app, SCENARIO)),
    }
    for name, (by_hand, by_kit) in pairs.items():
        rounds = [(microseconds(by_hand), microseconds(by_kit)) for _ in range(ROUNDS)]
        hand, kit = min(h for h, _ in rounds), min(k for _, k in rounds)  # the quietest round
        limit = 2 * hand + 50
        print(f"{name:14} by hand {hand:6.1f} us   2 x + 50 = {limit:6.1f} us")
        for how, cost in (("rested", kit), ("in a loop without a rest", microseconds(by_kit, ROUNDS * CALLS))):
            print(f"    run() {how:25} {cost:6.1f} us: {'holds' if cost <= limit else 'does not hold'}")


@differential(examples=300)
def examples(program: Program) -> Any:
    adapter = WsgiToAsgi(program.wsgi)
    yield program.asgi, adapter
    adapter.drain()


def main() -> None:
    one_shot()
    started = time.perf_counter()
    examples()
    print(f"300 differential examples: {time.perf_counter() - started:.1f} s")


if __name__ == "__main__":
    main()

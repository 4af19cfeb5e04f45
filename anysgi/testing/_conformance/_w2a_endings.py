"""However a request ends, a WSGI app's iterable is closed."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

from .._peer_events import Disconnect, SendBlocks, SendFails
from .._run import arun
from .._scenario import Scenario
from ._check import BOUND, Checks, Make, equal, expect, made
from ._w2a_probing import answered, exchange
from ._wsgi_probes import Body, Probe, large_pieces

ENDINGS = Checks()
check = ENDINGS.add


@check
def close_is_called_once_after_the_last_chunk(make: Make) -> None:
    """The iterable's close() is called whatever happens (PEP 3333, "Specification Details")."""
    body = Body()
    answered(make, Probe(body))
    equal(body.closed, 1, "the number of close() calls")


@check
def close_is_called_once_after_an_error(make: Make) -> None:
    """Also when the app raises amid its body (PEP 3333, "Specification Details")."""

    def pieces() -> Iterator[bytes]:
        yield b"one"
        raise ValueError("amid the body")

    body = Body(pieces())
    exchange(make, Probe(body))
    equal(body.closed, 1, "the number of close() calls")


@check
def close_is_called_once_when_send_fails(make: Make) -> None:
    """Also when the client is gone (PEP 3333, "Specification Details"; ASGI spec 2.4, "send exception")."""
    body = Body(large_pieces())
    exchange(make, Probe(body), Scenario(peer=[SendFails(at=3)]))
    expect(body.gone.wait(BOUND), "close() is never called")
    equal(body.closed, 1, "the number of close() calls")


@check
def a_client_that_left_is_noticed_by_receive(make: Make) -> None:
    """uvicorn and hypercorn are silent in send(): only receive() tells (ASGI spec, "Disconnect")."""
    stop = threading.Event()

    def endless() -> Iterator[bytes]:
        while not stop.wait(0.002):
            yield b"tick"

    body = Body(endless())
    try:
        exchange(make, Probe(body), Scenario(peer=[Disconnect(after_messages=3)], like="uvicorn"))
        expect(body.gone.wait(BOUND), "the app goes on for nobody")
    finally:
        stop.set()


@check
def a_cancelled_request_closes_the_iterable(make: Make) -> None:
    """A server may cancel the app; the iterable is closed all the same (PEP 3333, "Specification Details")."""
    body = Body(large_pieces())

    async def cancels() -> None:
        with made(make, Probe(body)) as adapter:
            blocked = Scenario(peer=[SendBlocks(at=2)])
            task = asyncio.create_task(arun(adapter, blocked, convention="asgi", bound=BOUND))
            await asyncio.to_thread(body.begun.wait, BOUND / 2)
            inner = [t for t in asyncio.all_tasks() if t.get_name() == "anysgi.testing: the app"]
            for t in inner:
                t.cancel()
            await asyncio.wait([task], timeout=BOUND)

    asyncio.run(cancels())
    expect(body.gone.wait(BOUND), "close() is never called")


@check
def iteration_and_close_stay_on_one_thread(make: Make) -> None:
    """Thread-local state such as database connections would be lost (research rule 67)."""
    body = Body([b"one", b"two"])

    def app(environ: Any, start_response: Any) -> Any:
        body.threads.add(threading.get_ident())
        start_response("200 OK", [])
        return body

    answered(make, app)
    equal(len(body.threads), 1, "the number of threads")

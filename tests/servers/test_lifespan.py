"""The life of a process: startup once, state, background tasks, and an end in good order under SIGTERM."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace

import pytest

from ._cells import A2W, NATIVE, ONE_APP_EACH, W2A, Cell, of
from ._doorman import Doorman
from ._process import STOP_IN, Server, running

LIVING = W2A + A2W if not NATIVE else A2W
# waitress stops its threads on SIGTERM but no longer writes what they made: finishing is not ours to promise there.
FINISHING = [cell for cell in ONE_APP_EACH if not cell.buffers_uploads]
# hypercorn's asyncio worker waits without end for open connections since Python 3.12: docs/how-to/hypercorn.md.
BOUNDED = [cell for cell in ONE_APP_EACH if not (cell.server == "hypercorn" and sys.version_info >= (3, 12))]


@pytest.fixture
def own_server(cell: Cell, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A process for this test alone, since the test ends it."""
    with running(cell.name, cell.command(), cell.environ(), tmp_path_factory.mktemp("own")) as server:
        yield server


@of(*LIVING)
def test_startup_ran_once_and_its_state_reaches_every_request_as_a_copy(server: Server) -> None:
    expected = {"startups": 1, "greeting": "from lifespan", "leak": None, "same_loop": True}
    assert [server.get("/state").json() for _ in range(3)] == [expected] * 3
    assert [word for word, _ in server.events()] == ["startup"]


@of(*A2W)
def test_a_background_task_does_not_delay_the_response(server: Server, doorman: Doorman) -> None:
    with server.client() as client:
        client.request("POST", f"/background?{doorman.query}", "Content-Length: 0")
        assert client.reply().complete
    task = doorman.greet()
    assert task.hear() == "background started"
    assert server.get("/hello").status == 200, "nor does it hold the worker"
    task.let_on()
    assert task.hear() == "background done"


@of(*(cell for cell in ONE_APP_EACH if cell in LIVING))
def test_startup_and_shutdown_run_once_in_the_process_that_serves(own_server: Server) -> None:
    worker = str(own_server.worker().pid)
    own_server.stop()
    assert own_server.events() == [["startup", worker], ["shutdown", worker]]
    own_server.check_log()


@of(*FINISHING)
def test_sigterm_lets_a_request_in_flight_finish(own_server: Server, doorman: Doorman) -> None:
    with own_server.client() as client:
        client.request("GET", f"/stream?pieces=2&{doorman.query}")
        app = doorman.greet()
        reply = client.head()
        client.fill_until(b"piece 0")
        own_server.terminate()
        own_server_refuses(own_server)
        app.let_on()
        assert b"".join(client.pieces(reply)) == b"piece 0\npiece 1\n"
        assert app.hear_until("closed") == "closed here"
    own_server.wait()


def own_server_refuses(server: Server) -> None:
    """The server has seen the signal: gunicorn and hypercorn say so, uvicorn too."""
    told = {"gunicorn": "Handling signal: term", "uvicorn": "Shutting down"}
    server_kind = server.name.partition("-")[0]
    if server_kind in told:
        server.logged(told[server_kind])


@of(*(replace(cell, options='{"shutdown_timeout": 1.0}', patience=1) for cell in BOUNDED))
def test_sigterm_ends_an_endless_stream_in_bounded_time(own_server: Server, doorman: Doorman) -> None:
    """The server's own patience (1 s; waitress has 5), then the adapter's: `shutdown_timeout`, 30 s by default."""
    with own_server.client() as client:
        client.request("GET", f"/endless?pause=0.01&{doorman.query}")
        doorman.greet()
        assert client.head().status == 200
        # waitress gives up a thread that goes on, and its connection with it.
        own_server.excused = ("<socket.socket",) if own_server.name.startswith("waitress") else ()
        own_server.terminate()
        own_server.wait(STOP_IN)


@of(*(cell for cell in ONE_APP_EACH if not cell.takes_one_at_a_time))
def test_sigterm_after_dropped_streams_ends_the_process_at_once(own_server: Server, doorman: Doorman) -> None:
    for _ in range(3):
        with own_server.client() as client:
            client.request("GET", f"/endless?pause=0.01&{doorman.query}")
            app = doorman.greet()
            client.head()
        app.hear_until("closed")
    own_server.terminate()
    own_server.wait(4.0)

"""`run` and `arun`: both conventions, and everything a client can do to an app."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
import threading
import time
from contextvars import ContextVar
from functools import partial
from textwrap import dedent
from typing import Any

import anyio
import pytest

from anysgi.exceptions import AppProtocolError, ConventionError, ExchangeTimeout, ScenarioError
from anysgi.testing import (
    Disconnect,
    Exchange,
    Leak,
    Pause,
    Program,
    Say,
    Scenario,
    SendBlocks,
    SendFails,
    _hosts,
    arun,
    presets,
    run,
)

from ._apps import ECHO, STREAM, asgi_echo, asgi_stream, whole, wsgi_echo, wsgi_stream

UPLOAD = Scenario("POST", b"/a?b=1", body=[b"ab", b"", b"c"])


@pytest.fixture(params=["wsgi", "asgi"])
def convention(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=["run", "inline", "asyncio", "trio"])
def runner(request: pytest.FixtureRequest) -> Any:
    """All ways to run an app."""

    def both(*args: Any, **options: Any) -> Exchange:
        if request.param in ("asyncio", "trio"):
            return anyio.run(partial(arun, *args, **options), backend=request.param)
        return run(*args, **options, inline=request.param == "inline")

    return both


def kinds(exchange: Exchange) -> list[str]:
    return [f"{event.by} {event.message['type']}" for event in exchange.messages]


def test_an_exchange_has_status_headers_chunks_and_every_message(convention: str, runner: Any) -> None:
    exchange = runner(ECHO[convention], UPLOAD).raise_for_exception()
    assert (exchange.convention, exchange.status, exchange.body, exchange.complete) == (convention, 200, b"abc", True)
    assert exchange.header("X-METHOD") == b"POST"
    assert exchange.header("missing") is None
    assert exchange.leaks == []
    assert exchange.exception is None
    assert "server -> app" in exchange.transcript()


def test_messages_come_in_order_with_who_sent_them() -> None:
    assert kinds(run(asgi_echo, UPLOAD)) == [
        *["server http.request"] * 3,
        "app http.response.start",
        "app http.response.body",
    ]
    assert kinds(run(wsgi_stream)) == ["app start_response", *["app chunk"] * 4, "server close"]


def test_chunks_keep_their_boundaries(convention: str, runner: Any) -> None:
    exchange = runner(STREAM[convention])
    assert exchange.chunks == [b"one", b"two", b"three"]
    assert exchange.close_calls == (convention == "wsgi")


LENGTHS = [  # what the head announces, the method and status, and whether five bytes are all of it
    (b"5", "GET", 200, True),
    (b"6", "GET", 200, False),
    (b"4", "GET", 200, True),  # a server cuts off what is too much
    (b"6", "HEAD", 200, True),
    (b"6", "GET", 304, True),
    (b"9" * 5000, "GET", 200, False),
    (b"no number", "GET", 200, True),
]


@pytest.mark.parametrize(("length", "method", "status", "complete"), LENGTHS, ids=lambda value: str(value)[:12])
def test_a_response_shorter_than_its_length_is_not_complete(
    convention: str, length: bytes, method: str, status: int, complete: bool
) -> None:
    program = Program((Say(b"hello"),), status, ((b"content-length", length),))
    app = program.wsgi if convention == "wsgi" else program.asgi
    assert run(app, Scenario(method)).complete is complete
    assert program.expected(Scenario(method)).complete is complete


def test_a_client_that_leaves_after_a_message_takes_no_more(convention: str, runner: Any) -> None:
    exchange = runner(STREAM[convention], Scenario(peer=[Disconnect(after_messages=2)]))
    assert exchange.chunks == [b"one"]
    assert not exchange.complete
    assert exchange.close_calls == (convention == "wsgi")


def test_a_send_that_fails_is_raised_in_the_app(runner: Any) -> None:
    exchange = runner(asgi_stream, Scenario(peer=[SendFails(at=3, error=BrokenPipeError)]))
    assert isinstance(exchange.exception, BrokenPipeError)
    with pytest.raises(BrokenPipeError):
        exchange.raise_for_exception()
    written = runner(wsgi_writer, Scenario(peer=[SendFails(at=3, error=BrokenPipeError)]))
    assert written.chunks == [b"1"]
    assert written.exception is None, "the server's own error is not the app's"


def wsgi_writer(environ: Any, start_response: Any) -> Any:
    write = start_response("200 OK", [])
    write(b"1")
    write(b"2")
    return []


def test_a_truncated_upload_is_an_error_never_an_end(convention: str, runner: Any) -> None:
    exchange = runner(ECHO[convention], Scenario("POST", body=b"abcdef", peer=[Disconnect(after_bytes=3)]))
    assert isinstance(exchange.exception, ConnectionError)
    assert exchange.status is None


def test_a_client_that_left_is_told_by_receive_again_and_again() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        assert [(await receive())["type"] for _ in range(3)] == ["http.disconnect"] * 3

    assert run(app, Scenario(peer=[Disconnect(after_chunks=0)])).exception is None


def test_receive_waits_until_the_response_is_complete() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await whole(receive)
        waiting = asyncio.create_task(receive())
        await asyncio.sleep(0)
        assert not waiting.done()
        await send({"type": "http.response.start", "status": 204})
        await send({"type": "http.response.body"})
        assert await waiting == {"type": "http.disconnect"}
        await send({"type": "http.response.body", "body": b"ignored"})

    exchange = run(app)
    assert exchange.exception is None
    assert exchange.chunks == []


# Time


def test_the_pauses_of_a_client_cost_no_time_and_pass_for_the_app() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        try:
            async with asyncio.timeout(5):
                await whole(receive)
        except TimeoutError:
            await send({"type": "http.response.start", "status": 408})
            await send({"type": "http.response.body"})

    started = time.monotonic()
    late = run(app, Scenario("POST", body=b"abc", peer=[Pause(0, 3600)]))
    assert late.status == 408
    assert 5 <= late.duration < 6
    assert time.monotonic() - started < 4


def test_a_client_that_reads_slowly_holds_up_send(convention: str) -> None:
    exchange = run(STREAM[convention], Scenario(peer=[SendBlocks(at=2, seconds=60)]))
    assert exchange.chunks == [b"one", b"two", b"three"]
    assert exchange.duration >= 60


def test_a_client_that_never_reads_blocks_send_until_the_app_gives_up() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        async with asyncio.timeout(30):
            await asgi_stream(scope, receive, send)

    exchange = run(app, Scenario(peer=[SendBlocks(at=2)]))
    assert isinstance(exchange.exception, TimeoutError)
    assert exchange.chunks == []
    blocked = run(wsgi_stream, Scenario(peer=[SendBlocks(at=2)]))
    assert (blocked.chunks, blocked.close_calls) == ([], 1)


def test_the_apps_own_sleeps_are_skipped_when_asked() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.sleep(3600)
        await asgi_echo(scope, receive, send)

    assert run(app, skip_sleeps=True).duration >= 3600


def test_under_trio_a_client_that_pauses_lets_others_run() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        async with anyio.create_task_group() as others:
            ran = anyio.Event()
            others.start_soon(ran.wait)
            others.start_soon(anyio.lowlevel.checkpoint)
            ran.set()
            await receive()
        await asgi_stream(scope, receive, send)

    scenario = Scenario("POST", body=b"x", peer=[Pause(0, 60), SendBlocks(at=2, seconds=1)])
    exchange = anyio.run(partial(arun, app, scenario), backend="trio")
    assert exchange.raise_for_exception().duration >= 61


def test_on_a_foreign_loop_a_pause_lets_what_is_ready_run() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        ran: list[str] = []
        receiving = asyncio.create_task(receive())
        asyncio.get_running_loop().call_soon(ran.append, "other work")
        await receiving
        assert ran
        await asgi_stream(scope, receive, send)

    scenario = Scenario("POST", body=b"x", peer=[Pause(0, 60), SendBlocks(at=2, seconds=1)])
    assert asyncio.run(arun(app, scenario)).raise_for_exception().duration >= 61


def test_on_a_foreign_loop_a_client_that_never_reads_blocks_until_the_bound() -> None:
    with pytest.raises(ExchangeTimeout):
        asyncio.run(arun(asgi_stream, Scenario(peer=[SendBlocks(at=2)]), bound=0.05))


# Nothing hangs


async def never_answers(scope: Any, receive: Any, send: Any) -> None:
    await receive()
    await asyncio.Event().wait()


async def swallows_cancellation(scope: Any, receive: Any, send: Any) -> None:
    await receive()
    for _ in range(2):
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            pass


async def spins(scope: Any, receive: Any, send: Any) -> None:
    while True:
        pass


def wsgi_spins(environ: Any, start_response: Any) -> Any:
    start_response("200 OK", [])
    while True:
        pass


def wsgi_waits(environ: Any, start_response: Any) -> Any:
    start_response("200 OK", [])
    assert threading.Event().wait(1.0)  # outlives the bound, not the session


@pytest.mark.parametrize("app", [never_answers, swallows_cancellation, spins, wsgi_spins, wsgi_waits])
def test_an_app_that_does_not_end_is_an_error_within_the_bound(app: Any) -> None:
    started = time.monotonic()
    with pytest.raises(ExchangeTimeout, match=r"(?s)within 0\.1 s.*Messages so far.*It stood at") as caught:
        run(app, bound=0.1)
    assert time.monotonic() - started < 3
    assert app.__name__ in str(caught.value)
    assert ("swallowed" in str(caught.value)) == (app in (swallows_cancellation, spins))
    assert caught.value.exchange.status is None  # type: ignore[attr-defined]


@pytest.mark.parametrize("app", [never_answers, swallows_cancellation])
def test_on_the_calling_thread_an_app_that_awaits_is_stopped_too(app: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_hosts, "STOPPING", 0.1)
    started = time.monotonic()
    with pytest.raises(ExchangeTimeout, match=r"(?s)within 0\.1 s.*http\.request.*It stood at"):
        run(app, bound=0.1, inline=True)
    assert time.monotonic() - started < 3


def test_a_runtime_error_on_the_calling_thread_is_the_apps() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise RuntimeError("mine")

    assert str(run(app, inline=True).exception) == "mine"


@pytest.mark.parametrize("inline", [False, True])
def test_an_app_that_stops_its_event_loop_is_told_with_the_messages_so_far(inline: bool) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        asyncio.get_running_loop().stop()
        await asyncio.sleep(30)

    told = r"(?s)the app stopped its event loop.*http\.request.*It stood at .*test_run\.py"
    with pytest.raises(ExchangeTimeout, match=told):
        run(app, inline=inline)


@pytest.mark.parametrize("app", [never_answers, swallows_cancellation])
def test_on_a_foreign_loop_too(app: Any) -> None:
    with pytest.raises(ExchangeTimeout, match=rf"(?s)http\.request.*It stood at .*{app.__name__}") as caught:
        asyncio.run(arun(app, bound=0.05))
    assert ("swallowed" in str(caught.value)) == (app is swallows_cancellation)


async def goes_on(scope: Any, receive: Any, send: Any) -> None:
    await receive()
    while True:
        with contextlib.suppress(anyio.get_cancelled_exc_class()):
            await anyio.sleep(30)


async def goes_on_in_a_scope(scope: Any, receive: Any, send: Any) -> None:
    async with anyio.create_task_group():
        with anyio.move_on_after(30):
            await goes_on(scope, receive, send)


async def goes_on_whatever_comes(scope: Any, receive: Any, send: Any) -> None:
    await receive()
    while True:
        with contextlib.suppress(BaseException):
            await anyio.sleep(30)


@pytest.mark.parametrize(
    ("app", "backend"),
    [
        (goes_on, "asyncio"),
        (goes_on, "trio"),
        (goes_on_in_a_scope, "asyncio"),
        (goes_on_in_a_scope, "trio"),
        (goes_on_whatever_comes, "asyncio"),
        (goes_on_whatever_comes, "trio"),
    ],
)
def test_the_end_of_a_foreign_loop_waits_for_no_app_that_swallows_every_cancellation(
    app: Any, backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_hosts, "STOPPING", 0.05)
    with pytest.raises(ExchangeTimeout, match=r"(?s)swallowed its cancellation.*http\.request.*It stood at"):
        anyio.run(partial(arun, app, bound=0.05), backend=backend)


async def waits_on_trio(scope: Any, receive: Any, send: Any) -> None:
    await receive()
    await anyio.sleep(30)


def test_under_trio_too() -> None:
    with pytest.raises(ExchangeTimeout, match=r"(?s)http\.request.*It stood at .*waits_on_trio"):
        anyio.run(partial(arun, waits_on_trio, bound=0.05), backend="trio")


def test_the_next_exchange_runs_after_one_that_was_abandoned(convention: str) -> None:
    with pytest.raises(ExchangeTimeout):
        run({"wsgi": wsgi_spins, "asgi": spins}[convention], bound=0.05)
    assert run(ECHO[convention]).status == 200


def test_a_stream_without_an_end_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("anysgi.testing._record.MOST_BYTES", 500_000)  # which many small messages fill as well

    def endless(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [])
        while True:
            yield b"x"

    async def asgi_endless(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200})
        while True:
            await send({"type": "http.response.body", "body": b"x", "more_body": True})

    def wsgi_writes(environ: Any, start_response: Any) -> Any:
        write = start_response("200 OK", [])
        while True:
            write(b"x")

    async def asgi_insists(scope: Any, receive: Any, send: Any) -> None:
        while True:
            with contextlib.suppress(Exception):
                await asgi_endless(scope, receive, send)

    async def asgi_reads(scope: Any, receive: Any, send: Any) -> None:
        while True:
            await receive()

    left = Scenario(peer=[Disconnect(after_messages=1)])
    for app, scenario in [
        (endless, None),
        (asgi_endless, None),
        (wsgi_writes, None),
        (asgi_insists, left),
        (asgi_reads, Scenario("POST", body=b"x", peer=[Disconnect(after_chunks=1)])),
    ]:
        with pytest.raises(ExchangeTimeout, match="Is there an end") as caught:
            run(app, scenario)
        assert len(caught.value.exchange.messages) < 200


def test_a_stream_without_an_end_is_one_that_would_fill_the_memory_too(
    convention: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("anysgi.testing._record.MOST_BYTES", 10_000_000)

    def wsgi(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [])
        while True:
            yield bytes(1_000_000)

    async def asgi(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200})
        while True:
            await send({"type": "http.response.body", "body": bytes(1_000_000), "more_body": True})

    with pytest.raises(ExchangeTimeout, match=r"(?s)Is there an end") as caught:
        run({"wsgi": wsgi, "asgi": asgi}[convention])
    assert "(1,000,000 bytes)" in str(caught.value)
    assert len(str(caught.value)) < 10_000


def test_what_an_app_leaves_behind_for_ever_is_an_error_that_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_hosts, "STOPPING", 0.05)
    kept: list[Any] = []

    async def endless_end() -> Any:
        try:
            yield 1
        finally:
            await asyncio.Event().wait()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        kept.append(endless_end())
        await anext(kept[-1])
        await asgi_echo(scope, receive, send)

    for inline in (True, False):
        with pytest.raises(ExchangeTimeout, match=r"(?s)within 0\.1 s: .*what it left behind"):
            run(app, bound=0.1, inline=inline)


def test_a_process_ends_though_a_job_of_a_pool_does_not() -> None:
    program = """
        import asyncio, threading
        from anysgi.exceptions import ExchangeTimeout
        from anysgi.testing import run

        async def app(scope, receive, send):
            await asyncio.to_thread(threading.Event().wait)

        try:
            run(app, bound=0.1)
        except ExchangeTimeout:
            print("told")
    """
    done = subprocess.run(
        [sys.executable, "-c", dedent(program)], capture_output=True, text=True, timeout=30, check=True
    )
    assert done.stdout == "told\n"


# Leaks


def test_tasks_and_async_generators_that_outlive_the_exchange_are_leaks() -> None:
    kept: list[Any] = []

    async def numbers() -> Any:
        yield 1
        yield 2

    async def app(scope: Any, receive: Any, send: Any) -> None:
        kept.append(numbers())
        await anext(kept[0])
        kept.append(asyncio.create_task(asyncio.sleep(30), name="forgotten"))
        await asgi_echo(scope, receive, send)

    leaks = run(app).leaks
    assert [leak.kind for leak in leaks] == ["task", "generator"]
    assert str(leaks[0]).startswith("task forgotten: sleep at")
    assert "numbers was not closed" in leaks[1].what
    kept.clear()
    assert [leak.kind for leak in asyncio.run(arun(app)).leaks] == ["task"]


def test_a_task_that_ends_right_after_the_app_is_no_leak() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        app.task = asyncio.create_task(asyncio.sleep(0))  # type: ignore[attr-defined]
        await asgi_echo(scope, receive, send)

    assert run(app).leaks == []


def test_threads_that_outlive_the_exchange_are_leaks_and_idle_pools_are_not(convention: str) -> None:
    release = threading.Event()
    threads: list[threading.Thread] = []

    def start() -> None:
        threads.append(threading.Thread(target=release.wait, args=[10], name="forgotten"))
        threads[0].start()

    def wsgi(environ: Any, start_response: Any) -> Any:
        start()
        return wsgi_echo(environ, start_response)

    async def asgi(scope: Any, receive: Any, send: Any) -> None:
        start()
        await asyncio.to_thread(int)
        await asgi_echo(scope, receive, send)

    try:
        [leak] = run({"wsgi": wsgi, "asgi": asgi}[convention]).leaks
    finally:
        release.set()
        threads[0].join(10)
    assert leak.kind == "thread"
    assert leak.what.startswith("forgotten")


def test_a_worker_on_its_way_back_to_its_pool_is_no_leak(monkeypatch: pytest.MonkeyPatch, runner: Any) -> None:
    left = threading.Event()

    def wsgi(environ: Any, start_response: Any) -> Any:
        threading.Thread(target=left.wait, args=[10]).start()
        return wsgi_echo(environ, start_response)

    looks = iter([[Leak("thread", "a worker")], [Leak("thread", "a worker")]])
    monkeypatch.setattr("anysgi.testing._leaks._threads", lambda before: next(looks, left.set() or []))
    assert runner(wsgi).leaks == []


class KeepsCloseToItself:
    """A middleware with the classic mistake."""

    def __init__(self, inner: Any) -> None:
        self.iterator = iter(inner)

    def __iter__(self) -> Any:
        return self

    def __next__(self) -> bytes:
        return bytes(next(self.iterator))


def test_a_generator_inside_an_iterable_whose_close_was_not_passed_on_is_a_leak() -> None:
    def app(environ: Any, start_response: Any) -> Any:
        return KeepsCloseToItself(wsgi_stream(environ, start_response))

    [leak] = run(app, Scenario(peer=[Disconnect(after_messages=2)])).leaks
    assert leak == Leak("generator", leak.what)
    assert "wsgi_stream is still suspended" in leak.what


# What is broken


@pytest.mark.parametrize(
    ("app", "reason"),
    [
        (lambda environ, start_response: [b"x"], "never called start_response"),
        (lambda environ, start_response: [], "never called start_response"),
        (lambda environ, start_response: start_response("200 OK", []) and ["text"], "made of bytes"),
        (lambda environ, start_response: [start_response("200 OK", []), start_response("200 OK", [])], "again"),
    ],
)
def test_a_wsgi_app_that_breaks_the_protocol_is_told(app: Any, reason: str) -> None:
    assert reason in str(run(app).exception)


def test_an_asgi_app_that_breaks_the_protocol_is_told() -> None:
    async def bodiless(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.body"})

    async def strange(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "websocket.accept"})

    for app in (bodiless, strange):
        assert isinstance(run(app).exception, AppProtocolError)


def test_exc_info_replaces_a_head_that_is_not_out_and_is_raised_once_it_is() -> None:
    def app(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [])
        yield b"sent" if environ["PATH_INFO"] == "/late" else b""
        try:
            raise LookupError
        except LookupError as error:
            start_response("500 Oops", [], (LookupError, error, error.__traceback__))
        yield b"sorry"

    assert (run(app).status, run(app).reason, run(app).body) == (500, "Oops", b"sorry")
    assert isinstance(run(app, Scenario(target="/late")).exception, LookupError)


def test_what_close_raises_is_kept_unless_the_app_raised_before() -> None:
    class Body:
        def __init__(self, error: Exception | None) -> None:
            self.error = error

        def __iter__(self) -> Any:
            if self.error:
                raise self.error
            return iter([b"x"])

        def close(self) -> None:
            raise OSError("from close")

    def app_with(error: Exception | None) -> Any:
        def app(environ: Any, start_response: Any) -> Any:
            start_response("200 OK", [])
            return Body(error)

        return app

    assert isinstance(run(app_with(None)).exception, OSError)
    assert isinstance(run(app_with(KeyError())).exception, KeyError)


def test_an_app_that_is_no_app_is_refused() -> None:
    with pytest.raises(ConventionError):
        run(42)


def test_an_app_that_cannot_be_remembered_is_guessed_each_time(convention: str) -> None:
    class Unhashable:
        __hash__ = None  # type: ignore[assignment]
        if convention == "wsgi":

            def __call__(self, environ: Any, start_response: Any) -> Any:
                return wsgi_echo(environ, start_response)
        else:

            async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
                await asgi_echo(scope, receive, send)

    app = Unhashable()
    assert [run(app).convention, run(app).convention] == [convention] * 2


# Surroundings


def test_the_context_of_the_caller_reaches_the_app(runner: Any, convention: str) -> None:
    who: ContextVar[str] = ContextVar("who", default="nobody")
    seen: list[str] = []

    def wsgi(environ: Any, start_response: Any) -> Any:
        seen.append(who.get())
        return wsgi_echo(environ, start_response)

    async def asgi(scope: Any, receive: Any, send: Any) -> None:
        seen.append(who.get())
        await asgi_echo(scope, receive, send)

    who.set("me")
    runner({"wsgi": wsgi, "asgi": asgi}[convention])
    assert seen == ["me"]


def test_inline_runs_on_the_calling_thread() -> None:
    def app(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [])
        return [str(threading.get_ident()).encode()]

    mine = str(threading.get_ident()).encode()
    assert run(app, inline=True).body == mine
    assert run(app).body != mine


def test_the_state_of_the_lifespan_is_copied_into_the_scope() -> None:
    state = {"pool": object()}
    exchange = run(asgi_echo, state=state)
    assert exchange.request["state"] == state
    assert exchange.request["state"] is not state


# Servers


@pytest.mark.parametrize("name", sorted(presets()))
def test_an_app_is_called_as_the_server_it_imitates_calls_it(name: str) -> None:
    for convention, app in ECHO.items():
        habits = getattr(presets()[name], convention)
        if habits is None:
            with pytest.raises(ScenarioError, match="serves no"):
                run(app, Scenario(like=name))
            continue
        exchange = run(app, Scenario("POST", b"/a%20b?x=1", body=b"hi", like=name), state={})
        assert exchange.status == 200
        keys = {key for key in exchange.request if not key.startswith(("HTTP_", "CONTENT_"))}
        assert keys - {"state"} <= habits.keys
        made_of_the_server = {key for key in habits.keys if "socket" in key or key.startswith("waitress.")}
        assert habits.keys - keys <= made_of_the_server | {"wsgi.early_hints", "GATEWAY_INTERFACE", "state"}


def test_servers_differ_in_what_they_say_of_a_client_that_left() -> None:
    gone = [Disconnect(after_bytes=1)]
    assert run(wsgi_echo, Scenario("POST", body=b"abc", peer=gone, like="gunicorn")).body == b"a"
    assert isinstance(run(wsgi_echo, Scenario("POST", body=b"abc", peer=gone)).exception, OSError)

    async def deaf(scope: Any, receive: Any, send: Any) -> None:
        await asgi_stream(scope, receive, send)
        deaf.finished = True  # type: ignore[attr-defined]

    left = [Disconnect(after_messages=1)]
    assert isinstance(run(deaf, Scenario(peer=left)).exception, ConnectionResetError)
    assert run(deaf, Scenario(peer=left, like="uvicorn")).exception is None
    assert deaf.finished  # type: ignore[attr-defined]


def test_requests_become_environ_and_scope_by_the_specs() -> None:
    cookies = [(b"Cookie", b"a=1"), (b"cookie", b"b=2"), (b"X-A", b"1"), (b"x-a", b"2"), (b"x_a", b"spoof")]
    scenario = Scenario("GET", b"/shop/caf%C3%A9%2F?q=%20", cookies, root_path="/shop", tls=True, server=None)
    environ = run(wsgi_echo, scenario).request
    assert (environ["SCRIPT_NAME"], environ["PATH_INFO"]) == ("/shop", "/caf\xc3\xa9/")
    assert (environ["HTTP_COOKIE"], environ["HTTP_X_A"]) == ("a=1; b=2", "1,2")
    assert (environ["wsgi.url_scheme"], environ["SERVER_NAME"], environ["SERVER_PORT"]) == ("https", "localhost", "443")
    scope = run(asgi_echo, scenario).request
    assert (scope["path"], scope["root_path"], scope["raw_path"]) == ("/shop/café/", "/shop", b"/shop/caf%C3%A9%2F")
    assert (scope["query_string"], scope["scheme"], scope["server"]) == (b"q=%20", "https", None)
    assert scope["headers"][1:3] == [(b"cookie", b"a=1"), (b"cookie", b"b=2")]
    assert run(wsgi_echo, Scenario(target=b"/shopping", root_path="/shop")).request["PATH_INFO"] == "/shopping"
    assert "REMOTE_ADDR" not in run(wsgi_echo, Scenario(client=None)).request


def test_a_file_wrapper_is_there_where_the_server_has_one(tmp_path: Any) -> None:
    (tmp_path / "file").write_bytes(b"x" * 10_000)

    def app(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [])
        return environ["wsgi.file_wrapper"]((tmp_path / "file").open("rb"))

    exchange = run(app, Scenario(like="gunicorn"))
    assert [len(chunk) for chunk in exchange.chunks] == [8192, 1808]
    assert exchange.close_calls == 1

    class Unclosable:
        def read(self, size: int) -> bytes:
            return b""

    assert not hasattr(
        run(lambda environ, start_response: environ["wsgi.file_wrapper"], Scenario(like="gunicorn")).request[
            "wsgi.file_wrapper"
        ](Unclosable()),
        "close",
    )


def test_a_path_that_is_sent_is_read(tmp_path: Any) -> None:
    (tmp_path / "file").write_bytes(b"content")

    async def app(scope: Any, receive: Any, send: Any) -> None:
        assert "http.response.pathsend" in scope["extensions"]
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.pathsend", "path": str(tmp_path / "file")})

    assert run(app, Scenario(like="granian")).raise_for_exception().body == b"content"

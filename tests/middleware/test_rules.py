"""What becomes of exceptions, mistakes, replaced responses, context variables: the rules every layer can rely on."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from contextvars import ContextVar
from typing import Any

import anyio
import pytest

from anysgi.exceptions import AppProtocolError, AppValueError, ClientDisconnected, FlowError, StackError
from anysgi.middleware import Dual, Flow, Outcome, Request, Response, Stack, cors, csrf, health, maintenance, middleware

from ._driving import App, Ask, Drive

REPLACED = Response(418, "teapot\n", {"x-shared": "1"})


def layer(log: list[Any], name: str, **does: Any) -> Any:
    """A layer that logs every phase, and does what the keyword of a phase says: raises it, or hands it over."""

    def act(phase: str) -> Any:
        action = does.get(phase)
        if isinstance(action, BaseException):
            raise action
        return action

    @middleware
    def logged(request: Request) -> Flow:
        log.append(f"{name} enter")
        answer = act("enter")
        if answer is not None:
            return answer
        try:
            response: Response = yield request
        except BaseException as error:
            log.append(f"{name} error {type(error).__name__}")
            answer = act("error")
            if answer is None:
                raise
            return answer
        log.append(f"{name} head {response.status}")
        answer = act("head")
        if answer is not None:
            return answer
        outcome: Outcome = yield response
        log.append(f"{name} {outcome.kind}")
        act("outcome")
        return None

    return logged()


# Exceptions


def test_a_layers_own_exception_looks_to_outer_layers_like_the_apps_and_to_inner_ones_like_an_abort(
    drive: Drive,
) -> None:
    log: list[Any] = []
    error = LookupError("in b")
    app = App(b"x", b"y", shape="stream")
    stack = Stack(layer(log, "a"), layer(log, "b", head=error), layer(log, "c"))
    answer = drive(stack, app)
    assert answer.error is error
    assert not answer.complete
    assert log == [
        "a enter", "b enter", "c enter", "c head 200", "b head 200", "c aborted", "a error LookupError",
    ]  # fmt: skip
    assert app.closed == (1 if drive.convention == "wsgi" else 0)


def test_an_outer_layer_may_answer_an_inner_layers_exception(drive: Drive) -> None:
    log: list[Any] = []
    stack = Stack(layer(log, "a"), layer(log, "b", error=REPLACED), layer(log, "c", head=LookupError("x")))
    answer = drive(stack, App(b"x"))
    assert (answer.status, answer.text, answer.complete, answer.error) == (418, "teapot\n", True, None)
    assert log[-2:] == ["a head 418", "a complete"]


def test_an_exception_on_the_way_in_reaches_the_layers_that_were_entered(drive: Drive) -> None:
    log: list[Any] = []
    app = App(b"x")
    error = LookupError("x")
    assert drive(Stack(layer(log, "a"), layer(log, "b", enter=error), layer(log, "c")), app).error is error
    assert log == ["a enter", "b enter", "a error LookupError"]
    assert app.calls == 0


def test_an_exception_in_an_outcome_is_logged_and_stops_nobody(drive: Drive, caplog: Any) -> None:
    log: list[Any] = []
    answer = drive(Stack(layer(log, "a"), layer(log, "b", outcome=LookupError("late"))), App(b"x"))
    assert (answer.complete, answer.error) == (True, None)
    assert log[-2:] == ["b complete", "a complete"]
    [record] = caplog.records
    assert (record.name, record.levelno) == ("anysgi.middleware", logging.ERROR)
    assert "logged" in record.getMessage()
    assert __file__ in record.getMessage()


def test_a_cancellation_in_an_outcome_goes_on_after_everybody_was_told() -> None:
    log: list[Any] = []
    stack = Stack(layer(log, "a"), layer(log, "b", outcome=asyncio.CancelledError()))
    assert isinstance(Drive("asgi")(stack, App(b"x")).error, asyncio.CancelledError)
    assert log[-2:] == ["b complete", "a complete"]


def test_a_cancellation_cannot_be_answered(drive: Drive) -> None:
    log: list[Any] = []
    interrupt: BaseException = KeyboardInterrupt() if drive.convention == "wsgi" else asyncio.CancelledError()
    answer = drive(layer(log, "a", error=REPLACED), App(raises=interrupt))
    assert answer.error is interrupt
    assert answer.status == 0


def test_swallowing_an_exception_without_an_answer_lets_it_pass(drive: Drive) -> None:
    @middleware
    def swallow(request: Request) -> Flow:
        try:
            yield request
        except LookupError:
            return

    error = LookupError("x")
    assert drive(swallow(), App(raises=error)).error is error


def test_an_exception_after_the_head_is_never_answered(drive: Drive) -> None:
    log: list[Any] = []
    error = LookupError("x")
    answer = drive(layer(log, "a", error=REPLACED), App(b"a", error, shape="stream"))
    assert answer.error is error
    assert (answer.status, answer.body, answer.complete) == (200, b"a", False)
    assert log == ["a enter", "a head 200", "a error"]


def test_an_exception_in_close_is_raised_and_the_outcome_told_once() -> None:
    class Closing:
        def __iter__(self) -> Any:
            return iter([b"x"])

        def close(self) -> None:
            raise LookupError("in close")

    def app(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [])
        return Closing()

    log: list[Any] = []
    answer = Drive("wsgi")(layer(log, "a"), app)
    assert isinstance(answer.error, LookupError)
    assert log[2:] == ["a complete"]
    answer = Drive("wsgi")(layer(log, "b"), app, leaves_after=0)
    assert isinstance(answer.error, LookupError)
    assert log[-1] == "b error"


def test_close_comes_before_iteration_and_twice(drive: Drive) -> None:
    log: list[Any] = []
    app = App(b"a", b"b", shape="stream")
    answer = drive(layer(log, "a"), app, leaves_after=0)
    assert log == ["a enter", "a head 200", "a aborted"]
    if drive.convention == "wsgi":
        answer.raw.close()
        assert (log[2:], app.closed) == (["a aborted"], 2)


def test_a_server_that_stops_at_the_content_length_has_seen_it_all() -> None:
    log: list[Any] = []
    app = App(b"abc", shape="stream", headers={"Content-Length": "3"})
    Drive("wsgi")(layer(log, "a"), app, leaves_after=1)
    assert log[-1] == "a complete"


def test_an_app_without_a_response_is_an_error_that_may_be_answered(drive: Drive) -> None:
    log: list[Any] = []

    async def asgi(scope: Any, receive: Any, send: Any) -> None:
        pass

    app = asgi if drive.convention == "asgi" else lambda environ, start_response: [b"x"]
    assert drive(layer(log, "a", error=REPLACED), app).status == 418
    answer = drive(layer(log, "b"), app)
    assert log[-1] == "b error AppProtocolError"
    assert answer.status == 0
    assert drive(layer(log, "c", error=AppProtocolError("mine")), app).error is not None
    if drive.convention == "wsgi":
        assert isinstance(answer.error, AppProtocolError)
    else:
        assert answer.error is None  # the server judges, as it would without us


def test_an_app_that_returns_in_the_middle_was_aborted() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"a", "more_body": True})

    log: list[Any] = []
    assert Drive("asgi")(layer(log, "a"), app).error is None
    assert log[-1] == "a aborted"


# Replacing


def test_a_replaced_response_is_closed_or_cut_and_inner_layers_see_an_abort(drive: Drive) -> None:
    log: list[Any] = []
    app = App(b"a", b"b", shape="stream")
    stack = Stack(layer(log, "a"), layer(log, "b", head=REPLACED), layer(log, "c"))
    answer = drive(stack, app)
    assert (answer.status, answer.text, answer.complete, answer.error) == (418, "teapot\n", True, None)
    assert log[3:] == ["c head 200", "b head 200", "c aborted", "a head 418", "a complete"]
    assert app.closed == (1 if drive.convention == "wsgi" else 0)


def test_an_app_whose_response_is_replaced_hears_that_nobody_listens() -> None:
    heard: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        for message in ({"type": "http.response.start", "status": 200}, {"type": "http.response.body"}):
            try:
                await send(message)
            except ClientDisconnected as error:
                heard.append(error)
        raise RuntimeError("wrapped") from heard[-1]

    answer = Drive("asgi")(layer([], "a", head=REPLACED), app)
    assert (answer.status, answer.error) == (418, None)
    assert len(heard) == 2


def test_another_exception_behind_a_replaced_response_is_not_lost() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        try:
            await send({"type": "http.response.start", "status": 200})
        except ClientDisconnected:
            pass
        raise LookupError("a bug")

    answer = Drive("asgi")(layer([], "a", head=REPLACED), app)
    assert answer.status == 418
    assert isinstance(answer.error, LookupError)


def test_a_group_of_nothing_but_refusals_is_no_error() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(send, {"type": "http.response.start", "status": 200})

    assert Drive("asgi")(layer([], "a", head=REPLACED), app).error is None


def test_a_layers_exception_that_the_app_swallows_is_still_raised() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        try:
            await send({"type": "http.response.start", "status": 200})
        except LookupError:
            await_second = send({"type": "http.response.start", "status": 500})
            with pytest.raises(ClientDisconnected):
                await await_second

    error = LookupError("x")
    answer = Drive("asgi")(layer([], "a", head=error), app)
    assert (answer.status, answer.error) == (0, error)


def test_one_response_object_may_answer_again_and_again(drive: Drive) -> None:
    @middleware
    def tag(request: Request) -> Flow:
        response: Response = yield request
        response.headers.add("x-tag", "1")
        response.status = 403

    stack = Stack(tag(), layer([], "a", enter=REPLACED))
    for _ in range(2):
        assert drive(stack).getlist("x-tag") == ["1"]
    assert "x-tag" not in REPLACED.headers
    assert REPLACED.status == 418


def test_a_layer_answers_and_hears_how_that_ended(drive: Drive) -> None:
    log: list[Any] = []

    @middleware
    def answer(request: Request) -> Flow:
        outcome: Outcome = yield Response(200, b"mine", {"content-length": "4"})
        log.append((outcome.kind, outcome.bytes_sent))

    assert drive(answer()).body == b"mine"
    assert log == [("complete", 4)]


def test_a_layer_may_hand_back_the_response_it_got(drive: Drive) -> None:
    @middleware
    def same(request: Request) -> Flow:
        response: Response = yield request
        response.headers.add("x-tag", "1")
        return response

    answer = drive(same(), App(b"x"))
    assert (answer.body, answer.header("x-tag")) == (b"x", "1")


# Mistakes


def _twice(request: Request) -> Flow:
    yield request
    yield request


def _three(request: Request) -> Flow:
    response = yield request
    yield response
    yield response


def _returns(request: Request) -> Flow:
    yield request
    return 42


def _stranger(request: Request) -> Flow:
    yield Request  # type: ignore[misc]


def _after(request: Request) -> Flow:
    try:
        yield request
    except LookupError:
        yield request


@pytest.mark.parametrize("flow", [_twice, _returns, _stranger, _after])
def test_a_mistake_names_the_layer_its_file_and_line(drive: Drive, flow: Any) -> None:
    error = drive(Stack(middleware(flow)), App(b"x") if flow is not _after else App(raises=LookupError())).error
    assert isinstance(error, FlowError)
    assert f"{flow.__name__} ({__file__}:" in str(error)
    line = int(str(error).partition(f"{__file__}:")[2].partition(")")[0])
    assert line >= flow.__code__.co_firstlineno


@pytest.mark.parametrize("late", [_three, None])
def test_a_mistake_after_the_head_is_logged(drive: Drive, caplog: Any, late: Any) -> None:
    def returns(request: Request) -> Flow:
        response = yield request
        yield response
        return Response(500)

    assert drive(Stack(middleware(late or returns))).complete
    assert __file__ in caplog.text


def test_what_cannot_be_a_middleware_is_refused_where_it_is_written() -> None:
    with pytest.raises(StackError, match=r"is async; write `def`"):

        @middleware  # type: ignore[arg-type]  # the mistake
        async def waits(request: Request) -> None:
            return None

    with pytest.raises(StackError, match="keyword-only"):

        @middleware
        def positional(request: Request, option: int) -> Flow:
            yield request

    @middleware
    def prepared() -> Any:
        return print

    with pytest.raises(StackError, match=r"prepared .* must return a function of the request, not <built-in"):
        prepared()

    @middleware
    def forgetful() -> Any:
        def flow(request: Request) -> Flow:
            yield request

    with pytest.raises(StackError, match="must return a function of the request, not None"):
        forgetful()

    @middleware
    def unpaused() -> Any:
        async def flow(request: Request) -> None:
            raise NotImplementedError

        return flow

    with pytest.raises(StackError, match="must return a function of the request, not <function"):
        unpaused()

    with pytest.raises(StackError, match="keyword-only"):

        @middleware  # type: ignore[arg-type]  # the mistake
        def without_request() -> Flow:
            yield Response()


def test_headers_that_could_split_a_response_are_refused(drive: Drive) -> None:
    @middleware
    def split(request: Request) -> Flow:
        response: Response = yield request
        response.headers.add("x-a", "b\r\nset-cookie: c=d")

    answer = drive(split())
    assert isinstance(answer.error, AppValueError)
    assert answer.status == 0


# I/O


class Blocking:
    def __init__(self, log: list[Any]) -> None:
        self.log = log

    def call(self, what: str) -> str:
        self.log.append(what)
        if what == "fail":
            raise OSError("store down")
        return what.upper()


class Awaiting(Blocking):
    async def call(self, what: str) -> str:  # type: ignore[override]
        await asyncio.sleep(0)
        return super().call(what)


def store(log: list[Any]) -> Dual:
    return Dual(sync=Blocking(log), asynchronous=Awaiting(log))


@middleware
def io_everywhere(request: Request, *, store: Dual, log: list[Any]) -> Flow:
    log.append((yield store.call("enter")))
    try:
        response: Response = yield request
    except LookupError:
        yield store.call("error")
        raise
    log.append((yield store.call("head")))
    try:
        yield store.call("fail")
    except OSError:
        log.append("caught")
    yield response
    log.append((yield store.call("outcome")))


def test_calls_are_made_in_every_phase(drive: Drive) -> None:
    log: list[Any] = []
    answer = drive(io_everywhere(store=store(log), log=log), App(b"x"))
    assert (answer.body, answer.error) == (b"x", None)
    assert log == ["enter", "ENTER", "head", "HEAD", "fail", "caught", "outcome", "OUTCOME"]


@pytest.mark.parametrize("leaves", [None, 1])
def test_calls_are_made_when_things_go_wrong(drive: Drive, leaves: int | None) -> None:
    log: list[Any] = []
    chunks = (b"a", b"b") if leaves else (b"a", LookupError("late"))
    drive(io_everywhere(store=store(log), log=log), App(*chunks, shape="stream"), leaves_after=leaves)
    assert log[-2:] == ["outcome", "OUTCOME"]
    error = LookupError("early")
    assert drive(io_everywhere(store=store(log), log=log), App(raises=error)).error is error
    assert log[-1] == "error"


async def _no(*_: object) -> bool:
    return False


@pytest.mark.parametrize(
    ("layer", "options"),
    [
        (csrf, {"skip": _no}),
        (csrf, {"trusted": _no}),
        (cors, {"origins": _no}),
        (health, {"checks": {"database": _no}}),
        (maintenance, {"on": _no}),
    ],
)
def test_an_async_function_is_not_taken_for_a_yes(layer: Any, options: dict[str, Any]) -> None:
    with pytest.raises(StackError, match=rf"{layer.name}: .*_no.* is async"):
        layer(**options)


def test_a_call_that_was_not_yielded_is_not_taken_for_a_yes(drive: Drive) -> None:
    app = App(b"secret")

    @middleware
    def guard(request: Request, *, service: Dual) -> Flow:
        if not service(request.path):
            return Response(401)
        yield request

    answer = drive(guard(service=Dual(sync=print, asynchronous=print)), app)
    assert (app.calls, type(answer.error)) == (0, TypeError)
    assert "value = yield" in str(answer.error)


def test_a_method_a_client_does_not_have_is_named(drive: Drive) -> None:
    @middleware
    def count(request: Request, *, store: Dual) -> Flow:
        yield store.hitt(request.path)
        yield request

    answer = drive(count(store=Dual(sync={}, asynchronous={})), App(b"x"))
    assert "hitt" in str(answer.error)


def test_a_pair_of_functions_is_a_dual_too(drive: Drive) -> None:
    async def aadd(a: int, b: int) -> int:
        return a + b + 100

    @middleware
    def add(request: Request, *, both: Dual) -> Flow:
        total = yield both(1, b=2)
        return Response(200, str(total))

    both = Dual(sync=lambda a, b: a + b, asynchronous=aadd)
    assert drive(add(both=both)).text == {"wsgi": "3", "asgi": "103"}[drive.convention]
    assert repr(both).startswith("Dual(sync=")
    with pytest.raises(AttributeError):
        both.__wrapped__  # noqa: B018


@pytest.mark.parametrize("inside", [lambda dual: dual, lambda dual: [dual], lambda dual: {"a": (dual,)}])
def test_a_missing_side_is_found_wherever_the_dual_is_kept(inside: Any) -> None:
    kept = inside(Dual(asynchronous=print))

    @middleware
    def prepared() -> Any:
        def flow(request: Request) -> Flow:
            yield kept
            yield request

        return flow

    with pytest.raises(StackError, match="cannot run under WSGI"):
        prepared(App().wsgi)


# Context


tenant: ContextVar[str] = ContextVar("tenant")


@middleware
def bind(request: Request, *, value: str = "acme") -> Flow:
    request.bind(tenant, value)
    response: Response = yield request
    response.headers.add("x-tenant", tenant.get())
    outcome: Outcome = yield response
    seen.append((outcome.kind, tenant.get()))


seen: list[Any] = []


def test_a_bound_variable_is_there_for_app_body_and_outcome_and_gone_afterwards(drive: Drive) -> None:
    seen.clear()

    def chunk() -> bytes:
        seen.append(tenant.get())
        return b"x"

    answer = drive(Stack(bind(value="outer"), bind()), App(chunk, chunk, shape="stream"))
    assert answer.getlist("x-tenant") == ["acme", "acme"]
    assert seen == ["acme", "acme", ("complete", "acme"), ("complete", "acme")]
    assert tenant.get("gone") == "gone"


def test_two_responses_on_one_thread_do_not_mix() -> None:
    def app(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [])
        return (tenant.get().encode() for _ in range(2))

    first, second = (
        iter(bind(app, value=value)(Ask().environ(), lambda *head: print)) for value in ("first", "second")
    )
    assert [next(first), next(second), next(first), next(second)] == [b"first", b"second", b"first", b"second"]
    assert tenant.get("gone") == "gone"


def test_receive_and_send_in_tasks_of_their_own() -> None:
    @middleware
    def late(request: Request) -> Flow:
        response: Response = yield request
        request.bind(tenant, "in a task")
        outcome: Outcome = yield response
        seen.append((outcome.kind, tenant.get()))
        request.bind(tenant, "too late")  # in a task whose context is its own, which ends with it

    async def app(scope: Any, receive: Any, send: Any) -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(receive)
            await asyncio.create_task(send({"type": "http.response.start", "status": 200, "headers": []}))
            await asyncio.create_task(send({"type": "http.response.body", "body": tenant.get().encode()}))

    seen.clear()
    answer = Drive("asgi")(Stack(late(), bind()), app)
    assert (answer.body, answer.error) == (b"in a task", None)
    assert seen == [("complete", "in a task"), ("complete", "in a task")]


# start_response


def test_a_generator_app_that_starts_late_is_started_before_we_return() -> None:
    log: list[Any] = []
    app = App(b"", b"a", b"b", shape="stream", head_first=False)
    answer = Drive("wsgi")(layer(log, "a"), app)
    assert (answer.status, answer.body, app.closed) == (200, b"ab", 1)
    assert log == ["a enter", "a head 200", "a complete"]


def test_a_generator_app_that_fails_at_its_start_may_be_answered() -> None:
    def app(environ: Any, start_response: Any) -> Any:
        raise LookupError("x")
        yield b""

    assert Drive("wsgi")(layer([], "a", error=REPLACED), app).status == 418


def test_the_last_head_before_the_return_counts() -> None:
    def app(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [])
        try:
            raise LookupError("x")
        except LookupError as error:
            start_response("500 Oh", [], (type(error), error, None))
        return [b"page"]

    log: list[Any] = []
    assert Drive("wsgi")(layer(log, "a"), app).status == 500
    assert log[1] == "a head 500"


def test_a_second_head_without_an_exception_is_a_mistake() -> None:
    def app(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [])
        start_response("200 OK", [])

    assert isinstance(Drive("wsgi")(layer([], "a"), app).error, AppProtocolError)


def test_a_head_that_comes_while_iterating_is_the_servers_to_judge() -> None:
    def app(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [])

        def body() -> Any:
            yield b"a"
            error = LookupError("late")
            start_response("500 Oh", [], (type(error), error, None))

        return body()

    answer = Drive("wsgi")(layer([], "a"), app)
    assert answer.status == 200
    assert isinstance(answer.error, LookupError)


def test_a_server_that_refuses_the_head_ends_it() -> None:
    log: list[Any] = []

    def refuse(*head: Any) -> Any:
        raise LookupError("by the server")

    wrapped = layer(log, "a")(App(b"a", shape="stream").wsgi)
    with pytest.raises(LookupError):
        wrapped(Ask().environ(), refuse)
    assert log[-1] == "a aborted"


# Event loops


def test_the_driver_only_awaits_so_trio_will_do() -> None:
    import trio

    log: list[Any] = []
    sent: list[Any] = []

    async def send(message: Any) -> None:
        await trio.lowlevel.checkpoint()
        sent.append(message)

    wrapped = Stack(layer(log, "a"), bind()).asgi(App(b"a", b"b", shape="stream").asgi)
    trio.run(wrapped, Ask().scope(), None, send)
    assert len(sent) == 4
    assert log[-1] == "a complete"


def test_a_bound_variable_stays_for_the_body_whoever_looked_at_it(drive: Drive) -> None:
    @middleware
    def look(request: Request) -> Flow:
        request.bind(tenant, "acme")
        response: Response = yield request
        assert response.length is None

    assert drive(look(), App(lambda: tenant.get().encode(), shape="stream")).body == b"acme"


def test_a_client_that_leaves_before_a_layers_answer_aborts_it() -> None:
    log: list[Any] = []

    @middleware
    def answer(request: Request) -> Flow:
        outcome: Outcome = yield Response(200, "mine")
        log.append((outcome.kind, type(outcome.error), outcome.bytes_sent))

    assert isinstance(Drive("asgi")(answer(), leaves_after=0).error, OSError)
    assert log == [("aborted", OSError, 0)]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_write_without_a_layer_that_watches(method: str) -> None:
    def app(environ: Any, start_response: Any) -> Any:
        write = start_response("200 OK", [])
        write(b"")
        write(b"a")
        return [b"b"]

    @middleware
    def look(request: Request) -> Flow:
        yield request

    answer = Drive("wsgi")(look(), app, method=method)
    assert (answer.status, answer.body) == (200, b"ab" if method == "GET" else b"")


def test_an_app_that_never_starts_has_no_response() -> None:
    assert isinstance(Drive("wsgi")(layer([], "a"), App(shape="stream", head_first=False)).error, type(None))

    def silent(environ: Any, start_response: Any) -> Any:
        return iter([b"", b""])

    assert isinstance(Drive("wsgi")(layer([], "a"), silent).error, AppProtocolError)


def test_an_answer_passes_the_stages_of_outer_layers(drive: Drive) -> None:
    class Shout:
        def feed(self, data: bytes) -> bytes:
            return data.upper()

        def flush(self) -> bytes:
            return b""

        def finish(self) -> bytes:
            return b"!"

    @middleware
    def shout(request: Request) -> Flow:
        response: Response = yield request
        response.body.transform(Shout())

    answer = drive(Stack(shout(), layer([], "a", enter=REPLACED)))
    assert (answer.body, answer.header("content-length")) == (b"TEAPOT\n!", "8")


def test_what_was_written_is_not_sent_after_a_response_in_its_place() -> None:
    closed: list[bool] = []

    class Chunks:
        def __iter__(self) -> Any:
            return iter([b"secret"])

        def close(self) -> None:
            closed.append(True)

    def app(environ: Any, start_response: Any) -> Any:
        write = start_response("200 OK", [])
        write(b"secret")
        write(b"more")
        return Chunks()

    @middleware
    def refuse(request: Request) -> Flow:
        yield request
        return Response(403, b"no")

    sent: list[Any] = []

    def start_response(status: str, headers: Any, exc_info: Any = None) -> Any:
        sent.append(status)
        return sent.append

    body = refuse(app)(Ask().environ(), start_response)
    assert (sent, list(body), closed) == (["403 Forbidden"], [b"no"], [True])


class Breaks:
    """A stage with a bug that shows at the second piece."""

    def __init__(self) -> None:
        self.seen = 0

    def feed(self, data: bytes) -> bytes:
        self.seen += 1
        if self.seen == 2:
            raise LookupError("a bug of the layer")
        return data

    def flush(self) -> bytes:
        return b""

    finish = flush


@middleware
def breaks(request: Request) -> Flow:
    response: Response = yield request
    response.body.transform(Breaks())


@pytest.mark.parametrize("headers", [[], [("Content-Length", "3")]])
def test_an_app_that_goes_on_after_an_error_of_a_stage_never_makes_a_whole_response(
    drive: Drive, headers: list[tuple[str, str]]
) -> None:
    def wsgi(environ: Any, start_response: Any) -> Any:
        write = start_response("200 OK", headers)
        for piece in (b"a", b"b", b"c"):
            with suppress(LookupError):
                write(piece)
        return []

    async def asgi(scope: Any, receive: Any, send: Any) -> None:
        pairs = [(name.encode(), value.encode()) for name, value in headers]
        await send({"type": "http.response.start", "status": 200, "headers": pairs})
        for piece in (b"a", b"b", b"c", b""):
            with suppress(LookupError, OSError):
                await send({"type": "http.response.body", "body": piece, "more_body": bool(piece)})

    log: list[Any] = []

    @middleware
    def outcomes(request: Request) -> Flow:
        outcome: Outcome = yield (yield request)
        log.append((outcome.kind, str(outcome.error)))

    answer = drive(Stack(outcomes(), breaks()), {"wsgi": wsgi, "asgi": asgi}[drive.convention])
    assert (answer.body[:1], isinstance(answer.error, LookupError), answer.complete) == (b"a", True, False)
    assert [(kind, "bug" in error) for kind, error in log] == [("error", True)]


@pytest.mark.parametrize("chunks", [[], [LookupError("oh")]])
def test_a_head_that_was_held_leaves_before_the_error_or_the_missing_body(chunks: list[Exception]) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 202, "headers": [(b"content-length", b"5")]})
        for chunk in chunks:
            raise chunk

    answer = Drive("asgi")(breaks(), app)
    assert (answer.status, answer.complete, answer.header("content-length")) == (202, False, None)


def test_an_app_that_goes_on_after_an_error_of_the_head_sends_nothing() -> None:
    @middleware
    def late(request: Request) -> Flow:
        yield request
        raise LookupError("a bug of the layer")

    def app(environ: Any, start_response: Any) -> Any:
        write = start_response("200 OK", [])
        with suppress(LookupError):
            write(b"a")
        return [b"b"]

    answer = Drive("wsgi")(late(), app)
    assert (answer.status, answer.body, str(answer.error)) == (0, b"", "a bug of the layer")

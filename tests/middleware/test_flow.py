"""A layer is a generator: what it may yield, what it gets back, and what becomes of its mistakes."""

from __future__ import annotations

from typing import Any

import pytest

from anysgi.exceptions import FlowError, StackError
from anysgi.middleware import Dual, Flow, Outcome, Request, Response, Stack, middleware

from ._driving import App, Drive


@middleware
def tag(request: Request, *, name: str = "x-tag", value: str = "1") -> Flow:
    response: Response = yield request
    response.headers.add(name, value)


def recording(log: list[Any], name: str = "") -> Any:
    @middleware
    def record(request: Request) -> Flow:
        log.append(f"{name}>")
        response: Response = yield request
        log.append(f"{name}<{response.status}")
        outcome: Outcome = yield response
        log.append(f"{name}.{outcome.kind}")
        log.append(outcome)

    return record()


def test_a_layer_adds_a_header(drive: Drive) -> None:
    answer = drive(tag(), App(b"hello", headers={"X-Own": "a"}))
    assert (answer.status, answer.body, answer.error) == (200, b"hello", None)
    assert answer.headers == [("x-own", "a"), ("x-tag", "1")]


def test_layers_run_in_order_and_outcomes_come_inner_first(drive: Drive) -> None:
    log: list[Any] = []
    answer = drive(Stack(recording(log, "a"), recording(log, "b")), App(b"hello"))
    assert answer.complete
    assert [entry for entry in log if isinstance(entry, str)] == [
        "a>",
        "b>",
        "b<200",
        "a<200",
        "b.complete",
        "a.complete",
    ]
    outcome = log[-1]
    assert (outcome.bytes_sent, outcome.error, outcome.bytes_received) == (5, None, None)
    assert 0 <= outcome.first_byte <= outcome.duration


def test_a_layer_answers_instead(drive: Drive) -> None:
    @middleware
    def refuse(request: Request) -> Flow:
        return Response(403, "no\n")
        yield request

    app = App(b"hello")
    answer = drive(Stack(tag(), refuse()), app)
    assert (answer.status, answer.text, app.calls) == (403, "no\n", 0)
    assert answer.header("x-tag") == "1"
    assert answer.header("content-length") == "3"
    assert answer.header("content-type") == "text/plain; charset=utf-8"


def test_an_exception_of_the_app_is_raised_at_the_yield_and_may_be_answered(drive: Drive) -> None:
    @middleware
    def catch(request: Request) -> Flow:
        try:
            response: Response = yield request
        except LookupError as error:
            return Response(500, str(error))
        yield response
        return None

    answer = drive(Stack(tag(), catch()), App(raises=LookupError("oh")))
    assert (answer.status, answer.text, answer.error) == (500, "oh", None)
    assert answer.header("x-tag") == "1"


def test_an_exception_nobody_answers_is_the_same_object(drive: Drive) -> None:
    error = LookupError("oh")
    assert drive(Stack(tag(), tag()), App(raises=error)).error is error


def test_calls_of_a_dual_are_made_in_place(drive: Drive) -> None:
    class Sync:
        def hit(self, key: str) -> str:
            return f"sync {key}"

    class Asynchronous:
        async def hit(self, key: str) -> str:
            return f"async {key}"

    @middleware
    def limit(request: Request, *, store: Dual) -> Flow:
        found = yield store.hit("k")
        response: Response = yield request
        response.headers.add("x-hit", found)

    answer = drive(limit(store=Dual(sync=Sync(), asynchronous=Asynchronous())))
    assert answer.header("x-hit") == {"wsgi": "sync k", "asgi": "async k"}[drive.convention]


def test_a_missing_side_of_a_dual_is_an_error_when_the_stack_is_built() -> None:
    @middleware
    def limit(request: Request, *, store: Dual) -> Flow:
        yield request

    with pytest.raises(StackError, match="limit cannot run under ASGI"):
        Stack(limit(store=Dual(sync=object()))).asgi(App().asgi)


def test_a_layer_that_yields_a_stranger_is_named_by_file_and_line(drive: Drive) -> None:
    @middleware
    def wrong(request: Request) -> Flow:
        yield 3  # type: ignore[misc]

    error = drive(wrong()).error
    assert isinstance(error, FlowError)
    assert "wrong" in str(error)
    assert __file__ in str(error)


def test_a_body_passes_a_transform_and_its_length_is_true(drive: Drive) -> None:
    @middleware
    def shout(request: Request) -> Flow:
        response: Response = yield request
        response.body.transform(Shout())

    answer = drive(shout(), App(b"hello", headers={"Content-Length": "5"}))
    assert (answer.body, answer.header("content-length")) == (b"HELLO!", "6")
    answer = drive(shout(), App(b"a", b"b", shape="stream", headers={"Content-Length": "2"}))
    assert (answer.body, answer.header("content-length"), answer.complete) == (b"AB!", None, True)


class Shout:
    def feed(self, data: bytes) -> bytes:
        return data.upper()

    def flush(self) -> bytes:
        return b""

    def finish(self) -> bytes:
        return b"!"


def test_a_request_body_passes_a_transform(drive: Drive) -> None:
    @middleware
    def shout(request: Request) -> Flow:
        request.body.transform(Shout())
        yield request

    app = App(b"ok", reads=True)
    answer = drive(shout(), app, method="POST", body=b"hello")
    assert (answer.error, app.received) == (None, b"HELLO!")


def test_a_stack_that_does_not_look_at_the_body_hands_over_the_apps_own_object() -> None:
    chunks = [b"hello"]

    def app(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [])
        return chunks

    assert Drive("wsgi")(tag(), app).raw is chunks


@pytest.mark.parametrize(
    ("path", "skipped"),
    [
        ("/static/a.css", True),
        ("/static/.well-known", True),
        ("/static/a..b", True),
        ("/static/../private", False),
        ("/static/..", False),
        ("/static/./x", False),
        ("/static/..\\private", False),
    ],
)
def test_a_path_that_may_mean_another_one_is_not_skipped(drive: Drive, path: str, skipped: bool) -> None:
    answer = drive(tag(skip="/static/*"), path=path)
    assert (answer.header("x-tag") is None) is skipped


def test_skipped_requests_cost_the_layer(drive: Drive) -> None:
    stack = tag(skip=["/health", "/static/*"])
    assert drive(stack, path="/health").header("x-tag") is None
    assert drive(stack, path="/static/a/b.css").header("x-tag") is None
    assert drive(stack, path="/healthy").header("x-tag") == "1"


def test_the_order_of_layers_is_checked() -> None:
    @middleware(outside=["tag"])
    def outer(request: Request) -> Flow:
        yield request

    Stack(outer(), tag())
    with pytest.raises(StackError, match="outer must stand outside tag"):
        Stack(tag(), outer())


@pytest.mark.parametrize(
    ("kind", "leaves", "chunks"), [("aborted", 1, (b"a", b"b", b"c")), ("error", None, (b"a", LookupError()))]
)
def test_the_outcome_of_what_did_not_go_well(drive: Drive, kind: str, leaves: Any, chunks: Any) -> None:
    log: list[Any] = []
    answer = drive(recording(log), App(*chunks, shape="stream"), leaves_after=leaves)
    assert not answer.complete
    assert log[-1].kind == kind
    assert len(log) == 4


def test_every_public_name_is_listed_before_it_is_imported() -> None:
    from anysgi import middleware as door

    assert set(door.__all__) <= set(dir(door))

"""I/O changes nothing: whatever a layer does, it may make calls first, in every phase."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

from anysgi.middleware import Dual, Flow, Outcome, Request, Response, Stack, middleware

from ._driving import BOUND, App, Ask, Drive


def ping() -> str:
    return "pong"


async def aping() -> str:
    return "pong"


PING = Dual(sync=ping, asynchronous=aping)


@middleware
def tell(request: Request, *, log: list[Any], name: str) -> Flow:
    try:
        response: Response = yield request
    except LookupError as error:
        log.append((name, str(error)))
        raise
    log.append((name, response.status))
    outcome: Outcome = yield response
    log.append((name, outcome.kind))


@middleware
def act(request: Request, *, log: list[Any], enter: str, unwind: str, calls: int, ping: Dual = PING) -> Flow:
    """Does what it is told when it is entered and when it is unwound, after so many calls."""
    for _ in range(calls):
        assert (yield ping()) == "pong"
    match enter:
        case "leave":
            return None
        case "answer":
            return Response(201, "entered")
        case "answer and wait":
            log.append((yield Response(202, "entered")).kind)
            return None
        case "raise":
            raise LookupError("entered")
        case "stray":
            yield 3  # type: ignore[misc]
    response: Response = yield request
    for _ in range(calls):
        assert (yield ping()) == "pong"
    match unwind:
        case "return it":
            response.headers.add("x-act", "1")
            return response
        case "keep it":
            outcome: Outcome = yield response
            for _ in range(calls):
                assert (yield ping()) == "pong"
            log.append(outcome.kind)
        case "replace":
            return Response(203, "unwound")
        case "replace and wait":
            log.append((yield Response(203, "unwound")).kind)
        case "raise":
            raise LookupError("unwound")
        case "stray":
            yield 3  # type: ignore[misc]
    return None


ENTERING = [(enter, "") for enter in ("leave", "answer", "answer and wait", "raise", "stray")]
UNWINDING = [("", unwind) for unwind in ("", "return it", "keep it", "replace", "replace and wait", "raise", "stray")]


@pytest.mark.parametrize("answers", [False, True], ids=["app", "layer"])
@pytest.mark.parametrize(("enter", "unwind"), [*ENTERING, *UNWINDING])
def test_a_layer_that_makes_calls_first_does_the_same(drive: Drive, enter: str, unwind: str, answers: bool) -> None:
    @middleware
    def answer(request: Request) -> Flow:
        return Response(200, "inner")
        yield

    told: list[Any] = []
    for calls in (0, 1, 2):
        log: list[Any] = []
        acting = act(log=log, enter=enter, unwind=unwind, calls=calls)
        stack = Stack(
            tell(log=log, name="outer"), acting, tell(log=log, name="inner"), *([answer()] if answers else [])
        )
        got = drive(stack, App(b"ok"))
        told.append((got.status, got.body, got.getlist("x-act"), type(got.error), log))
    assert told[0] == told[1] == told[2]


def test_a_response_that_is_returned_as_it_came_is_no_other(drive: Drive) -> None:
    log: list[Any] = []
    answered = Stack(act(log=log, enter="", unwind="return it", calls=0), tell(log=log, name="inner"))
    drive(Stack(answered, act(log=log, enter="answer", unwind="", calls=0)))
    assert log == [("inner", 201), ("inner", "complete")]


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@pytest.mark.parametrize("streams", [False, True], ids=["before the head", "amid the body"])
def test_a_cancelled_scope_does_not_keep_a_layer_from_tidying_up(backend: str, streams: bool) -> None:
    log: list[str] = []

    async def give_back() -> None:
        await anyio.sleep(0)
        log.append("given back")

    @middleware
    def lock(request: Request, *, release: Dual) -> Flow:
        try:
            response: Response = yield request
        except BaseException:
            yield release()
            raise
        yield response
        yield release()

    async def leave(*_: Any) -> None:
        cancelled.cancel()
        await anyio.sleep(BOUND)

    async def send(message: Any) -> None:
        if message["type"] == "http.response.body":
            await leave()

    async def serve() -> None:
        nonlocal cancelled
        with anyio.CancelScope() as cancelled:
            await stack(scope, None, send)

    cancelled: anyio.CancelScope
    scope = Ask().scope()
    app: Any = App(b"x", lambda: b"y", shape="stream").asgi if streams else leave
    stack = lock(app, release=Dual(sync=bool, asynchronous=give_back))
    anyio.run(serve, backend=backend)
    assert cancelled.cancelled_caught
    assert log == ["given back"]

"""Random stacks around random apps with random peers: fused is unfused, and WSGI is ASGI, as far as anybody can see."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anysgi.middleware import Dual, Flow, Outcome, Request, Response, Stack, middleware

from ._driving import App, Ask, Drive


class Oops(Exception):
    """What a random layer or app raises."""


class Sent(int):
    """Bytes that left a stack."""


class Marks:
    """A transform that shows where it stood and what was called."""

    def __init__(self, name: str) -> None:
        self.name = name.encode()

    def feed(self, data: bytes) -> bytes:
        return data.replace(b"x", b"x" + self.name)  # whatever the chunks

    def flush(self) -> bytes:
        return b""  # where chunks end is not what is compared

    def finish(self) -> bytes:
        return b"."


async def same(value: str) -> str:
    return value


STORE = Dual(sync=lambda value: value, asynchronous=same)
ENTERS = ("pass", "leave", "answer", "answer and wait", "raise", "ask", "change")
ERRORS = ("raise", "another", "answer", "ask", "swallow")
HEADS = ("pass", "wait", "wait", "transform", "observe", "replace", "raise", "ask")


@dataclass(frozen=True)
class Plan:
    """What one layer does in each phase."""

    name: str
    enter: str
    error: str
    head: str
    outcome: str

    @property
    def makes_chunks(self) -> bool:
        """Whether the body may be another than the app's."""
        return "answer" in self.enter or self.error == "answer" or self.head in ("replace", "transform")


def layer(plan: Plan, log: list[Any]) -> Any:
    """The layer of a plan."""

    @middleware
    def planned(request: Request, *, store: Dual) -> Flow:
        log.append((plan.name, "enter"))
        match plan.enter:
            case "leave":
                return None
            case "answer":
                return Response(403, plan.name)
            case "answer and wait":
                outcome: Outcome = yield Response(403, plan.name)
                log.append((plan.name, outcome.kind))
                return None
            case "raise":
                raise Oops(plan.name)
            case "ask":
                log.append((plan.name, (yield store("asked"))))
            case "change":
                request.headers.set("x-way", request.headers.get("x-way", "") + plan.name)
        try:
            response: Response = yield request
        except Oops as error:
            log.append((plan.name, "error", str(error)))
            match plan.error:
                case "another":
                    raise Oops(f"from {plan.name}") from None
                case "answer":
                    return Response(500, plan.name)
                case "ask":
                    log.append((plan.name, (yield store("asked"))))
                case "swallow":
                    return None
            raise
        log.append((plan.name, "head", response.status))
        response.headers.add("x-layer", plan.name)
        match plan.head:
            case "pass":
                return None
            case "transform":
                response.body.transform(Marks(plan.name))
            case "observe":
                response.body.observe(lambda data: log.append((plan.name, data)))
            case "replace":
                return Response(418, plan.name)
            case "raise":
                raise Oops(plan.name)
            case "ask":
                log.append((plan.name, (yield store("asked"))))
        outcome = yield response
        log.append((plan.name, outcome.kind, Sent(outcome.bytes_sent)))
        if plan.outcome == "raise":
            raise Oops("logged")
        return None

    return planned(store=STORE)


def plans() -> st.SearchStrategy[list[Plan]]:
    names = st.sampled_from("abcd")
    phases = [st.sampled_from(choices) for choices in (ENTERS, ERRORS, HEADS, ("pass", "raise"))]
    plan = st.builds(Plan, names, *phases)
    return st.lists(plan, max_size=4, unique_by=lambda plan: plan.name)


@dataclass(frozen=True)
class Program:
    """A random app, and how its client behaves."""

    chunks: tuple[Any, ...]
    status: int
    shape: str
    length: bool
    raises: bool
    leaves_after: int | None

    def app(self) -> App:
        size = sum(len(chunk) for chunk in self.chunks if isinstance(chunk, bytes))
        headers = {"Content-Length": str(size)} if self.length else {}
        chunks = [chunk if isinstance(chunk, bytes) else Oops("app") for chunk in self.chunks]
        raises = Oops("app") if self.raises else None
        return App(*chunks, status=self.status, shape=self.shape, headers=headers, raises=raises)  # type: ignore[arg-type]


@st.composite
def programs(draw: st.DrawFn) -> Program:
    chunks = (b"x", *draw(st.lists(st.sampled_from([b"", b"x", b"yy"]), max_size=3)))
    fails = draw(st.booleans()) and draw(st.booleans())
    shape = "stream" if fails else draw(st.sampled_from(["list", "stream"]))
    length = draw(st.booleans())
    # A WSGI server has taken the last piece before it knows, and a body of an announced length is then complete: see
    # `test_what_a_wsgi_server_took_to_its_announced_end_is_complete`.
    last = sum(bool(chunk) for chunk in chunks) - (2 if length else 1)
    may_leave = last >= 0 and shape == "stream" and draw(st.booleans())
    leaves = draw(st.integers(0, last)) if may_leave else None
    return Program(
        (*chunks, "fail") if fails else chunks,
        draw(st.sampled_from([200, 200, 404])),
        shape,
        length,
        draw(st.booleans()) and draw(st.booleans()),
        leaves,
    )


def trace(
    convention: Any, layers: list[Plan], program: Program, *, fused: bool = True, told: bool = True
) -> tuple[Any, ...]:
    """Everything that can be seen of one request."""
    if any(plan.makes_chunks for plan in layers):  # then chunks are not the app's, and leaving after one says nothing
        program = replace(program, leaves_after=None)
    log: list[Any] = []
    drive = Drive(convention)
    app = program.app()
    if fused:
        wrapped = drive.wrap(Stack(*(layer(plan, log) for plan in layers)), app)
    else:
        wrapped = getattr(app, convention)
        for plan in reversed(layers):
            wrapped = drive.wrap(layer(plan, log), apart(convention, wrapped))
    answer = drive.serve(wrapped, Ask(), program.leaves_after)
    left = isinstance(answer.error, OSError) and program.leaves_after is not None  # WSGI has no such exception
    error = (type(answer.error).__name__, str(answer.error)) if answer.error and not left else None
    way = dict(app.request.get("headers", ())).get(b"x-way", app.request.get("HTTP_X_WAY", b""))
    way = way.encode() if isinstance(way, str) else way
    length = answer.header("content-length")
    if length is not None and answer.complete:
        assert int(length) == len(answer.body)
    headers = sorted(header for header in answer.headers if header[0] != "content-length")
    # Each layer's own story: in stacks that do not touch, an outer one may hear of the end before an inner one does,
    # what leaves one of them is not yet what leaves the outermost, and chunks may end elsewhere.
    stories = {plan.name: [_told(e, told) for e in log if e[0] == plan.name and not _saw(e)] for plan in layers}
    seen = {plan.name: b"".join(e[1] for e in log if e[0] == plan.name and _saw(e)) for plan in layers}
    if program.leaves_after is not None:  # a server that stops sees no end, and no chunk that it could not send
        return answer.status, headers, error, app.calls, way, stories
    return answer.status, headers, answer.body, answer.complete, error, app.calls, way, stories, seen


def _saw(entry: tuple[Any, ...]) -> bool:
    return isinstance(entry[1], bytes)


def _told(entry: tuple[Any, ...], with_bytes: bool) -> tuple[Any, ...]:
    return tuple(part for part in entry if with_bytes or not isinstance(part, Sent))


def apart(convention: Any, app: Any) -> Any:
    """A wrapper in between, so that two stacks do not touch."""
    if convention == "wsgi":
        return lambda environ, start_response: app(environ, start_response)

    async def between(scope: Any, receive: Any, send: Any) -> None:
        await app(scope, receive, send)

    return between


@pytest.fixture(autouse=True, scope="module")
def _quiet() -> Iterator[None]:
    """Outcomes that raise are logged by the hundreds, with their tracebacks."""
    log = logging.getLogger("anysgi.middleware")
    log.disabled = True
    yield
    log.disabled = False


@settings(max_examples=40)
@given(plans(), programs())
def test_fused_is_unfused(layers: list[Plan], program: Program) -> None:
    for convention in ("wsgi", "asgi"):
        fused = trace(convention, layers, program, told=False)
        assert fused == trace(convention, layers, program, fused=False, told=False)


@settings(max_examples=40)
@given(plans(), programs())
def test_wsgi_is_asgi(layers: list[Plan], program: Program) -> None:
    stays = program.leaves_after is None  # a WSGI server takes one more piece before it knows
    assert trace("wsgi", layers, program, told=stays) == trace("asgi", layers, program, told=stays)


@pytest.mark.parametrize(("convention", "kind"), [("wsgi", "complete"), ("asgi", "aborted")])
@pytest.mark.parametrize("chunks", [(b"x",), (b"x", b""), (b"x", "fail")])
def test_what_a_wsgi_server_took_to_its_announced_end_is_complete(
    convention: str, kind: str, chunks: tuple[Any, ...]
) -> None:
    plan = Plan("a", "pass", "raise", "wait", "pass")
    program = Program(chunks, 200, "stream", length=True, raises=False, leaves_after=0)
    *_, stories = trace(convention, [plan], program, told=False)
    assert stories["a"][-1] == ("a", kind)

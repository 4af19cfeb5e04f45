"""A layer that only needs the request is a plain function: it answers, or has nothing to say."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any

import pytest

from anysgi.exceptions import FlowError
from anysgi.middleware import Flow, Outcome, Request, Response, Stack, middleware

from ._driving import App, Drive

var: ContextVar[str] = ContextVar("var", default="nobody")


@middleware
def guard(request: Request, *, path: str = "/open") -> Response | None:
    return None if request.path == path else Response(403, "closed")


@middleware
def prepared(*, path: str) -> Any:
    def flow(request: Request) -> Response | None:
        return None if request.path == path else Response(403, "closed")

    return flow


@middleware
def bind(request: Request) -> None:
    request.bind(var, "somebody")
    request.native["anysgi.test"] = True


@pytest.mark.parametrize("layer", [guard(), guard(path="/open"), prepared(path="/open")], ids=["none", "one", "made"])
def test_a_plain_function_answers_or_lets_pass(drive: Drive, layer: Stack) -> None:
    app = App(b"hello")
    assert (drive(layer, app, path="/open").text, app.calls) == ("hello", 1)
    assert (drive(layer, app, path="/else").text, app.calls) == ("closed", 1)


def test_its_answer_passes_the_layers_outside_of_it_and_none_inside(drive: Drive) -> None:
    told: list[str] = []

    @middleware
    def tell(request: Request, *, name: str) -> Flow:
        response: Response = yield request
        response.headers.add("x-told", name)
        outcome: Outcome = yield response
        told.append(f"{name} {outcome.kind}")

    answer = drive(Stack(tell(name="outside"), guard(), tell(name="inside")), path="/else")
    assert (answer.status, answer.getlist("x-told"), told) == (403, ["outside"], ["outside complete"])


def test_its_exception_is_raised_at_the_yield_of_the_layer_outside_of_it(drive: Drive) -> None:
    @middleware
    def catch(request: Request) -> Flow:
        try:
            yield request
        except LookupError as error:
            return Response(500, str(error))
        return None

    @middleware
    def broken(request: Request) -> None:
        raise LookupError("no such thing")

    assert drive(Stack(catch(), broken())).text == "'no such thing'".strip("'")
    assert isinstance(drive(broken()).error, LookupError)


def test_what_it_binds_is_there_for_the_app_and_gone_afterwards(drive: Drive) -> None:
    app = App(lambda: var.get().encode(), shape="stream")
    answer = drive(Stack(bind()), app)
    assert (answer.text, app.request["anysgi.test"], var.get()) == ("somebody", True, "nobody")


def test_skip_leaves_it_out(drive: Drive) -> None:
    assert drive(guard(skip="/else"), path="/else").text == "hello"
    assert drive(guard(skip="/other"), path="/else").status == 403


def _returns(request: Request, *, what: Any = None) -> Any:
    return what or request


@pytest.mark.parametrize(
    "layer",
    [middleware(_returns), middleware(_returns)(skip="/static/*"), middleware(_returns)(what=42)],
    ids=["bare", "skip", "options"],
)
def test_a_mistake_names_the_function_its_file_and_line(drive: Drive, layer: Any) -> None:
    error = drive(Stack(layer)).error
    assert isinstance(error, FlowError)
    assert f"({__file__}:" in str(error)
    assert "returned" in str(error)
    assert "a Response or None" in str(error)

"""A request is forgotten when it is over: nothing of it waits for the garbage collector, least of all its body."""

from __future__ import annotations

import gc
from typing import Any

import pytest

from anysgi.middleware import (
    Flow,
    Outcome,
    Request,
    Response,
    Stack,
    access_log,
    compress,
    middleware,
    request_id,
    security_headers,
)

from ._driving import App, Ask, Drive


@middleware
def change(request: Request) -> Flow:
    request.headers.add("x-a", "1")
    response: Response = yield request
    response.headers.add("x-b", "1")


@middleware
def wait(request: Request) -> Flow:
    response: Response = yield request
    outcome: Outcome = yield response
    assert outcome.kind == "complete"


@middleware
def answer(request: Request) -> Flow:
    return Response(200, "mine")
    yield


@middleware
def catch(request: Request) -> Flow:
    try:
        yield request
    except LookupError:
        return Response(500, "caught")
    return None


STACKS = {
    "changes": Stack(change()),
    "waits": Stack(wait(), change()),
    "answers": Stack(wait(), answer()),
    "catches": Stack(wait(), catch()),
    "library": Stack(request_id(), access_log(), security_headers(), compress(minimum_size=0)),
}


def serve(drive: Drive, app: Any, request: dict[str, Any]) -> None:
    if drive.convention == "wsgi":
        body = app(request, lambda *head: None)
        assert b"".join(body)
        if hasattr(body, "close"):
            body.close()
        return

    async def send(message: Any) -> None:
        pass

    with pytest.raises(StopIteration):
        app(request, None, send).send(None)


@pytest.mark.parametrize("name", STACKS)
def test_a_request_leaves_nothing_to_the_garbage_collector(drive: Drive, name: str) -> None:
    inner = (
        App(raises=LookupError("oh")) if name == "catches" else App(b"hello", headers={"Content-Type": "text/plain"})
    )
    app = drive.wrap(STACKS[name], inner)
    ask = Ask(headers=[("Accept-Encoding", "gzip")])
    requests = [ask.environ() if drive.convention == "wsgi" else ask.scope() for _ in range(3)]
    serve(drive, app, requests.pop())
    gc.collect()
    gc.disable()
    try:
        while requests:
            serve(drive, app, requests.pop())
            inner.request = {}
        assert gc.collect() == 0
    finally:
        gc.enable()


class Wrapper:
    """A server's `wsgi.file_wrapper`."""

    def __init__(self, file: Any) -> None:
        self.file = file

    def __iter__(self) -> Any:
        return iter([self.file])

    def close(self) -> None:
        self.file = b""


def test_nor_does_a_file() -> None:
    def app(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [])
        return environ["wsgi.file_wrapper"](b"bytes")

    wrapped, environ = wait(app), Ask(native={"wsgi.file_wrapper": Wrapper}).environ()
    gc.collect()
    gc.disable()
    try:
        serve(Drive("wsgi"), wrapped, environ)
        del environ
        assert gc.collect() == 0
    finally:
        gc.enable()

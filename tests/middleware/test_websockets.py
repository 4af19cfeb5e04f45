"""Layers declared with `websocket=True`: the head is the accept or the denial, the outcome is the close."""

from __future__ import annotations

import asyncio
import json
import logging
import re
from pathlib import Path
from typing import Any

import pytest

from anysgi import middleware as library
from anysgi.exceptions import ClientDisconnected
from anysgi.middleware import (
    Dual,
    Flow,
    Outcome,
    Request,
    Response,
    Stack,
    access_log,
    compress,
    current_request_id,
    errors,
    load_shed,
    maintenance,
    middleware,
    rate_limit,
    request_id,
)
from anysgi.middleware._engine._layer import Middleware

from ..adapters._calling import make_environ
from ._driving import BOUND

DENIAL = {"websocket.http.response": {}}


@middleware(websocket=True)
def tag(request: Request, *, log: list[Any]) -> Flow:
    log.append((request.method, request.is_websocket))
    response: Response = yield request
    response.headers.add("x-tag", "1")
    log.append(response.status)
    outcome: Outcome = yield response
    log.append((outcome.kind, outcome.bytes_sent))


@middleware
def http_only(request: Request) -> Flow:
    raise AssertionError("not for WebSockets")
    yield request


@middleware(websocket=True)
def refuse(request: Request) -> Flow:
    return Response(401, "no\n", {"x-why": "because"})
    yield request


def app(*messages: dict[str, Any], error: BaseException | None = None) -> Any:
    async def run(scope: Any, receive: Any, send: Any) -> None:
        assert (await receive())["type"] == "websocket.connect"
        for message in messages:
            await send(dict(message))
        if error is not None:
            raise error

    return run


ACCEPT = {"type": "websocket.accept"}
CLOSE = {"type": "websocket.close", "code": 1000}


def connect(
    stack: Any, inner: Any, fails_at: int | None = None, **scope: Any
) -> tuple[list[Any], BaseException | None]:
    """Run one connection; the messages that were sent, and what was raised."""
    sent: list[Any] = []
    script = [{"type": "websocket.connect"}, {"type": "websocket.disconnect", "code": 1001}]

    async def receive() -> Any:
        return script.pop(0)

    async def send(message: Any) -> None:
        if len(sent) == fails_at:
            raise OSError("gone")
        sent.append(message)

    async def run() -> None:
        whole = {"type": "websocket", "path": "/ws", "headers": [(b"host", b"x")], "query_string": b"", **scope}
        await asyncio.wait_for(Stack(stack).asgi(inner)(whole, receive, send), BOUND)

    try:
        asyncio.run(run())
    except BaseException as error:
        return sent, error
    return sent, None


def test_the_accept_is_a_head_and_the_close_an_end() -> None:
    log: list[Any] = []
    text = {"type": "websocket.send", "text": "hé"}
    binary = {"type": "websocket.send", "bytes": b"four"}
    sent, error = connect(Stack(tag(log=log), http_only()), app({**ACCEPT, "subprotocol": "p"}, text, binary, CLOSE))
    assert error is None
    assert sent == [{**ACCEPT, "subprotocol": "p", "headers": [(b"x-tag", b"1")]}, text, binary, CLOSE]
    assert log == [("GET", True), 101, ("complete", 7)]


def test_an_app_that_returns_after_the_client_closed_is_complete() -> None:
    log: list[Any] = []
    connect(tag(log=log), app(ACCEPT))
    assert log[-1] == ("complete", 0)


@pytest.mark.parametrize(
    ("closing", "status"),
    [
        ([CLOSE], 403),
        (
            [
                {"type": "websocket.http.response.start", "status": 404, "headers": []},
                {"type": "websocket.http.response.body", "body": b"a", "more_body": True},
                {"type": "websocket.http.response.body", "body": b"b"},
            ],
            404,
        ),
    ],
)
def test_a_denial_is_a_head_too(closing: Any, status: int) -> None:
    log: list[Any] = []
    sent, error = connect(tag(log=log), app(*closing), extensions=DENIAL)
    assert error is None
    assert [message["type"] for message in sent] == [message["type"] for message in closing]
    assert log[1] == status
    assert log[2][0] == "complete"
    assert ("headers" in sent[0]) is (status == 404)


def test_a_layer_denies_with_a_response_where_the_server_can_send_it() -> None:
    log: list[Any] = []
    sent, error = connect(Stack(tag(log=log), refuse()), app(), extensions=DENIAL)
    assert error is None
    start, body = sent
    assert start["type"] == "websocket.http.response.start"
    assert start["status"] == 401
    assert dict(start["headers"])[b"x-why"] == b"because"
    assert dict(start["headers"])[b"x-tag"] == b"1"
    assert body == {"type": "websocket.http.response.body", "body": b"no\n"}
    assert log == [("GET", True), 401, ("complete", 0)]


def test_elsewhere_it_denies_with_a_close() -> None:
    assert connect(refuse(), app()) == ([CLOSE], None)


def test_a_handshake_that_is_replaced_is_refused_and_the_app_hears_of_it() -> None:
    heard: list[Any] = []

    @middleware(websocket=True)
    def replace(request: Request) -> Flow:
        yield request
        return Response(403)

    async def inner(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        for _ in range(2):
            with pytest.raises(ClientDisconnected):
                await send(ACCEPT)
        heard.append(True)

    assert connect(replace(), inner) == ([CLOSE], None)
    assert heard


@pytest.mark.parametrize(
    ("options", "kind"),
    [({"error": LookupError("x")}, "error"), ({"error": asyncio.CancelledError()}, "aborted")],
)
def test_what_did_not_go_well(options: Any, kind: str) -> None:
    log: list[Any] = []
    _, error = connect(tag(log=log), app(ACCEPT, **options))
    assert error is options["error"]
    assert log[-1] == (kind, 0)


def test_a_send_that_fails_is_an_abort() -> None:
    log: list[Any] = []
    _, error = connect(tag(log=log), app(ACCEPT, {"type": "websocket.send", "text": "x"}), fails_at=1)
    assert isinstance(error, OSError)
    assert log[-1][0] == "aborted"


def test_an_exception_before_the_handshake_may_be_answered() -> None:
    @middleware(websocket=True)
    def catch(request: Request) -> Flow:
        try:
            yield request
        except LookupError:
            return Response(500, "oh\n")

    sent, error = connect(catch(), app(error=LookupError("x")), extensions=DENIAL)
    assert error is None
    assert sent[0]["status"] == 500


def test_without_such_layers_the_app_is_called_as_it_is() -> None:
    async def inner(scope: Any, receive: Any, send: Any) -> None:
        await send((scope, receive, send))

    scope = {"type": "websocket"}
    sent: list[Any] = []

    async def send(given: Any) -> None:
        sent.append(given)

    asyncio.run(Stack(http_only()).asgi(inner)(scope, None, send))
    assert sent[0][0] is scope
    assert sent[0][2] is send


def test_calls_are_awaited_while_a_handshake_is_answered() -> None:
    async def fetch() -> str:
        await asyncio.sleep(0)
        return "fetched"

    @middleware(websocket=True)
    def asking(request: Request, *, store: Dual) -> Flow:
        response: Response = yield request
        response.headers.add("x-found", (yield store()))

    sent, error = connect(asking(store=Dual(asynchronous=fetch)), app(ACCEPT, CLOSE))
    assert error is None
    assert sent[0]["headers"] == [(b"x-found", b"fetched")]


@pytest.mark.parametrize(
    ("stack", "statuses"),
    [
        (maintenance(on=True), [503, 503]),
        (rate_limit(limit="1/hour"), [None, 429]),
        (load_shed(limit=1), [None, None]),
    ],
    ids=["maintenance", "rate_limit", "load_shed"],
)
def test_a_handshake_is_a_request_to_those_who_keep_requests_out(stack: Stack, statuses: list[int | None]) -> None:
    for status in statuses:
        sent, error = connect(stack, app(ACCEPT, CLOSE), extensions=DENIAL, client=("192.0.2.1", 5))
        assert (sent[0].get("status"), error) == (status, None)


def logged(caplog: pytest.LogCaptureFixture, *stack: Stack, **options: Any) -> list[logging.LogRecord]:
    with caplog.at_level(logging.INFO, "anysgi.access"):
        connect(Stack(access_log(**options), *stack), app(ACCEPT, {"type": "websocket.send", "text": "four"}, CLOSE))
    return caplog.records


def test_a_websocket_is_logged_once_when_it_is_over(caplog: pytest.LogCaptureFixture) -> None:
    [record] = logged(caplog, format="json")
    line = json.loads(record.getMessage())
    assert (line["method"], line["target"], line["status"], line["outcome"]) == ("GET", "/ws", 101, "complete")
    assert (line["bytes_sent"], line["bytes_received"]) == (4, None)


def test_a_websocket_that_stays_open_is_not_slow(caplog: pytest.LogCaptureFixture) -> None:
    [record] = logged(caplog, slow=0.0)
    assert record.levelno == logging.INFO


def test_a_handshake_that_is_denied_is_logged_and_may_be_slow(caplog: pytest.LogCaptureFixture) -> None:
    [record] = logged(caplog, refuse(), slow=0.0, format="%(r)s %(s)s")
    assert record.getMessage().endswith(" 401")
    assert record.levelno == logging.WARNING


def test_a_websocket_has_a_request_id_in_its_scope_its_context_its_accept_and_its_line(
    caplog: pytest.LogCaptureFixture,
) -> None:
    seen: list[Any] = []

    async def inner(scope: Any, receive: Any, send: Any) -> None:
        seen.extend([dict(scope["headers"])[b"x-request-id"].decode(), current_request_id()])
        await app(ACCEPT, CLOSE)(scope, receive, send)

    with caplog.at_level(logging.INFO, "anysgi.access"):
        sent, _ = connect(Stack(request_id(generate=lambda: "abc"), access_log(format="%(i)s")), inner)
    assert sent[0]["headers"] == [(b"x-request-id", b"abc")]
    assert [*seen, *caplog.messages] == ["abc"] * 3


def test_load_shed_refuses_a_handshake_beyond_its_limit_and_an_open_websocket_takes_no_place() -> None:
    shed, answers = load_shed(limit=1), []

    async def before_the_accept(scope: Any, receive: Any, send: Any) -> None:
        answers.append(await asyncio.to_thread(connect, shed, app(ACCEPT, CLOSE), extensions=DENIAL))
        await send(ACCEPT)
        answers.append(await asyncio.to_thread(connect, shed, app(ACCEPT, CLOSE), extensions=DENIAL))
        await send(CLOSE)

    connect(shed, before_the_accept, extensions=DENIAL)
    (refused, _), (taken, _) = answers
    assert (refused[0]["status"], dict(refused[0]["headers"])[b"retry-after"]) == (503, b"1")
    assert taken == [ACCEPT, CLOSE]


def test_the_page_on_websockets_names_the_layers_that_run_for_them() -> None:
    page = (Path(__file__).parents[2] / "docs/reference/middleware-api.md").read_text(encoding="utf-8")
    [named] = re.findall(r"Of the library's, (.*?) run\b", page, re.DOTALL)
    layers = [getattr(library, name) for name in library.__all__]
    ours = [layer.name for layer in layers if isinstance(layer, Middleware) and layer._declared["websocket"]]
    assert re.findall(r"`(\w+)`", named) == sorted(ours)


# Under WSGI a WebSocket is a request whose app takes the server's connection


HANDSHAKE = {"HTTP_UPGRADE": "websocket", "HTTP_CONNECTION": "keep-alive, Upgrade"}


def taken_over(error: BaseException, stack: Stack, **environ: str) -> list[str]:
    """Ask an app that ends the way Flask-Sock's do; returns the heads that the server got."""
    heads: list[str] = []

    def app(environ: Any, start_response: Any) -> Any:
        raise error

    with pytest.raises(type(error)) as raised:
        stack(app)(make_environ("GET", "/ws", **environ), lambda status, headers, exc_info=None: heads.append(status))
    assert raised.value is error
    return heads


@pytest.mark.parametrize("error", [StopIteration(), ConnectionError()], ids=["gunicorn", "werkzeug"])
def test_an_app_that_took_the_connection_under_wsgi_has_switched_protocols(
    error: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    seen: list[Any] = []
    with caplog.at_level(logging.INFO):
        assert taken_over(error, Stack(access_log, errors, tag(log=seen), compress), **HANDSHAKE) == []
    assert seen == [("GET", False), 101, ("complete", 0)]
    assert [(record.levelname, '"GET /ws HTTP/1.1" 101' in record.message) for record in caplog.records] == [
        ("INFO", True)
    ]


def test_only_a_handshake_switches_protocols_under_wsgi() -> None:
    seen: list[Any] = []
    taken_over(ConnectionError(), Stack(tag(log=seen)))
    taken_over(ConnectionRefusedError(), Stack(tag(log=seen)), **HANDSHAKE)
    assert seen == [("GET", False), ("GET", False)]


def test_a_layer_that_fails_after_a_websocket_under_wsgi_is_heard() -> None:
    @middleware
    def faulty(request: Request) -> Flow:
        yield request
        raise LookupError("the layer's own")

    def app(environ: Any, start_response: Any) -> Any:
        raise StopIteration

    with pytest.raises(LookupError, match="the layer's own"):
        faulty(app)(make_environ("GET", "/ws", **HANDSHAKE), lambda *args: None)

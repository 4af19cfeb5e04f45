"""Transports: both bodies stream, time-outs hold, closing is a disconnect, lifespan and state are there."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager
from typing import Any

import anyio
import httpx
import httpx2
import pytest
from fastapi import FastAPI, Request
from flask import Flask
from flask import request as flask_request

from anysgi.exceptions import AppProtocolError, LifespanError
from anysgi.testing import ASGITransport, LifespanManager, TestClient, WSGITransport, arun

from ._apps import ECHO, STREAM, asgi_echo, asgi_stream, wsgi_stream

pytestmark = pytest.mark.filterwarnings("ignore:.*StarletteDeprecation.*")
BASE = "http://testserver"


@pytest.fixture(params=[httpx, httpx2], ids=["httpx", "httpx2"])
def library(request: pytest.FixtureRequest) -> Any:
    return request.param


def sync_client(library: Any, convention: str, **options: Any) -> Any:
    transport = {"wsgi": WSGITransport, "asgi": ASGITransport}[convention]
    return library.Client(transport=transport(options.pop("app", ECHO[convention]), **options), base_url=BASE)


@pytest.fixture(params=["asyncio", "trio"])
def backend(request: pytest.FixtureRequest) -> Any:
    return request.param


def loop_threads() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if thread.name == "anysgi-test-client"}


def on_a_loop(app: Any, use: Any, library: Any = httpx2, backend: str = "asyncio", **options: Any) -> Any:
    """Run `await use(client)` with an async client around an app."""

    async def main() -> Any:
        transport = ASGITransport(app, **options)
        async with library.AsyncClient(transport=transport, base_url=BASE, timeout=5) as client:
            return await use(client)

    return anyio.run(main, backend=backend)


# Both conventions


@pytest.mark.parametrize("convention", ["wsgi", "asgi"])
def test_a_sync_client_talks_to_either_convention(library: Any, convention: str) -> None:
    with sync_client(library, convention) as client:
        answer = client.put("/a?b=1", content=iter([b"ab", b"", b"c"]))
    assert (answer.status_code, answer.content, answer.headers["x-method"]) == (200, b"abc", "PUT")
    assert type(answer) is library.Response


@pytest.mark.parametrize("convention", ["wsgi", "asgi"])
def test_chunks_come_as_the_app_sends_them(convention: str) -> None:
    with (
        sync_client(httpx2, convention, app=STREAM[convention]) as client,
        client.stream("GET", "/") as answer,
    ):
        assert list(answer.iter_raw()) == [b"one", b"two", b"three"]


def test_an_async_client_streams_both_ways(library: Any, backend: str) -> None:
    async def upload() -> AsyncIterator[bytes]:
        yield b"ab"
        yield b"c"

    async def use(client: Any) -> Any:
        answer = await client.post("/", content=upload())
        async with client.stream("GET", "/", content=b"x") as streamed:
            return answer.content, [chunk async for chunk in streamed.aiter_raw()]

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await (asgi_stream if scope["method"] == "GET" else asgi_echo)(scope, receive, send)

    assert on_a_loop(app, use, library, backend) == (b"abc", [b"one", b"two", b"three"])


@pytest.mark.parametrize("convention", ["wsgi", "asgi"])
def test_an_answer_to_head_has_no_body_whatever_the_app_sends(convention: str) -> None:
    with sync_client(httpx2, convention, app=STREAM[convention]) as client:
        answer = client.head("/")
    assert (answer.status_code, answer.content) == (200, b"")


@pytest.mark.parametrize("convention", ["wsgi", "asgi"])
def test_headers_keep_their_bytes_duplicates_and_order(convention: str) -> None:
    seen: list[Any] = []

    async def asgi(scope: Any, receive: Any, send: Any) -> None:
        seen.extend(value for name, value in scope["headers"] if name == b"x-a")
        headers = [(b"set-cookie", b"a=\xe9"), (b"set-cookie", b"b=2")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body"})

    def wsgi(environ: Any, start_response: Any) -> Any:
        seen.extend(value.encode("latin-1") for value in environ["HTTP_X_A"].split(","))
        start_response("200 OK", [("set-cookie", "a=\xe9"), ("set-cookie", "b=2")])
        return []

    with (
        sync_client(httpx2, convention, app={"wsgi": wsgi, "asgi": asgi}[convention], lifespan="off")
        if (convention == "asgi")
        else sync_client(httpx2, convention, app=wsgi) as client
    ):
        answer = client.get("/", headers=[(b"X-A", b"1"), (b"X-A", b"\xe9")])
    assert seen == [b"1", b"\xe9"]
    assert [value for name, value in answer.headers.raw if name == b"set-cookie"] == [b"a=\xe9", b"b=2"]


def test_paths_are_decoded_once() -> None:
    seen: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append((scope["path"], scope["raw_path"], scope["query_string"], scope["server"], scope["root_path"]))
        await asgi_echo(scope, receive, send)

    async def use(client: Any) -> None:
        await client.get("/a%2525?q=%20")

    on_a_loop(app, use, lifespan="off", root_path="/a")
    assert seen == [("/a%25", b"/a%2525", b"q=%20", ("testserver", 80), "/a")]


# Time and disconnects


def test_the_read_timeout_holds_for_the_head_and_for_each_chunk(library: Any, backend: str) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["path"] == "/body":
            await send({"type": "http.response.start", "status": 200})
            await send({"type": "http.response.body", "body": b"x", "more_body": True})
        assert await receive() == {"type": "http.request", "body": b"", "more_body": False}
        await receive()

    async def use(client: Any) -> None:
        for path in ("/head", "/body"):
            with pytest.raises(library.ReadTimeout):
                await client.get(path, timeout=0.03)

    on_a_loop(app, use, library, backend, lifespan="off")
    with sync_client(library, "asgi", app=app, lifespan="off") as client, pytest.raises(library.ReadTimeout):
        client.get("/body", timeout=0.03)


def test_closing_a_response_is_a_disconnect_for_the_app(backend: str) -> None:
    ended: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200})
        try:
            while True:
                await send({"type": "http.response.body", "body": b"tick", "more_body": True})
        except OSError:
            ended.append((await receive())["type"])

    async def use(client: Any) -> None:
        async with client.stream("GET", "/") as answer, aclosing(answer.aiter_raw()) as chunks:
            assert await anext(chunks) == b"tick"

    on_a_loop(app, use, backend=backend, lifespan="off")
    assert ended == ["http.disconnect"]


def test_an_app_that_does_not_listen_is_cancelled(monkeypatch: pytest.MonkeyPatch, backend: str) -> None:
    monkeypatch.setattr("anysgi.testing._app_task.GRACE", 0.02)
    ended: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200})
        try:
            await anyio.sleep(30)
        finally:
            ended.append("cancelled")

    async def use(client: Any) -> None:
        async with client.stream("GET", "/"):
            pass

    on_a_loop(app, use, backend=backend, lifespan="off")
    assert ended == ["cancelled"]


def test_a_wsgi_response_that_is_closed_early_closes_the_iterable() -> None:
    closed: list[bool] = []

    class Body:
        def __iter__(self) -> Iterator[bytes]:
            return iter([b"one", b"two"])

        def close(self) -> None:
            closed.append(True)

    def app(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [])
        return Body()

    with sync_client(httpx2, "wsgi", app=app) as client, client.stream("GET", "/") as answer:
        assert next(answer.iter_raw()) == b"one"
    assert closed == [True]


def test_the_app_runs_on_after_the_response_and_is_waited_for() -> None:
    done: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await asgi_echo(scope, receive, send)
        for _ in range(100):
            await asyncio.sleep(0)
        done.append("background work")

    with sync_client(httpx2, "asgi", app=app, lifespan="off") as client:
        client.get("/")
        assert done == ["background work"]


def test_an_app_that_never_ends_after_its_response_is_a_timeout(monkeypatch: pytest.MonkeyPatch, backend: str) -> None:
    monkeypatch.setattr("anysgi.testing._app_task.GRACE", 0.02)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await asgi_echo(scope, receive, send)
        await anyio.sleep(30)

    with (
        sync_client(httpx2, "asgi", app=app, lifespan="off", backend=backend, raise_app_exceptions=False) as client,
        pytest.raises(httpx2.ReadTimeout),
    ):
        client.get("/", timeout=0.05)


async def asgi_stuck(scope: Any, receive: Any, send: Any) -> None:
    await receive()
    if scope["path"] == "/body":
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body", "body": b"one", "more_body": True})
    for _ in range(2 if scope["path"] == "/swallows" else 1):
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(30)


def wsgi_stuck(environ: Any, start_response: Any) -> Any:
    start_response("200 OK", [])
    if environ["PATH_INFO"] == "/body":
        yield b"one"
    threading.Event().wait(3.0)  # nobody sets it


@pytest.mark.parametrize("raises", [True, False])
@pytest.mark.parametrize("path", ["/head", "/body", "/swallows"])
@pytest.mark.parametrize(("convention", "app"), [("wsgi", wsgi_stuck), ("asgi", asgi_stuck)])
def test_an_app_that_never_answers_is_an_error_that_shows_how_far_it_came(
    convention: str, app: Any, path: str, raises: bool, library: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("anysgi.testing._app_task.GRACE", 0.02)
    off: Any = {"lifespan": "off"} if convention == "asgi" else {}
    client = sync_client(library, convention, app=app, raise_app_exceptions=raises, **off)
    started = time.monotonic()
    with pytest.raises(library.ReadTimeout, match=rf"(?s){path}.*Messages so far.*It stood at.*_stuck") as caught:
        client.get(path, timeout=0.05)
    assert time.monotonic() - started < 2.5
    assert ("1 chunks" in str(caught.value) or "3 bytes" in str(caught.value)) == (path == "/body")


def test_a_wsgi_app_can_run_on_the_calling_thread() -> None:
    seen: list[int] = []

    def app(environ: Any, start_response: Any) -> Any:
        seen.append(threading.get_ident())
        start_response("200 OK", [])
        yield b"x"
        seen.append(threading.get_ident())

    for inline in (True, False):
        with sync_client(httpx2, "wsgi", app=app, inline=inline) as client:
            assert client.get("/").content == b"x"
    assert seen[:2] == [threading.get_ident()] * 2
    assert seen[2] == seen[3] != seen[0]


def test_a_test_client_can_run_a_wsgi_app_on_the_calling_thread() -> None:
    """Where Django's connections are, in a test whose transaction is rolled back."""
    seen: list[int] = []

    def app(environ: Any, start_response: Any) -> Any:
        seen.append(threading.get_ident())
        start_response("200 OK", [])
        return [b"x"]

    with TestClient(app, inline=True) as client:
        assert client.get("/").content == b"x"
    assert seen == [threading.get_ident()]
    with pytest.raises(ValueError, match="inline=True is for WSGI apps"):
        TestClient(asgi_echo, inline=True)


def test_a_test_client_of_an_app_without_a_lifespan_names_the_option() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise ValueError(f"no {scope['type']} here")

    with pytest.raises(ValueError, match="no lifespan here") as caught, TestClient(app):
        pass
    assert 'lifespan="auto"' in caught.value.__notes__[0]
    with TestClient(app, lifespan="auto"):
        pass


def test_what_is_sent_after_the_end_is_ignored_and_holds_nobody_up() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await asgi_echo(scope, receive, send)
        for _ in range(5):
            await send({"type": "http.response.body", "body": b"late"})

    with sync_client(httpx2, "asgi", app=app, lifespan="off") as client:
        assert client.post("/", content=b"x").content == b"x"


def test_a_client_that_is_not_entered_needs_no_closing() -> None:
    before = loop_threads()
    client = httpx2.Client(transport=ASGITransport(asgi_echo), base_url=BASE)
    assert client.post("/", content=b"x").content == b"x"
    assert loop_threads() <= before


def test_a_backend_that_is_not_there_is_an_error() -> None:
    client = httpx2.Client(transport=ASGITransport(asgi_echo, backend="curio"), base_url=BASE)  # type: ignore[arg-type]
    with pytest.raises(LookupError, match="curio"):
        client.get("/")


def test_what_an_app_says_beside_its_response_is_in_the_extensions() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        assert {"http.response.debug", "http.response.trailers"} <= set(scope["extensions"])
        await send({"type": "http.response.debug", "info": {"rows": 3}})
        await send({"type": "http.response.start", "status": 200, "trailers": True})
        await send({"type": "http.response.body", "body": b"x"})
        await send({"type": "http.response.trailers", "headers": [(b"x-sum", b"1")], "more_trailers": True})
        await send({"type": "http.response.trailers", "headers": [(b"x-end", b"2")]})

    with sync_client(httpx2, "asgi", app=app, lifespan="off") as client:
        answer = client.get("/")
    assert answer.content == b"x"
    assert answer.extensions["http.response.debug"] == {"rows": 3}
    assert answer.extensions["http.response.trailers"] == [(b"x-sum", b"1"), (b"x-end", b"2")]


# Errors


async def asgi_fails(scope: Any, receive: Any, send: Any) -> None:
    if scope["path"] == "/late":
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body", "body": b"x", "more_body": True})
    if scope["path"] != "/silent":
        raise LookupError("inside")


def wsgi_fails(environ: Any, start_response: Any) -> Any:
    if environ["PATH_INFO"] == "/":
        raise LookupError("inside")
    if environ["PATH_INFO"] == "/late":
        start_response("200 OK", [])
        yield b"x"
        raise LookupError("inside")


@pytest.mark.parametrize(("convention", "app"), [("wsgi", wsgi_fails), ("asgi", asgi_fails)])
def test_what_the_app_raises_is_raised_or_becomes_a_500(convention: str, app: Any) -> None:
    off: Any = {"lifespan": "off"} if convention == "asgi" else {}
    with sync_client(httpx2, convention, app=app, **off) as client:
        for path in ("/", "/late"):
            with pytest.raises(LookupError, match="inside"):
                client.get(path)
        with pytest.raises(AppProtocolError):
            client.get("/silent")
    with sync_client(httpx2, convention, app=app, raise_app_exceptions=False, **off) as client:
        assert client.get("/").status_code == 500
        assert client.get("/silent").status_code == 500


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt])
def test_what_would_end_the_process_reaches_a_sync_caller_and_ends_no_loop(
    error: type[BaseException], backend: Any
) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        assert scope["type"] == "http"
        if scope["path"] == "/exit":
            raise error("mine")
        await asgi_echo(scope, receive, send)

    with TestClient(app, lifespan="auto", backend=backend) as client:
        for _ in range(2):
            with pytest.raises(error, match="mine"):
                client.get("/exit")
        assert client.get("/").status_code == 200
    with pytest.raises(error, match="mine"):
        TestClient(app, backend=backend).get("/exit")


def test_exc_info_and_write_work_behind_a_client() -> None:
    def app(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [])
        error = ValueError("found")
        write = start_response("500 Oops", [], (ValueError, error, None))
        write(b"one")
        yield b""
        yield b"two"
        if environ["PATH_INFO"] == "/late":
            start_response("500 Oops", [], (ValueError, error, None))

    with sync_client(httpx2, "wsgi", app=app) as client:
        answer = client.get("/")
        assert (answer.status_code, answer.content) == (500, b"onetwo")
        with pytest.raises(ValueError, match="found"):
            client.get("/late")

    def twice(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [])
        start_response("200 OK", [])
        return []

    with sync_client(httpx2, "wsgi", app=twice) as client, pytest.raises(AppProtocolError, match="again"):
        client.get("/")


# Lifespan


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[dict[str, Any]]:
    yield {"greeting": "hello", "thread": threading.get_ident()}


def fast_app() -> FastAPI:
    app = FastAPI(lifespan=lifespan)

    @app.get("/")
    def read_main(request: Request) -> Any:
        return {"msg": request.state.greeting}

    return app


def test_entering_a_client_runs_the_lifespan_and_its_state_reaches_the_app(backend: str) -> None:
    async def use(client: Any) -> Any:
        return (await client.get("/")).json()

    assert on_a_loop(fast_app(), use, backend=backend) == {"msg": "hello"}
    with sync_client(httpx2, "asgi", app=fast_app(), backend=backend) as client:
        assert client.get("/").json() == {"msg": "hello"}


def test_a_lifespan_manager_is_an_app_with_its_own_copy_of_the_state_for_each_request() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            scope["state"]["count"] = 0
            for event in ("startup", "shutdown"):
                await receive()
                await send({"type": f"lifespan.{event}.complete"})
        else:
            scope["state"]["count"] += 1
            await send({"type": "http.response.start", "status": 200 + scope["state"]["count"]})
            await send({"type": "http.response.body"})

    async def main() -> None:
        async with LifespanManager(app) as running:
            assert [(await arun(running)).status for _ in range(2)] == [201, 201]
            assert running.state == {"count": 0}

    asyncio.run(main())


def lifespan_that(*answers: Any) -> Any:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        for answer in answers:
            await receive()
            if isinstance(answer, Exception):
                raise answer
            await send(answer)
        await receive()
        await receive()

    return app


OK = {"type": "lifespan.startup.complete"}


@pytest.mark.parametrize(
    ("app", "reason"),
    [
        (lifespan_that({"type": "lifespan.startup.failed", "message": "no database"}), "no database"),
        (lifespan_that(), "startup was not answered"),
        (lifespan_that(OK), "shutdown was not answered"),
        (lifespan_that(OK, {"type": "lifespan.shutdown.failed"}), "shutdown failed: lifespan.shutdown.failed"),
        (lifespan_that(OK, KeyError("late")), "raised at shutdown"),
    ],
)
def test_a_lifespan_that_fails_is_an_error(app: Any, reason: str, backend: str) -> None:
    async def main() -> None:
        async with LifespanManager(app, timeout=0.05):
            pass

    with pytest.raises(LifespanError, match=reason):
        anyio.run(main, backend=backend)


def test_a_manager_that_was_not_entered_has_nothing_to_end() -> None:
    asyncio.run(LifespanManager(asgi_echo).__aexit__())


def test_a_lifespan_that_fails_leaves_no_thread_of_a_sync_client() -> None:
    before = loop_threads()
    app = lifespan_that({"type": "lifespan.startup.failed", "message": "no database"})
    with pytest.raises(LifespanError, match="no database"), sync_client(httpx2, "asgi", app=app):
        pass
    assert loop_threads() <= before


def test_a_lifespan_that_blocks_the_loop_is_an_error_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("anysgi.testing._transports._loop_thread._SLACK", 0.05)
    monkeypatch.setattr("anysgi.testing._transports._asgi_transport.PATIENCE", 0.05)
    monkeypatch.setattr("anysgi.testing._app_task.GRACE", 0.02)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        threading.Event().wait(3.0)  # nobody sets it

    started = time.monotonic()
    with pytest.raises(TimeoutError, match="blocks its event loop"), sync_client(httpx2, "asgi", app=app):
        pass
    assert time.monotonic() - started < 2.5


@pytest.mark.parametrize("inside", [True, False], ids=["within a with", "for one request"])
def test_a_loop_that_was_blocked_ends_once_it_can(monkeypatch: pytest.MonkeyPatch, backend: Any, inside: bool) -> None:
    monkeypatch.setattr("anysgi.testing._transports._loop_thread._SLACK", 0.05)
    monkeypatch.setattr("anysgi.testing._app_task.GRACE", 0.02)
    gate, before = threading.Event(), loop_threads()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        gate.wait(10)

    client = TestClient(app, backend=backend, lifespan="off", timeout=0.05)
    try:
        with pytest.raises((httpx2.ReadTimeout, TimeoutError)), client if inside else contextlib.nullcontext():
            client.get("/")
        [blocked] = loop_threads() - before
    finally:
        gate.set()
    blocked.join(10)
    assert not blocked.is_alive()


def test_an_app_without_a_lifespan_is_served_all_the_same() -> None:
    async def main() -> None:
        async with LifespanManager(lifespan_that(ValueError("no lifespan here"))):
            pass

    asyncio.run(main())


# Documented examples of frameworks


def test_flasks_documented_test_works_with_our_transport() -> None:
    app = Flask(__name__)

    @app.post("/user/<int:user_id>/edit")
    def edit(user_id: int) -> Any:
        return {"id": user_id, "name": flask_request.form["name"], "picture": flask_request.files["picture"].filename}

    with httpx2.Client(transport=WSGITransport(app), base_url=BASE) as client:
        response = client.post("/user/2/edit", data={"name": "Flask"}, files={"picture": ("picture.png", b"...")})
    assert response.status_code == 200
    assert response.json() == {"id": 2, "name": "Flask", "picture": "picture.png"}


def test_a_stream_of_flask_comes_chunk_by_chunk() -> None:
    app = Flask(__name__)

    @app.get("/")
    def stream() -> Any:
        return app.response_class(wsgi_stream({}, lambda *args: None), mimetype="text/plain")

    with (
        httpx2.Client(transport=WSGITransport(app), base_url=BASE) as client,
        client.stream("GET", "/") as response,
    ):
        assert next(response.iter_raw()) == b"one"

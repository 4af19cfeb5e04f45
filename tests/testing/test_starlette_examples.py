"""Starlette's and FastAPI's documented tests, nearly word for word, with one line changed: where TestClient comes from.

Sources: starlette.dev/testclient, /lifespan, /templates, /websockets; fastapi.tiangolo.com/tutorial/testing,
/advanced/testing-websockets, /advanced/testing-events, /advanced/async-tests.
"""

from __future__ import annotations

import contextlib
import csv
import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Literal, TypedDict

import pytest
from fastapi import FastAPI, Header, HTTPException
from fastapi import WebSocket as FastAPIWebSocket
from httpx import AsyncClient
from jinja2 import DictLoader, Environment
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.templating import Jinja2Templates
from starlette.websockets import WebSocket, WebSocketDisconnect

from anysgi.testing import ASGITransport, TestClient

# Starlette: testclient


async def hello_app(scope: Any, receive: Any, send: Any) -> None:
    assert scope["type"] == "http"
    response = HTMLResponse("<html><body>Hello, world!</body></html>")
    await response(scope, receive, send)


def test_app() -> None:
    client = TestClient(hello_app)
    response = client.get("/")
    assert response.status_code == 200


def test_headers_of_the_client_and_of_a_request() -> None:
    app = Starlette(routes=[Route("/", lambda request: PlainTextResponse(request.headers["authorization"]))])
    client = TestClient(app)

    # Set headers on the client for future requests
    client.headers = {"Authorization": "..."}
    assert client.get("/").text == "..."

    # Set headers for each request separately
    assert client.get("/", headers={"Authorization": "one"}).text == "one"


def test_files(tmp_path: Path) -> None:
    async def form(request: Request) -> PlainTextResponse:
        body = await request.body()
        return PlainTextResponse(f"{body.count(b'filename=')} {b'image/png' in body}")

    app = Starlette(routes=[Route("/form", form, methods=["POST"])])
    client = TestClient(app)
    (tmp_path / "example.txt").write_bytes(b"text")
    (tmp_path / "example.png").write_bytes(b"\x89PNG")

    # Send a single file
    with (tmp_path / "example.txt").open("rb") as f:
        response = client.post("/form", files={"file": f})
    assert response.text == "1 False"

    # Send multiple files
    with (tmp_path / "example.txt").open("rb") as f1, (tmp_path / "example.png").open("rb") as f2:
        files = {"file1": f1, "file2": ("filename", f2, "image/png")}
        response = client.post("/form", files=files)  # type: ignore[arg-type]  # httpx' own type is narrower
    assert response.text == "2 True"


def test_raise_server_exceptions() -> None:
    def error(request: Request) -> Response:
        raise RuntimeError("oops")

    app = Starlette(routes=[Route("/", error)])
    with pytest.raises(RuntimeError, match="oops"):
        TestClient(app).get("/")
    client = TestClient(app, raise_server_exceptions=False)
    response = client.get("/")
    assert response.status_code == 500
    assert response.text == "Internal Server Error"


class CSVResponse(Response):
    media_type = "text/csv"

    def __init__(self, rows: Any) -> None:
        self.rows = rows
        buffer = io.StringIO()
        csv.writer(buffer).writerows(rows)
        super().__init__(buffer.getvalue())

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if "http.response.debug" in scope.get("extensions", {}):
            await send({"type": "http.response.debug", "info": {"rows": self.rows}})
        await super().__call__(scope, receive, send)


def test_export() -> None:
    table = [("id", "username", "joined"), *((number, "ann", "today") for number in range(100))]
    app = Starlette(routes=[Route("/export", lambda request: CSVResponse(table))])
    client = TestClient(app)
    response = client.get("/export")
    rows = response.extensions["http.response.debug"]["rows"]
    assert rows[0] == ("id", "username", "joined")
    assert len(rows) == 101


def test_client_address() -> None:
    app = Starlette(routes=[Route("/", lambda request: JSONResponse([request.client.host, request.client.port]))])
    client = TestClient(app, client=("localhost", 8000))
    assert client.get("/").json() == ["localhost", 8000]


def test_backend_trio() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        import trio

        await trio.sleep(0)
        if scope["type"] == "http":
            await hello_app(scope, receive, send)

    with TestClient(app, backend="trio") as client:
        assert client.get("/").status_code == 200


def test_backend_uvloop() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        import asyncio

        assert type(asyncio.get_running_loop()).__module__.startswith("uvloop")
        if scope["type"] == "http":
            await hello_app(scope, receive, send)

    with TestClient(app, backend_options={"use_uvloop": True}) as client:
        assert client.get("/").status_code == 200


async def websocket_app(scope: Any, receive: Any, send: Any) -> None:
    assert scope["type"] == "websocket"
    websocket = WebSocket(scope, receive=receive, send=send)
    await websocket.accept()
    await websocket.send_text("Hello, world!")
    await websocket.close()


def test_websocket() -> None:
    client = TestClient(websocket_app)
    with client.websocket_connect("/") as websocket:
        data = websocket.receive_text()
        assert data == "Hello, world!"


def test_websocket_with_a_query() -> None:
    async def endpoint(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.send_json({"foo": websocket.query_params["foo"]})
        await websocket.close()

    client = TestClient(Starlette(routes=[WebSocketRoute("/path", endpoint)]))
    with client.websocket_connect("/path?foo=bar") as websocket:
        assert websocket.receive_json() == {"foo": "bar"}


def test_websocket_sending_receiving_and_closing() -> None:
    closed: list[int] = []

    async def endpoint(websocket: WebSocket) -> None:
        await websocket.accept(subprotocol="v1")
        try:
            while True:
                message = await websocket.receive()
                if message["type"] == "websocket.disconnect":
                    raise WebSocketDisconnect(message["code"])
                await websocket.send({**message, "type": "websocket.send"})
        except WebSocketDisconnect as error:
            closed.append(error.code)

    client = TestClient(Starlette(routes=[WebSocketRoute("/", endpoint)]))
    with client.websocket_connect("/", subprotocols=["v1", "v2"]) as websocket:
        assert websocket.accepted_subprotocol == "v1"
        websocket.send_text("a")
        assert websocket.receive_text() == "a"
        websocket.send_bytes(b"b")
        assert websocket.receive_bytes() == b"b"
        websocket.send_json({"c": "é"})
        assert websocket.receive_json() == {"c": "é"}
        websocket.send_json([1], mode="binary")
        assert websocket.receive_json(mode="binary") == [1]
        websocket.close(code=1001)
    assert closed == [1001]


def test_websocket_that_is_not_accepted() -> None:
    async def endpoint(websocket: WebSocket) -> None:
        if websocket.url.path == "/response":
            await websocket.send_denial_response(JSONResponse({"error": "who?"}, status_code=401))
        else:
            await websocket.close(code=1008, reason="not today")

    client = TestClient(Starlette(routes=[WebSocketRoute("/{path:path}", endpoint)]))
    with pytest.raises(WebSocketDisconnect) as closed, client.websocket_connect("/"):
        pass
    assert (closed.value.code, closed.value.reason) == (1008, "not today")
    with pytest.raises(WebSocketDisconnect) as denied, client.websocket_connect("/response"):
        pass
    assert denied.value.response.json() == {"error": "who?"}  # type: ignore[attr-defined]
    import starlette.testclient as theirs

    with pytest.raises(theirs.WebSocketDenialResponse) as response, client.websocket_connect("/response"):
        pass
    assert (response.value.status_code, response.value.json()) == (401, {"error": "who?"})


# What Starlette's own suite asks of its client (all of it passes with ours, but for a deprecation of timeouts)


def test_receive_gives_the_close_as_the_event_it_is() -> None:
    async def endpoint(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.close(1003)

    client = TestClient(Starlette(routes=[WebSocketRoute("/", endpoint)]))
    with client.websocket_connect("/") as websocket:
        assert websocket.receive() == {"type": "websocket.close", "code": 1003, "reason": ""}


def test_a_handshake_takes_what_get_takes() -> None:
    async def endpoint(websocket: WebSocket) -> None:
        await websocket.accept()
        headers = websocket.headers
        await websocket.send_json([websocket.url.query, headers["authorization"][:5], headers["cookie"]])
        assert (await websocket.receive())["text"] == "as it is"

    client = TestClient(Starlette(routes=[WebSocketRoute("/", endpoint)]))
    with client.websocket_connect("/", auth=("ann", "secret"), params={"a": "1"}, cookies={"b": "2"}) as websocket:
        assert websocket.receive_json() == ["a=1", "Basic", "b=2"]
        websocket.send({"type": "websocket.receive", "text": "as it is"})


def test_an_app_that_fails_only_because_its_client_left_has_not_failed() -> None:
    async def endpoint(websocket: WebSocket) -> None:
        await websocket.accept()
        while (await websocket.receive())["type"] != "websocket.disconnect":
            pass
        await websocket.close()  # uvicorn raises here, and says nothing of it

    with TestClient(Starlette(routes=[WebSocketRoute("/", endpoint)])).websocket_connect("/"):
        pass


def test_after_its_response_an_app_is_told_that_it_is_over() -> None:
    told: list[bool] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        request = Request(scope, receive)
        told.append(await request.is_disconnected())
        await PlainTextResponse("x")(scope, receive, send)
        told.append(await request.is_disconnected())

    assert TestClient(app).get("/").text == "x"
    assert told == [False, True]


def test_what_an_app_raises_at_startup_is_raised() -> None:
    with pytest.raises(AssertionError, match="http"), TestClient(http_only):
        pass


async def http_only(scope: Any, receive: Any, send: Any) -> None:
    assert scope["type"] == "http"
    await hello_app(scope, receive, send)


def test_a_client_can_be_used_after_its_block() -> None:
    client = TestClient(hello_app_without_lifespan)
    for _ in range(2):
        with client:
            assert client.get("/").status_code == 200
    assert client.get("/").status_code == 200


async def hello_app_without_lifespan(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "http":
        await hello_app(scope, receive, send)


def test_an_app_of_asgi_2_is_an_app() -> None:
    def app(scope: Any) -> Any:
        async def inner(receive: Any, send: Any) -> None:
            await hello_app(scope, receive, send)

        return inner

    assert TestClient(app).get("/").status_code == 200


@pytest.mark.anyio
async def test_async_app() -> None:
    def hello(request: Request) -> PlainTextResponse:
        return PlainTextResponse("Hello World!")

    app = Starlette(routes=[Route("/", hello)])
    # note: you _must_ set `base_url` for relative urls like "/" to work
    transport: Any = ASGITransport(app=app)
    async with AsyncClient(transport=transport, base_url="http://testserver") as client:
        r = await client.get("/")
        assert r.status_code == 200
        assert r.text == "Hello World!"


# Starlette: lifespan, templates, redirects


class State(TypedDict):
    greeting: str


def test_homepage() -> None:
    events: list[str] = []

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[State]:
        events.append("up")
        yield {"greeting": "hello"}
        events.append("down")

    async def homepage(request: Request) -> PlainTextResponse:
        return PlainTextResponse(request.state.greeting)

    app = Starlette(routes=[Route("/", homepage)], lifespan=lifespan)
    with TestClient(app) as client:
        # Application's lifespan is called on entering the block.
        response = client.get("/")
        assert response.status_code == 200
        assert response.text == "hello"
        assert client.app_state == {"greeting": "hello"}
        assert events == ["up"]

    # And the lifespan's teardown is run when exiting the block.
    assert events == ["up", "down"]
    assert client.app_state == {}


def test_template() -> None:
    templates = Jinja2Templates(env=Environment(loader=DictLoader({"index.html": "<p>hello"}), autoescape=True))

    def homepage(request: Request) -> Response:
        return templates.TemplateResponse(request, "index.html")

    client = TestClient(Starlette(routes=[Route("/", homepage)]))
    response: Any = client.get("/")
    assert response.status_code == 200
    assert response.template.name == "index.html"
    assert "request" in response.context


def test_redirects_are_followed() -> None:
    routes = [
        Route("/old", lambda request: RedirectResponse("/new")),
        Route("/new", lambda request: PlainTextResponse("new")),
    ]
    client = TestClient(Starlette(routes=routes))
    response = client.get("/old")
    assert (response.text, [answer.status_code for answer in response.history]) == ("new", [307])
    assert client.get("/old", follow_redirects=False).status_code == 307


# FastAPI: testing, websockets, events


def fastapi_app() -> FastAPI:
    app = FastAPI()

    @app.get("/items/{item_id}")
    async def read_main(item_id: str, x_token: str = Header()) -> dict[str, str]:
        if x_token != "coneofsilence":
            raise HTTPException(status_code=400, detail="Invalid X-Token header")
        if item_id != "foo":
            raise HTTPException(status_code=404, detail="Item not found")
        return {"id": "foo", "title": "Foo", "description": "There goes my hero"}

    @app.post("/items/")
    async def create_item(item: dict[str, str], x_token: str = Header()) -> dict[str, str]:
        if item["id"] == "foo":
            raise HTTPException(status_code=409, detail="Item already exists")
        return item

    @app.websocket("/ws")
    async def websocket(websocket: FastAPIWebSocket) -> None:
        await websocket.accept()
        await websocket.send_json({"msg": "Hello WebSocket"})
        await websocket.close()

    return app


def test_read_item() -> None:
    client = TestClient(fastapi_app())
    response = client.get("/items/foo", headers={"X-Token": "coneofsilence"})
    assert response.status_code == 200
    assert response.json() == {"id": "foo", "title": "Foo", "description": "There goes my hero"}


def test_read_item_bad_token() -> None:
    client = TestClient(fastapi_app())
    response = client.get("/items/foo", headers={"X-Token": "hailhydra"})
    assert response.status_code == 400
    assert response.json() == {"detail": "Invalid X-Token header"}


def test_create_existing_item() -> None:
    client = TestClient(fastapi_app())
    response = client.post("/items/", headers={"X-Token": "coneofsilence"}, json={"id": "foo", "title": "The Foo"})
    assert response.status_code == 409
    assert response.json() == {"detail": "Item already exists"}


def test_fastapi_websocket() -> None:
    client = TestClient(fastapi_app())
    with client.websocket_connect("/ws") as websocket:
        data = websocket.receive_json()
        assert data == {"msg": "Hello WebSocket"}


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_read_items_within_the_lifespan(backend: Literal["asyncio", "trio"]) -> None:
    items: dict[str, dict[str, str]] = {}

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        items["foo"] = {"name": "Fighters"}
        items["bar"] = {"name": "Tenders"}
        yield
        # clean up items
        items.clear()

    app = FastAPI(lifespan=lifespan)

    @app.get("/items/{item_id}")
    async def read_items(item_id: str) -> dict[str, str]:
        return items[item_id]

    # Before the lifespan starts, "items" is still empty
    assert items == {}

    with TestClient(app, backend=backend) as client:
        # Inside the "with TestClient" block, the lifespan starts and items added
        assert items == {"foo": {"name": "Fighters"}, "bar": {"name": "Tenders"}}

        response = client.get("/items/foo")
        assert response.status_code == 200
        assert response.json() == {"name": "Fighters"}

        # After the requests is done, the items are still there
        assert items == {"foo": {"name": "Fighters"}, "bar": {"name": "Tenders"}}

    # The end of the "with TestClient" block simulates terminating the app, so
    # the lifespan ends and items are cleaned up
    assert items == {}

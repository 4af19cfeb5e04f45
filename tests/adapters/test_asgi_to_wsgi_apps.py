"""AsgiToWsgi: what it wraps and what it refuses; Starlette and FastAPI inside it, ASGI 2 apps too."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import fastapi
import pytest
from starlette.background import BackgroundTask
from starlette.responses import FileResponse, PlainTextResponse

from anysgi import AsgiToWsgi
from anysgi.exceptions import ConventionError

from ._calling import asgi_app, body, fetch, head

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


def wsgi(environ: Any, start_response: Any) -> Any: ...


@pytest.mark.parametrize("app", [None, 3, "shop:app", wsgi], ids=["None", "3", "name", "wsgi"])
def test_what_is_no_asgi_app_is_refused_when_it_is_wrapped(app: Any) -> None:
    with pytest.raises(ConventionError, match=r"ASGI|to_wsgi"):
        AsgiToWsgi(app)


@pytest.mark.parametrize(
    "options",
    [
        {"window": 0},
        {"timeout": -1},
        {"startup_timeout": 0},
        {"shutdown_timeout": 0},
        {"max_body_size": "10MB"},
        {"lifespan": "maybe"},
        {"loop": "twisted"},
    ],
    ids=repr,
)
def test_options_out_of_range_are_refused(options: Any) -> None:
    with pytest.raises(ValueError, match=next(iter(options))):
        AsgiToWsgi(asgi_app(), **options)


def test_an_adapter_shows_its_app() -> None:
    app = asgi_app()
    assert repr(AsgiToWsgi(app)) == f"AsgiToWsgi({app!r})"


def test_an_asgi_2_app_is_served() -> None:
    class Double:
        def __init__(self, scope: Any) -> None:
            self.scope = scope

        async def __call__(self, receive: Any, send: Any) -> None:
            await send(head())
            await send(body(self.scope["path"].encode()))

    assert fetch(AsgiToWsgi(Double, lifespan="off"), path="/two").body == b"/two"


def fastapi_app() -> fastapi.FastAPI:
    @asynccontextmanager
    async def lifespan(app: fastapi.FastAPI) -> AsyncIterator[dict[str, str]]:
        events.append("startup")
        yield {"db": "connected"}
        events.append("shutdown")

    events: list[str] = []
    app = fastapi.FastAPI(lifespan=lifespan)
    app.state.events = events

    @app.post("/size")
    async def size(request: fastapi.Request) -> Any:
        return [len(await request.body()), request.state.db, request.client and request.client.host]

    @app.get("/later")
    async def later() -> Any:
        return PlainTextResponse("now", background=BackgroundTask(events.append, "later"))

    return app


def test_fastapi_has_its_lifespan_its_state_its_body_and_its_background_tasks() -> None:
    app = fastapi_app()
    with AsgiToWsgi(app) as adapter:
        reply = fetch(adapter, "POST", "/size", bytes(100_000), REMOTE_ADDR="1.2.3.4")
        assert reply.body == b'[100000,"connected","1.2.3.4"]'
        assert fetch(adapter, path="/later").body == b"now"
        assert fetch(adapter, path="/missing").status == "404 Not Found"
    assert app.state.events == ["startup", "later", "shutdown"]


def test_a_chunked_upload_reaches_fastapi() -> None:
    import io

    with AsgiToWsgi(fastapi_app()) as adapter:
        environ = {"wsgi_input": io.BytesIO(b"payload"), "wsgi_input_terminated": True}
        reply = fetch(adapter, "POST", "/size", HTTP_TRANSFER_ENCODING="chunked", **environ)
    assert reply.body == b'[7,"connected",null]'


def test_a_file_response_is_served(tmp_path: Path) -> None:
    file = tmp_path / "data.bin"
    file.write_bytes(bytes(300_000))

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await FileResponse(file)(scope, receive, send)

    reply = fetch(AsgiToWsgi(app, lifespan="off"))
    assert reply.body == bytes(300_000)
    assert dict(reply.headers)["content-length"] == "300000"

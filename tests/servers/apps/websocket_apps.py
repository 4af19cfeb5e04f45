"""ASGI apps with WebSockets, as their authors would write them; `ANYSGI_TEST_APP` says which is `application`.

All of them echo what they get on /ws, and obey two words: "close" and "boom".
"""

from __future__ import annotations

import os
import sys
from typing import Any

from anysgi import AsgiToWsgi

from ._parts import where
from .websocket_page import PAGE


def said(code: object) -> None:
    sys.stderr.write(f"[app] closed with {code}\n")


async def serve(ws: Any) -> None:
    """The echo, in the words of Starlette's WebSocket, which FastAPI shares and Litestar's is close to."""
    while (message := await ws.receive())["type"] == "websocket.receive":
        text = message.get("text")
        if text == "close":
            await ws.close(code=4001, reason="bye")
            return
        if text == "boom":
            raise LookupError("boom, as asked")
        await (ws.send_bytes(message["bytes"]) if text is None else ws.send_text(text))
    said(message.get("code"))


def starlette() -> Any:
    from starlette.applications import Starlette
    from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse
    from starlette.routing import Route, WebSocketRoute

    async def ws(websocket: Any) -> None:
        await websocket.accept(subprotocol="chat" if "chat" in websocket.scope["subprotocols"] else None)
        await serve(websocket)

    hello = Route("/hello", lambda request: PlainTextResponse("hello"))
    page = Route("/page", lambda request: HTMLResponse(PAGE))
    here = Route("/where", lambda request: JSONResponse(where()))
    return Starlette(routes=[WebSocketRoute("/ws", ws), hello, page, here])


def fastapi() -> Any:
    from fastapi import FastAPI, WebSocket

    app = FastAPI()

    @app.get("/hello")
    async def hello() -> str:
        return "hello"

    async def ws(websocket: WebSocket) -> None:
        await websocket.accept(subprotocol="chat" if "chat" in websocket.scope["subprotocols"] else None)
        await serve(websocket)

    ws.__annotations__["websocket"] = WebSocket  # a string here, as annotations are postponed
    app.websocket("/ws")(ws)
    return app


def litestar() -> Any:
    from litestar import Litestar, WebSocket, get, websocket

    async def ws(socket: WebSocket) -> None:  # type: ignore[type-arg]  # as in Litestar's documentation
        await socket.accept(subprotocols="chat" if "chat" in socket.scope["subprotocols"] else None)
        receive = socket.receive

        class Words:
            """Litestar's names for the same things."""

            send_bytes, send_text, close = socket.send_bytes, socket.send_text, socket.close

            async def receive(self) -> Any:
                return await receive()

        await serve(Words())

    async def hello() -> str:
        return "hello"

    ws.__annotations__ = {"socket": WebSocket, "return": None}
    hello.__annotations__ = {"return": str}
    return Litestar([get("/hello")(hello), websocket("/ws")(ws)])


def quart() -> Any:
    import asyncio

    from quart import Quart, websocket

    app = Quart("quart")

    @app.get("/hello")
    async def hello() -> str:
        return "hello"

    @app.websocket("/ws")
    async def ws() -> None:
        await websocket.accept(subprotocol="chat" if "chat" in websocket.requested_subprotocols else None)
        try:
            while True:
                data = await websocket.receive()
                if data == "close":
                    await websocket.close(4001, "bye")
                    return
                if data == "boom":
                    raise LookupError("boom, as asked")
                await websocket.send(data)
        except asyncio.CancelledError:  # Quart's way of saying that the client left; it does not tell how
            said(None)
            raise

    return app


application = AsgiToWsgi(globals()[os.environ.get("ANYSGI_TEST_APP", "starlette")]())

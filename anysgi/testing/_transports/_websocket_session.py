"""`connect_websocket` and the sessions it opens: one WebSocket to an app of either convention, in code that awaits.

`TestClient.websocket_connect` opens the same in code that does not.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Literal

from ._websocket_errors import closed_by, denied_by

if TYPE_CHECKING:
    from ._websocket_call import WebSocketCall

Mode = Literal["text", "binary"]


class WebSocketSession:
    """The client's side of an open WebSocket.

    Every wait is limited by the client's read timeout.  Once the app has closed, all but `close()` raise
    `WebSocketClosed`, with the code and the reason; what the app raises is raised in whoever waits for it, or at the
    end of the block.

    Attributes:
        subprotocol: the one the app chose, or None.
        headers: (name, value) pairs of bytes that came with the accept.
    """

    __slots__ = ("_call", "headers", "subprotocol")

    def __init__(self, call: WebSocketCall) -> None:
        self._call = call
        self.subprotocol: str | None = call.accepted.get("subprotocol")
        self.headers: list[tuple[bytes, bytes]] = [(bytes(n), bytes(v)) for n, v in call.accepted.get("headers", ())]

    async def send_text(self, data: str) -> None:
        """Send a text message."""
        self._call.say({"type": "websocket.receive", "text": data})

    async def send_bytes(self, data: bytes) -> None:
        """Send a binary message."""
        self._call.say({"type": "websocket.receive", "bytes": data})

    async def send_json(self, data: Any, mode: Mode = "text") -> None:
        """Send what JSON can say, as a text or a binary message."""
        text = json.dumps(data, separators=(",", ":"), ensure_ascii=False)
        await (self.send_text(text) if mode == "text" else self.send_bytes(text.encode()))

    async def send(self, event: dict[str, Any]) -> None:
        """Hand the app an event as it is, such as `{"type": "websocket.receive", "text": "hello"}`."""
        self._call.say(event)

    async def receive(self) -> dict[str, Any]:
        """The app's next event as it is, be it a `websocket.send` or its `websocket.close`.

        Raises:
            WebSocketClosed: the app has closed before.
            TimeoutError: it said nothing within the client's read timeout.
        """
        if self._call.closed:
            raise closed_by(self._call.closed)
        event = await self._call.next()
        if event["type"] == "websocket.close":
            self._call.closed = event
        return event

    async def _part(self, kind: str) -> Any:
        event = await self.receive()
        if event["type"] == "websocket.close":
            raise closed_by(event)
        found = event.get(kind)
        if found is None:
            raise AssertionError(f"the app sent {event!r}, which has no {kind}")
        return found

    async def receive_text(self) -> str:
        """The next message, which has to be text."""
        text: str = await self._part("text")
        return text

    async def receive_bytes(self) -> bytes:
        """The next message, which has to be binary."""
        data: bytes = await self._part("bytes")
        return data

    async def receive_json(self, mode: Mode = "text") -> Any:
        """The next message, read as JSON."""
        return json.loads(await (self.receive_text() if mode == "text" else self.receive_bytes()))

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close from the client's side; the app receives `websocket.disconnect`."""
        self._call.leave(code, reason)


@asynccontextmanager
async def connect_websocket(
    client: Any,
    url: str = "/",
    subprotocols: Iterable[str] = (),
    *,
    headers: Mapping[str, str] | None = None,
    timeout: float = 5.0,
    auth: Any = None,
    **options: Any,
) -> AsyncIterator[WebSocketSession]:
    """Open a WebSocket to an app.

        async with connect_websocket(app, "/chat", subprotocols=["v1"]) as websocket:
            await websocket.send_text("hello")
            assert await websocket.receive_text() == "hello"

    At the end of the block the client leaves, the app is waited for, and what it raised is raised.

    Args:
        client: an async client of httpx2 or httpx on an `ASGITransport`, whose base URL, cookies and headers hold for
            the handshake too; or an app of either convention, whose lifespan is not run.  A WSGI app gets the socket
            that `WsgiToAsgi` makes for it.
        url: of the WebSocket, with its query; relative to the client's.
        subprotocols: what to offer.
        headers: more headers of the handshake.
        timeout: seconds any wait may take.
        auth: as of the client's `get()`.
        options: more of them: `params`, `cookies`.

    Raises:
        WebSocketDenied: the app closed instead of accepting, or answered with a response.
        TimeoutError: the app took too long.
    """
    if not hasattr(client, "build_request"):
        async with (
            _client_of(client) as made,
            connect_websocket(
                made, url, subprotocols, headers=headers, timeout=timeout, auth=auth, **options
            ) as session,
        ):
            yield session
        return
    asked = handshake(client, url, subprotocols, headers, timeout=timeout, **options)
    response = await client.send(asked, stream=True, **({} if auth is None else {"auth": auth}))
    try:
        call = response.extensions["anysgi.websocket"]
        if not call.accepted:
            await response.aread()
            raise denied_by(call.closed, response)
        yield WebSocketSession(call)
        await call.finish()
    finally:
        await response.aclose()


def _client_of(app: Any) -> Any:
    import httpx2

    from anysgi import to_asgi

    from ._asgi_transport import ASGITransport

    return httpx2.AsyncClient(transport=ASGITransport(to_asgi(app), lifespan="off"), base_url="http://testserver")


def handshake(
    client: Any, url: str, subprotocols: Iterable[str], headers: Mapping[str, str] | None, **options: Any
) -> Any:
    """The request that opens a WebSocket (RFC 6455 section 4.1), made by a client of httpx2 or httpx."""
    offered = ", ".join(subprotocols)
    opening = {
        "connection": "Upgrade",
        "upgrade": "websocket",
        "sec-websocket-version": "13",
        "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",  # the one of RFC 6455: nobody computes with it here
        **({"sec-websocket-protocol": offered} if offered else {}),
        **(headers or {}),
    }
    asked = client.build_request("GET", url, headers=opening, **options)
    scheme = {"http": "ws", "https": "wss"}.get(asked.url.scheme, asked.url.scheme)
    asked.url = asked.url.copy_with(scheme=scheme)
    return asked

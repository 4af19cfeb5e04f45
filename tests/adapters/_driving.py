"""One request to an ASGI app: `serve` has it served by `anysgi.testing`, whose `Scenario` says what the client does.

`AsgiPeer` is for what no scenario can say: a test that acts amid the request, or from a thread of its own (it pushes a
chunk, leaves, cancels, looks at what was sent so far), and a server that no specification allows.

Every wait is bounded.
"""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections import deque
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from anysgi.testing import Scenario, arun
from tests.conftest import BOUND, eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable

    Message = dict[str, Any]

GONE: Message = {"type": "http.disconnect"}
PLAIN = [("Content-Type", "text/plain")]


def http_scope(
    method: str = "GET", path: str = "/", headers: Iterable[tuple[bytes, bytes]] = (), **more: Any
) -> Message:
    scope = {"type": "http", "asgi": {"version": "3.0", "spec_version": "2.4"}, "http_version": "1.1", "scheme": "http"}
    where = {"path": path, "raw_path": path.encode(), "query_string": b"", "root_path": ""}
    who = {"server": ("testserver", 80), "client": ("127.0.0.1", 5)}
    return {**scope, **where, **who, "method": method, "headers": [(b"host", b"testserver"), *headers], **more}


def upload(*parts: bytes) -> list[Message]:
    """A complete body, one message a part."""
    last = len(parts) - 1
    return [{"type": "http.request", "body": part, "more_body": at < last} for at, part in enumerate(parts)]


def part(body: bytes) -> Message:
    """A piece of a body that goes on."""
    return {"type": "http.request", "body": body, "more_body": True}


class AsgiPeer:
    """An ASGI server's side of one request.

    Args:
        messages: what `receive` hands out; after them it waits for `push` or `leave`.  By default, an empty body.
        on_send: called with each message before it counts as sent; may raise, or return something to await.

    Attributes:
        sent: the messages that `send` took.
        received: how often `receive` was called.
        told: set once the adapter has dealt with the disconnect.
    """

    def __init__(self, *messages: Message, on_send: Callable[[Message], Any] | None = None) -> None:
        self._script = deque(messages or upload(b""))
        self._on_send = on_send
        self._news = asyncio.Event()
        self.idle = asyncio.Event()  # receive() waits, with nothing left to hand out
        self.started = asyncio.Event()  # a byte of body was sent
        self.sent: list[Message] = []
        self.received = 0
        self.told = threading.Event()
        self.loop: Any = None

    async def receive(self) -> Message:
        self.received += 1
        while not self._script:
            self.idle.set()
            self._news.clear()
            await self._news.wait()
        self.idle.clear()
        if self._script[0] is GONE:  # every further call says the same
            asyncio.get_running_loop().call_soon(self.told.set)
            return dict(GONE)
        return self._script.popleft()

    async def send(self, message: Message) -> None:
        if self._on_send is not None:
            waited = self._on_send(message)
            if inspect.isawaitable(waited):
                await waited
        self.sent.append(message)
        if message.get("body"):
            self.started.set()

    def push(self, *messages: Message) -> None:
        """Hand out more messages; from any thread."""

        def more() -> None:
            self._script.extend(messages)
            self._news.set()

        self.loop.call_soon_threadsafe(more)

    def leave(self) -> None:
        """Disconnect; from any thread."""
        self.push(GONE)

    @property
    def status(self) -> int:
        return next(m["status"] for m in self.sent if m["type"] == "http.response.start")

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        return next(m["headers"] for m in self.sent if m["type"] == "http.response.start")

    def header(self, name: bytes) -> bytes | None:
        return dict(self.headers).get(name)

    @property
    def body(self) -> bytes:
        return b"".join(m.get("body", b"") for m in self.sent)

    @property
    def complete(self) -> bool:
        """Whether the response came to a clean end."""
        return bool(self.sent) and self.sent[-1]["type"] == "http.response.body" and not self.sent[-1].get("more_body")


async def serve(app: Any, peer: AsgiPeer | Scenario | None = None, /, *args: Any, **scope: Any) -> AsgiPeer:
    """Run one request to its end; raises what the adapter raises.

    Without a peer it is that of `http_scope(*args, **scope)`; with a scenario the scenario's, but for `scope`.
    """
    if peer is None:
        return await _by_the_kit(app, Scenario(), http_scope(*args, **scope))
    if isinstance(peer, Scenario):
        return await _by_the_kit(app, peer, scope)
    peer.loop = asyncio.get_running_loop()
    async with asyncio.timeout(BOUND):
        await app(http_scope(*args, **scope), peer.receive, peer.send)
    return peer


async def _by_the_kit(app: Any, scenario: Scenario, changes: Message) -> AsgiPeer:
    async def asked(scope: Message, receive: Any, send: Any) -> None:
        await app({**scope, **changes}, receive, send)

    peer = AsgiPeer()
    exchange = await arun(asked, scenario, convention="asgi", bound=BOUND)
    peer.sent = [event.message for event in exchange.raise_for_exception().messages if event.by == "app"]
    peer.received = sum(event.by == "server" for event in exchange.messages)
    return peer


@asynccontextmanager
async def serving(
    app: Any, peer: AsgiPeer | Scenario | None = None, /, *args: Any, **scope: Any
) -> AsyncIterator[asyncio.Task[AsgiPeer]]:
    """Run one request beside the block; it must end by itself, within the bound, once the block has."""
    task = asyncio.create_task(serve(app, peer, *args, **scope))
    try:
        yield task
        await asyncio.wait([task], timeout=BOUND)
        assert task.done()
        if not task.cancelled():
            task.result()
    finally:
        task.cancel()


async def happens(event: threading.Event | asyncio.Event) -> None:
    """Wait for an event, of either kind, within the bound."""
    if isinstance(event, asyncio.Event):
        await asyncio.wait_for(event.wait(), BOUND)
    else:
        assert await asyncio.to_thread(event.wait, BOUND), "it did not happen"


async def comes_true(condition: Callable[[], bool]) -> None:
    """Wait, off the loop, for a state that nobody announces."""
    assert await asyncio.to_thread(eventually, condition), "it did not come true"


def wsgi_app(*chunks: Any, status: str = "200 OK", headers: Any = None) -> Callable[..., Any]:
    """The plainest WSGI app; keeps its last environ as `.environ`."""

    def app(environ: Any, start_response: Any) -> list[Any]:
        app.environ = environ  # type: ignore[attr-defined]
        start_response(status, list(PLAIN if headers is None else headers))
        return list(chunks)

    return app

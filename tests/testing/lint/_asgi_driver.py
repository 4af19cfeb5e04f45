"""A small, obedient ASGI server whose every move can be replaced, and apps that send what they are told.

A case is `async def case(wrap)`: it puts the validator around an app with `wrap`, and drives it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    App = Callable[[Any, Any, Any], Any]
    Wrap = Callable[[App], App]
    Case = Callable[[Wrap], Awaitable[None]]

GONE: Any = object()  # a key that is to be taken out
BASE: dict[str, dict[str, Any]] = {
    "http": {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": "/cart",
        "raw_path": b"/cart",
        "query_string": b"a=1",
        "root_path": "",
        "headers": [(b"host", b"shop")],
        "client": ["127.0.0.1", 50000],
        "server": ["127.0.0.1", 8000],
        "extensions": {},
    },
    "lifespan": {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": {}},
}
BASE["websocket"] = BASE["http"] | {
    "type": "websocket",
    "scheme": "ws",
    "subprotocols": ["v1"],
    "asgi": {"version": "3.0", "spec_version": "2.5"},
}
del BASE["websocket"]["method"]

REQUEST = {"type": "http.request", "body": b"", "more_body": False}
LEFT = {"type": "http.disconnect"}
CONNECT = {"type": "websocket.connect"}
TEXT = {"type": "websocket.receive", "text": "hello"}
WS_LEFT = {"type": "websocket.disconnect", "code": 1005}
UP, DOWN = {"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}
UP_OK, DOWN_OK = {"type": "lifespan.startup.complete"}, {"type": "lifespan.shutdown.complete"}
EVENTS = {"http": [REQUEST, LEFT], "websocket": [CONNECT, TEXT, WS_LEFT], "lifespan": [UP, DOWN]}

ACCEPT, CLOSE = {"type": "websocket.accept"}, {"type": "websocket.close", "code": 1000}
SAY = {"type": "websocket.send", "text": "hello"}


def start(status: Any = 200, *headers: Any, **more: Any) -> dict[str, Any]:
    return {"type": "http.response.start", "status": status, "headers": list(headers), **more}


def body(data: Any = b"", more: Any = False, **others: Any) -> dict[str, Any]:
    return {"type": "http.response.body", "body": data, "more_body": more, **others}


def scope_of(kind: str, **changes: Any) -> dict[str, Any]:
    """A good scope, with changes; nested parts are new each time."""
    scope = {k: (v.copy() if isinstance(v, (list, dict)) else v) for k, v in BASE[kind].items()} | changes
    return {key: value for key, value in scope.items() if value is not GONE}


def offers(*extensions: str) -> dict[str, Any]:
    return {"extensions": {name: {} for name in extensions}}


class Server:
    """Delivers events one by one, the last again and again; notes messages, and fails from message `fails_at` on."""

    def __init__(self, events: list[Any], fails_at: int | None = None, error: type[Exception] = OSError) -> None:
        self.events, self.at = events, 0
        self.sent: list[Any] = []
        self.fails_at, self.error = fails_at, error

    async def receive(self) -> Any:
        event = self.events[min(self.at, len(self.events) - 1)]
        self.at += 1
        return dict(event) if isinstance(event, dict) else event

    async def send(self, message: Any) -> None:
        if self.fails_at is not None and len(self.sent) >= self.fails_at:
            raise self.error("the client left")
        self.sent.append(message)


def plays(*moves: Any) -> App:
    """An app that makes moves: a dict is sent, a number of events received, an exception raised, a function called."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        for move in moves:
            if isinstance(move, int):
                for _ in range(move):
                    await receive()
            elif isinstance(move, BaseException):
                raise move
            elif callable(move):
                answer = move(scope, receive, send)
                if hasattr(answer, "__await__"):
                    await answer
            else:
                await send(move)

    return app


GOOD: dict[str, App] = {
    "http": plays(1, start(200, (b"content-type", b"text/plain")), body(b"hello")),
    "websocket": plays(1, ACCEPT, 1, SAY, CLOSE),
    "lifespan": plays(1, UP_OK, 1, DOWN_OK),
}


def _case(kind: str) -> Callable[..., Case]:
    def case(
        *moves: Any, app: Any = None, events: Any = None, peer: Callable[[], Server] | None = None, **changes: Any
    ) -> Case:
        """One scope of this protocol: `moves` of the app, or `app`; `changes` of the scope."""

        async def run(wrap: Wrap) -> None:
            ends = peer() if peer else Server(events or EVENTS[kind])
            inner = app or (plays(*moves) if moves else GOOD[kind])
            await wrap(inner)(scope_of(kind, **changes), ends.receive, ends.send)

        return run

    return case


http, ws, life = _case("http"), _case("websocket"), _case("lifespan")

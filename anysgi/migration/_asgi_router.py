"""The router as an ASGI app."""

from __future__ import annotations

import logging
from time import perf_counter
from typing import TYPE_CHECKING, Any

from .._core._paths import path_in_scope
from .._core._refusals import Refusal
from ..exceptions import AppProtocolError
from ._attempt import CRASHED, STANDS, TRYING, Verdict
from ._clients import bucket_in_scope
from ._deadline import HeadTimeout
from ._shadow import Guarded

if TYPE_CHECKING:
    from ..types import ASGIApp, Message, Receive, Scope, Send
    from ._core import Choice, Core
    from ._sides import SideApp

log = logging.getLogger("anysgi.migration")


class AsgiRouter:
    """`router.asgi`: what an ASGI server imports.

    Args:
        core: what both conventions share.
    """

    def __init__(self, core: Core) -> None:
        self._core = core

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI connection: http by the table, websocket on the new side, lifespan for both sides."""
        kind = scope["type"]
        if kind == "http":
            await self._http(scope, receive, send)
        elif kind == "lifespan":
            await self._core.lifespans.run(receive, send)
        elif kind == "websocket":
            await _call(self._core.new, scope, receive, send)
        else:
            raise ValueError(f"the router cannot serve ASGI scope type {kind!r}; it knows http, websocket and lifespan")

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        core = self._core
        path = path_in_scope(scope)
        if core.dashboard is not None and core.dashboard.owns(path):
            await core.dashboard.asgi(scope, receive, send)
            return
        choice = core.choose(scope["method"], path, scope, bucket_in_scope)
        observer = core.observe(choice, "asgi", scope) if choice.shadowed else None
        if observer is not None:
            receive, send = _observed(observer, receive, send)
        try:
            if choice.side == "new":
                body = Body(receive)
                if await self._new(choice, scope, body, send):
                    return
                receive = body.replay
            await self._legacy(choice, scope, receive, send)
        except BaseException as error:
            if observer is not None:
                observer.end(error)
            raise
        finally:
            if observer is not None:
                observer.end(None)

    async def _legacy(self, choice: Choice, scope: Scope, receive: Receive, send: Send) -> None:
        head = Head(send)
        failed = True
        try:
            await _call(self._core.legacy, scope, receive, head.send)
            failed = head.status >= 500
        finally:
            self._core.stats.count(choice.name, "legacy", head.seconds, failed=failed)

    async def _new(self, choice: Choice, scope: Scope, body: Body, send: Send) -> bool:
        """Have the new side try; False if legacy is to answer."""
        core = self._core
        verdict = core.verdict(choice, scope["method"])
        body.verdict = verdict
        head = Head(send, verdict)
        error: BaseException | None = None
        try:
            await _call(core.new, dict(scope), body.receive, head.send)
            if verdict.state is TRYING:
                error = AppProtocolError("the new side returned without a response")
        except Exception as raised:
            error = raised
        if error is not None:
            verdict.crash()
        if verdict.state is STANDS or verdict.state is TRYING:
            core.stats.count(choice.name, "new", head.seconds, failed=error is not None or verdict.status >= 500)
            if isinstance(error, HeadTimeout):
                await self._too_late(choice, error, send)
            elif error is not None:
                raise error
            return True
        core.left(choice, crashed=verdict.state is CRASHED, error=error, status=verdict.status)
        return False

    async def _too_late(self, choice: Choice, error: HeadTimeout, send: Send) -> None:
        log.error("the new side is late at %s, and legacy may not be asked: %s", choice.name, error)
        for message in Refusal(504).messages:
            await send(message)


async def _call(side: SideApp, scope: Scope, receive: Receive, send: Send) -> None:
    app: ASGIApp = side.asgi
    if side.state:
        scope = {**scope, "state": {**(scope.get("state") or {}), **side.state}}
    await app(scope, receive, send)


class Head:
    """Passes a response on, and notes its status and when its head came.

    Args:
        send: the server's.
        verdict: may hold the response back.
    """

    __slots__ = ("_at", "_send", "_started", "_verdict", "status")

    def __init__(self, send: Send, verdict: Verdict | None = None) -> None:
        self._send = send
        self._verdict = verdict
        self._started = perf_counter()
        self._at = 0.0
        self.status = 0

    @property
    def seconds(self) -> float:
        """From the call to the head; to now, if none came."""
        return (self._at or perf_counter()) - self._started

    async def send(self, message: Message) -> None:
        verdict = self._verdict
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self._at = perf_counter()
            if verdict is not None:
                verdict.head(self.status)
        if verdict is None or verdict.state is STANDS or verdict.state is TRYING:
            await self._send(message)


class Body:
    """Passes a request's body on, and notes whether any of it is gone.

    Args:
        receive: the server's.
    """

    __slots__ = ("_empty", "_receive", "verdict")

    verdict: Verdict

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._empty: Message | None = None

    async def receive(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request":
            if message.get("body"):
                self.verdict.touched = True
            elif not message.get("more_body"):
                self._empty = message
        return message

    async def replay(self) -> Message:
        """What is left for the other side; an empty body that was read already is said again."""
        message, self._empty = self._empty, None
        return message if message is not None else await self._receive()


def _observed(observer: Guarded, receive: Receive, send: Send) -> tuple[Receive, Send]:
    async def receive_seen() -> Message:
        message = await receive()
        observer.request_body(message.get("body", b""))
        return message

    async def send_seen(message: Message) -> None:
        kind: Any = message["type"]
        if kind == "http.response.start":
            observer.response_head(message["status"], list(message.get("headers", ())))
        elif kind == "http.response.body":
            observer.response_body(message.get("body", b""))
        await send(message)

    return receive_seen, send_seen

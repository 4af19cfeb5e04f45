"""The router as an ASGI app.

Every request pays for what is here: a `send` that only looks on hands out the server's own awaitable, and puts no
coroutine around it.
"""

from __future__ import annotations

import logging
from time import perf_counter
from typing import TYPE_CHECKING, Any

from .._core._paths import path_in_scope
from .._core._refusals import Refusal
from ..exceptions import AppProtocolError, ClientDisconnected
from ._attempt import CRASHED, STANDS, TRYING, Verdict
from ._clients import bucket_in_scope
from ._deadline import HeadTimeout

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from ..types import Message, Receive, Scope, Send
    from ._core import Core
    from ._shadow import Guarded
    from ._sides import SideApp
    from ._ways import Choice

log = logging.getLogger("anysgi.migration")

_MOST_DROPPED = 65_536  # bytes of an error page that is not sent; an app that has more to say is told to stop


class AsgiRouter:
    """`router.asgi`: what an ASGI server imports.

    Args:
        core: what both conventions share.
    """

    def __init__(self, core: Core) -> None:
        self._core = core

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI connection: http by the table, websocket on the new side, lifespan for both sides."""
        core = self._core
        if scope["type"] != "http":
            await self._other(scope, receive, send)
            return
        path = path_in_scope(scope)
        if core.dashboard is not None and core.dashboard.owns(path):
            await core.dashboard.asgi(scope, receive, send)
            return
        choice = core.choose(scope["method"], path, scope, bucket_in_scope)
        if choice.shadowed:
            await self._observed(choice, scope, receive, send)
        elif choice.side == "new":
            await self._new(choice, scope, receive, send)
        else:
            await self._legacy(choice, scope, receive, send)

    async def _other(self, scope: Scope, receive: Receive, send: Send) -> None:
        core, kind = self._core, scope["type"]
        if kind == "lifespan":
            await core.lifespans.run(receive, send)
        elif kind == "websocket":
            await core.new.asgi(_scope_for(core.new, scope), receive, send)
        else:
            raise ValueError(f"the router cannot serve ASGI scope type {kind!r}; it knows http, websocket and lifespan")

    async def _observed(self, choice: Choice, scope: Scope, receive: Receive, send: Send) -> None:
        serve = self._new if choice.side == "new" else self._legacy
        observer = self._core.observe(choice, scope["method"], "asgi", lambda: _copied(scope))
        if observer is None:
            await serve(choice, scope, receive, send)
            return
        try:
            await serve(choice, scope, *_watching(observer, receive, send))
        except BaseException as error:
            observer.end(error)
            raise
        observer.end(None)

    async def _new(self, choice: Choice, scope: Scope, receive: Receive, send: Send) -> None:
        core = self._core
        attempt = Attempt(receive, send, choice.fallthrough, scope["method"] in core.rescue)
        error: Exception | None = None
        try:
            own = _scope_for(core.new, scope) if core.new.state else dict(scope)
            await core.new.asgi(own, attempt.receive, attempt.send)
        except Exception as raised:
            error = raised
        if error is None and attempt.state is STANDS:
            core.stats.count(choice.tally, attempt.seconds, attempt.status >= 500)
            return
        try:
            settled = await self._settle(choice, attempt, error)
        finally:
            error = None  # its traceback holds this frame
        if not settled and choice.instead is not None:
            await self._legacy(choice.instead, scope, attempt.replay, send)

    async def _legacy(self, choice: Choice, scope: Scope, receive: Receive, send: Send) -> None:
        core, head = self._core, Head(send)
        failed = True
        try:
            await core.legacy.asgi(_scope_for(core.legacy, scope), receive, head.send)
            failed = head.status >= 500
        finally:
            core.stats.count(choice.tally, head.seconds, failed)

    async def _settle(self, choice: Choice, attempt: Attempt, error: Exception | None) -> bool:
        """See what is left to do after a try that did not simply stand; False if legacy is to answer."""
        core = self._core
        if attempt.state is TRYING:
            error = error or AppProtocolError("the new side returned without a response")
            attempt.crash()
        if attempt.over():
            core.left(choice, crashed=attempt.state is CRASHED, error=error, status=attempt.status)
            return False
        core.stats.count(choice.tally, attempt.seconds, True)
        try:
            if error is not None:
                await attempt.fail(error, choice.name)
        finally:
            error = None
        return True


def _copied(scope: Scope) -> Scope:
    return {**scope, "headers": list(scope["headers"])}


def _scope_for(side: SideApp, scope: Scope) -> Scope:
    """The scope with what the side's own lifespan left."""
    if side.state:
        return {**scope, "state": {**(scope.get("state") or {}), **side.state}}
    return scope


class Head:
    """Passes a response on, and notes its status and when its head came.

    Args:
        send: the server's.
    """

    __slots__ = ("_at", "_send", "_started", "status")

    def __init__(self, send: Send) -> None:
        self._send = send
        self._started = perf_counter()
        self._at = 0.0
        self.status = 0

    @property
    def seconds(self) -> float:
        """From the call to the head; to now, if none came."""
        return (self._at or perf_counter()) - self._started

    def send(self, message: Message) -> Awaitable[None]:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self._at = perf_counter()
        return self._send(message)


class Attempt(Verdict):
    """The new side's try: passes body and response on, as long as they are the new side's business.

    Args:
        receive, send: the server's.
        fallthrough, rescues: see `Verdict`.
    """

    __slots__ = ("_at", "_dropped", "_kept", "_receive", "_send", "_started")

    def __init__(self, receive: Receive, send: Send, fallthrough: frozenset[int], rescues: bool) -> None:
        self._fallthrough = fallthrough  # from here on as Verdict.__init__, a call that every request would pay for
        self._rescues = rescues
        self.state = TRYING
        self.status = 0
        self.touched = False
        self._receive = receive
        self._send = send
        self._started = perf_counter()
        self._at = 0.0
        self._kept: Message | None = None
        self._dropped = 0

    @property
    def seconds(self) -> float:
        """From the call to the head; to now, if none came."""
        return (self._at or perf_counter()) - self._started

    async def receive(self) -> Message:
        if self.over():  # an app that streams looks whether its client is there, and would take the body from legacy
            return {"type": "http.disconnect"}
        message = await self._receive()
        if self.over():  # it was waiting already when its head came
            self._kept = message
            return {"type": "http.disconnect"}
        if message["type"] == "http.request":
            if message.get("body"):
                self.touched = True
            elif not message.get("more_body"):
                self._kept = message
        return message

    def send(self, message: Message) -> Awaitable[None]:
        if self.state is TRYING and message["type"] == "http.response.start":
            self._at = perf_counter()
            self.head(message["status"])
        return self._send(message) if self.state is STANDS or not self.over() else self._drop(message)

    async def _drop(self, message: Message) -> None:
        self._dropped += len(message.get("body", b""))
        if self._dropped > _MOST_DROPPED:
            raise ClientDisconnected("legacy answers instead, and nobody listens here")

    async def replay(self) -> Message:
        """`receive` for the other side; what nobody had, or an empty body that was read already, is said again."""
        message, self._kept = self._kept, None
        return message if message is not None else await self._receive()

    async def fail(self, error: Exception, name: str) -> None:
        """Deal with an error that legacy may not make good for; a missing head becomes 504."""
        if not isinstance(error, HeadTimeout):
            raise error
        log.error("the new side is late at %s, and legacy may not be asked: %s", name, error)
        for message in Refusal(504).messages:
            await self._send(message)


def _watching(observer: Guarded, receive: Receive, send: Send) -> tuple[Receive, Send]:
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
            observer.whole = not message.get("more_body")
        await send(message)

    return receive_seen, send_seen

"""One HTTP exchange under ASGI.  What becomes of the app's messages, by state:

                http.response.start        http.response.body     pathsend, zerocopysend   others
    BEFORE      the layers get the head    (the server judges)    (the server judges)      passed on
    PEEKING     -                          the layers get the head, with the first piece   passed on
    HELD        -                          the head leaves, with its true length           passed on
    FLOWING     -                          through the stages     counted as the end       passed on
    TRAILING    -                          (the server judges)    (the server judges)      the last trailers are the end
    PASSING     passed on                  passed on              passed on                passed on
    REPLACED    refused, as if the client had left

PEEKING, which is in `_asgi_peeking`, holds the head for layers declared with `peek=True`, HELD for a Content-Length
that a transform will change.  TRAILING is after the last byte of an app that announced trailers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from ...exceptions import FlowError
from ._asgi_exchange import BEFORE, FLOWING, HELD, PASSING, REPLACED, TRAILING, AsgiExchange
from ._asgi_input import staged_receive
from ._body import at_hand, is_changed, is_used, pass_on
from ._deadline import Deadline
from ._framing import is_silent, set_length
from ._response import AsgiResponse, Response, asgi_response
from ._trailers import TRAILERS, Announced, announce

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ...types import ASGIApp, Message
    from ._exchange import Calls

    Actions = dict[tuple[str, str], Callable[[Any, Message], Awaitable[None]]]

START, BODY = "http.response.start", "http.response.body"
FILES = ("http.response.pathsend", "http.response.zerocopysend")


class HttpExchange(AsgiExchange):
    """One HTTP request and its response."""

    __slots__ = ("_announced", "_deadline", "_silent")

    _announced: Announced | None  # what follows the body, once the head left
    _deadline: Deadline  # if the request has limits
    _silent: bool  # once the head is settled

    def run(self, app: ASGIApp) -> Awaitable[None]:
        request = self.request
        if request._body is not None and is_used(request._body):
            self._receive = staged_receive(self._receive, request)
        if request.limits is not None:
            self._deadline = Deadline(request.limits)
            return self._deadline.run(app(request.hand_on(), self._receive, self.send))
        if self.waiting:
            return app(request.hand_on(), self._receive, self.send)
        self.state = PASSING
        return app(request.hand_on(), self._receive, self._send)

    def send(self, message: Message) -> Awaitable[None]:
        """What the app sends to; where nobody looks any more, what it awaits is the server's own."""
        state = self.state
        if state is PASSING:
            send = self._send
            return send(message)
        return self._start(message) if state is BEFORE and message["type"] == START else self._take(message)

    async def _take(self, message: Message) -> None:
        if self.state is REPLACED:
            raise self._refusal()
        action = self.actions.get((self.state, message["type"]))
        if action is None:
            await self._send(message)
            return
        try:
            await action(self, message)
        except BaseException as error:
            if error is not self._lost and self.state in (HELD, FLOWING, TRAILING):
                await self._fail(error)
            raise

    async def _fail(self, error: BaseException) -> None:
        """End a response that a stage could not pass on; whatever the app makes of the error, it never looks whole."""
        self.state, self.result = REPLACED, error
        await self.afinish("error", error)

    def _start(self, message: Message) -> Awaitable[None]:
        """Hand the head to the layers; what is to be awaited is a coroutine of ours only if one of them does I/O."""
        self.result = own = asgi_response(message)
        calls = self.unwind()
        return self._settle_later(own, calls) if calls else self._settled(own)

    async def _settle_later(self, own: AsgiResponse, calls: Calls) -> None:
        for call in calls:
            await call.amake()
        await self._settled(own)

    def _settled(self, own: AsgiResponse) -> Awaitable[None]:
        """Send what the layers made of the head, or hold it until its length is known."""
        if self.result is not own:
            return self._replace_response()
        body = own._body
        if body is None and own._status is None and self.request.limits is None and not self.ending:
            self.state, send = PASSING, self._send
            return send(own.start_message())
        self._silent = is_silent(self.request, own)
        if is_changed(body) and not self._silent and own.length is not None:
            self.state = HELD
            return nothing()
        set_length(own, None, silent=self._silent)
        return self._head(own)

    async def _head(self, response: AsgiResponse) -> None:
        self.state = FLOWING
        start = response.start_message()
        start, self._announced = announce(start, response._body, self.request, silent=self._silent)
        await self._deliver(start)
        self.forwarded()
        await self._sent(last=False)

    @property
    def _response(self) -> AsgiResponse:
        assert isinstance(self.result, AsgiResponse)
        return self.result

    async def _first(self, message: Message) -> None:
        """Send the head that was held: with its true length if this is all of the body."""
        response = self._response
        if message.get("more_body"):
            set_length(response, None, silent=False)
        else:
            whole = response.body.whole
            if whole is None:
                whole = pass_on(response.body, message.get("body", b""), last=True)
            set_length(response, len(whole), silent=False)
            message = {**message, "body": whole}
        await self._head(response)
        if not message.get("more_body"):
            response._body = None  # it has been through the stages
        await self._flow(message)

    async def _flow(self, message: Message) -> None:
        data: bytes = message.get("body", b"")
        last = not message.get("more_body")
        passed = self._passed(data, last=last)
        if passed is not data:
            if not passed and not last:
                return
            message = {**message, "body": passed}
        await self._deliver(message)
        self.sent += len(passed)
        await self._sent(last=last)

    async def _sent(self, *, last: bool) -> None:
        if self.request.limits is not None:
            self._deadline.move(last=last)
        if last and (self._announced is None or await self._followed(self._announced)):
            await self._end()

    async def _end(self) -> None:
        self.state, self._lost = PASSING, None
        await self.afinish("complete")

    async def _followed(self, announced: Announced) -> bool:
        """Send the fields of layers after the body; say whether they are the last."""
        if announced.fields:
            await self._deliver(announced.message())
        self.state = TRAILING
        return not announced.promised

    async def _trail(self, message: Message) -> None:
        """The app's own fields after the body, which have no place where there is none."""
        if not self._silent:
            await self._deliver(message)
        if not message.get("more_trailers"):
            await self._end()

    def _passed(self, data: bytes, *, last: bool) -> bytes:
        if self._silent:
            return b""
        body = self._response._body
        return pass_on(body, data, last=last) if body is not None and (data or last) else data

    async def _file(self, message: Message) -> None:
        """The server sends a file by itself, which is the whole body."""
        if is_changed(self._response._body) and not self._silent:
            raise FlowError(
                "a middleware changes the bytes of a body that the server sends by itself; declare it with "
                "@middleware(needs_bytes=True), or with peek=True and leave response.body.is_file alone"
            )
        await self._deliver(message)
        self.sent += self._response.length or 0
        await self._sent(last=True)

    async def _let_head_go(self) -> None:
        """Send a head that was held for a body that never came: it is the app's, as it would be without us."""
        if self.state is HELD:
            set_length(self._response, None, silent=False)
            await self._head(self._response)

    async def _judge(self, error: BaseException) -> None:
        if isinstance(error, Exception):
            await self._let_head_go()
        await super()._judge(error)

    async def _conclude(self) -> None:
        await self._let_head_go()
        await super()._conclude()

    async def _respond(self, response: Response) -> None:
        body = response.body
        silent = is_silent(self.request, response)
        whole = b"".join(at_hand(body)) if silent else pass_on(body, body.whole or b"", last=True)
        set_length(response, len(whole), silent=silent)
        self.forwarded()
        start, announced = announce(response.start_message(), body, self.request, silent=silent)
        await self._send(start)
        await self._send({"type": BODY, "body": b"" if silent else whole})
        if announced is not None:
            await self._send(announced.message())
        self.sent = 0 if silent else len(whole)

    actions: ClassVar[Actions] = {
        (HELD, BODY): _first,
        (FLOWING, BODY): _flow,
        (TRAILING, TRAILERS): _trail,
        **dict.fromkeys([(state, kind) for state in (HELD, FLOWING) for kind in FILES], _file),
    }
    """What is done with a message, by state; others are passed on."""


async def nothing() -> None:
    """A head that is held back: there is nothing to wait for."""


def offer_no_files(scope: Any) -> Any:
    """The scope without the extensions by which the server sends files by itself."""
    extensions = scope.get("extensions") or {}
    if not any(kind in extensions for kind in FILES):
        return scope
    return {**scope, "extensions": {name: value for name, value in extensions.items() if name not in FILES}}

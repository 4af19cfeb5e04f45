"""The ASGI driver: a stack around an ASGI app.  It awaits in place, in the task it is called in; one `send` for all
layers.

What becomes of the app's messages, by state:

                http.response.start        http.response.body     pathsend, zerocopysend   others
    BEFORE      the layers get the head    (the server judges)    (the server judges)      passed on
    PEEKING     -                          the layers get the head, with the first piece   passed on
    HELD        -                          the head leaves, with the length that is true   passed on
    FLOWING     -                          through the stages     counted as the end       passed on
    PASSING     passed on                  passed on              passed on                passed on
    REPLACED    refused, as if the client had left

PEEKING holds the head for layers declared with `peek=True`, HELD for a Content-Length that a transform will change.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..exceptions import AppProtocolError, ClientDisconnected, FlowError
from ._asgi_input import staged_receive
from ._body import Body, is_changed, is_used, pass_on
from ._exchange import Exchange
from ._framing import is_silent, set_length
from ._request import AsgiRequest
from ._response import AsgiResponse, Response

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ..types import ASGIApp, Message, Receive, Scope, Send
    from ._layer import Layer
    from ._outcome import Kind

BEFORE, PEEKING, HELD, FLOWING, PASSING, REPLACED = "BEFORE", "PEEKING", "HELD", "FLOWING", "PASSING", "REPLACED"
START, BODY = "http.response.start", "http.response.body"
FILES = ("http.response.pathsend", "http.response.zerocopysend")


class AsgiStack:
    """An ASGI app with layers around it; attributes it does not have are the inner app's.

    Attributes:
        app: the ASGI app inside.
        layers: the layers, outermost first.
    """

    __slots__ = ("app", "layers", "needs_bytes", "peeks")

    def __init__(self, app: ASGIApp, layers: tuple[Layer, ...]) -> None:
        self.app = app
        self.layers = layers
        self.peeks = any(layer.peek for layer in layers)
        self.needs_bytes = any(layer.needs_bytes for layer in layers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection (ASGI spec, "HTTP"); the lifespan and unknown scopes go to the app untouched."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        exchange = AsgiExchange(scope, self, send)
        try:
            await exchange.run(self.app, receive)
        finally:
            exchange.leave()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.app, name)

    def __repr__(self) -> str:
        return f"<{', '.join(layer.name for layer in self.layers)} around {self.app!r}>"


class AsgiExchange(Exchange):
    """One ASGI request."""

    __slots__ = ("_lost", "_peeks", "_send", "_silent", "state")

    request: AsgiRequest

    def __init__(self, scope: Scope, stack: AsgiStack, send: Send) -> None:
        super().__init__(AsgiRequest(scope), stack.layers)
        self._send = send
        self._peeks = stack.peeks
        self._silent = False
        self._lost: BaseException | None = None  # what the server's send raised
        self.state = BEFORE
        if stack.needs_bytes:
            _offer_no_files(self.request)

    async def run(self, app: ASGIApp, receive: Receive) -> None:
        """Take the request through the layers, and the app's answer back."""
        for call in self.enter():
            await call.amake()
        if self.result is not None:
            await self._answer()
            return
        request = self.request
        if is_used(request._body):
            receive = staged_receive(receive, request)
        if not self.waiting:
            await app(request.current, receive, self._send)
            return
        try:
            await app(request.current, receive, self.send)
        except BaseException as error:
            await self._app_raised(error)
        else:
            await self._app_returned()

    def send(self, message: Message) -> Awaitable[None]:
        """What the app sends to; costs one call where nobody looks any more."""
        if self.state is PASSING:
            return self._send(message)
        return self._take(message)

    async def _take(self, message: Message) -> None:
        if self.state is REPLACED:
            raise self._refusal()
        action = _ACTIONS.get((self.state, message["type"]))
        if action is None:
            await self._send(message)
        else:
            await action(self, message)

    async def _start(self, message: Message) -> None:
        self.result = response = AsgiResponse(message)
        if self._peeks and not response.headers.get("content-type", "").startswith("text/event-stream"):
            self.state = PEEKING
        else:
            await self._settle(response)

    async def _peek(self, message: Message) -> None:
        response = self.result
        assert isinstance(response, AsgiResponse)
        is_file = message["type"] != BODY
        if is_file or message.get("more_body") or self.request.method == "HEAD":
            response._body = Body(is_file=is_file)
        else:
            response._body = Body((message.get("body", b""),))
        await self._settle(response)
        await self.send(message)

    async def _settle(self, own: AsgiResponse) -> None:
        """Hand the head to the layers, and what they made of it to the server."""
        for call in self.unwind():
            await call.amake()
        result = self.result
        if result is not own:
            self.state = REPLACED
            if isinstance(result, BaseException):
                raise result
            await self._respond()
            raise self._refusal()
        body = own._body
        changed = is_changed(body)
        self._silent = is_silent(self.request, own)
        if not self.ending and not is_used(body) and not (self._silent and own.is_new_status):
            self.state = PASSING
        elif changed and not self._silent and own.length is not None:
            self.state = HELD
            return
        else:
            self.state = FLOWING
            if changed or self._silent:
                set_length(own, None, silent=self._silent)
        await self._deliver(own.start_message())
        self.forwarded()

    async def _first(self, message: Message) -> None:
        """Send the head that was held: with its true length if this is all of the body."""
        response = self.result
        assert isinstance(response, AsgiResponse)
        self.state = FLOWING
        if message["type"] != BODY or message.get("more_body"):
            set_length(response, None, silent=False)
        else:
            body = pass_on(response.body, message.get("body", b""), last=True)
            response._body = None
            set_length(response, len(body), silent=False)
            message = {**message, "body": body}
        await self._deliver(response.start_message())
        self.forwarded()
        await self.send(message)

    async def _flow(self, message: Message) -> None:
        response = self.result
        assert isinstance(response, AsgiResponse)
        data: bytes = message.get("body", b"")
        last = not message.get("more_body")
        passed = b"" if self._silent else data
        if is_used(response._body) and not self._silent and (data or last):
            passed = pass_on(response.body, data, last=last)
        if passed is not data:
            message = {**message, "body": passed}
        if data and not passed and not last:
            return
        self.sent += len(passed)
        await self._deliver(message)
        if last:
            self.state = PASSING
            await self.finish("complete")

    async def _file(self, message: Message) -> None:
        """The server sends a file by itself, which is the whole body."""
        response = self.result
        assert isinstance(response, AsgiResponse)
        if is_changed(response._body):
            raise FlowError(
                "a middleware changes the bytes of a body that the server sends by itself; declare it "
                "with @middleware(needs_bytes=True), or with peek=True and leave response.body.is_file alone"
            )
        await self._deliver(message)
        self.sent += response.length or 0
        self.state = PASSING
        await self.finish("complete")

    async def _deliver(self, message: Message) -> None:
        try:
            await self._send(message)
        except BaseException as error:
            self._lost = error
            raise

    async def _app_raised(self, error: BaseException) -> None:
        if self.state is REPLACED:
            if isinstance(self.result, BaseException):
                raise self.result
            if not _stems_from(error, self._lost):
                raise error
        elif self.state in (BEFORE, PEEKING):
            self.result = error
            await self._answer()
        else:
            aborted = self._lost is not None or not isinstance(error, Exception)
            await self.finish("aborted" if aborted else "error", error)
            raise error

    async def _app_returned(self) -> None:
        if self.state is PEEKING:
            assert isinstance(self.result, AsgiResponse)
            await self._settle(self.result)
        if self.state is BEFORE:
            self.result = missing = AppProtocolError("the app returned without sending a response")
            try:
                await self._answer()
            except AppProtocolError as error:
                if error is not missing:  # the server judges, as it would without us: the client may have left
                    raise
        elif self.state is not REPLACED:
            await self.finish("aborted", self._lost)
        elif isinstance(self.result, BaseException):
            raise self.result

    def _refusal(self) -> ClientDisconnected:
        """What an app gets to hear whose response has been replaced: that nobody listens any more."""
        self._lost = ClientDisconnected("a middleware put another response in place of this one")
        return self._lost

    async def _answer(self) -> None:
        """Let the layers have a result that is not the app's response, then send it or raise it."""
        for call in self.unwind():
            await call.amake()
        await self._respond()

    async def _respond(self) -> None:
        """Send the response of a layer, or raise."""
        response = self.result
        if not isinstance(response, Response):
            assert response is not None
            raise response
        body = response.body
        silent = is_silent(self.request, response)
        whole = body.whole or b""
        if is_used(body) and not silent:
            whole = pass_on(body, whole, last=True)
        set_length(response, len(whole), silent=silent)
        try:
            await self._send(response.start_message())
            self.forwarded()
            self.sent = 0 if silent else len(whole)
            await self._send({"type": BODY, "body": b"" if silent else whole})
        except BaseException as error:
            await self.finish("aborted", error)
            raise
        await self.finish("complete")

    def leave(self) -> None:
        """Put context variables back, and let go of exceptions: their tracebacks hold the app's frames."""
        self.request.unbind()
        self.result = self._lost = None

    async def finish(self, kind: Kind, error: BaseException | None = None) -> None:
        """Tell the outcome, unless it has been told."""
        if self.ending:
            for call in self.end(kind, error):
                await call.amake()


_ACTIONS: dict[tuple[str, str], Callable[[AsgiExchange, Message], Awaitable[None]]] = {
    (BEFORE, START): AsgiExchange._start,
    (PEEKING, BODY): AsgiExchange._peek,
    (HELD, BODY): AsgiExchange._first,
    (FLOWING, BODY): AsgiExchange._flow,
    **{(PEEKING, kind): AsgiExchange._peek for kind in FILES},
    **{(HELD, kind): AsgiExchange._file for kind in FILES},
    **{(FLOWING, kind): AsgiExchange._file for kind in FILES},
}


def _offer_no_files(request: AsgiRequest) -> None:
    """Take out the extensions by which the server sends files by itself."""
    extensions = request.current.get("extensions") or {}
    if any(kind in extensions for kind in FILES):
        request.scope["extensions"] = {name: value for name, value in extensions.items() if name not in FILES}


def _stems_from(error: BaseException, cause: BaseException | None) -> bool:
    """Whether an exception is, or was made from, another one."""
    if isinstance(error, BaseExceptionGroup):
        return all(_stems_from(part, cause) for part in error.exceptions)
    seen: BaseException | None = error
    while seen is not None and seen is not cause:
        seen = seen.__cause__ or seen.__context__
    return seen is cause

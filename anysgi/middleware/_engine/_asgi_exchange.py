"""What HTTP and WebSocket exchanges have in common under ASGI: one `send` for all layers, and the ways it can end."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

from ..._core._lost_files import LOST, PATHSEND, is_repeatable
from ...exceptions import AppProtocolError, ClientDisconnected
from ._dual import amake_all
from ._exchange import Exchange
from ._response import Response

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from ...types import ASGIApp, Message, Receive, Send
    from ._asgi_request import AsgiRequest

BEFORE, PEEKING, HELD, FLOWING, TRAILING = "BEFORE", "PEEKING", "HELD", "FLOWING", "TRAILING"
PASSING, REPLACED = "PASSING", "REPLACED"
"""How far the app's response has come: see `_asgi_http`, which has them all."""


class AsgiExchange(Exchange):
    """One ASGI connection."""

    __slots__ = ("_lost", "_receive", "_send", "state")

    request: AsgiRequest
    state: str
    _lost: BaseException | None  # what the server's send raised, or ours in its place
    _receive: Receive
    _send: Send

    def open(self, request: AsgiRequest, receive: Receive, send: Send) -> None:
        """Begin."""
        self.begin(request)
        self._receive = receive
        self._send = send
        self._lost = None
        self.state = BEFORE

    @abstractmethod
    def run(self, app: ASGIApp) -> Awaitable[None]:
        """Call the app; what it returned is to be awaited."""

    @abstractmethod
    async def _respond(self, response: Response) -> None:
        """Send the response of a layer, whole."""

    async def app_raised(self, error: BaseException) -> None:
        """Give an exception to the layers, if the app's head is not out yet, and else to the server."""
        try:
            await self._judge(error)
        finally:
            self._let_go()

    async def app_returned(self) -> None:
        """Send what a layer answered before the app was called, or see what the app left undone."""
        try:
            await self._conclude()
        finally:
            self._let_go()

    async def _judge(self, error: BaseException) -> None:
        if self.state is BEFORE or self.state is PEEKING:
            self.result = error
            await self._answer()
        elif self.state is not REPLACED:
            aborted = self._lost is not None or not isinstance(error, Exception)
            await self.afinish("aborted" if aborted else "error", error)
            raise error
        elif isinstance(self.result, BaseException):
            raise self.result
        elif not _stems_from(error, self._lost):
            raise error

    async def _conclude(self) -> None:
        if self.state is not BEFORE:
            await self.afinish("aborted", self._lost)
            if self.state is REPLACED and isinstance(self.result, BaseException):
                raise self.result
        elif self.result is not None:
            await self._answer()
        elif self.waiting:
            await self._miss_response()

    def _let_go(self) -> None:
        """Forget exceptions: their tracebacks hold the app's frames."""
        self.result = self._lost = None

    async def _miss_response(self) -> None:
        """Tell the layers that there is no response; unanswered, the server judges that as it would without us."""
        scope = self.request.current
        offered = PATHSEND in (scope.get("extensions") or ())
        if offered and "wsgi.environ" in scope and is_repeatable(scope["wsgi.environ"]):
            return  # `AsgiToWsgi` makes this request once more, without the offer, and the layers see that
        lost = LOST if offered else ""
        self.result = missing = AppProtocolError(f"the app returned without sending a response{lost}")
        try:
            await self._answer()
        except AppProtocolError as error:
            if error is not missing:
                raise

    async def _answer(self) -> None:
        """Let the layers have a result that is not the app's response, then send it or raise it."""
        result = self.result
        await amake_all(self.unwind(), result if isinstance(result, BaseException) else None)
        await self._respond_or_raise()

    async def _respond_or_raise(self) -> None:
        result = self.result
        if isinstance(result, BaseException):
            raise result
        assert result is not None
        try:
            await self._respond(result)
        except BaseException as error:
            await self.afinish("aborted", error)
            raise
        await self.afinish("complete")

    async def _replace_response(self) -> None:
        """Send something else than what the app has begun to send; the app hears that nobody listens any more."""
        self.state = REPLACED
        await self._respond_or_raise()
        raise self._refusal()

    def _refusal(self) -> ClientDisconnected:
        self._lost = ClientDisconnected("a middleware put another response in place of this one")
        return self._lost

    async def _deliver(self, message: Message) -> None:
        try:
            await self._send(message)
        except BaseException as error:
            self._lost = error
            raise


def _stems_from(error: BaseException, cause: BaseException | None) -> bool:
    """Whether an exception is, or was made from, another one."""
    if isinstance(error, BaseExceptionGroup):
        return all(_stems_from(part, cause) for part in error.exceptions)
    seen: BaseException | None = error
    while seen is not None and seen is not cause:
        seen = seen.__cause__ or seen.__context__
    return seen is cause

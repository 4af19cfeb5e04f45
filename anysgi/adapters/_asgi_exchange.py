"""One ASGI request on the loop: the app's task, and the `receive` and `send` it is given.

    running ──> response done ──> app returned          what runs between the last two is a background task
       │
       └── hang_up: `receive` says http.disconnect, `send` raises OSError, after `grace` seconds the task is cancelled

The response goes to the server's thread through `down`; the request body comes when `receive` asks.
"""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING

from .._core._asgi_messages import FLOWING, MORE, STREAM, ResponseMessages
from .._core._containment import contained, raising
from ..exceptions import AppProtocolError, ClientDisconnected
from ._asgi_receive import AsgiReceive, gone
from ._asgi_refusals import Stopping

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from contextvars import Context

    from .._bridge._port import Task
    from ..types import ASGIApp, Message, Scope
    from ._request_pump import RequestPump
    from ._runtime import Runtime

log = logging.getLogger("anysgi")

_done = partial(ClientDisconnected, "the response is complete")


class AsgiExchange:
    """One request and its response.

    Args:
        runtime: the loop, and the tasks on it.
        app: the ASGI app.
        scope: the request.
        context: what the app runs in.
        window: bytes the app may be ahead of the server.
        grace: seconds between the disconnect and the cancellation of the task.
        has_body: whether there is a request body to ask for.

    Attributes:
        down: the response's body; broken by what the app raised.
        scope: the request's head, with what the app left there.
        request: the request's body, once the app has asked for it.
        messages: the response's head.
        endless: it does not end by itself, so whoever wants it to has to say so.
        outer: the request this one is part of, if there is one: it looks out for the client, and hangs up with it.
    """

    endless = False

    __slots__ = (
        "_app",
        "_context",
        "_grace",
        "_has_body",
        "_last",
        "_late",
        "_runtime",
        "_silenced",
        "_window",
        "down",
        "messages",
        "outer",
        "request",
        "scope",
        "task",
    )

    def __init__(
        self, runtime: Runtime, app: ASGIApp, scope: Scope, context: Context, window: int, grace: float, has_body: bool
    ) -> None:
        self._runtime = runtime
        self._app = app
        self.scope = scope
        self._context = context
        self._window = window
        self._grace = grace
        self.task: Task | None = None
        self._last: bytes | None = None  # the end of the response, once it is complete
        self._late: list[BaseException] = []
        self._silenced = 0
        self._has_body = has_body
        self.outer: RequestPump | None = None
        port = runtime.port
        self.down = port.flow(port, window)
        self.request: AsgiReceive | None = None
        self.messages = ResponseMessages(scope["method"], scope["extensions"])

    # On the server's thread

    def begin(self) -> bool:
        """Start the app; False if its loop has ended."""
        return self._runtime.port.post(self._start)

    def end_early(self) -> None:
        """Nobody wants the rest of the response."""
        self._runtime.port.post(self.hang_up)

    def late_error(self) -> BaseException | None:
        """What the app raised after its response was complete, if that is known by now; handed out once."""
        return self._late.pop() if self._late else None

    # On the loop

    def _start(self) -> None:
        if self._runtime.closed:
            self.down.break_(Stopping)
        if self.down.broken:
            return
        self.task = self._runtime.spawn(self, self._run(), self._context)

    async def _run(self) -> None:
        try:
            await self._app(self.scope, self.receive, self.send)
        except self._runtime.port.Cancelled:
            self._failed(AppProtocolError("the app's task was cancelled"))
            raise
        except BaseException as error:
            self._failed(contained(error))
        else:
            if not self.messages.done:
                self._failed(self.messages.unfinished)
        finally:
            self._hand_over()
            self._runtime.forget(self)

    def _failed(self, error: Exception) -> None:
        if self.down.broken:
            log.debug("the app failed after the exchange was over", exc_info=error)
        elif self.messages.done or self.down.closed:  # a HEAD, answered by its head
            self._late.append(error)
            if self.outer is None:
                self._runtime.failed_late(self)
                self._runtime.port.after(1.0, self.log_late)
        else:
            self.down.break_(raising(error))
            self._close_request(_done)

    def log_late(self) -> None:
        """The server's thread was gone before it could write this to `wsgi.errors`."""
        self._runtime.told(self)
        error = self.late_error()
        if error is not None:
            log.error("the app failed after its response was complete", exc_info=error)

    async def settled(self) -> None:
        """Wait until the app has returned, and log what it raised since its response."""
        if self.task is not None:
            await self._runtime.port.join(self.task)
        self.log_late()

    def cancel_background(self) -> None:
        """End what still runs after the response; before, `hang_up` sees to the end."""
        if self.task is not None and self.messages.done:
            self.task.cancel()

    def hang_up(self, reason: Callable[[], ClientDisconnected] = gone) -> None:
        """The client left, or the time is up: tell the app, and see to it that it ends."""
        if not self.messages.done:
            self.down.break_(reason)
        self._close_request(reason)
        self._cancel_later()

    def shut_down(self) -> None:
        """The server is gone: the same, but nobody's fault."""
        self.hang_up(Stopping)

    def _cancel_later(self) -> None:
        """Cancel the task in `grace` seconds, unless its response is complete by then."""
        task = self.task
        if task is None or task.done() or self.messages.done:
            return
        timer = self._runtime.port.after(self._grace, self._cancel_unfinished)
        task.add_done_callback(lambda _: timer.cancel())

    def _cancel_unfinished(self) -> None:
        if self.task is not None and not self.messages.done:
            self.down.break_(gone)  # it may have been a HEAD, answered by its head
            self.task.cancel()

    def receive(self) -> Awaitable[Message]:
        """The app's `receive` (ASGI spec, "Request" and "Disconnect"); cancelling it loses nothing."""
        return self._opened().next()

    def _opened(self) -> AsgiReceive:
        request = self.request
        if request is None:
            request = AsgiReceive(
                self._runtime.port, self._window, self.down, self.messages, self.outer, self._has_body
            )
            self.request = request
            if self.down.broken or self.messages.done:
                self._close_request(gone)
        return request

    def _close_request(self, reason: Callable[[], ClientDisconnected]) -> None:
        """The exchange is over: from now on `receive` says http.disconnect."""
        if self.request is not None:
            self.request.flow.break_(reason)

    async def send(self, message: Message) -> None:
        """The app's `send` (ASGI spec, "Response Start" and "Response Body").

        Raises:
            ClientDisconnected: the client left; an `OSError`, as spec version 2.4 asks.
            AppProtocolError: the message is wrong, or out of turn.
        """
        messages, down = self.messages, self.down
        if down.broken and not messages.done:
            raise gone()
        state = messages.state
        if state in FLOWING and message.get("type") == MORE and message.get("more_body"):
            body = message.get("body")  # what bodies consist of: here `accept` would only count it, and hand it back
            if type(body) is bytes and body and (state is STREAM or messages.counted(body)):
                if down.feed(body):
                    await down.room()
                return
        body = messages.accept(message)
        if body and messages.state in FLOWING:
            if down.feed(body):
                await down.room()
        elif messages.done:
            self._complete(body)
        elif message["type"] == "http.response.body" and messages.silent:
            self._drop(message)
        elif messages.hints:
            down.nudge()

    def _complete(self, body: bytes) -> None:
        if self._last is None:
            self._last = body
            self._close_request(_done)
            self._runtime.port.soon(self._hand_over)  # at the latest: this often is the app's last step, but may not be

    def _hand_over(self) -> None:
        """Tell the server's thread that the response is complete; not before it is known whether the app raised."""
        if self._last is not None and not self.down.closed:
            self.down.end(self._last)
            self._last = b""

    def _drop(self, message: Message) -> None:
        """A HEAD is answered by its head; an endless body must end as well."""
        if not self._silenced:
            self.down.end()
            self._opened()
            self._close_request(_done)
            self._cancel_later()
        self._silenced += len(message.get("body", b"")) + 64
        if self._silenced > self._window:
            self.down.break_(gone)
            raise gone()

"""One ASGI request on the loop: the app's task, and the `receive` and `send` it is given.

    running ──> response done ──> app returned          what runs between the last two is a background task
       │
       └── hang_up: `receive` says http.disconnect, `send` raises OSError, after `grace` seconds the task is cancelled

The response goes to the server's thread through `down`; the request body comes through `up`, when `receive` asks.
"""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING, Any

from .._bridge._to_loop import ToLoop
from .._core._asgi_messages import ResponseMessages
from .._core._containment import contained
from ..exceptions import AppProtocolError, ClientDisconnected

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextvars import Context

    from .._bridge._port import Task
    from ..types import ASGIApp, Message, Scope
    from ._request_pump import RequestPump
    from ._runtime import Runtime

log = logging.getLogger("anysgi")

_gone = partial(ClientDisconnected, "the client left: stop sending")
_left = partial(ClientDisconnected, "the client left before its request was complete")
_stopping = partial(ClientDisconnected, "the app is shutting down")
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
        up: the request's body.
        messages: the response's head.
        waiting: how many `receive` calls wait for body right now.
        endless: it does not end by itself, so whoever wants it to has to say so.
        outer: the request this one is part of, if there is one: it looks out for the client, and hangs up with it.
    """

    endless = False

    __slots__ = (
        "_app",
        "_body_read",
        "_context",
        "_grace",
        "_late",
        "_runtime",
        "_scope",
        "_silenced",
        "_window",
        "down",
        "messages",
        "outer",
        "task",
        "up",
        "waiting",
    )

    def __init__(
        self, runtime: Runtime, app: ASGIApp, scope: Scope, context: Context, window: int, grace: float, has_body: bool
    ) -> None:
        self._runtime = runtime
        self._app = app
        self._scope = scope
        self._context = context
        self._window = window
        self._grace = grace
        self.task: Task | None = None
        self._late: list[BaseException] = []
        self._silenced = 0
        self._body_read = False
        self.waiting = 0
        self.outer: RequestPump | None = None
        port = runtime.port
        self.down = port.flow(port, window)
        self.up = ToLoop(port, window)
        self.messages = ResponseMessages(scope["method"], scope["extensions"])
        if not has_body:
            self.up.end()

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
            self.down.break_(_stopping)
        if self.down.broken:
            return
        self.task = self._runtime.spawn(self, self._run(), self._context)

    async def _run(self) -> None:
        try:
            await self._app(self._scope, self.receive, self.send)
        except self._runtime.port.Cancelled:
            self._failed(AppProtocolError("the app's task was cancelled"))
            raise
        except BaseException as error:
            self._failed(contained(error))
        else:
            if not self.messages.done:
                self._failed(self._unfinished())
        finally:
            self.down.wake()
            self._runtime.forget(self)

    def _unfinished(self) -> Exception:
        if self.up.broken:  # the app was told so, and may leave without another word
            return _left()
        if self.messages.started:
            return AppProtocolError(
                "the app returned before its response was complete; send a last http.response.body without more_body"
            )
        return AppProtocolError(
            "the app returned without a response; send http.response.start and http.response.body first"
        )

    def _failed(self, error: BaseException) -> None:
        if self.down.broken:
            log.debug("the app failed after the exchange was over", exc_info=error)
        elif self.messages.done:
            self._late.append(error)
            if self.outer is None:
                self._runtime.failed_late(self)
                self._runtime.port.after(1.0, self.log_late)
        else:
            self.down.break_(_same(error))
            self.up.break_(_done)

    def log_late(self) -> None:
        """The server's thread was gone before it could write this to `wsgi.errors`."""
        self._runtime.told(self)
        error = self.late_error()
        if error is not None:
            log.error("the app failed after its response was complete", exc_info=error)

    async def ended(self) -> None:
        """Wait until the app has returned, background tasks included; cancelled, cancel them.

        Raises:
            BaseException: what it raised after its response was complete.
        """
        task = self.task
        if task is not None:
            try:
                await self._runtime.port.join(task)
            except self._runtime.port.Cancelled:
                self.cancel_background()
                raise
        error = self.late_error()
        if error is not None:
            raise error

    async def settled(self) -> None:
        """Wait until the app has returned, and log what it raised since its response."""
        if self.task is not None:
            await self._runtime.port.join(self.task)
        self.log_late()

    def cancel_background(self) -> None:
        """End what still runs after the response; before, `hang_up` sees to the end."""
        if self.task is not None and self.messages.done:
            self.task.cancel()

    def hang_up(self, reason: Callable[[], ClientDisconnected] = _gone) -> None:
        """The client left, or the time is up: tell the app, and see to it that it ends."""
        if not self.messages.done:
            self.down.break_(reason)
        self.up.break_(reason)
        self._cancel_later()

    def shut_down(self) -> None:
        """The server is gone: the same, but nobody's fault."""
        self.hang_up(_stopping)

    def _cancel_later(self) -> None:
        """Cancel the task in `grace` seconds, unless its response is complete by then."""
        task = self.task
        if task is None or task.done() or self.messages.done:
            return

        def cancel() -> None:
            if not self.messages.done:
                task.cancel()

        timer = self._runtime.port.after(self._grace, cancel)
        task.add_done_callback(lambda _: timer.cancel())

    async def receive(self) -> Message:
        """The app's `receive` (ASGI spec, "Request" and "Disconnect"); cancelling it loses nothing."""
        up = self.up
        try:
            if up.fed and not self._body_read:
                await (
                    self._runtime.port.checkpoint()
                )  # Starlette's is_disconnected() cancels first and drops what comes
            while not self._body_read and not up.ready:
                await self._ask()
            if self._body_read:
                if self.outer is not None:
                    self.outer.start()
                await up.gone()
            body, more = await up.take()
            up.credit()
        except ClientDisconnected:
            up.break_(_gone)
            if not self.messages.done:
                self.down.break_(_gone)  # what was told by `receive` holds for `send`
            return {"type": "http.disconnect"}
        self._body_read = not more
        return {"type": "http.request", "body": body, "more_body": more}

    async def _ask(self) -> None:
        """Have the server's thread read a piece, and wait until one came; to whom it goes is another matter."""
        self.waiting += 1
        self.down.nudge()
        try:
            await self.up.news()
        finally:
            self.waiting -= 1

    async def send(self, message: Message) -> None:
        """The app's `send` (ASGI spec, "Response Start" and "Response Body").

        Raises:
            ClientDisconnected: the client left; an `OSError`, as spec version 2.4 asks.
            AppProtocolError: the message is wrong, or out of turn.
        """
        messages, down = self.messages, self.down
        if messages.done:
            messages.accept(message)  # ignored, or a mistake
            return
        if down.broken:
            raise _gone()
        body = messages.accept(message)
        if self.messages.done:
            if body:
                down.feed(body, wake=False)
            down.end(wake=False)
            self.up.break_(_done)
            self._runtime.port.soon(down.wake)  # at the latest; this often is the app's last step, and it may yet raise
        elif body:
            down.feed(body)
            if down.full:
                await down.room()
        elif message["type"] == "http.response.body" and messages.silent:
            self._drop(message)
        elif messages.hints:
            down.nudge()

    def _drop(self, message: Message) -> None:
        """A HEAD is answered by its head; an endless body must end as well."""
        if not self._silenced:
            self.down.end()
            self.up.break_(_done)
            self._cancel_later()
        self._silenced += len(message.get("body", b"")) + 64
        if self._silenced > self._window:
            raise _gone()


def _same(error: BaseException) -> Any:
    return lambda: error

"""A time limit for the head of a response: an ASGI app that is late is cancelled, one that streams is left alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._bridge._ports import running_port

if TYPE_CHECKING:
    from ..types import ASGIApp, Message, Receive, Scope, Send


class HeadTimeout(TimeoutError):
    """No response head came in time.  For the router to see, so no exception that an adapter would answer itself."""


class HeadDeadline:
    """Wraps an ASGI app.

    Args:
        app: the app.
        seconds: from the call to `http.response.start`.
    """

    def __init__(self, app: ASGIApp, seconds: float) -> None:
        self.app = app
        self.seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the app.

        Raises:
            HeadTimeout: no head came in time.  A busy loop, or an app that ignores cancellation, cannot be stopped.
        """
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        try:
            async with running_port().timeout(self.seconds) as deadline:

                async def send_in_time(message: Message) -> None:
                    if message["type"] == "http.response.start" and not deadline.expired():
                        deadline.reschedule(None)
                    await send(message)

                await self.app(scope, receive, send_in_time)
        except TimeoutError as error:
            if not deadline.expired():
                raise
            raise HeadTimeout(f"no response head within {self.seconds} s") from error

    def __repr__(self) -> str:
        return f"HeadDeadline({self.app!r}, {self.seconds})"

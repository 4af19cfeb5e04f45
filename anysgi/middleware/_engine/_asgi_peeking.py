"""An HTTP exchange under ASGI whose layers see the head and the first piece of body together (`peek=True`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from ._asgi_exchange import PEEKING
from ._asgi_http import BODY, FILES, HttpExchange, nothing
from ._body import Body
from ._response import asgi_response

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from ...types import Message
    from ._asgi_http import Actions


class PeekingExchange(HttpExchange):
    """One that holds the head until there is a first piece; an event stream's never waits for one."""

    __slots__ = ()

    def _start(self, message: Message) -> Awaitable[None]:
        response = asgi_response(message)
        if response.headers.get("content-type", "").startswith("text/event-stream"):
            return super()._start(message)
        self.state, self.result = PEEKING, response
        return nothing()

    async def _peek(self, message: Message) -> None:
        """Let the layers see the head together with the first piece."""
        response = self._response
        is_file = message["type"] != BODY
        if is_file or message.get("more_body") or self.request.method == "HEAD":
            response._body = Body(is_file=is_file)
        else:
            response._body = Body((message.get("body", b""),))
        await self._settle_later(response, self.unwind())
        await self.send(message)

    async def _conclude(self) -> None:
        if self.state is PEEKING:  # a head without a body
            await self._settle_later(self._response, self.unwind())
        await super()._conclude()

    actions: ClassVar[Actions] = {
        **HttpExchange.actions,
        **dict.fromkeys([(PEEKING, kind) for kind in (BODY, *FILES)], _peek),
    }

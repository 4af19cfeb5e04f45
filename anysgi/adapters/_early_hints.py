"""`environ["wsgi.early_hints"]`, as gunicorn has it, on an ASGI server that offers `http.response.early_hint`.

Sources: RFC 8297; ASGI spec, the extension "Early Hints".
"""

from __future__ import annotations

import logging
from collections import deque
from contextvars import copy_context
from typing import TYPE_CHECKING

from .._core._asgi_messages import EARLY_HINT
from .._core._start_response import encode_headers

if TYPE_CHECKING:
    from .._bridge._port import Port, Task
    from ..types import Send

log = logging.getLogger("anysgi")

_MOST = 64  # hints that may wait for a slow client; further ones are of no use to it


class EarlyHints:
    """Called by the app, before its response, with headers; sends the links among them.

    Args:
        port: the loop.
        send: the server's.
    """

    __slots__ = ("_context", "_over", "_port", "_send", "_task", "_waiting")

    def __init__(self, port: Port, send: Send) -> None:
        self._port = port
        self._send = send
        self._context = copy_context()
        self._waiting: deque[list[bytes]] = deque()
        self._task: Task | None = None
        self._over = False  # the response has begun

    def __call__(self, headers: list[tuple[str, str]]) -> None:
        """Send hints, from any thread; does not wait, and does nothing once the response has begun.

        Args:
            headers: native strings, as for `start_response`; the extension takes those named `Link`, and no others.

        Raises:
            AppTypeError, AppValueError: as for `start_response`.
        """
        links = [value for name, value in encode_headers(headers) if name == b"link"]
        if links and len(self._waiting) < _MOST:
            self._waiting.append(links)
            self._port.post(self._begin)

    def _begin(self) -> None:
        if self._waiting and self._task is None and not self._over:
            self._task = self._port.spawn(self._send_ahead(), self._context.copy())

    async def _send_ahead(self) -> None:
        try:
            await self._flush()
        except Exception as error:
            log.debug("early hints were not sent", exc_info=error)
        finally:
            self._task = None

    async def _flush(self) -> None:
        while self._waiting:
            await self._send({"type": EARLY_HINT, "links": self._waiting.popleft()})

    async def sent(self) -> None:
        """Send what is left, and take no more: the response comes next."""
        self._over = True
        if self._task is not None:
            await self._port.join(self._task)
        await self._flush()

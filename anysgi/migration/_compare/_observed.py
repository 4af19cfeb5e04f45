"""An exchange that the router served, as its shadow saw it: what to ask again, and what the client got."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..._core._header_views import text_fields
from ..._core._paths import written_target
from ._exchanges import Answered, Asked

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...types import HeaderList
    from .._shadow import ShadowRequest


class Observed:
    """One exchange.

    Args:
        request: as the router shows it.
        max_body: bytes of a response that are kept; a larger one is not handed on.
        submit: takes it when it is over and whole.
    """

    __slots__ = ("_body", "_headers", "_room", "_scope", "_size", "_status", "_submit", "request")

    def __init__(self, request: ShadowRequest, max_body: int, submit: Callable[[Observed], None]) -> None:
        self.request = request
        self._scope = request.scope
        self._submit = submit
        self._room = max_body
        self._status = self._size = 0
        self._headers: HeaderList = []
        self._body: list[bytes] = []

    def request_body(self, chunk: bytes) -> None:
        """What a GET carries is not sent again."""

    def response_head(self, status: int, headers: HeaderList) -> None:
        self._status, self._headers = status, list(headers)

    def response_body(self, chunk: bytes) -> None:
        self._size += len(chunk)
        if self._size <= self._room:
            self._body.append(chunk)

    def end(self, error: BaseException | None) -> None:
        if error is None and self._size <= self._room:
            self._submit(self)

    def asked(self) -> Asked:
        """The request, to be sent again."""
        scope = self._scope
        return Asked(scope["method"], written_target(scope), tuple(text_fields(scope["headers"])))

    def answer(self) -> Answered:
        """What the client got."""
        return Answered(self._status, tuple(text_fields(self._headers)), b"".join(self._body))

"""What the session bridges share: a session that notes where it is used, and headers added to a response's head."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from typing import TYPE_CHECKING, Any

from ._usage import note_usage

if TYPE_CHECKING:
    from ..types import HeaderList, Message, Send

_OWN = ("_bridge", "_inner")


class WatchedSession(MutableMapping[str, Any]):
    """A framework's session, as `scope["session"]`: a mapping, with whatever else the framework's own has.

    Args:
        inner: Flask's or Django's session.
        bridge: the name it is counted under.
    """

    def __init__(self, inner: Any, bridge: str) -> None:
        self._inner = inner
        self._bridge = bridge

    def _used(self) -> Any:
        note_usage(self._bridge, "session")
        self._inner.accessed = True  # Django's notes it itself, Flask's leaves it to the context
        return self._inner

    def __getitem__(self, key: str) -> Any:
        return self._used()[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self._used()[key] = value

    def __delitem__(self, key: str) -> None:
        del self._used()[key]

    def __contains__(self, key: object) -> bool:
        return key in self._used()

    def __iter__(self) -> Iterator[str]:
        return iter(self._used().keys())

    def __len__(self) -> int:
        return len(self._used().keys())

    def clear(self) -> None:
        """Forget everything; the frameworks take note of it even where there was nothing."""
        self._used().clear()

    def __getattr__(self, name: str) -> Any:
        """`permanent`, `modified`, `flush()`, … are the framework's."""
        return getattr(self._used(), name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name in _OWN:
            super().__setattr__(name, value)
        else:
            setattr(self._used(), name, value)

    def __repr__(self) -> str:
        return f"WatchedSession({self._inner!r})"


_HEADS = frozenset(("http.response.start", "websocket.accept"))


def adding_headers(send: Send, headers: Callable[[int], Awaitable[HeaderList]]) -> Send:
    """Return a `send` that adds headers to the head.

    Args:
        send: the server's.
        headers: called with the status (101 for a WebSocket), when the head is sent.
    """

    async def send_with_headers(message: Message) -> None:
        if message["type"] in _HEADS:
            more = await headers(message.get("status", 101))
            if more:
                message = {**message, "headers": [*message.get("headers", ()), *more]}
        await send(message)

    return send_with_headers

"""Keys and values in this process, with the few verbs of a Redis client that the library uses.

For one process, and for tests: each server worker has its own.  `Dual(sync=redis.Redis(),
asynchronous=redis.asyncio.Redis())` takes its place where several must agree.
"""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


class Memory:
    """A bounded store; where it is full, the oldest entry makes room.

    Args:
        size: entries at most.
        room: bytes of their values at most.
    """

    __slots__ = ("_entries", "_free", "_lock", "_size")

    def __init__(self, size: int = 10_000, room: int = 67_108_864) -> None:
        self._size = size
        self._free = room
        self._entries: OrderedDict[str, tuple[float, bytes]] = OrderedDict()
        self._lock = Lock()

    def set(self, name: str, value: bytes, *, ex: int, nx: bool = False, get: bool = False) -> bytes | bool | None:
        """Keep `value` for `ex` seconds; with `nx` only if there is none yet; with `get` return the one there was."""
        now = monotonic()
        with self._lock:
            ends, present = self._entries.get(name, (0.0, None))
            old = present if ends > now else None
            if old is None or not nx:
                self._take(name)
                self._entries[name] = (now + ex, value)
                self._free -= len(value)
                self._make_room(now)
        return old if get else old is None or not nx

    def _make_room(self, now: float) -> None:
        while self._entries:
            oldest, (ends, _) = next(iter(self._entries.items()))
            if len(self._entries) <= self._size and self._free >= 0 and ends > now:
                return
            self._take(oldest)

    def _take(self, name: str) -> int:
        _, value = self._entries.pop(name, (0.0, None))
        self._free += len(value or b"")
        return int(value is not None)

    def delete(self, name: str) -> int:
        """Forget a key; the number of keys forgotten."""
        with self._lock:
            return self._take(name)


class AsyncMemory:
    """What is in memory in the shape of an async client: its methods are awaited, on any loop, and never wait.

    Args:
        memory: a `Memory`, or a counter of `limits` in memory.
    """

    __slots__ = ("_memory",)

    def __init__(self, memory: object) -> None:
        self._memory = memory

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        method = getattr(self._memory, name)

        async def awaited(*args: Any, **options: Any) -> Any:
            return method(*args, **options)

        return awaited

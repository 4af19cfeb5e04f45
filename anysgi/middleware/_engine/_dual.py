"""`Dual`: one API on two clients, and `Call`: one use of it, which a layer yields and a driver makes.

The only place where a layer meets I/O; what is called in which convention is data, checked when the stack is built.
"""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_TIDYING = 5.0  # seconds for the calls that follow a cancellation
_ASYNCIOS = ("redis.asyncio", "valkey.asyncio", "limits.aio")  # packages whose clients run on asyncio alone


class Dual:
    """Two clients with one API: `value = yield dual.method(args)` calls one or awaits the other, in place.

    Args:
        sync: an object whose methods block, or a function; used under WSGI.
        asynchronous: the same with methods to await; used under ASGI.  Where it is a client of redis, valkey or
            `limits`, which run on asyncio alone, trio gets the sync one, on a worker thread.

    A missing side is an error when a stack that holds the layer is put around an app of that convention.
    """

    __slots__ = ("asynchronous", "sync")

    def __init__(self, *, sync: object = None, asynchronous: object = None) -> None:
        self.sync = sync
        self.asynchronous = asynchronous

    def __getattr__(self, method: str) -> Callable[..., Call]:
        if method.startswith("__"):  # copy and pickle ask for what no client has
            raise AttributeError(method)

        def call(*args: Any, **kwargs: Any) -> Call:
            return Call(_method(self.sync, method), _method(self.asynchronous, method), args, kwargs)

        return call

    def __call__(self, *args: Any, **kwargs: Any) -> Call:
        return Call(self.sync, self.asynchronous, args, kwargs)

    def __repr__(self) -> str:
        return f"Dual(sync={self.sync!r}, asynchronous={self.asynchronous!r})"


def _method(side: object, name: str) -> Any:
    return None if side is None else getattr(side, name)


class Call:
    """One I/O call that a layer asked for.  A driver makes it; then its result is what the `yield` gives or raises."""

    __slots__ = ("_args", "_asynchronous", "_kwargs", "_sync", "error", "value")

    def __init__(self, sync: Any, asynchronous: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self._sync = sync
        self._asynchronous = asynchronous
        self._args = args
        self._kwargs = kwargs
        self.value: Any = None
        self.error: BaseException | None = None

    def __bool__(self) -> bool:
        """Refuse: `if not service.allows(token)` without a `yield` would let everybody in."""
        raise TypeError("a call of a Dual has no value yet; write `value = yield dual.method(...)`")

    def make(self) -> None:
        """Call the blocking side."""
        try:
            self.value = self._sync(*self._args, **self._kwargs)
        except BaseException as error:
            self.error = error

    async def amake(self) -> None:
        """Await the other side."""
        try:
            self.value = await self.awaited()
        except BaseException as error:
            self.error = error

    async def awaited(self) -> Any:
        """What the other side gives or raises."""
        if _on_trio() and self._sync is not None and _is_asyncios(self._asynchronous):
            from anyio import to_thread

            return await to_thread.run_sync(partial(self._sync, *self._args, **self._kwargs))
        return await self._asynchronous(*self._args, **self._kwargs)


async def amake_all(calls: Iterable[Call], error: BaseException | None) -> None:
    """Make calls, of which each comes when the one before it is made.

    Args:
        calls: what the layers ask for.
        error: why they do.  After a cancellation, be it this or that of a call, the calls are not cancelled along: a
            scope of anyio or trio would end each at once, and a lock that is to be given back would stay.
    """
    rest = iter(calls)
    while not _is_cancellation(error):
        call = next(rest, None)
        if call is None:
            return
        await call.amake()
        error = call.error
    from anyio import move_on_after

    with move_on_after(_TIDYING, shield=True):
        for call in rest:
            await call.amake()


def _is_cancellation(error: BaseException | None) -> bool:
    return error is not None and not isinstance(error, (Exception, GeneratorExit))


def _on_trio() -> bool:
    return "trio" in sys.modules and sys.modules["trio"].lowlevel.in_trio_task()


def _is_asyncios(method: object) -> bool:
    """Whether it is a method of a client that only asyncio can run, or of one that was derived from it."""
    return any(kind.__module__.startswith(_ASYNCIOS) for kind in type(getattr(method, "__self__", None)).__mro__)

"""How each adapter is built, and the two bare round trips they are held against.

A peer that cannot be imported gives no row; `anysgi` itself is such an optional row.  Options stay at their defaults,
except that everybody who can be told gets the same number of threads.
"""

from __future__ import annotations

import asyncio
import importlib
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Thread
from typing import Any

OURS = "anysgi"
THREADS = 40
EXECUTOR = "run_in_executor"
LOOP_HOP = "run_coroutine_threadsafe"


@dataclass(frozen=True)
class Adapter:
    """Where an adapter class lives and the options it is given; calling this builds one around an application."""

    module: str
    name: str
    options: dict[str, Any] = field(default_factory=dict)

    def load(self) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # starlette's and uvicorn's adapters warn that they are deprecated
            return getattr(importlib.import_module(self.module), self.name)

    def __call__(self, app: Any) -> Any:
        adapter = self.load()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return adapter(app, **self.options)

    def installed(self) -> bool:
        try:
            self.load()
        except (ImportError, AttributeError):
            return False
        return True


# uvicorn.middleware.wsgi.WSGIMiddleware silently is a2wsgi's where that is installed: the private class is uvicorn's.
WSGI_TO_ASGI: dict[str, Adapter] = {
    OURS: Adapter("anysgi", "WsgiToAsgi", {"threads": THREADS}),
    "a2wsgi": Adapter("a2wsgi", "WSGIMiddleware", {"workers": THREADS}),
    "asgiref": Adapter("asgiref.wsgi", "WsgiToAsgi"),
    "starlette": Adapter("starlette.middleware.wsgi", "WSGIMiddleware"),
    "uvicorn (old)": Adapter("uvicorn.middleware.wsgi", "_WSGIMiddleware", {"workers": THREADS}),
}
ASGI_TO_WSGI: dict[str, Adapter] = {
    OURS: Adapter("anysgi", "AsgiToWsgi"),
    "a2wsgi": Adapter("a2wsgi", "ASGIMiddleware"),
}


def installed(table: dict[str, Adapter]) -> list[str]:
    return [name for name, adapter in table.items() if adapter.installed()]


def build(table: dict[str, Adapter], app: Any) -> dict[str, Any]:
    """Every adapter of `table` that is installed here, around `app`."""
    return {name: table[name](app) for name in installed(table)}


def have_ours() -> bool:
    return WSGI_TO_ASGI[OURS].installed()


def executor_round_trip() -> Callable[[], Any]:
    """A coroutine function that runs nothing on a thread and waits for it: the floor of every naive adapter."""
    executor = ThreadPoolExecutor(max_workers=THREADS)

    async def round_trip() -> None:
        await asyncio.get_running_loop().run_in_executor(executor, _nothing)

    return round_trip


def loop_round_trip() -> Callable[[], None]:
    """The same the other way: a thread runs an empty coroutine on a loop of another thread and waits for it."""
    loop = asyncio.new_event_loop()
    Thread(target=loop.run_forever, daemon=True).start()

    def round_trip() -> None:
        asyncio.run_coroutine_threadsafe(_nothing_at_all(), loop).result()

    return round_trip


def _nothing() -> None:
    return None


async def _nothing_at_all() -> None:
    return None

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
from threading import Thread
from typing import Any

OURS = "anysgi"
THREADS = 40
EXECUTOR = "run_in_executor"
LOOP_HOP = "run_coroutine_threadsafe"


def _attribute(module: str, name: str) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # starlette's and uvicorn's adapters warn that they are deprecated
        return getattr(importlib.import_module(module), name)


def _quiet(factory: Callable[..., Any], *args: Any, **options: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return factory(*args, **options)


def _adapter(module: str, name: str, **options: Any) -> Callable[[Any], Any]:
    return lambda app: _quiet(_attribute(module, name), app, **options)


# uvicorn.middleware.wsgi.WSGIMiddleware silently is a2wsgi's where that is installed: the private class is uvicorn's.
WSGI_TO_ASGI: dict[str, Callable[[Any], Any]] = {
    OURS: _adapter("anysgi", "WsgiToAsgi", threads=THREADS),
    "a2wsgi": _adapter("a2wsgi", "WSGIMiddleware", workers=THREADS),
    "asgiref": _adapter("asgiref.wsgi", "WsgiToAsgi"),
    "starlette": _adapter("starlette.middleware.wsgi", "WSGIMiddleware"),
    "uvicorn (old)": _adapter("uvicorn.middleware.wsgi", "_WSGIMiddleware", workers=THREADS),
}
ASGI_TO_WSGI: dict[str, Callable[[Any], Any]] = {
    OURS: _adapter("anysgi", "AsgiToWsgi"),
    "a2wsgi": _adapter("a2wsgi", "ASGIMiddleware"),
}


def build(table: dict[str, Callable[[Any], Any]], app: Any) -> dict[str, Any]:
    """Every adapter of `table` that is installed here, around `app`."""
    built = {}
    for name, factory in table.items():
        try:
            built[name] = factory(app)
        except (ImportError, AttributeError):
            continue
    return built


def have_ours() -> bool:
    try:
        _attribute("anysgi", "WsgiToAsgi")
    except (ImportError, AttributeError):
        return False
    return True


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

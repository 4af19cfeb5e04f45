"""Apps that do not end, and one way or another to run them: a process of its own, for `test_stubborn_apps.py`.

python -m tests.testing._stubborn APP WAY BACKEND THREAD
"""

from __future__ import annotations

import asyncio
import functools
import sqlite3
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import anyio
import anyio.to_thread
import httpx2

from anysgi.exceptions import AnysgiError
from anysgi.testing import ASGITransport, LifespanManager, TestClient, arun, run

BOUND = 0.3
kept: list[Any] = []
endless = threading.Event().wait


def say(*words: object) -> None:
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


def blocks(call: Callable[[], object]) -> Any:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await begin(scope, receive, send)
        call()

    return app


async def begin(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        await receive()
    else:
        await send({"type": "http.response.start", "status": 200, "headers": []})


async def complete(scope: Any, receive: Any, send: Any) -> None:
    await begin(scope, receive, send)
    if scope["type"] == "lifespan":
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
    else:
        await send({"type": "http.response.body", "body": b"x"})


def sleeps() -> None:
    time.sleep(3600)


def spins() -> None:
    while True:
        pass


def catches() -> None:
    while True:
        try:
            time.sleep(3600)
        except BaseException:
            say("caught")


def catches_spinning() -> None:
    while True:
        try:
            spins()
        except BaseException:
            say("caught")


def queries() -> None:
    numbers = "with recursive n(x) as (select 1 union all select x + 1 from n) select count(*) from n"
    sqlite3.connect(":memory:").execute(numbers).fetchall()


def waits_for_itself() -> None:
    asyncio.run_coroutine_threadsafe(asyncio.sleep(0), asyncio.get_running_loop()).result()


async def swallows() -> None:
    while True:
        try:
            await anyio.sleep(3600)
        except BaseException:
            pass


async def child_blocks(scope: Any, receive: Any, send: Any) -> None:
    async def child() -> None:
        time.sleep(3600)

    await begin(scope, receive, send)
    async with anyio.create_task_group() as group:
        group.start_soon(child)


async def callback_blocks(scope: Any, receive: Any, send: Any) -> None:
    await begin(scope, receive, send)
    asyncio.get_running_loop().call_soon(time.sleep, 3600)
    await asyncio.sleep(3600)


async def nursery(scope: Any, receive: Any, send: Any) -> None:
    await begin(scope, receive, send)
    async with anyio.create_task_group() as group:
        group.start_soon(anyio.sleep, 3600)
        await swallows()


async def child_swallows(scope: Any, receive: Any, send: Any) -> None:
    await begin(scope, receive, send)
    async with anyio.create_task_group() as group:
        group.start_soon(swallows)


async def waits_for_a_thread(scope: Any, receive: Any, send: Any) -> None:
    await begin(scope, receive, send)
    await anyio.to_thread.run_sync(endless)


async def waits_for_a_job(scope: Any, receive: Any, send: Any) -> None:
    await begin(scope, receive, send)
    await asyncio.to_thread(endless)


async def leaves_a_task(scope: Any, receive: Any, send: Any) -> None:
    await complete(scope, receive, send)
    kept.append(asyncio.create_task(swallows()))
    await asyncio.sleep(0)


async def leaves_jobs(scope: Any, receive: Any, send: Any) -> None:
    await complete(scope, receive, send)
    kept.append(asyncio.get_running_loop().run_in_executor(None, endless))
    kept.append(asyncio.create_task(asyncio.to_thread(endless)))
    await asyncio.sleep(0)


async def leaves_a_generator(scope: Any, receive: Any, send: Any) -> None:
    async def waits_at_its_end() -> Any:
        try:
            yield 1
        finally:
            await asyncio.sleep(3600)

    await complete(scope, receive, send)
    kept.append(waits_at_its_end())
    await anext(kept[-1])


async def blocks_later(scope: Any, receive: Any, send: Any) -> None:
    await begin(scope, receive, send)
    await send({"type": "http.response.body", "body": b"x", "more_body": True})
    await anyio.sleep(0.01)
    time.sleep(3600)


def wsgi_sleeps(environ: Any, start_response: Any) -> Any:
    start_response("200 OK", [])
    time.sleep(3600)


def wsgi_leaves_a_thread(environ: Any, start_response: Any) -> Any:
    threading.Thread(target=endless).start()
    start_response("200 OK", [])
    return [b"x"]


APPS: dict[str, Any] = {
    **{call.__name__: blocks(call) for call in (sleeps, spins, catches, catches_spinning, queries, waits_for_itself)},
    **{
        name: app
        for name, app in globals().items()
        if name.startswith(("child", "callback", "nursery", "waits_for_a_"))
    },
    **{name: app for name, app in globals().items() if name.startswith(("leaves", "wsgi", "blocks_"))},
}


async def on_a_loop(app: Any, way: str) -> None:
    if way == "arun":
        say((await arun(app, bound=BOUND, convention="asgi")).leaks)
    elif way == "lifespan":
        async with LifespanManager(app, BOUND):
            pass
    else:
        transport = ASGITransport(app, lifespan="off")
        async with (
            httpx2.AsyncClient(transport=transport, base_url="http://t", timeout=BOUND) as client,
            client.stream("GET", "/") as response,
        ):
            if way == "away":
                await anyio.sleep(3 * BOUND)
                say("awake")
            await response.aread()


def work(app: Any, way: str, backend: Any) -> None:
    try:
        if way == "client":
            with TestClient(app, backend=backend, timeout=BOUND, lifespan="off") as client:
                client.get("/")
        elif way == "inline":
            say(run(app, bound=BOUND, inline=True).leaks)
        else:
            anyio.run(on_a_loop, app, way, backend=backend)
    except (AnysgiError, httpx2.TimeoutException) as error:
        say(type(error).__name__, error)
    say("ended")


if __name__ == "__main__":
    name, way, backend, where = sys.argv[1:]
    job = functools.partial(work, APPS[name], way, backend)
    if where == "main":
        job()
    else:
        thread = threading.Thread(target=job)
        thread.start()
        thread.join()

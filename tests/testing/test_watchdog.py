"""The thread that looks at apps on a loop that is not ours."""

from __future__ import annotations

import asyncio
import gc
import weakref
from typing import Any

from anysgi.testing import Scenario, _watchdog, arun


class Left:
    """What an app leaves to the collector."""


def test_a_look_in_passing_keeps_nothing_of_an_app() -> None:
    found: list[weakref.ref[Left]] = []

    async def fails() -> None:
        left = Left()
        found.append(weakref.ref(left))
        _watchdog._look()  # as the thread does, whenever it comes to it
        raise LookupError("with a traceback, which has all of this")

    async def app(scope: Any, receive: Any, send: Any) -> None:
        [task], _ = await asyncio.wait([asyncio.create_task(fails())])
        assert isinstance(task.exception(), LookupError)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body"})

    asyncio.run(arun(app, Scenario()))
    gc.collect()
    assert found[0]() is None

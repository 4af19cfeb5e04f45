"""AsgiToWsgi and context variables: a copy goes in, what the app set comes back on request, requests share nothing."""

from __future__ import annotations

from contextvars import ContextVar, copy_context
from typing import Any

import pytest

from anysgi import AsgiToWsgi

from ._calling import body, fetch, head

outer: ContextVar[str] = ContextVar("outer", default="default")
inner: ContextVar[str] = ContextVar("inner", default="default")


async def app(scope: Any, receive: Any, send: Any) -> None:
    seen = f"{outer.get()} {inner.get()}"
    inner.set(scope["path"])
    await send(head())
    await send(body(seen.encode()))
    if scope["path"] == "/fail":
        raise LookupError


@pytest.mark.parametrize("propagate", [False, True])
def test_the_callers_variables_go_in_and_come_back_only_on_request(propagate: bool) -> None:
    adapter = AsgiToWsgi(app, lifespan="off", propagate_context=propagate)

    def request() -> tuple[bytes, str, str]:
        outer.set("caller")
        content = fetch(adapter, path="/x").body
        return content, outer.get(), inner.get()

    assert copy_context().run(request) == (b"caller default", "caller", "/x" if propagate else "default")
    assert (outer.get(), inner.get()) == ("default", "default")


@pytest.mark.parametrize("propagate", [False, True])
def test_the_next_request_sees_none_of_it(propagate: bool) -> None:
    adapter = AsgiToWsgi(app, lifespan="off", propagate_context=propagate)
    bodies = [copy_context().run(lambda: fetch(adapter).body) for _ in range(3)]
    assert bodies == [b"default default"] * 3


def test_they_come_back_from_an_app_that_failed_as_well() -> None:
    def request() -> str:
        async def failing(scope: Any, receive: Any, send: Any) -> None:
            inner.set("set before it failed")
            raise LookupError

        with pytest.raises(LookupError):
            fetch(AsgiToWsgi(failing, lifespan="off", propagate_context=True, raise_app_errors=True))
        return inner.get()

    assert copy_context().run(request) == "set before it failed"

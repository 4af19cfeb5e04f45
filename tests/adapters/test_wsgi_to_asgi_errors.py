"""WsgiToAsgi, what the app raises: the server sees it, the loop and the pool survive it."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import pytest

from anysgi import WsgiToAsgi
from anysgi.exceptions import AppProtocolError
from anysgi.testing import arun

from ._driving import comes_true, serve, wsgi_app


def raising(error: BaseException, *, after: list[bytes] | None = None) -> Any:
    def app(environ: Any, start_response: Any) -> Any:
        if after is None:
            raise error
        start_response("200 OK", [])
        return stream()

    def stream() -> Any:
        yield from after or []
        raise error

    return app


@pytest.mark.anyio
@pytest.mark.parametrize("after", [None, []], ids=["in the call", "in the first step"])
async def test_before_the_head_the_server_gets_the_exception_and_the_client_nothing(after: Any) -> None:
    failure = LookupError("no such thing")
    found = await arun(WsgiToAsgi(raising(failure, after=after)))
    assert found.exception is failure
    assert found.messages == []


@pytest.mark.anyio
async def test_after_the_head_the_response_is_cut_and_never_ends_cleanly() -> None:
    found = await arun(WsgiToAsgi(raising(LookupError(), after=[b"1"])))
    assert isinstance(found.exception, LookupError)
    assert (found.body, found.complete) == (b"1", False)


@pytest.mark.anyio
@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt(), GeneratorExit()], ids=repr)
@pytest.mark.parametrize("after", [None, [b"1"]], ids=["before", "after"])
async def test_what_would_end_the_server_is_contained_and_the_pool_goes_on(error: Any, after: Any) -> None:
    adapter = WsgiToAsgi(
        lambda environ, start: (raising(error, after=after) if environ["PATH_INFO"] == "/" else wsgi_app(b"fine"))(
            environ, start
        ),
        threads=1,
    )
    with pytest.raises(AppProtocolError, match=type(error).__name__) as caught:
        await serve(adapter)
    assert caught.value.__cause__ is error
    assert (await serve(adapter, path="/next")).body == b"fine"
    assert adapter.pool.stats().threads == 1


@pytest.mark.anyio
async def test_an_error_and_its_frames_are_not_kept_alive() -> None:
    class Big:
        pass

    kept: list[weakref.ref[Big]] = []

    def app(environ: Any, start_response: Any) -> Any:
        big = Big()
        kept.append(weakref.ref(big))
        raise LookupError(repr(big))

    adapter = WsgiToAsgi(app)
    with pytest.raises(LookupError):
        await serve(adapter)

    def freed() -> bool:
        gc.collect()
        return kept[0]() is None

    await comes_true(freed)  # the thread may not have left its `except` yet


@pytest.mark.anyio
async def test_a_request_leaves_nothing_alive_on_an_idle_thread() -> None:
    class Big:
        pass

    adapter = WsgiToAsgi(wsgi_app(b"x"))
    big = Big()
    kept = weakref.ref(big)
    await serve(adapter, state={"big": big})
    adapter.app.environ = None  # type: ignore[attr-defined]
    del big
    await comes_true(lambda: gc.collect() >= 0 and kept() is None)  # once the thread has come to rest

"""Defects that adapters and middleware have beside the 32: each is found, and named by what differs."""

from __future__ import annotations

import asyncio
import contextvars
import io
import logging
import threading
from typing import Any

import pytest

from anysgi.testing import CheckResult, check_middleware
from anysgi.testing._conformance import _w2a_request
from anysgi.testing._conformance._asgi_to_wsgi import ASGI_TO_WSGI
from anysgi.testing._conformance._check import Check
from anysgi.testing._conformance._wsgi_to_asgi import WSGI_TO_ASGI

from . import _seeded as seeded


@pytest.fixture(autouse=True)
def _quiet() -> Any:
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def tried(name: str, make: Any, checks: Any = WSGI_TO_ASGI) -> CheckResult:
    [check] = [check for check in checks if check.name == name]
    assert isinstance(check, Check)
    return check.try_on(make)


class ReadsNoNone:
    def __init__(self, body: Any) -> None:
        self.body = body

    def __getattr__(self, name: str) -> Any:
        return getattr(self.body, name)

    def __iter__(self) -> Any:
        return iter(self.body)

    def read(self, size: int = -1) -> Any:
        return self.body.read(size + 0)


def test_an_input_whose_read_takes_no_none_is_no_file() -> None:
    def spoil(environ: dict[str, Any]) -> None:
        environ["wsgi.input"] = ReadsNoNone(environ["wsgi.input"])

    result = tried("the_body_reads_like_a_file", seeded.wsgi_to_asgi(seeded.environ_spoiled(spoil)))
    assert not result.passed
    assert result.detail.startswith(r"read(None) of b'one\ntwo\n\nthree' raises TypeError(")


def of_a_client_that_left(raises: Exception) -> CheckResult:
    """Try an adapter that raises this when its client left amid an upload."""

    def around(adapter: Any) -> Any:
        async def outer(scope: Any, receive: Any, send: Any) -> None:
            async def only_requests() -> Any:
                message = await receive()
                if message["type"] != "http.request":
                    raise raises
                return message

            await adapter(scope, only_requests, send)

        return outer

    return tried("a_client_that_leaves_amid_an_upload_is_no_error", seeded.wsgi_to_asgi(around_adapter=around))


def test_a_client_that_leaves_amid_an_upload_may_not_end_in_an_error_of_the_adapter() -> None:
    result = of_a_client_that_left(ValueError("a non-HTTP-request message"))
    assert not result.passed
    assert "ValueError" in result.detail


def test_an_adapter_that_raises_the_servers_own_oserror_is_fine() -> None:
    assert of_a_client_that_left(ConnectionResetError("the client left")).passed


def test_a_scope_that_was_changed_is_told_by_what_changed() -> None:
    def changes(adapter: Any) -> Any:
        async def outer(scope: Any, receive: Any, send: Any) -> None:
            scope["path"] = "/elsewhere"
            scope["added"] = 1
            await adapter(scope, receive, send)

        return outer

    result = tried("the_scope_is_left_as_it_was", seeded.wsgi_to_asgi(around_adapter=changes))
    assert result.detail == "the scope's 'added' is 1, and was not there; its 'path' is '/elsewhere', and was '/'"


def in_one_context(app: Any) -> Any:
    """Around a WSGI app: each request runs in the context of the first."""
    kept: list[contextvars.Context] = []

    def outer(environ: Any, start_response: Any) -> Any:
        kept.append(contextvars.copy_context())
        return list(kept[0].run(app, environ, start_response))

    return outer


def test_an_adapter_that_keeps_one_context_is_found() -> None:
    result = tried("context_variables_of_a_request_stay_in_it", seeded.wsgi_to_asgi(in_one_context))
    assert result.detail == "what the second request sees of the first is b'mine', not b'nobody'"


def test_an_adapter_whose_app_reads_on_after_the_request_was_cancelled_is_found(monkeypatch: Any) -> None:
    monkeypatch.setattr(_w2a_request, "BOUND", 0.5)

    class Deaf(seeded.EndsWhereItBreaks):
        """Once the upload broke off, whoever reads waits."""

        def broken(self) -> bytes:
            over.wait(10)
            return b""

    over = threading.Event()

    def spoil(environ: dict[str, Any]) -> None:
        environ["wsgi.input"] = io.BufferedReader(Deaf(environ["wsgi.input"]))

    result = tried("a_cancelled_upload_ends_for_the_app", seeded.wsgi_to_asgi(seeded.environ_spoiled(spoil)))
    over.set()
    assert result.detail == "the app still reads"


def test_an_adapter_to_wsgi_that_runs_apps_in_a_context_of_its_own_is_found() -> None:
    def elsewhere(app: Any) -> Any:
        async def outer(scope: Any, receive: Any, send: Any) -> None:
            await asyncio.create_task(app(scope, receive, send), context=contextvars.Context())

        return outer

    make = seeded.asgi_to_wsgi(elsewhere)
    assert tried("context_variables_of_the_server_reach_the_app", make, ASGI_TO_WSGI).detail.startswith("the variable")


def test_an_adapter_to_wsgi_that_keeps_one_context_is_found() -> None:
    kept: list[contextvars.Context] = []

    def together(app: Any) -> Any:
        async def outer(scope: Any, receive: Any, send: Any) -> None:
            kept.append(contextvars.copy_context())
            await asyncio.create_task(app(scope, receive, send), context=kept[0])

        return outer

    make = seeded.asgi_to_wsgi(together)
    result = tried("context_variables_of_a_request_stay_in_it", make, ASGI_TO_WSGI)
    assert result.detail == "what the second request sees of the first is b'mine', not b'nobody'"


# Middleware


class TakesExtensionsAway:
    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        scope.get("extensions", {}).clear()
        await self.app(scope, receive, send)


def failures(layer: Any, convention: Any) -> dict[str, str]:
    return {result.name: result.detail for result in check_middleware(layer, conventions=[convention]).failures}


def test_a_middleware_that_changes_what_is_inside_of_the_scope_is_found() -> None:
    found = failures(TakesExtensionsAway, "asgi")
    assert [*found] == ["asgi_does_not_change_the_scope_it_was_given"]
    assert found["asgi_does_not_change_the_scope_it_was_given"].startswith("the scope's 'extensions' is {}, and was {")


def test_a_middleware_that_keeps_one_environ_for_all_requests_is_found() -> None:
    def shared(app: Any) -> Any:
        kept: dict[str, Any] = {}

        def layer(environ: Any, start_response: Any) -> Any:
            kept.update(environ)
            return app(kept, start_response)

        return layer

    assert [*failures(shared, "wsgi")] == ["wsgi_keeps_requests_apart"]


def test_a_middleware_that_keeps_one_list_of_headers_for_all_requests_is_found() -> None:
    class Shared:
        def __init__(self, app: Any) -> None:
            self.app = app
            self.headers: list[Any] = []

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            self.headers.extend(scope.get("headers", ()))
            await self.app({**scope, "headers": self.headers}, receive, send)

    assert [*failures(Shared, "asgi")] == ["asgi_keeps_requests_apart"]


@pytest.mark.parametrize("convention", ["wsgi", "asgi"])
def test_a_middleware_of_one_convention_that_does_nothing_passes(convention: str) -> None:
    def wsgi(app: Any) -> Any:
        return lambda environ, start_response: app(environ, start_response)

    def asgi(app: Any) -> Any:
        async def layer(scope: Any, receive: Any, send: Any) -> None:
            await app(dict(scope), receive, send)

        return layer

    assert failures({"wsgi": wsgi, "asgi": asgi}[convention], convention) == {}


def test_what_two_requests_got_is_said_in_order() -> None:
    result = tried("requests_run_at_the_same_time", seeded.wsgi_to_asgi(threads=1))
    assert result.detail == "what the two requests got is [b'', b''], not [b'met', b'met']"

"""Defects that adapters and middleware have beside the 32: each is found, and named by what differs."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from anysgi.testing import CheckResult, check_middleware
from anysgi.testing._conformance._check import Check
from anysgi.testing._conformance._wsgi_to_asgi import WSGI_TO_ASGI

from . import _seeded as seeded


@pytest.fixture(autouse=True)
def _quiet() -> Any:
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def tried(name: str, make: Any) -> CheckResult:
    [check] = [check for check in WSGI_TO_ASGI if check.name == name]
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


def test_a_client_that_leaves_amid_an_upload_may_not_end_in_an_error_of_the_adapter() -> None:
    def refuses(adapter: Any) -> Any:
        async def outer(scope: Any, receive: Any, send: Any) -> None:
            async def only_requests() -> Any:
                message = await receive()
                if message["type"] != "http.request":
                    raise ValueError("a non-HTTP-request message")
                return message

            await adapter(scope, only_requests, send)

        return outer

    result = tried("a_client_that_leaves_amid_an_upload_is_no_error", seeded.wsgi_to_asgi(around_adapter=refuses))
    assert not result.passed
    assert "ValueError" in result.detail


def test_an_adapter_that_raises_the_servers_own_oserror_is_fine() -> None:
    def passes_it_on(adapter: Any) -> Any:
        async def outer(scope: Any, receive: Any, send: Any) -> None:
            async def only_requests() -> Any:
                message = await receive()
                if message["type"] != "http.request":
                    raise ConnectionResetError("the client left")
                return message

            await adapter(scope, only_requests, send)

        return outer

    name = "a_client_that_leaves_amid_an_upload_is_no_error"
    assert tried(name, seeded.wsgi_to_asgi(around_adapter=passes_it_on)).passed


def test_a_scope_that_was_changed_is_told_by_what_changed() -> None:
    def changes(adapter: Any) -> Any:
        async def outer(scope: Any, receive: Any, send: Any) -> None:
            scope["path"] = "/elsewhere"
            scope["added"] = 1
            await adapter(scope, receive, send)

        return outer

    result = tried("the_scope_is_left_as_it_was", seeded.wsgi_to_asgi(around_adapter=changes))
    assert result.detail == "the scope's 'added' is 1, and was not there; its 'path' is '/elsewhere', and was '/'"


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

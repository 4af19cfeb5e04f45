"""A stack as one entry of Django's MIDDLEWARE: sync and async, streams of both kinds, files keep their sendfile."""

from __future__ import annotations

import asyncio
import gzip
import io
import sys
from collections.abc import AsyncIterator, Iterator
from contextvars import ContextVar
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from django.http import FileResponse, HttpResponse, StreamingHttpResponse
from django.test.utils import override_settings
from django.urls import path

from anysgi.exceptions import StackError
from anysgi.middleware import (
    Dual,
    Flow,
    Outcome,
    Request,
    Response,
    Stack,
    access_log,
    decompress,
    https_redirect,
    middleware,
    request_id,
    tracing,
)

from ._django import set_up_django
from ._driving import Answer, Ask, Drive

tenant: ContextVar[str] = ContextVar("tenant", default="nobody")


def hello(request: Any) -> HttpResponse:
    response = HttpResponse(f"{request.method} {request.path_info} {request.headers.get('X-One')} {tenant.get()}")
    response["Vary"] = "Cookie"
    response.set_cookie("a", "1")
    return response


def echo(request: Any) -> HttpResponse:
    return HttpResponse(request.read())


def form(request: Any) -> HttpResponse:
    return HttpResponse(request.POST.urlencode())


def boom(request: Any) -> HttpResponse:
    raise LookupError("oh")


def stream(request: Any) -> StreamingHttpResponse:
    def chunks() -> Iterator[bytes]:
        yield b"a"
        yield b""
        if "fail" in request.GET:
            raise LookupError("late")
        yield tenant.get().encode()

    async def achunks() -> AsyncIterator[bytes]:
        for chunk in chunks():
            yield chunk

    return StreamingHttpResponse(achunks() if "async" in request.GET else chunks())


def file(request: Any) -> FileResponse:
    return FileResponse(Path(__file__).open("rb"), content_type="text/plain")


urlpatterns = [path(view.__name__, view) for view in (hello, echo, form, boom, stream, file)]
urlpatterns.append(path("admin/hello", hello))

log: list[Any] = []


class Shout:
    def feed(self, data: bytes) -> bytes:
        return data.upper()

    def flush(self) -> bytes:
        return b""

    def finish(self) -> bytes:
        return b"!"


class Asynchronous:
    async def get(self) -> str:
        return "async"


@middleware
def everything(request: Request, *, store: Dual) -> Flow:
    """Answers, changes, transforms and observes, as the path says."""
    log.clear()
    if request.headers.get("x-answer"):
        return Response(403, "no\n", {"x-a": "b", "set-cookie": "c=2"})
    request.headers.set("x-one", (yield store.get()))
    request.bind(tenant, "acme")
    if request.path == "/old":
        request.path = "/hello"
    if request.path == "/echo":
        request.body.observe(log.append)
    if request.path == "/echo" and request.query != "only":
        request.body.transform(Shout())
        request.body.measure()
    try:
        response: Response = yield request
    except LookupError:
        log.append("raised")
        return Response(500, "caught")
    response.headers.set("x-late", (yield store.get()))
    response.headers.vary("Accept")
    response.headers.add("Set-Cookie", "b=2; Path=/")
    if "shout" in request.query:
        response.body.transform(Shout())
    if "seen" in request.query:
        response.status = 304
    outcome: Outcome = yield response
    log.append((outcome.kind, outcome.bytes_sent, outcome.bytes_received))
    return None


@pytest.fixture(scope="module", autouse=True)
def _settings() -> Iterator[None]:
    set_up_django()
    project = ModuleType("project_http")
    vars(project).update(
        stack=Stack(everything(store=Dual(sync=SimpleNamespace(get=lambda: "sync"), asynchronous=Asynchronous()))),
        ids=Stack(request_id()),
        unzip=decompress(),
        one_sided=Stack(everything(store=Dual())),
        wrong=request_id,
    )
    sys.modules["project_http"] = project
    with override_settings(
        ALLOWED_HOSTS=["*"],
        ROOT_URLCONF=__name__,
        DEBUG=False,
        DEBUG_PROPAGATE_EXCEPTIONS=False,
        MIDDLEWARE=["anysgi.django.stack"],
        ANYSGI={"STACK": "project_http.stack"},
    ):
        yield
    del sys.modules["project_http"]


def handler(drive: Drive) -> Any:
    from django.core.handlers.asgi import ASGIHandler
    from django.core.handlers.wsgi import WSGIHandler

    return WSGIHandler() if drive.convention == "wsgi" else ASGIHandler()


def ask(drive: Drive, path: str, query: str = "", **more: Any) -> Answer:
    headers = [*more.pop("headers", {}).items()]
    return drive.serve(handler(drive), Ask(path=path, query=query, headers=headers, **more))


def test_requests_and_responses_are_changed_and_io_is_native(drive: Drive) -> None:
    answer = ask(drive, "/hello")
    colour = {"wsgi": "sync", "asgi": "async"}[drive.convention]
    assert (answer.status, answer.text, answer.error) == (200, f"GET /hello {colour} acme", None)
    assert answer.header("vary") == "Cookie, Accept"
    assert answer.header("x-late") == colour
    assert [cookie.strip().split(";")[0] for cookie in answer.getlist("set-cookie")] == ["a=1", "b=2"]
    assert log == [("complete", len(answer.body), None)]
    assert tenant.get() == "nobody"


def test_a_path_can_be_rewritten_before_routing(drive: Drive) -> None:
    assert ask(drive, "/old").text.startswith("GET /hello ")


def test_a_layer_answers_instead(drive: Drive) -> None:
    answer = ask(drive, "/hello", headers={"X-Answer": "1"})
    assert (answer.status, answer.text) == (403, "no\n")
    assert (answer.header("x-a"), answer.header("content-length")) == ("b", "3")
    assert answer.header("content-type") == "text/plain; charset=utf-8"
    assert (answer.header("set-cookie") or "").strip() == "c=2"


def test_a_body_is_transformed_with_a_true_length(drive: Drive) -> None:
    answer = ask(drive, "/hello", "shout")
    assert answer.text.startswith("GET /HELLO ")
    assert answer.text.endswith("!")
    assert answer.header("content-length") == str(len(answer.body))


def test_a_request_body_is_transformed(drive: Drive) -> None:
    assert ask(drive, "/echo", method="POST", body=b"hello").body == b"HELLO!"
    assert log[-1][2] == 5
    assert ask(drive, "/echo", "only", method="POST", body=b"hello").body == b"hello"
    assert log[0] == b"hello"


def test_a_compressed_form_is_read_by_django_inside_and_outside(drive: Drive) -> None:
    wire, fields = gzip.compress(b"a=1&b=2"), [("Content-Type", "application/x-www-form-urlencoded")]
    sent = Ask("POST", "/form", headers=[*fields, ("Content-Encoding", "gzip")], body=wire)
    with override_settings(ANYSGI={"STACK": "project_http.unzip"}):
        assert drive.serve(handler(drive), sent).text == "a=1&b=2"
        broken = Ask("POST", "/form", headers=[*fields, ("Content-Encoding", "gzip")], body=wire[:-4])
        assert drive.serve(handler(drive), broken).status == 400
    with override_settings(MIDDLEWARE=[]):
        assert drive.serve(decompress(handler(drive)), sent).text == "a=1&b=2"


def test_exceptions_are_pages_by_then(drive: Drive) -> None:
    answer = ask(drive, "/boom")
    assert answer.status == 500
    assert log[0][0] == "complete"


def test_missing_pages_pass_the_stack(drive: Drive) -> None:
    assert ask(drive, "/nowhere").header("vary") == "Accept"


@pytest.mark.parametrize("kind", ["", "async"])
def test_a_stream_is_watched_to_its_end_whatever_its_kind(drive: Drive, kind: str) -> None:
    if (drive.convention == "wsgi") == bool(kind):
        pytest.skip("Django itself collects a stream of the other kind, with a warning")
    answer = ask(drive, "/stream", f"{kind}&shout")
    assert (answer.body, answer.complete) == (b"AACME!", True)
    assert answer.header("content-length") is None
    assert log == [("complete", 6, None)]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # Django leaves the spooled body open
def test_a_stream_that_fails_is_an_error(drive: Drive) -> None:
    kind = "async" if drive.convention == "asgi" else ""
    answer = ask(drive, "/stream", f"{kind}&fail")
    assert (answer.body, answer.complete) == (b"a", False)
    assert log == [("error", 1, None)]


def test_a_stream_the_client_leaves_is_aborted() -> None:
    drive = Drive("wsgi")
    drive.serve(handler(drive), Ask(path="/stream"), leaves_after=1)
    assert log == [("aborted", 5, None)]  # the server finds out with the second piece, which counts as handed over


def test_a_file_nobody_changes_keeps_its_sendfile() -> None:
    drive, offered = Drive("wsgi"), []

    class Wrapper:
        def __init__(self, filelike: Any, size: int = 0) -> None:
            self.filelike, self.close = filelike, filelike.close
            offered.append(filelike)

        def __iter__(self) -> Any:
            return iter(lambda: self.filelike.read(65536), b"")

    answer = drive.serve(handler(drive), Ask(path="/file", native={"wsgi.file_wrapper": Wrapper}))
    assert isinstance(answer.raw, Wrapper)
    assert answer.body == Path(__file__).read_bytes()
    assert offered[0].closed
    assert log == [("complete", len(answer.body), None)]


def test_a_file_that_is_changed_flows_through(drive: Drive) -> None:
    if drive.convention == "asgi":
        pytest.skip("Django sends files with a warning under ASGI")
    answer = ask(drive, "/file", "shout")
    assert answer.body == Path(__file__).read_bytes().upper() + b"!"


@pytest.mark.parametrize("path", ["/hello", "/stream"])
def test_a_status_without_a_body_leaves_it_out(drive: Drive, path: str) -> None:
    answer = ask(drive, path, "seen" if path == "/hello" or drive.convention == "wsgi" else "async&seen")
    assert (answer.status, answer.body) == (304, b"")


def test_head(drive: Drive) -> None:
    assert ask(drive, "/hello", method="HEAD").body == b""


def test_a_stack_that_only_looks_at_heads_leaves_streams_alone(drive: Drive) -> None:
    kind = "async" if drive.convention == "asgi" else ""
    with override_settings(ANYSGI={"STACK": "project_http.ids"}):
        assert ask(drive, "/stream", kind).body == b"anobody"


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({}, "has no"),
        ({"STACK": "project_http.wrong"}, "not a Stack"),
        ({"STACK": "project_http.one_sided"}, "cannot run under"),
    ],
)
def test_a_setting_that_cannot_work_is_an_error_at_the_start(drive: Drive, setting: Any, message: str) -> None:
    with override_settings(ANYSGI=setting), pytest.raises(StackError, match=message):
        handler(drive)


def sync_only(get_response: Any) -> Any:
    def middleware(request: Any) -> Any:
        response = get_response(request)
        response["X-Sync"] = "1"
        return response

    return middleware


vars(sync_only).update(sync_capable=True, async_capable=False)


def async_only(get_response: Any) -> Any:
    async def middleware(request: Any) -> Any:
        response = await get_response(request)
        response["X-Async"] = "1"
        return response

    return middleware


vars(async_only).update(sync_capable=False, async_capable=True)
OURS, OTHERS = "anysgi.django.stack", [f"{__name__}.sync_only", f"{__name__}.async_only"]


@pytest.mark.parametrize("chain", [[OURS, *OTHERS], [OTHERS[0], OURS, OTHERS[1]], [*OTHERS, OURS], [OTHERS[1], OURS]])
def test_it_stands_in_a_mixed_chain_as_its_neighbours_want_it(drive: Drive, chain: list[str]) -> None:
    with override_settings(MIDDLEWARE=chain, ANYSGI={"STACK": "project_http.ids"}):
        answer = ask(drive, "/hello", headers={"X-Request-ID": "r1"})
    assert (answer.status, answer.error, answer.header("x-request-id")) == (200, None, "r1")
    assert answer.header("x-async") == "1"


def test_an_exception_of_another_middleware_is_raised_at_the_yield(drive: Drive) -> None:
    from anysgi.middleware._django import django_middleware

    def get_response(request: Any) -> Any:
        raise LookupError("oh")

    async def aget_response(request: Any) -> Any:
        raise LookupError("oh")

    from django.core.handlers.wsgi import WSGIRequest

    stack = sys.modules["project_http"].stack
    request = WSGIRequest({**Ask(path="/hello").environ(), "wsgi.input": io.BytesIO()})
    if drive.convention == "wsgi":
        response = django_middleware(stack, get_response)(request)
    else:
        response = asyncio.run(django_middleware(stack, aget_response)(request))
    assert (response.status_code, response.content) == (500, b"caught")


def test_every_layer_that_asks_for_nothing_works_in_its_place(drive: Drive) -> None:
    """What a layer reads of a request is there under ASGI too, where META lacks a few keys of an environ."""
    log_of_json = access_log(format="json", logger="tests.django")
    logged = Stack(request_id(), log_of_json, tracing(), https_redirect())
    vars(sys.modules["project_http"]).update(logged=logged)
    with override_settings(ANYSGI={"STACK": "project_http.logged"}):
        assert ask(drive, "/hello").header("location") == "https://testserver/hello"
        assert ask(drive, "/hello", native={"scheme": "https"}).status == 200


def test_method_and_scheme_are_changed(drive: Drive) -> None:
    from django.core.handlers.wsgi import WSGIRequest

    from anysgi.middleware._django_views import DjangoHeaders, DjangoRequest

    http = WSGIRequest({**Ask(path="/hello").environ(), "wsgi.input": io.BytesIO()})
    request = DjangoRequest(http)
    request.method, request.scheme = "PUT", "https"
    assert (http.method, http.scheme, request.method, request.scheme) == ("PUT", "https", "PUT", "https")
    request.http_version = "2"
    assert request.http_version == "2"
    response = HttpResponse("x")
    headers = DjangoHeaders(response)
    headers.set("X-A", "b")
    headers.add("Set-Cookie", "a=1")
    assert sorted(headers) == [("content-type", "text/html; charset=utf-8"), ("set-cookie", "a=1"), ("x-a", "b")]
    headers.delete("x-a")
    headers.delete("set-cookie")
    assert list(headers) == [("content-type", "text/html; charset=utf-8")]


def test_a_cancelled_view_goes_through_the_layers() -> None:
    from django.core.handlers.wsgi import WSGIRequest

    from anysgi.middleware._django import django_middleware

    async def cancelled(request: Any) -> Any:
        raise asyncio.CancelledError

    http = WSGIRequest({**Ask(path="/hello").environ(), "wsgi.input": io.BytesIO()})
    run = django_middleware(sys.modules["project_http"].ids, cancelled)
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(run(http))

"""The routes as a Django project in one file."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from typing import Any

from django.core.wsgi import get_wsgi_application
from django.http import (
    FileResponse,
    HttpRequest,
    HttpResponse,
    HttpResponseRedirect,
    JsonResponse,
    StreamingHttpResponse,
)
from django.urls import path, re_path

from . import _parts as parts
from . import _wsgi_parts as streams
from ._django_settings import configure

configure(__name__)


def number(request: HttpRequest, name: str, default: float = 0) -> float:
    return float(request.GET.get(name, default))


def door_of(request: HttpRequest) -> parts.Door:
    return parts.door_of(request.GET.dict())


def hello(request: HttpRequest) -> HttpResponse:
    return HttpResponse("hello", content_type="text/plain")


def echo(request: HttpRequest) -> HttpResponse:
    return HttpResponse(request.body, content_type="application/octet-stream")


def upload(request: HttpRequest) -> HttpResponse:
    return JsonResponse(streams.upload(request.read, door_of(request)))


def stream(request: HttpRequest) -> StreamingHttpResponse:
    return StreamingHttpResponse(streams.Gated(door_of(request), int(number(request, "pieces", 3))))


def endless(request: HttpRequest) -> StreamingHttpResponse:
    return StreamingHttpResponse(streams.endless(door_of(request), number(request, "pause")))


def watch(request: HttpRequest) -> StreamingHttpResponse:
    left = request.META.get("anysgi.client_disconnected", lambda: False)
    return StreamingHttpResponse(streams.watching(door_of(request), left))


def download(request: HttpRequest) -> StreamingHttpResponse:
    size = int(number(request, "size"))
    reply = StreamingHttpResponse(streams.download(size), content_type="application/octet-stream")
    if "chunked" not in request.GET:
        reply["Content-Length"] = str(size)
    return reply


def file(request: HttpRequest) -> FileResponse:
    return FileResponse(open(parts.file(int(number(request, "size"))), "rb"), content_type="application/octet-stream")


def cookies(request: HttpRequest) -> HttpResponse:
    reply = JsonResponse(request.COOKIES)
    reply.set_cookie("first", "1")
    reply.set_cookie("second", "two words")
    return reply


def show(request: HttpRequest, rest: str) -> HttpResponse:
    # Django writes its own idea of the path over PATH_INFO in META.
    shown = streams.show(request.META | {"PATH_INFO": ""})
    return JsonResponse(shown | {"path": request.path_info.encode().hex(), "rest": rest})


def headers(request: HttpRequest) -> HttpResponse:
    return JsonResponse(streams.headers(request.META))


def status(request: HttpRequest, status: int) -> HttpResponse:
    reply = HttpResponse(status=status)
    if status == 304:
        reply["ETag"] = '"v1"'
    return reply


def go(request: HttpRequest) -> HttpResponse:
    return HttpResponseRedirect("/hello")


def error(request: HttpRequest) -> HttpResponse:
    raise RuntimeError(f"boom before the head {request.GET['tag']}")


def error_late(request: HttpRequest) -> StreamingHttpResponse:
    reply = StreamingHttpResponse(streams.late_error(request.GET["tag"]))
    if "length" in request.GET:
        reply["Content-Length"] = request.GET["length"]
    return reply


def short(request: HttpRequest) -> StreamingHttpResponse:
    return StreamingHttpResponse(iter([b"12345"]), headers={"Content-Length": "10"})


class Unchecked(HttpResponse):
    """As `HttpResponse`, with one header that Django itself did not check."""

    def items(self) -> Iterator[tuple[str, str]]:  # type: ignore[override]
        yield from super().items()
        yield ("X-Note", "fine\r\nX-Smuggled: yes")


def bad_header(request: HttpRequest) -> HttpResponse:
    return Unchecked("split")


def early(request: HttpRequest) -> HttpResponse:
    return HttpResponse(status=401)


def sleep(request: HttpRequest) -> HttpResponse:
    time.sleep(number(request, "seconds"))
    return HttpResponse("slept")


def where(request: HttpRequest) -> HttpResponse:
    return JsonResponse(parts.where() | {"master": os.getppid()})


def state(request: HttpRequest) -> HttpResponse:
    given: dict[str, Any] = request.META.get("anysgi.state", {})
    return JsonResponse(parts.state_report(given) | {"same_loop": True})


urlpatterns = [
    *(path(view.__name__.replace("_", "-"), view) for view in (hello, echo, upload, stream, endless, watch, download)),
    *(path(view.__name__.replace("_", "-"), view) for view in (file, cookies, headers, go, error, error_late, short)),
    *(path(view.__name__.replace("_", "-"), view) for view in (bad_header, early, sleep, where, state)),
    re_path(r"^show/(?P<rest>.*)$", show),
    path("status/<int:status>", status),
]
app = get_wsgi_application()

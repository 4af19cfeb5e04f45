"""The routes of every cell as a Django project with async views; see `cells/_checks.py` for what is asked of them."""

from __future__ import annotations

from django.core.asgi import get_asgi_application
from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.urls import path, re_path

from . import _asgi_parts as streams
from . import _parts as parts
from ._django_settings import configure

configure(__name__)


async def hello(request: HttpRequest) -> HttpResponse:
    return HttpResponse("hello", content_type="text/plain")


async def echo(request: HttpRequest) -> HttpResponse:
    return HttpResponse(request.body, content_type="application/octet-stream")


async def stream(request: HttpRequest) -> StreamingHttpResponse:
    return StreamingHttpResponse(streams.gated(parts.door_of(request.GET.dict()), int(request.GET["pieces"])))


async def endless(request: HttpRequest) -> StreamingHttpResponse:
    return StreamingHttpResponse(streams.endless(parts.door_of(request.GET.dict()), float(request.GET["pause"])))


async def cookies(request: HttpRequest) -> HttpResponse:
    reply = JsonResponse(request.COOKIES)
    reply.set_cookie("first", "1")
    reply.set_cookie("second", "two words")
    return reply


async def show(request: HttpRequest, rest: str) -> HttpResponse:
    return JsonResponse({"rest": rest})


async def status(request: HttpRequest, status: int) -> HttpResponse:
    return HttpResponse(status=status)


async def error(request: HttpRequest) -> HttpResponse:
    raise RuntimeError(f"boom before the head {request.GET['tag']}")


async def state(request: HttpRequest) -> HttpResponse:
    return JsonResponse(parts.state_report(request.scope.get("state", {})))  # type: ignore[attr-defined]


urlpatterns = [
    *(path(view.__name__, view) for view in (hello, echo, stream, endless, cookies, error, state)),
    re_path(r"^show/(?P<rest>.*)$", show),
    path("status/<int:status>", status),
]
app = get_asgi_application()

"""The routes of every cell as a Pyramid app, configured in code; see `cells/_checks.py` for what is asked of them."""

from __future__ import annotations

import sys
from typing import Any

from pyramid.config import Configurator
from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from . import _parts as parts
from . import _wsgi_parts as streams


@view_config(route_name="hello")
def hello(request: Request) -> Response:
    return Response("hello", content_type="text/plain")


@view_config(route_name="echo", request_method="POST")
def echo(request: Request) -> Response:
    return Response(request.body_file.read(), content_type="application/octet-stream")


@view_config(route_name="stream")
def stream(request: Request) -> Response:
    return Response(app_iter=streams.Gated(parts.door_of(request.GET), int(request.GET["pieces"])))


@view_config(route_name="endless")
def endless(request: Request) -> Response:
    return Response(app_iter=streams.endless(parts.door_of(request.GET), float(request.GET["pause"])))


@view_config(route_name="cookies", renderer="json")
def cookies(request: Request) -> dict[str, str]:
    request.response.set_cookie("first", "1")
    request.response.set_cookie("second", "2")
    return dict(request.cookies)


@view_config(route_name="show", renderer="json")
def show(request: Request) -> dict[str, Any]:
    return {"rest": "/".join(request.matchdict["rest"])}


@view_config(route_name="status")
def status(request: Request) -> Response:
    return Response(status=int(request.matchdict["status"]))


@view_config(route_name="error")
def error(request: Request) -> Response:
    raise RuntimeError(f"boom before the head {request.GET['tag']}")


@view_config(route_name="state", renderer="json")
def state(request: Request) -> dict[str, Any]:
    return parts.state_report(request.environ.get("anysgi.state", {}))


def main() -> Any:
    with Configurator() as config:
        for name in ("hello", "echo", "stream", "endless", "cookies", "error", "state"):
            config.add_route(name, f"/{name}")
        config.add_route("show", "/show/*rest")
        config.add_route("status", "/status/{status}")
        config.scan(sys.modules[__name__])
    return config.make_wsgi_app()


app = main()

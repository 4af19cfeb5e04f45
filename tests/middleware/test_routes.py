"""The route's template, as real frameworks leave it."""

from __future__ import annotations

from typing import Any

import bottle
import flask
import litestar
import pytest
from fastapi import FastAPI
from litestar.params import FromPath
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from anysgi import AsgiToWsgi, WsgiToAsgi
from anysgi._core._route import ROUTE_KEY
from anysgi.middleware import Flow, Request, middleware
from anysgi.middleware._routes import route_of

from ._driving import Drive


def flask_app() -> Any:
    app = flask.Flask(__name__)
    app.add_url_rule("/users/<int:id>", view_func=lambda id: "x", endpoint="users")

    @app.before_request
    def name_route() -> None:
        rule = flask.request.url_rule
        flask.request.environ[ROUTE_KEY] = rule and rule.rule

    return app


def bottle_app() -> Any:
    app = bottle.Bottle()
    app.route("/users/<id:int>")(lambda id: "x")
    return app


def starlette_app() -> Any:
    return Starlette(routes=[Route("/users/{id:int}", lambda request: PlainTextResponse("x"))])


def fastapi_app() -> Any:
    app = FastAPI()

    @app.get("/users/{id}")
    async def user(id: int) -> str:
        return "x"

    return app


def litestar_app() -> Any:
    @litestar.get("/users/{user_id:int}")
    async def user(user_id: FromPath[int]) -> str:
        return "x"

    return litestar.Litestar([user])


@middleware
def look(request: Request, *, found: list[str | None]) -> Flow:
    """Notes the route as soon as a head or an exception tells that it is chosen."""
    try:
        yield request
    finally:
        found.append(route_of(request))


@pytest.mark.parametrize(
    ("convention", "make", "template"),
    [
        ("wsgi", flask_app, "/users/<int:id>"),
        ("wsgi", bottle_app, "/users/<id:int>"),
        ("asgi", fastapi_app, "/users/{id}"),
        ("asgi", litestar_app, "/users/{user_id}"),
        ("asgi", starlette_app, "/users/{id:int}"),
    ],
)
def test_the_template_is_found_where_the_framework_left_it(convention: Any, make: Any, template: str) -> None:
    found: list[str | None] = []
    app, drive = make(), Drive(convention)
    for path in ("/users/7", "/nowhere"):
        drive(look(found=found), app, path=path)
    assert found == [template, None]


@pytest.mark.parametrize(
    ("convention", "make", "template"),
    [
        ("asgi", lambda: WsgiToAsgi(flask_app()), "/users/<int:id>"),
        ("asgi", lambda: WsgiToAsgi(bottle_app()), "/users/<id:int>"),
        ("wsgi", lambda: AsgiToWsgi(starlette_app(), mode="inline"), "/users/{id:int}"),
        ("wsgi", lambda: AsgiToWsgi(litestar_app(), mode="inline"), "/users/{user_id}"),
        ("wsgi", lambda: AsgiToWsgi(WsgiToAsgi(flask_app()), mode="inline"), "/users/<int:id>"),
        ("asgi", lambda: WsgiToAsgi(AsgiToWsgi(fastapi_app(), lifespan="off")), "/users/{id}"),
    ],
)
def test_the_template_is_found_outside_of_an_adapter(convention: Any, make: Any, template: str) -> None:
    test_the_template_is_found_where_the_framework_left_it(convention, make, template)


@pytest.mark.parametrize("convention", ["wsgi", "asgi"])
def test_the_template_of_what_failed_is_found_outside_of_an_adapter(convention: Any) -> None:
    def wsgi(environ: dict[str, Any], start_response: object) -> list[bytes]:
        environ[ROUTE_KEY] = "/failing"
        raise LookupError("no")

    async def asgi(scope: dict[str, Any], receive: object, send: object) -> None:
        scope[ROUTE_KEY] = "/failing"
        raise LookupError("no")

    found: list[str | None] = []
    inner = AsgiToWsgi(asgi, mode="inline", raise_app_errors=True) if convention == "wsgi" else WsgiToAsgi(wsgi)
    answer = Drive(convention)(look(found=found), inner)
    assert isinstance(answer.error, LookupError)
    assert found == ["/failing"]


def test_what_an_outer_app_calls_the_route_holds() -> None:
    """It knows where the inner one is mounted."""
    found: list[str | None] = []
    inner = WsgiToAsgi(flask_app())
    Drive("asgi")(look(found=found), inner, path="/users/7", **{ROUTE_KEY: "/api/{path}"})
    assert found == ["/api/{path}"]


def test_a_route_without_a_template_has_no_name(drive: Drive) -> None:
    request = drive.request(native={"route": object()})
    assert route_of(request) is None

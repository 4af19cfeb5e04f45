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

from anysgi.middleware import Flow, Request, middleware
from anysgi.middleware._routes import ROUTE_KEY, route_of

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

    @middleware
    def look(request: Request) -> Flow:
        yield request
        found.append(route_of(request))

    app, drive = make(), Drive(convention)
    for path in ("/users/7", "/nowhere"):
        drive(look(), app, path=path)
    assert found[0] == template
    assert found[1] is None


def test_a_route_without_a_template_has_no_name(drive: Drive) -> None:
    request = drive.request(native={"route": object()})
    assert route_of(request) is None

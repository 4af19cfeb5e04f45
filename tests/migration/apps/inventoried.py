"""The same six routes in nine frameworks, as far as each can say them."""

import uuid
from typing import Any

import bottle
import falcon
import falcon.asgi
from fastapi import Depends, FastAPI
from flask import Blueprint, Flask
from flask.views import MethodView
from litestar import Litestar, delete, get, post
from quart import Quart
from starlette.applications import Starlette
from starlette.endpoints import HTTPEndpoint
from starlette.routing import Host, Mount, Route, WebSocketRoute

from tests.migration.apps import _uses


def view(**_arguments: Any) -> str:
    return ""


async def async_view(**_arguments: Any) -> str:
    return ""


def before() -> None:
    _uses.sleeps()


class Items(MethodView):
    def get(self) -> str:
        return ""

    def post(self) -> str:
        return ""


def flask_app(**options: Any) -> Flask:
    app = Flask(__name__, static_folder=None, **options)
    app.add_url_rule("/items/<int:id>", view_func=view, methods=["GET", "DELETE"])
    app.add_url_rule("/items/", view_func=Items.as_view("items"))
    app.add_url_rule("/files/<path:name>", "files", view)
    app.add_url_rule("/colour/<any(red, blue):name>", "colour", view, provide_automatic_options=False)
    blueprint = Blueprint("shop", __name__, url_prefix="/shop")
    blueprint.before_request(before)
    blueprint.add_url_rule("/<uuid:id>", "one", view, strict_slashes=False)
    app.register_blueprint(blueprint)
    return app


def quart_app() -> Quart:
    app = Quart(__name__, static_folder=None)
    app.add_url_rule("/items/<int:id>", "item", async_view)
    app.add_url_rule("/sync", "sync", view)
    app.add_websocket("/ws", "ws", async_view)
    return app


class Endpoint(HTTPEndpoint):
    async def get(self, _request: Any) -> None: ...


def starlette_app() -> Starlette:
    inner = [Route("/{id:int}", async_view, methods=["GET", "POST"]), Route("/{name}", view)]
    return Starlette(
        routes=[
            Route("/class", Endpoint),
            Mount("/items", routes=inner),
            Mount("/deep", routes=[Mount("/{deep}", _raw)]),
            Mount("/old/{tenant}", flask_app()),
            Mount("/raw", _raw),
            Host("api.example.org", Starlette(routes=[Route("/", async_view)])),
            WebSocketRoute("/ws", async_view),
        ]
    )


async def _raw(_scope: Any, _receive: Any, _send: Any) -> None: ...


class _Endpoint:
    """Neither a function nor a class with methods: Starlette hands every method to it."""

    async def __call__(self, _scope: Any, _receive: Any, _send: Any) -> None: ...


_raw_endpoint = _Endpoint()


def fastapi_app() -> FastAPI:
    from fastapi import APIRouter

    app = FastAPI(openapi_url=None, redirect_slashes=False)
    router = APIRouter(prefix="/items")

    @router.get("/{id}")
    async def item(id: int, _database: None = Depends(before)) -> str:
        return str(id)

    @router.get("/by-name/{name}")
    def by_name(name: str) -> str:
        return name

    @router.get("/by-key/{key}")
    def by_key(key: uuid.UUID) -> str:
        return str(key)

    @router.get("/{id:int}/raw")
    def raw(id: int) -> str:
        return str(id)

    app.include_router(router, prefix="/v1")
    return app


class Resource:
    def on_get(self, _request: Any, _response: Any, **_parameters: Any) -> None: ...

    def on_post(self, _request: Any, _response: Any, **_parameters: Any) -> None: ...


class AsyncResource:
    async def on_get(self, _request: Any, _response: Any, **_parameters: Any) -> None: ...


def falcon_app() -> Any:
    app: Any = falcon.App()
    app.add_route("/items/{id:int}", Resource())
    app.add_sink(view, "/rest")
    app.add_static_route("/static", "/tmp")
    return app


def falcon_asgi() -> Any:
    app: Any = falcon.asgi.App()
    app.req_options.strip_url_path_trailing_slash = True
    app.add_route("/items/{id:uuid}", AsyncResource())
    return app


def bottle_app() -> Any:
    app: Any = bottle.Bottle()
    app.route("/items/<id:int>", ["GET", "POST"], view)
    app.route("/name/<name:re:[a-z]+>", "ANY", view)
    app.route("/files/<path:path>", "GET", view)
    app.route("/items/new", "GET", view)
    app.mount("/old", flask_app())
    return app


def pyramid_app() -> Any:
    import pyramid.config  # WebOb warns while it is imported
    from pyramid.httpexceptions import HTTPNotFound
    from pyramid.response import Response
    from pyramid.session import SignedCookieSessionFactory

    with pyramid.config.Configurator() as config:
        config.set_session_factory(SignedCookieSessionFactory("secret"))
        config.add_route("item", "/items/{id:\\d+}")
        config.add_view(lambda _request: Response(), route_name="item", request_method="GET")
        config.add_view(lambda _request: Response(), route_name="item", request_method=("PUT", "DELETE"))
        for kind in ("application/json", "text/plain"):
            config.add_view(put, route_name="item", request_method="PATCH", accept=kind)
        config.add_route("rest", "files/{kind:[a-z]{2}}/*rest")
        config.add_view(PyramidView, attr="shown", route_name="rest")
        config.add_route("nothing", "/nothing/")
        config.add_notfound_view(lambda _request: HTTPNotFound(), append_slash=True)
        config.add_view(lambda _context, _request: "", name="traversed")
        return config.make_wsgi_app()


def put(request: Any) -> Any:
    return request.response


class PyramidView:
    def __init__(self, request: Any) -> None:
        self.request = request

    def shown(self) -> Any:
        self.request.response.text = str(self.request.session)
        return self.request.response


def litestar_app() -> Litestar:
    @get("/items/{id:int}", sync_to_thread=False)
    def item() -> str:
        return ""

    @delete("/items/{id:int}")
    async def remove() -> None: ...

    @post("/files/{name:path}")
    async def upload() -> None: ...

    return Litestar([item, remove, upload], openapi_config=None)

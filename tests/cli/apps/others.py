"""One app of every other framework, with two routes each (FastAPI and Litestar add those of their documentation)."""

import bottle
import falcon
import falcon.asgi
import flask_shop
from litestar import Litestar, get
from pyramid.config import Configurator
from quart import Quart
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route
from werkzeug.middleware.proxy_fix import ProxyFix


class Resource:
    def on_get(self, _request: falcon.Request, _response: falcon.Response) -> None: ...


class AsyncResource:
    async def on_get(self, _request: falcon.Request, _response: falcon.Response) -> None: ...


async def view(_request: Request) -> PlainTextResponse:
    return PlainTextResponse("view")


async def text() -> str:
    return "text"


@get("/", sync_to_thread=False)
def litestar_a() -> str:
    return "a"


@get("/b", sync_to_thread=False)
def litestar_b() -> str:
    return "b"


bottle_app = bottle.Bottle()
bottle_app.route("/", callback=lambda: "a")
bottle_app.route("/b", callback=lambda: "b")

falcon_app = falcon.App()
falcon_app.add_route("/", Resource())
falcon_app.add_route("/b", Resource())

falcon_asgi = falcon.asgi.App()
falcon_asgi.add_route("/", AsyncResource())
falcon_asgi.add_route("/b", AsyncResource())

quart_app = Quart(__name__, static_folder=None)
quart_app.add_url_rule("/", "a", text)
quart_app.add_url_rule("/b", "b", text)

starlette_app = Starlette(routes=[Route("/", view), Mount("/more", routes=[Route("/b", view)])])

litestar_app = Litestar([litestar_a, litestar_b], openapi_config=None)

with Configurator() as configurator:
    configurator.add_route("a", "/")
    configurator.add_route("b", "/b")
    pyramid_app = configurator.make_wsgi_app()

wrapped = ProxyFix(flask_shop.app)

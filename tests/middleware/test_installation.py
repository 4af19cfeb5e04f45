"""Every documented way to put a stack around an app, against the real frameworks."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import bottle
import falcon
import falcon.asgi
import fastapi
import flask
import litestar
import litestar.middleware
import pytest
import quart
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from anysgi.exceptions import StackError
from anysgi.middleware import (
    Flow,
    Request,
    Response,
    Stack,
    digest,
    metrics,
    middleware,
    rate_limit,
    tracing,
    trusted_hosts,
)

from ._driving import Answer, App, Ask, Drive


@middleware
def tag(request: Request, *, name: str = "x-tag", value: str = "1") -> Flow:
    response: Response = yield request
    response.headers.add(name, value)


STACK = Stack(tag(), tag(name="x-inner", value="2"))


def get(convention: Any, app: Any, path: str = "/") -> Answer:
    answer = Drive(convention).serve(app, Ask(path=path))
    assert answer.error is None
    return answer


def tagged(answer: Answer) -> list[tuple[str, str]]:
    """What the stack added, in order: the inner layer's field comes first."""
    return [field for field in answer.headers if field[0] in ("x-tag", "x-inner")]


BOTH = [("x-inner", "2"), ("x-tag", "1")]


def hello_starlette(request: Any) -> PlainTextResponse:
    return PlainTextResponse("hello")


# WSGI


def flask_app() -> Any:
    app = flask.Flask(__name__)
    app.get("/")(lambda: "hello")
    return app


def test_flask() -> None:
    app = flask_app()
    app.wsgi_app = STACK(app.wsgi_app)
    assert tagged(get("wsgi", app)) == BOTH
    assert tagged(get("wsgi", app, "/nowhere")) == BOTH
    assert app.test_client().get("/").headers["x-tag"] == "1"


def test_a_stack_around_a_stack_around_a_bound_method_is_told_apart_too() -> None:
    app = flask_app()
    app.wsgi_app = tag(app.wsgi_app, name="x-inner", value="2")
    assert tagged(get("wsgi", tag(app.wsgi_app))) == BOTH


def test_flask_with_one_layer_and_its_options() -> None:
    app = flask_app()
    app.wsgi_app = tag(app.wsgi_app, value="3")
    assert get("wsgi", app).header("x-tag") == "3"


def test_bottle() -> None:
    app = bottle.Bottle()
    app.get("/")(lambda: "hello")
    assert tagged(get("wsgi", STACK(app))) == BOTH


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")  # WebOb's cgi, Pyramid's pkg_resources
def test_pyramid() -> None:
    import pyramid.config
    import pyramid.response

    with pyramid.config.Configurator() as config:
        config.add_route("home", "/")
        config.add_view(lambda request: pyramid.response.Response("hello"), route_name="home")
        app = config.make_wsgi_app()
    assert tagged(get("wsgi", STACK(app))) == BOTH


class Hello:
    def on_get(self, req: Any, resp: Any) -> None:
        resp.text = "hello"


class AsyncHello:
    async def on_get(self, req: Any, resp: Any) -> None:
        resp.text = "hello"


def test_falcon() -> None:
    app = falcon.App()
    app.add_route("/", Hello())
    assert tagged(get("wsgi", STACK(app))) == BOTH
    assert tagged(get("wsgi", STACK(app), "/nowhere")) == BOTH


# ASGI


def test_falcon_asgi() -> None:
    app = falcon.asgi.App()
    app.add_route("/", AsyncHello())
    assert tagged(get("asgi", STACK(app))) == BOTH


def test_quart() -> None:
    app = quart.Quart(__name__)

    @app.get("/")
    async def home() -> str:
        return "hello"

    app.asgi_app = STACK(app.asgi_app)  # type: ignore[method-assign]
    assert tagged(get("asgi", app)) == BOTH
    assert tagged(get("asgi", app, "/nowhere")) == BOTH


def test_starlette_add_middleware_with_a_stack() -> None:
    app = Starlette(routes=[Route("/", hello_starlette)])
    app.add_middleware(STACK)
    assert tagged(get("asgi", app)) == BOTH
    assert tagged(get("asgi", app, "/nowhere")) == BOTH


def test_starlette_add_middleware_with_a_layer_and_its_options() -> None:
    app = Starlette(routes=[Route("/", hello_starlette)])
    app.add_middleware(tag, value="3")
    assert get("asgi", app).header("x-tag") == "3"


def test_starlette_constructor_list() -> None:
    both = [Middleware(tag), Middleware(tag, name="x-inner", value="2")]
    assert tagged(get("asgi", Starlette(routes=[Route("/", hello_starlette)], middleware=both))) == BOTH
    assert tagged(get("asgi", Starlette(routes=[Route("/", hello_starlette)], middleware=[Middleware(STACK)]))) == BOTH


def test_fastapi() -> None:
    app = fastapi.FastAPI(middleware=[Middleware(STACK)])
    app.get("/")(lambda: "hello")
    assert tagged(get("asgi", app)) == BOTH


def test_fastapi_outside_of_its_error_page() -> None:
    app = fastapi.FastAPI()

    @app.get("/")
    def boom() -> None:
        raise LookupError("oh")

    @app.exception_handler(Exception)
    async def page(request: Any, error: Exception) -> PlainTextResponse:
        return PlainTextResponse("page", 500)

    wrapped = STACK(app)
    assert wrapped.routes is app.routes  # what the wrapper does not have is the app's
    answer = Drive("asgi").serve(wrapped, Ask())
    assert (answer.status, answer.text) == (500, "page")
    assert tagged(answer) == BOTH
    assert isinstance(answer.error, LookupError)  # the server still logs it


def litestar_app(*stack: Any) -> Any:
    @litestar.get("/")
    async def home() -> str:
        return "hello"

    return litestar.Litestar([home], middleware=list(stack), openapi_config=None)


def test_litestar_list() -> None:
    assert tagged(get("asgi", litestar_app(STACK))) == BOTH
    assert tagged(get("asgi", litestar_app(tag(), tag(name="x-inner", value="2")))) == BOTH


def test_litestar_define_middleware() -> None:
    app = litestar_app(litestar.middleware.DefineMiddleware(tag, value="3"))
    assert get("asgi", app).header("x-tag") == "3"


def test_litestar_as_a_whole() -> None:
    assert tagged(get("asgi", STACK(litestar_app()), "/nowhere")) == BOTH


# Both


def test_one_stack_serves_several_apps_of_both_conventions(drive: Drive) -> None:
    first, second = App(b"1"), App(b"2")
    one, two = drive.wrap(STACK, first), drive.wrap(STACK, second)
    assert drive.serve(one, Ask()).body == b"1"
    assert drive.serve(two, Ask()).body == b"2"
    assert STACK.layers == Stack(STACK).layers


def test_stacks_that_touch_become_one(drive: Drive) -> None:
    app = App(b"hello")
    inner = drive.wrap(tag(name="x-inner", value="2"), app)
    outer = drive.wrap(tag(), inner)
    assert outer.app is inner.app
    assert [layer.name for layer in outer.layers] == ["tag", "tag"]
    assert tagged(drive.serve(outer, Ask())) == BOTH


def test_a_stack_tells_the_conventions_apart() -> None:
    app = App(b"hello")
    assert tagged(get("wsgi", STACK(app.wsgi))) == BOTH
    assert tagged(get("asgi", STACK(app.asgi))) == BOTH
    assert tagged(get("wsgi", tag(app=app.wsgi))) == [("x-tag", "1")]


def test_the_lifespan_and_unknown_scopes_pass_untouched() -> None:
    import asyncio

    seen: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append((scope, receive, send))

    for kind in ("lifespan", "made-up"):
        scope = {"type": kind}
        asyncio.run(STACK.asgi(app)(scope, print, repr))  # type: ignore[arg-type]
        assert seen.pop() == (scope, print, repr)


def test_attributes_are_the_apps(drive: Drive) -> None:
    inner: Any = SimpleNamespace(router="routes")
    wrapped = getattr(STACK, drive.convention)(inner)
    assert wrapped.router == "routes"
    assert "tag, tag around" in repr(wrapped)
    with pytest.raises(AttributeError):
        wrapped.nothing  # noqa: B018


def test_options_by_position_and_strangers_are_refused() -> None:
    with pytest.raises(StackError, match="by name"):
        tag(App().wsgi, "x-name")  # type: ignore[call-overload]
    with pytest.raises(StackError, match=r"5\.0 is no app; tag takes its options by name: tag\(name=5\.0\)"):
        tag(5.0)  # type: ignore[type-var]
    for several in (["a.example"], {"a": 1}):
        with pytest.raises(StackError, match=r"is no app; trusted_hosts takes its options by name: .*\(hosts="):
            trusted_hosts(several)  # type: ignore[call-overload]
    with pytest.raises(StackError, match="made of layers"):
        Stack(42)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="nmae"):
        tag(nmae="x")  # type: ignore[call-overload]
    assert repr(Stack(tag, tag())) == "Stack(tag, tag)"
    assert repr(tag) == "<middleware tag>"


@pytest.mark.parametrize(
    ("layer", "options", "package", "extra"),
    [
        (digest, {}, "http_sf", "digest"),
        (metrics, {}, "prometheus_client", "metrics"),
        (rate_limit, {"limit": "1/minute"}, "limits", "ratelimit"),
        (tracing, {}, "opentelemetry", "tracing"),
    ],
)
def test_a_missing_extra_is_named_with_the_line_to_type(
    monkeypatch: pytest.MonkeyPatch, layer: Any, options: dict[str, str], package: str, extra: str
) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == package]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [_Without(package), *sys.meta_path])
    with pytest.raises(ImportError, match=rf"{layer.name} needs {package}\S*: pip install 'anysgi\[{extra}\]'"):
        layer(**options)


def test_what_else_a_layer_misses_is_raised_as_it_is() -> None:
    @middleware
    def broken() -> Any:
        import no_such_package  # noqa: F401

    with pytest.raises(ModuleNotFoundError, match="no_such_package"):
        broken()


class _Without:
    """An import system in which a package is not installed."""

    def __init__(self, package: str) -> None:
        self._package = package

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        if name.partition(".")[0] == self._package:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

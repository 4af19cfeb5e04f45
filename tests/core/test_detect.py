"""`guess_convention` and its helpers: what they tell of every kind of callable, and what they say when they cannot."""

from __future__ import annotations

import functools
import subprocess
import sys
import types
from typing import TYPE_CHECKING, Any
from unittest import mock

import bottle
import falcon
import falcon.asgi
import fastapi
import flask
import pytest
import quart
import starlette.applications
import starlette.endpoints
import starlette.middleware.cors
from asgiref.sync import markcoroutinefunction
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.wrappers import Request, Response

import anysgi
from anysgi._core._detect import find_framework, framework_of, guess_convention, is_asgi2, looks_like_factory
from anysgi.exceptions import ConventionError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FLASK = flask.Flask("shop")
FASTAPI = fastapi.FastAPI()


def wsgi(environ: Any, start_response: Any) -> list[bytes]:
    return []


def wsgi_other_names(request_data: Any, respond: Any) -> list[bytes]:
    return []


def wsgi_more(environ: Any, start_response: Any, extra: Any = None) -> list[bytes]:
    return []


async def asgi(scope: Any, receive: Any, send: Any) -> None: ...


async def asgi_variadic(*arguments: Any) -> None: ...


def asgi_plain(scope: Any, receive: Any, send: Any) -> Any:
    return asgi(scope, receive, send)


def asgi_other_names(a: Any, b: Any, c: Any) -> Any:
    return asgi(a, b, c)


def variadic(*arguments: Any, **options: Any) -> Any: ...


def written_as_a_function(app: Any) -> Any:
    def middleware(environ: Any, start_response: Any) -> Any:
        return app(environ, start_response)

    return middleware


def not_yet_set() -> Any:
    def middleware(environ: Any, start_response: Any) -> Any:
        return app(environ, start_response)

    if middleware is None:
        app = FLASK
    return middleware


class WSGIObject:
    def __call__(self, environ: Any, start_response: Any) -> list[bytes]:
        return []


class ASGIObject:
    async def __call__(self, scope: Any, receive: Any, send: Any) -> None: ...


class ASGI2:
    def __init__(self, scope: Any) -> None: ...

    async def __call__(self, receive: Any, send: Any) -> None: ...


class WSGIClass:
    """The second example of PEP 3333."""

    def __init__(self, environ: Any, start_response: Any) -> None: ...

    def __iter__(self) -> Iterator[bytes]:
        yield b""


class Wrapper:
    """Middleware that passes on whatever it gets."""

    def __init__(self, app: Any, name: str = "app") -> None:
        setattr(self, name, app)

    def __call__(self, *arguments: Any, **options: Any) -> Any: ...


class WSGIWrapper(Wrapper):
    def __call__(self, environ: Any, start_response: Any) -> Any: ...


def decorated(app: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(app)
    def inner(*arguments: Any) -> Any:
        return app(*arguments)

    return inner


def asgi_made_of_wsgi() -> Callable[..., Any]:
    @functools.wraps(wsgi)
    async def inner(scope: Any, receive: Any, send: Any) -> None: ...

    return inner


def function_asgi2(scope: Any) -> Any: ...


def marked_asgi2(anything: Any) -> Any: ...


marked_asgi2._asgi_double_callable = True  # type: ignore[attr-defined]


@Request.application
def werkzeug_made(request: Request) -> Response:
    return Response("")


FRAMEWORKS = [
    (FLASK, "wsgi", "Flask"),
    (type("Shop", (flask.Flask,), {})("shop"), "wsgi", "Flask"),
    (quart.Quart("shop"), "asgi", "Quart"),
    (FASTAPI, "asgi", "FastAPI"),
    (starlette.applications.Starlette(), "asgi", "Starlette"),
    (WSGIHandler.__new__(WSGIHandler), "wsgi", "Django"),
    (ASGIHandler.__new__(ASGIHandler), "asgi", "Django"),
    (bottle.Bottle(), "wsgi", "Bottle"),
    (falcon.App(), "wsgi", "Falcon"),
    (falcon.asgi.App(), "asgi", "Falcon"),
]


@pytest.mark.parametrize(
    ("app", "convention", "framework"), FRAMEWORKS, ids=lambda value: value if isinstance(value, str) else ""
)
def test_framework_apps_are_known_by_their_class(app: object, convention: str, framework: str) -> None:
    assert (guess_convention(app), framework_of(app), is_asgi2(app)) == (convention, framework, False)


@pytest.mark.filterwarnings("ignore:'cgi' is deprecated:DeprecationWarning")  # WebOb, on Python 3.11 and 3.12
def test_pyramid_is_known_by_its_class() -> None:
    from pyramid.config import Configurator

    with Configurator() as configurator:
        app = configurator.make_wsgi_app()
    assert (guess_convention(app), framework_of(app)) == ("wsgi", "Pyramid")


@pytest.mark.parametrize(
    "app", [wsgi, wsgi_other_names, wsgi_more, WSGIObject(), WSGIClass, FLASK.wsgi_app, decorated(wsgi), werkzeug_made]
)
def test_wsgi_apps_of_every_shape_are_told(app: object) -> None:
    assert guess_convention(app) == "wsgi"


@pytest.mark.parametrize(
    "app",
    [
        asgi,
        asgi_variadic,
        asgi_plain,
        asgi_other_names,
        ASGIObject(),
        ASGIObject().__call__,
        functools.partial(asgi),
        functools.partial(lambda prefix, scope, receive, send: None, "/v1"),
        functools.partial(asgi_variadic, "first"),
        decorated(asgi),
        decorated(decorated(ASGIObject().__call__)),
        asgi_made_of_wsgi(),
        markcoroutinefunction(types.FunctionType(variadic.__code__, {})),
        starlette.endpoints.HTTPEndpoint,
        starlette.middleware.cors.CORSMiddleware(asgi),
        mock.AsyncMock(),
    ],
)
def test_asgi_apps_of_every_shape_are_told(app: object) -> None:
    assert guess_convention(app) == "asgi"
    assert not is_asgi2(app)


@pytest.mark.parametrize("app", [ASGI2, function_asgi2, marked_asgi2])
def test_asgi_2_double_callables_are_told(app: object) -> None:
    assert is_asgi2(app)
    assert guess_convention(app) == "asgi"


@pytest.mark.parametrize("app", [FLASK, wsgi, variadic, mock.Mock(), None, "text", WSGIClass, ASGI2({}), object])
def test_nothing_else_is_taken_for_asgi_2(app: object) -> None:
    assert not is_asgi2(app)


def test_a_bottle_that_was_copied_into_a_package_is_known() -> None:
    copied = type("Bottle", (), {"__module__": "shop.vendor.bottle", "__call__": wsgi})
    assert framework_of(copied()) == "Bottle"


def test_the_adapters_speak_what_their_names_say() -> None:
    assert guess_convention(anysgi.WsgiToAsgi(wsgi)) == "asgi"
    adapter = anysgi.AsgiToWsgi(asgi)
    assert guess_convention(adapter) == "wsgi"
    adapter.close()


@pytest.mark.parametrize(
    "name", ["app", "wsgi_app", "asgi_app", "application", "__wrapped__", "_app", "wsgi", "wsgi_application", "server"]
)
def test_a_wrapper_that_takes_anything_speaks_what_it_wraps(name: str) -> None:
    assert guess_convention(Wrapper(Wrapper(wsgi), name)) == "wsgi"
    assert guess_convention(Wrapper(FASTAPI, name)) == "asgi"


def test_a_wrapper_with_a_signature_is_believed_whatever_it_wraps() -> None:
    assert guess_convention(WSGIWrapper(FASTAPI)) == "wsgi"


@pytest.mark.parametrize(
    "app",
    [
        *(Wrapper(FLASK), DispatcherMiddleware(FLASK), FLASK.wsgi_app, functools.partial(FLASK)),
        *(decorated(FLASK.wsgi_app), written_as_a_function(FLASK), written_as_a_function(Wrapper(FLASK))),
    ],
)
def test_the_framework_is_found_inside_wrappers(app: object) -> None:
    assert find_framework(app) == ("Flask", FLASK)


@pytest.mark.parametrize("app", [wsgi, asgi, None, Wrapper(None), mock.Mock(), flask.Flask, not_yet_set()])
def test_no_framework_is_made_up(app: object) -> None:
    assert framework_of(app) is None


def refusal(app: object) -> str:
    with pytest.raises(ConventionError) as caught:
        guess_convention(app)
    return str(caught.value)


def create_app(config: Any = None) -> Any: ...


async def create_later() -> Any: ...


async def view(request: Any) -> None: ...


async def async_wsgi(environ: Any, start_response: Any) -> None: ...


async def generator(scope: Any, receive: Any, send: Any) -> Any:
    yield


class Box:
    app = FLASK


@pytest.mark.parametrize(
    ("app", "parts"),
    [
        (None, ["None is not an app", "without `return app`"]),
        ("shop:app", ["'shop:app' is not an app", "anysgi serve MODULE:APP"]),
        (types.ModuleType("shop"), ["the module 'shop' is not an app", "shop.app"]),
        (flask.Flask, ["the class flask.app.Flask is not an app", "app = Flask(...)"]),
        (Box, ["the class ", "Box is not an app"]),
        (dict, ["the class dict is not an app"]),
        (Box(), ["an instance of ", "not callable", "attribute `.app`"]),
        (object(), ["an instance of object is not callable"]),
        (create_app, ["create_app() needs no arguments", "looks like a factory", "`app = create_app()`"]),
        (create_later, ["`app = await create_later()`"]),
        (lambda: None, ["looks like a factory"]),
        (view, ["takes (request) and is async", "(scope, receive, send)"]),
        (lambda request: None, ["takes (request), so it is neither"]),
        (lambda a, b, c, d: None, ["takes (a, b, c, d), so it is neither"]),
        (async_wsgi, ["takes (environ, start_response) and is async"]),
        (generator, ["is an async generator"]),
        (ASGI2({}), ["one exchange of an ASGI 2 app", "pass the class"]),
        (flask.Blueprint("part", "shop"), ["a part of", "register_blueprint"]),
        (variadic, ["takes any arguments", "WsgiToAsgi(app)", "AsgiToWsgi(app)"]),
        (Wrapper(None), ["takes any arguments"]),
        (mock.Mock(), ["takes any arguments"]),
        (print, ["the function print() takes any arguments"]),
        (functools.partial(variadic, 1), ["takes any arguments"]),
    ],
)
def test_what_is_no_app_is_refused_with_the_line_to_write_instead(app: object, parts: list[str]) -> None:
    message = refusal(app)
    for part in parts:
        assert part in message


def test_a_coroutine_is_told_from_a_factory() -> None:
    coroutine = create_later()
    assert "the coroutine 'create_later' is not an app" in refusal(coroutine)
    coroutine.close()


def test_a_callable_that_hides_its_parameters_is_undecided() -> None:
    class Hidden:
        __signature__ = "none of your business"

        def __call__(self, *arguments: Any) -> Any: ...

    assert "takes any arguments" in refusal(Hidden())


@pytest.mark.parametrize("stranger", ["aiohttp.web_app.Application", "tornado.web.Application"])
def test_apps_of_a_third_kind_are_named(stranger: str) -> None:
    module, _, name = stranger.rpartition(".")
    cls = type(name, (), {"__module__": module, "__call__": lambda self, request: None})
    assert "not WSGI or ASGI; run it with" in refusal(cls())


def test_only_what_needs_no_arguments_looks_like_a_factory() -> None:
    assert [looks_like_factory(value) for value in (create_app, create_later, fastapi.FastAPI)] == [True] * 3
    assert [looks_like_factory(value) for value in (wsgi, variadic, FLASK, flask.Flask, None)] == [False] * 5


def test_detection_imports_nothing_heavy_until_it_is_used() -> None:
    heavy = {"inspect", "asyncio", "asgiref", "flask", "django", "werkzeug"}
    code = (
        "import sys, types; before = set(sys.modules)\n"
        "for name in ('anysgi', 'anysgi.adapters'):\n"
        "    sys.modules[name] = types.ModuleType(name)\n"
        "    sys.modules[name].__path__ = [name.replace('.', '/')]\n"
        "import anysgi._core._detect\n"
        f"print(sorted({heavy!r} & (set(sys.modules) - before)))"
    )
    done = subprocess.run([sys.executable, "-S", "-c", code], capture_output=True, text=True, check=True, timeout=30)
    assert done.stdout.strip() == "[]"

"""What the inventory reads from each framework's own tables: methods, templates, converters, slashes, order."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from django.urls import path, re_path
from django.views import View
from django.views.decorators.http import require_http_methods
from litestar import Litestar, WebSocket, websocket
from starlette.applications import Starlette
from starlette.routing import BaseRoute, Route
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.routing import BaseConverter

from anysgi import WsgiToAsgi
from anysgi.migration._inventory import count_routes, take_inventory
from anysgi.migration._inventory._django import _methods, _patterns
from anysgi.migration._templates import parse_template
from tests.cli._run import anysgi
from tests.migration.apps import inventoried

if TYPE_CHECKING:
    from collections.abc import Callable

APPS = Path(inventoried.__file__).parent
Row = tuple[str, str, str, str, str]  # methods, automatic, path, slash, handler

FLASK_ROWS: list[Row] = [
    ("DELETE GET", "HEAD OPTIONS", "/items/<int:id>", "404", "view"),
    ("GET POST", "HEAD OPTIONS", "/items/", "308", "Items"),
    ("GET", "HEAD OPTIONS", "/files/<path:name>", "404", "view"),
    ("GET", "HEAD", "/colour/<any(red, blue):name>", "404", "view"),
    ("GET", "HEAD OPTIONS", "/shop/<uuid:id>", "same", "view"),
]
ROWS: dict[str, list[Row]] = {
    "flask_app": FLASK_ROWS,
    "quart_app": [
        ("GET", "HEAD OPTIONS", "/items/<int:id>", "404", "async_view"),
        ("GET", "HEAD OPTIONS", "/sync", "404", "view"),
        ("WEBSOCKET", "", "/ws", "404", "async_view"),
    ],
    "starlette_app": [
        ("GET", "HEAD", "/class", "307", "Endpoint"),
        ("GET POST", "HEAD", "/items/<int:id>", "307", "async_view"),
        ("GET", "HEAD", "/items/<name>", "307", "view"),
        ("*", "", "/deep/<deep>/<path:rest>", "404", "_raw"),
        *(
            (methods, automatic, "/old/<tenant>" + path, slash, name)
            for methods, automatic, path, slash, name in FLASK_ROWS
        ),
        ("*", "", "/raw/<path:rest>", "404", "_raw"),
        ("GET", "HEAD", "/", "same", "async_view"),
        ("WEBSOCKET", "", "/ws", "307", "async_view"),
    ],
    "fastapi_app": [
        ("GET", "", "/v1/items/<id>", "404", "fastapi_app.item"),
        ("GET", "", "/v1/items/by-name/<name>", "404", "fastapi_app.by_name"),
        ("GET", "", "/v1/items/by-key/<key>", "404", "fastapi_app.by_key"),
        ("GET", "", "/v1/items/<int:id>/raw", "404", "fastapi_app.raw"),
    ],
    "falcon_app": [
        ("GET", "OPTIONS", "/items/<int:id>", "404", "Resource.on_get"),
        ("POST", "OPTIONS", "/items/<int:id>", "404", "Resource.on_post"),
        ("GET", "HEAD OPTIONS", "/static/<path:filename>", "404", ""),
    ],
    "falcon_asgi": [("GET", "OPTIONS", "/items/<uuid:id>", "same", "AsyncResource.on_get")],
    "bottle_app": [
        ("GET", "HEAD", "/items/new", "404", "view"),
        ("GET", "HEAD", "/items/<int:id>", "404", "view"),
        ("POST", "", "/items/<int:id>", "404", "view"),
        ("*", "", '/name/<re("[a-z]+"):name>', "404", "view"),
        ("GET", "HEAD", "/files/<path:path>", "404", "view"),
        *((methods, automatic, "/old" + path, slash, name) for methods, automatic, path, slash, name in FLASK_ROWS),
    ],
    "pyramid_app": [
        ("GET", "HEAD", "/items/<int:id>", "404", "pyramid_app.<lambda>"),
        ("DELETE PUT", "", "/items/<int:id>", "404", "pyramid_app.<lambda>"),
        ("PATCH", "", "/items/<int:id>", "404", "put"),
        ("*", "", '/files/<re("[a-z]{2}"):kind>/<path:rest>', "404", "PyramidView.shown"),
        ("*", "", "/nothing/", "302", ""),
    ],
    "litestar_app": [
        ("GET", "OPTIONS", "/items/<int:id>", "same", "litestar_app.item"),
        ("DELETE", "OPTIONS", "/items/<int:id>", "same", "litestar_app.remove"),
        ("POST", "OPTIONS", "/files/<path:name>", "same", "litestar_app.upload"),
    ],
}


def row(route: Any) -> Row:
    return " ".join(route.methods), " ".join(route.automatic), route.path, route.slash, route.handler.name


@pytest.mark.filterwarnings("ignore:'cgi' is deprecated:DeprecationWarning")  # WebOb, on Python 3.11 and 3.12
@pytest.mark.parametrize("name", ROWS)
def test_every_route_of_a_framework_is_read(name: str) -> None:
    app = getattr(inventoried, name)()
    assert [row(route) for route in take_inventory(app).routes] == ROWS[name]
    assert count_routes(app) == len(ROWS[name])


def routes(make: Callable[[], object]) -> dict[str, Any]:
    return {route.path: route for route in take_inventory(make()).routes}


def test_fastapi_answers_422_where_a_type_hint_checks_and_404_where_the_path_does() -> None:
    found = routes(inventoried.fastapi_app)
    assert found["/v1/items/<id>"].parameters[0].rejects == 422
    assert found["/v1/items/by-key/<key>"].parameters[0].rejects == 422
    assert found["/v1/items/by-name/<name>"].parameters[0].rejects == 404
    assert found["/v1/items/<int:id>/raw"].parameters[0].rejects == 404


def test_dependencies_and_before_request_functions_count_for_their_routes() -> None:
    item = routes(inventoried.fastapi_app)["/v1/items/<id>"].handler
    assert [fact.what for fact in item.facts] == ["time.sleep (sleep)"]
    assert item.kind == "async"
    shop = routes(inventoried.flask_app)["/shop/<uuid:id>"].handler
    assert [fact.what for fact in shop.facts] == ["time.sleep (sleep)"]
    assert routes(inventoried.flask_app)["/files/<path:name>"].handler.facts == ()


@pytest.mark.filterwarnings("ignore:'cgi' is deprecated:DeprecationWarning")
def test_a_method_of_a_view_class_is_read_with_its_class() -> None:
    handler = routes(inventoried.pyramid_app)['/files/<re("[a-z]{2}"):kind>/<path:rest>'].handler
    assert [fact.what for fact in handler.facts] == ["request.session"]


@pytest.mark.filterwarnings("ignore:'cgi' is deprecated:DeprecationWarning")
def test_what_a_framework_hides_is_said() -> None:
    assert take_inventory(inventoried.falcon_app()).unknown == (
        "/: a sink takes what no route takes and '/rest' matches",
    )
    [traversal] = take_inventory(inventoried.pyramid_app()).unknown
    assert traversal.startswith("/: 1 views are found by traversal")


@pytest.mark.filterwarnings("ignore:'cgi' is deprecated:DeprecationWarning")
@pytest.mark.parametrize("name", ROWS)
def test_every_variable_of_a_path_is_a_parameter(name: str) -> None:
    for route in take_inventory(getattr(inventoried, name)()).routes:
        template = parse_template(route.path)
        assert [variable.name for variable in template.variables] == [item.name for item in route.parameters]


def test_hosts_are_kept_apart() -> None:
    hosts = {route.host for route in take_inventory(inventoried.starlette_app()).routes}
    assert hosts == {"", "api.example.org"}


def test_wrappers_are_looked_through() -> None:
    assert count_routes(WsgiToAsgi(inventoried.flask_app())) == 5


def test_apps_beside_the_app_are_found_under_their_path() -> None:
    around = DispatcherMiddleware(inventoried.flask_app(), {"/api": inventoried.falcon_app(), "/raw": inventoried._raw})
    assert [route.path for route in take_inventory(around).routes][:4] == [
        "/api/items/<int:id>",
        "/api/items/<int:id>",
        "/api/static/<path:filename>",
        "/raw/<path:rest>",
    ]
    inside: Any = inventoried.flask_app()
    inside.wsgi_app = DispatcherMiddleware(inside.wsgi_app, {"/more": inventoried.flask_app()})
    assert count_routes(inside) == 10


def test_an_app_without_a_framework_has_no_list() -> None:
    assert count_routes(inventoried._raw) is None
    taken = take_inventory(inventoried._raw)
    assert (taken.framework, taken.routes) == (None, ())
    assert taken.unknown


def test_host_matching_and_subdomains_of_werkzeug_are_kept() -> None:
    app = inventoried.flask_app(subdomain_matching=True)
    app.add_url_rule("/only", "only", inventoried.view, subdomain="api")
    assert routes(lambda: app)["/only"].host == "api"


def test_a_converter_of_the_apps_own_keeps_its_name() -> None:
    app = inventoried.flask_app()
    app.url_map.converters["colour"] = type("Colour", (BaseConverter,), {})
    app.add_url_rule("/own/<colour:name>", "own", inventoried.view)
    app.add_url_rule("/built", "built", inventoried.view, build_only=True)
    found = routes(lambda: app)
    assert found["/own/<name>"].parameters[0].converter == "Colour"
    assert "/built" not in found


def test_what_is_not_known_of_a_framework_is_said() -> None:
    app: Any = inventoried.starlette_app()
    app.router.routes.append(type("Strange", (BaseRoute,), {})())
    assert take_inventory(app).unknown == ("/: Strange is not a kind of route this tool knows",)
    sanic: Any = type("Sanic", (), {"__module__": "sanic.app", "__call__": inventoried._raw})()
    assert take_inventory(sanic).unknown == ("/: the routes of Sanic are not known to this tool",)


def test_a_class_endpoint_of_any_method_and_websockets_of_litestar() -> None:
    @websocket("/ws")
    async def talk(socket: WebSocket) -> None: ...

    found = take_inventory(Litestar([talk], openapi_config=None)).routes
    assert [route.methods for route in found] == [("WEBSOCKET",)]
    app = Starlette(routes=[Route("/any", inventoried._raw_endpoint)])
    assert take_inventory(app).routes[0].methods == ("*",)


def test_routes_that_cannot_be_read_are_not_counted() -> None:
    app = inventoried.flask_app()
    app.url_map.iter_rules = lambda: 1 / 0  # type: ignore[method-assign,assignment,return-value]
    assert count_routes(app) is None


@pytest.mark.parametrize(
    ("pattern", "path", "converters"),
    [
        (path("items/<int:id>/", inventoried.view), "/items/<int:id>/", ["int"]),
        (path("<str:a>/<slug:b>/<uuid:c>/<path:d>", inventoried.view), "/<a>/<slug:b>/<uuid:c>/<path:d>", None),
        (re_path(r"^a/(?P<year>\d{4})/$", inventoried.view), "/a/<int:year>/", ["int"]),
        (re_path(r"^a/(?P<rest>.*)$", inventoried.view), "/a/<path:rest>", ["path"]),
        (re_path(r"^a/(?P<name>[\w-]+)/(?:b|c)/(x[)]y)\Z", inventoried.view), None, ["string", "re", "re"]),
        (re_path(r"^a\.b/?$", inventoried.view), "/a.b", []),
        (re_path(r"^a/(open", inventoried.view), None, ["re"]),
    ],
)
def test_patterns_of_django(pattern: Any, path: str | None, converters: list[str] | None) -> None:
    [found] = _patterns([pattern], "", (), "301")
    assert not isinstance(found, str)
    if path is not None:
        assert found.path == path
    if converters is not None:
        assert [parameter.converter for parameter in found.parameters] == converters


def test_methods_of_django_views() -> None:
    class Item(View):
        def get(self, _request: Any) -> None: ...

    rest = type("Rest", (), {"http_method_names": ["get", "post"], "get": inventoried.view})
    by_action = SimpleNamespace(cls=rest, actions={"get": "list", "post": "create"})
    plain = SimpleNamespace(cls=rest)
    views = (Item.as_view(), require_http_methods(["PUT"])(inventoried.view), inventoried.view, by_action, plain)
    assert [sorted(_methods(view)) for view in views] == [
        ["GET", "HEAD", "OPTIONS"],
        ["PUT"],
        ["*"],
        ["GET", "HEAD", "POST"],
        ["GET", "HEAD"],
    ]


# --- Django, in a process of its own: its settings are the process's


@pytest.fixture(scope="module")
def django() -> dict[str, Any]:
    ended = anysgi("inventory", "django_project", "--json", cwd=APPS)
    assert ended.returncode == 0, ended.stderr
    return {route["path"]: route for route in json.loads(ended.stdout)["routes"]}


@pytest.mark.parametrize(
    ("path", "methods", "automatic", "slash", "handler", "kind"),
    [
        ("/", ["*"], [], "same", "index", "sync"),
        ("/later/", ["*"], [], "301", "later", "async"),
        ("/users", ["GET", "POST"], [], "404", "users", "sync"),
        ("/items/<int:pk>/", ["GET", "POST"], ["HEAD", "OPTIONS"], "301", "Item", "sync"),
        ("/more/<slug:name>/<uuid:id>", ["*"], [], "404", "index", "sync"),
        ("/more/<slug:name>/<path:rest>", ["*"], [], "404", "index", "sync"),
        ('/year/<int:year>/<re("[a-z]+"):kind>', ["*"], [], "404", "index", "sync"),
        ("/plain/<int:arg0>/v1.0", ["*"], [], "404", "index", "sync"),
        ("/admin/login/", ["*"], [], "301", "AdminSite.login", "sync"),
    ],
)
def test_every_kind_of_django_pattern_is_read(
    django: dict[str, Any], path: str, methods: list[str], automatic: list[str], slash: str, handler: str, kind: str
) -> None:
    route = django[path]
    assert (route["methods"], route["automatic"], route["slash"]) == (methods, automatic, slash)
    assert (route["handler"]["name"], route["handler"]["kind"]) == (handler, kind)


def test_django_handlers_show_sessions_and_queries(django: dict[str, Any]) -> None:
    assert [fact["kind"] for fact in django["/"]["handler"]["facts"]] == ["session"]
    assert [fact["what"] for fact in django["/users"]["handler"]["facts"]] == ["User.objects.count (database)"]


def test_the_whole_django_admin_is_listed(django: dict[str, Any]) -> None:
    admin = [path for path in django if path.startswith("/admin/")]
    assert len(admin) >= 20
    assert all(django[path]["handler"]["line"] for path in admin)

"""`diff_routes`: what it reports, what it does not, and that the apps really answer as it says."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import httpx
import pytest

from anysgi import guess_convention
from anysgi.migration import RouteTable
from anysgi.migration._diff import diff_routes
from anysgi.migration._diff._checks import _forms
from anysgi.migration._diff._pairing import template_of
from anysgi.migration._diff._shadowing import covers, shadowed
from anysgi.migration._diff._table import write_table
from anysgi.migration._inventory import ANY, Inventory, Parameter, Route, take_inventory
from tests.migration.apps import inventoried, pairs

FRAMEWORKS = (
    "flask_app",
    "quart_app",
    "starlette_app",
    "fastapi_app",
    "falcon_app",
    "falcon_asgi",
    "bottle_app",
    "pyramid_app",
    "litestar_app",
)
every_framework = [
    pytest.mark.parametrize("name", FRAMEWORKS),
    pytest.mark.filterwarnings("ignore:'cgi' is deprecated:DeprecationWarning"),  # WebOb, on Python 3.11 and 3.12
]


def applied(test: Any) -> Any:
    for mark in every_framework:
        test = mark(test)
    return test


def app_with(*routes: Route, framework: str = "Flask") -> Inventory:
    return Inventory(framework, routes)


def kinds(old: Inventory, new: Inventory) -> list[str]:
    return [difference.kind for difference in diff_routes(old, new)]


GET = ("GET",)
INT, INT_HINT = Parameter("id", "int"), Parameter("id", "int", rejects=422)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (Route(GET, "/a"), Route(GET, "/a"), []),
        (Route(GET, "/a"), Route(GET, "/b"), ["missing-route", "extra-route"]),
        (Route(GET, "/a/<x>"), Route(GET, "/a/<y>"), []),
        (Route(GET, "/a", automatic=("HEAD",)), Route(GET, "/a"), ["missing-method"]),
        (Route(GET, "/a"), Route(("GET", "HEAD"), "/a"), ["extra-method"]),
        (Route(ANY, "/a"), Route(GET, "/a"), ["missing-method"]),
        (Route(GET, "/a"), Route(ANY, "/a"), ["extra-method"]),
        (Route(ANY, "/a"), Route(ANY, "/a"), []),
        (Route(GET, "/a/", slash="308"), Route(GET, "/a/", slash="307"), ["slash"]),
        (Route(GET, "/a/", slash="308"), Route(GET, "/a", slash="307"), ["slash"]),
        (Route(GET, "/a/", slash="same"), Route(GET, "/a", slash="same"), []),
        (Route(GET, "/a"), Route(GET, "/a", slash="307"), ["slash"]),
        (Route(GET, "/", slash="same"), Route(GET, "/", slash="404"), []),
        (Route(GET, "/f/<path:x>"), Route(GET, "/f/<path:x>", slash="307"), []),
        (
            Route(GET, "/a/<int:id>", parameters=(INT,)),
            Route(GET, "/a/<id>", parameters=(INT_HINT,)),
            ["converter"],
        ),
        (
            Route(GET, "/a/<int:id>", parameters=(INT,)),
            Route(GET, "/a/<id>", parameters=(Parameter("id"),)),
            ["converter"],
        ),
        (
            Route(GET, "/a/<id>", parameters=(Parameter("id"),)),
            Route(GET, "/a/<id>", parameters=(Parameter("id", rejects=422),)),
            [],
        ),
        (Route(GET, "/a", host="x"), Route(GET, "/a"), ["missing-route", "extra-route"]),
        (Route(GET, "/what?"), Route(GET, "/what?"), []),
    ],
    ids=str,
)
def test_what_counts_as_a_difference(old: Route, new: Route, expected: list[str]) -> None:
    assert kinds(app_with(old), app_with(new)) == expected


def test_two_routes_of_one_shape_are_paired_by_their_converters() -> None:
    by_id = Route(GET, "/a/<int:id>", parameters=(INT,))
    by_name = Route(GET, "/a/<name>", parameters=(Parameter("name"),))
    assert kinds(app_with(by_id, by_name), app_with(by_name, by_id)) == []


def test_a_form_registered_on_its_own_needs_no_redirect() -> None:
    both = (Route(GET, "/a", slash="307"), Route(GET, "/a/", slash="307"))
    assert kinds(app_with(Route(GET, "/a", slash="same")), app_with(*both)) == []


def test_a_pair_that_differs_in_everything_is_told_whole() -> None:
    found = diff_routes(take_inventory(pairs.old), take_inventory(pairs.new))
    assert [(item.kind, item.path, " ".join(item.methods)) for item in found] == [
        ("slash", "/items/", ""),
        ("missing-method", "/items/<int:id>", "DELETE"),
        ("extra-method", "/items/<int:id>", "POST"),
        ("slash", "/items/<int:id>", ""),
        ("converter", "/items/<int:id>", ""),
        ("missing-route", "/items/<id>", "GET"),
        ("missing-method", "/items/new", "OPTIONS"),
        ("slash", "/items/new", ""),
        ("extra-method", "/files/<path:name>", "PUT"),
        ("missing-route", "/gone", "GET"),
        ("extra-route", "/extra", "GET"),
        ("shadowed", "/items/new", "POST"),
    ]
    assert all(item.old_at or item.new_at for item in found)
    [missing] = [item for item in found if item.methods == ("DELETE",)]
    assert missing.fix == '@app.api_route("/items/{id}", methods=["DELETE", "GET", "HEAD", "OPTIONS", "POST"])'


# --- shadowing


@pytest.mark.parametrize(
    ("one", "two", "expected"),
    [
        ("/a", "/a", True),
        ("/<x>", "/a", True),
        ("/a", "/<x>", False),
        ("/<x>", "/<int:y>", True),
        ("/<int:x>", "/<y>", False),
        ("/<int:x>", "/7", True),
        ("/<int:x>", "/seven", False),
        ("/<path:x>", "/a/b/<c>", True),
        ("/<x>", "/<path:y>", False),
        ("/<x>", "/a/b", False),
        ("/<x>/b", "/a/b", True),
        ("/<path:x>/b", "/a/b", False),
        ("/v<x>", "/v<y>", True),
        ("/v<int:x>", "/v<int:x>", True),
        ("/a/b", "/a", False),
    ],
)
def test_whether_one_template_takes_all_of_another(one: str, two: str, expected: bool) -> None:
    first, second = template_of(one), template_of(two)
    assert first is not None
    assert second is not None
    assert covers(first.segments, second.segments) is expected


HIDING = (Route(GET, "/a/<x>"), Route(("POST",), "/a/new"), Route(GET, "/a/new"))


@pytest.mark.parametrize(
    ("framework", "hidden"),
    [("Starlette", 1), ("FastAPI", 1), ("Bottle", 1), ("Django", 2), ("Pyramid", 2), ("Flask", 0), ("Falcon", 0)],
)
def test_the_first_route_hides_later_ones_only_where_the_first_wins(framework: str, hidden: int) -> None:
    assert len(list(shadowed(app_with(*HIDING, framework=framework)))) == hidden


def test_several_views_of_one_pyramid_route_do_not_hide_each_other() -> None:
    views = (Route(GET, "/a"), Route(GET, "/a"))
    assert not list(shadowed(app_with(*views, framework="Pyramid")))
    assert list(shadowed(app_with(*views, framework="Django")))


def test_a_route_for_one_host_hides_nothing_on_another() -> None:
    routes = (Route(GET, "/<x>", host="api"), Route(GET, "/a", host="www"))
    assert not list(shadowed(app_with(*routes, framework="Starlette")))


def test_a_route_that_was_never_reached_before_either_is_no_difference() -> None:
    old, new = app_with(*HIDING, framework="FastAPI"), app_with(*HIDING, framework="Starlette")
    assert diff_routes(old, new) == []


# --- the table


def test_the_table_can_be_read_and_moves_nothing() -> None:
    old, new = take_inventory(pairs.old), take_inventory(pairs.new)
    table = RouteTable.parse(write_table(old, new, diff_routes(old, new)), "routes.toml")
    assert {route.path: route.to for route in table.routes} == {
        "/": "new",
        "/items/": "legacy",
        "/items/<int:id>": "legacy",
        "/items/<id>": "legacy",
        "/items/new": "legacy",
        "/same": "new",
        "/files/<path:name>": "new",  # only its PUT differs, and that stays with legacy
        "/gone": "legacy",
    }
    assert all(route.share == 0 for route in table.routes)


def test_the_reasons_stand_beside_the_routes() -> None:
    old, new = take_inventory(pairs.old), take_inventory(pairs.new)
    text = write_table(old, new, diff_routes(old, new))
    assert "# converter: id takes int, else 404 -> id takes int, else 422\n" in text
    assert "[[route]]  # view\n" in text


def test_a_difference_of_one_spelling_of_a_path_holds_back_the_other() -> None:
    old = app_with(Route(GET, "/a", automatic=("HEAD",)), Route(GET, "/a/", automatic=("HEAD",)))
    new = app_with(Route(GET, "/a"), Route(GET, "/a/"))
    table = RouteTable.parse(write_table(old, new, diff_routes(old, new)), "routes.toml")
    assert [(route.path, route.to) for route in table.routes] == [("/a", "legacy"), ("/a/", "legacy")]


def test_a_difference_of_other_methods_than_a_row_has_does_not_hold_it_back() -> None:
    old = app_with(
        Route(("POST",), "/users", automatic=("OPTIONS",)),
        Route(GET, "/user", automatic=("HEAD", "OPTIONS")),
        Route(("PUT",), "/user", automatic=("OPTIONS",)),
    )
    new = app_with(Route(("POST",), "/users"), Route(GET, "/user"), Route(("PUT",), "/user"))
    differences = diff_routes(old, new)
    assert {(item.path, item.methods) for item in differences} == {
        ("/users", ("OPTIONS",)),
        ("/user", ("HEAD",)),
        ("/user", ("OPTIONS",)),
    }
    table = RouteTable.parse(write_table(old, new, differences), "routes.toml")
    assert {(route.methods, route.to) for route in table.routes} == {
        (("POST",), "new"),  # OPTIONS stays with legacy
        (("GET",), "legacy"),  # GET brings HEAD along
        (("PUT",), "new"),
    }


def test_what_the_router_cannot_route_is_a_comment() -> None:
    old = app_with(Route(("WEBSOCKET",), "/ws"), Route(GET, "/what?"), Route(GET, "/a"), Route(GET, "/a"))
    text = write_table(old, old, [])
    table = RouteTable.parse(text, "routes.toml")
    assert [route.path for route in table.routes] == ["/a"]
    assert '# path = "/what?"' in text


@applied
def test_every_framework_agrees_with_itself_and_makes_a_table_that_can_be_read(name: str) -> None:
    inventory = take_inventory(getattr(inventoried, name)())
    assert diff_routes(inventory, inventory) == []
    RouteTable.parse(write_table(inventory, inventory, []), "routes.toml")


# --- the truth: what the inventory says is what the app does


SAMPLES = {"int": "7", "uuid": "12345678-1234-5678-1234-567812345678", "any": "red", "path": "a/b"}
NOT_A_PAGE = {301, 302, 307, 308, 404, 405, 422}


def ask(app: Any, method: str, path: str) -> int:
    async def asynchronously() -> int:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return (await client.request(method, path)).status_code

    if guess_convention(app) == "asgi":
        return asyncio.run(asynchronously())
    with httpx.Client(transport=httpx.WSGITransport(app, raise_app_exceptions=False), base_url="http://l") as client:
        return client.request(method, path).status_code


def sample(route: Route, **other: str) -> str:
    values = {p.name: other.get(p.name) or SAMPLES.get(p.converter, "ab") for p in route.parameters}
    return re.sub(r"<[^<>]*?(\w+)>", lambda match: values.get(match[1], "ab"), route.path)


def asked(app: object) -> list[Route]:
    """The routes a plain client can try: of the app itself, on any host, with a handler."""
    routes = take_inventory(app).routes
    own = [route for route in routes if route.runs and not route.host and "/old/" not in route.path]
    return [route for route in own if "WEBSOCKET" not in route.methods and "<path:rest>" not in route.path]


def page(status: int) -> str:
    return str(status) if status in NOT_A_PAGE else "200"


@applied
def test_trailing_slashes_are_answered_as_the_inventory_says(name: str) -> None:
    app = getattr(inventoried, name)()
    for route in asked(app):
        forms = _forms((route,))
        method = "GET" if route.methods == ANY else route.methods[0]
        path = sample(route).rstrip("/")
        assert {slash: page(ask(app, method, path + slash)) for slash in forms} == forms, route


@applied
def test_methods_are_answered_as_the_inventory_says(name: str) -> None:
    app = getattr(inventoried, name)()
    routes = asked(app)
    for route in routes:
        same = [other for other in routes if other.path == route.path]
        answers = {method for other in same for method in other.answers}
        for method in ("GET", "HEAD", "OPTIONS", "POST"):
            if ANY[0] not in answers:
                assert (page(ask(app, method, sample(route))) in ("404", "405")) is (method not in answers), method


@applied
def test_what_does_not_fit_is_rejected_as_the_inventory_says(name: str) -> None:
    app = getattr(inventoried, name)()
    for route in asked(app):
        for parameter in route.parameters:
            if parameter.converter in ("int", "uuid") and "/items/<name>" not in {r.path for r in asked(app)}:
                status = ask(app, route.methods[0], sample(route, **{parameter.name: "-"}))
                assert status == parameter.rejects, (route, parameter)

"""The route table: the most specific route wins whatever the order; everything wrong is said with file and line."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from werkzeug.exceptions import NotFound
from werkzeug.routing import BaseConverter, Map, Rule

from anysgi.exceptions import RouteTableError
from anysgi.migration import Route, RouteTable, Sticky

if TYPE_CHECKING:
    from pathlib import Path

TABLE = """
default = "legacy"
fallthrough = [404]

[[route]]  # read first
path = "/items/<int:id>"
methods = ["GET"]
to = "new"
percent = 5
sticky = "cookie:session"
shadow = "compare"
owner = "team-a"
since = 2026-11-22
name = "item"

[[route]]
path = "/items/{name}"
to = "legacy"

[[route]]
path = "/files/{p:path}"
to = "new"
"""


def problems(text: str) -> list[str]:
    with pytest.raises(RouteTableError) as caught:
        RouteTable.parse(text)
    return caught.value.problems


def test_a_table_says_what_each_route_is() -> None:
    table = RouteTable.parse(TABLE)
    first, second, _ = table.routes
    assert first == Route(
        "/items/<int:id>", "new", ("GET",), 5.0, Sticky("cookie", "session"), "compare", "team-a", "2026-11-22", "item"
    )
    assert (first.where, second.where) == ("routes.toml:5", "routes.toml:16")
    assert (first.share, second.share) == (5.0, 0.0)
    assert second.name == "* /items/{name}"
    assert table.fallthrough == {404}
    assert str(first.sticky) == "cookie:session"


@pytest.mark.parametrize(
    ("method", "path", "found"),
    [
        ("GET", "/items/7", "/items/<int:id>"),
        ("HEAD", "/items/7", "/items/<int:id>"),
        ("GET", "/items/7/", "/items/<int:id>"),  # to redirect or not is the side's business
        ("POST", "/items/7", "/items/{name}"),
        ("GET", "/items/x", "/items/{name}"),
        ("GET", "/files/a/b", "/files/{p:path}"),
        ("GET", "/files/" + "x" * 5000, "/files/{p:path}"),
        ("GET", "//items/7", None),
        ("GET", "/items//7", None),
        ("OPTIONS", "*", None),
        ("GET", "", None),
        ("GET", "/items", None),
    ],
)
def test_the_most_specific_route_takes_a_request(method: str, path: str, found: str | None) -> None:
    route = RouteTable.parse(TABLE).find(method, path)
    assert (route and route.path) == found


def test_a_route_that_names_its_methods_goes_before_one_that_takes_them_all() -> None:
    routes = (Route("/a"), Route("/a", methods=("GET",)), Route("/a", methods=("HEAD",)))
    table = RouteTable(routes)
    assert [table.find(method, "/a") for method in ("POST", "GET", "HEAD")] == list(routes)


@pytest.mark.parametrize("methods", ["GET", ["GET"], ("GET",)])
def test_one_method_needs_no_tuple(methods: Any) -> None:
    route = Route("/items", "new", methods)
    assert RouteTable((route,)).find("GET", "/items") is route
    assert hash(route) == hash(Route("/items", "new", ("GET",)))


def test_a_slash_at_the_end_decides_where_both_spellings_are_routes() -> None:
    table = RouteTable((Route("/a"), Route("/a/")))
    assert [table.find("GET", path) for path in ("/a", "/a/")] == list(table.routes)


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ("defalt = 'new'", "routes.toml:1: there is no key 'defalt'; did you mean 'default'?"),
        ("x = ", "routes.toml:1: this is not TOML"),
        ("kill = 1", "routes.toml:1: this is true or false, not 1"),
        ("fallthrough = [200]", "routes.toml:1: fallthrough is a list of codes from 400 to 499"),
        ("[route]\npath = '/a'", "routes.toml:1: `route` is a list of tables; write [[route]]"),
        ("route = 3", "`route` is a list of tables"),
        ("[[route]]\npath = '/a'", "routes.toml:1: this route has no `to`"),
        ("[[route]]\nto = 'new'", "routes.toml:1: this route has no `path`"),
        ("[[route]]\nto = 'old'", "routes.toml:2: a side is"),
        ("[[route]]\nsticky = 'header'", 'routes.toml:2: sticky is "cookie:NAME"'),
        ("[[route]]\nsince = 3", "routes.toml:2: this takes text in quotes"),
        ("[[route]]\npath = 3", "routes.toml:2: this takes text in quotes, not 3"),
        ("[[route]]\npath = 'a'", "routes.toml:2: a path begins with a slash"),
        ("[[route]]\npercent = 101", "routes.toml:2: percent is a number from 0 to 100, not 101"),
        ("[[route]]\npercent = true", "routes.toml:2: percent is a number"),
        ("[[route]]\nsticky = 'cookie'", 'routes.toml:2: sticky is "cookie:NAME"'),
        ("[[route]]\nmethods = []", "routes.toml:2: methods is a list of names"),
        ("[[route]]\nmethods = ['GTE']", "routes.toml:2: there is no method 'GTE'; did you mean 'GET'?"),
        ("[[route]]\npath = '/a'\nto = 'legacy'\npercent = 5", 'routes.toml:4: percent is a share of to = "new"'),
        ("route = [{path = '/a', too = 'new'}]", "routes.toml: there is no key 'too'; did you mean 'to'?"),
    ],
)
def test_what_is_wrong_is_said_with_file_and_line(lines: str, says: str) -> None:
    assert says in "\n".join(problems(lines))


def test_everything_wrong_is_said_at_once() -> None:
    found = problems("kill = 2\n[[route]]\npath = 'a'\nto = 'x'\n[[route]]\npath = '/a'\nto = 'new'\n" * 1)
    assert [problem.partition(": ")[0] for problem in found] == ["routes.toml:1", "routes.toml:3", "routes.toml:4"]


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("/a/<x>", "/a/{y}"),
        ("/a/<int:x>", "/a/<y:int>"),
        ('/a/<re("[a-z]+"):x>', '/a/<re("[a-m]+"):x>'),
        ("/a/<any(x, y):c>", "/a/<any(y, z):c>"),
        ("/a<x>", "/<y>a"),
        ('/a/<re("[a-z]+"):x>/b', '/a/<re("[a-m]+"):x>/<y>'),  # the left one decides, and it cannot
        ('/a/<re("[a-z]+"):x>/b', '/a/<re("[a-m]+"):x>/<path:y>'),
    ],
)
def test_routes_that_only_their_order_could_tell_apart_are_refused(one: str, two: str) -> None:
    text = f"[[route]]\npath = '{one}'\nto = 'new'\n[[route]]\npath = '{two}'\nto = 'legacy'\n"
    (problem,) = problems(text)
    assert problem.startswith("routes.toml:4: ")
    assert "routes.toml:1" in problem


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("/a/<any(x, y):c>", "/a/<any(v, w):c>"),
        ("/a/<int:x>", "/a/<uuid:y>"),
        ('/a/<re("[a-z]+"):x>/b', '/a/<re("[a-m]+"):x>/c'),
        ("/<path:p>/x/<b>", "/<path:p>/<b>/x"),
        ("/a-<x>", "/<y>"),
        ("/a/<int:x>/b", "/a/<y>/<z>"),
        ("/<a>/x", "/<b>/y"),
        ('/a/<re("[a-z]+"):x>/b/c', '/a/<re("[a-m]+"):x>/b'),
    ],
)
def test_routes_that_cannot_be_confused_may_stand_together(one: str, two: str) -> None:
    RouteTable((Route(one), Route(two)))


def test_one_path_may_have_several_routes_for_different_methods() -> None:
    RouteTable((Route('/<re("a"):x>', methods=("GET",)), Route('/<re("b"):x>', methods=("POST",))))
    with pytest.raises(RouteTableError):
        RouteTable((Route('/<re("a"):x>', methods=("GET",)), Route('/<re("b"):x>')))
    with pytest.raises(RouteTableError):
        RouteTable((Route("/a", methods=("GET", "POST")), Route("/a", methods=("POST",))))


def test_two_routes_may_not_share_a_name() -> None:
    with pytest.raises(RouteTableError, match="has the name 'x' too"):
        RouteTable((Route("/a", name="x"), Route("/b", name="x")))


def test_a_file_is_read_and_a_missing_one_is_said(tmp_path: Path) -> None:
    file = tmp_path / "routes.toml"
    file.write_text(TABLE)
    assert RouteTable.load(file).routes[0].where == f"{file}:5"
    with pytest.raises(RouteTableError, match="cannot be read"):
        RouteTable.load(tmp_path / "none.toml")
    file.write_bytes(b"\xff")
    with pytest.raises(RouteTableError, match="cannot be read"):
        RouteTable.load(file)


def test_explain_says_which_route_takes_a_request_and_why_no_other_does() -> None:
    table = RouteTable.parse(TABLE)
    assert table.explain("GET", "/items/7").splitlines() == [
        "GET /items/7 goes to new for 5 % of its clients (chosen by cookie:session), else to legacy: "
        "routes.toml:5 takes it, GET /items/<int:id>",
        "  routes.toml:16, * /items/{name}, fits too; GET /items/<int:id> is more specific",
    ]
    assert table.explain("POST", "/items/7").splitlines() == [
        "POST /items/7 goes to legacy: routes.toml:16 takes it, * /items/{name}",
        "  routes.toml:5, GET /items/<int:id>, fits the path, for other methods than POST",
    ]
    assert "no route takes it, and that is the default" in table.explain("GET", "/")
    assert "goes to new: " in table.explain("GET", "/files/a")
    assert "kill = true" in RouteTable(kill=True).explain("GET", "/")
    by_lot = RouteTable((Route("/a", "new", percent=50.0),))
    assert "chosen by lot for each request" in by_lot.explain("GET", "/a")


# --- the algebra, against an oracle and against itself

WORDS = ["a", "b", "7", "abc"]
VARIABLES = {
    "<string:v>": "[^/]+",
    "<int:v>": r"\d+",
    "<slug:v>": "[-A-Za-z0-9_]+",
    '<re("[a-b]+"):v>': "(?:[a-b]+)",
    '<re("[b-c]+"):v>': "(?:[b-c]+)",
    "<path:v>": "[^/].*?",
}
segments = st.one_of(st.sampled_from(WORDS), st.sampled_from(sorted(VARIABLES)))
templates = st.lists(segments, min_size=1, max_size=3).filter(lambda parts: parts.count("<path:v>") < 2)
paths = st.lists(st.sampled_from([*WORDS, "bc", "ab"]), min_size=1, max_size=4).map(lambda parts: "/" + "/".join(parts))


def written(parts: list[str]) -> str:
    return "".join("/" + part.replace(":v>", f":v{at}>") for at, part in enumerate(parts))


def fits(parts: list[str], path: str) -> bool:
    return re.fullmatch("".join("/" + VARIABLES.get(part, part) for part in parts) + "/?", path) is not None


def accepted(routes: list[Route]) -> RouteTable | None:
    try:
        return RouteTable(tuple(routes))
    except RouteTableError:
        return None


@given(st.lists(templates, min_size=1, max_size=4, unique_by=tuple), paths, st.randoms(use_true_random=False))
def test_an_accepted_table_gives_one_answer_whatever_its_order(parts: Any, path: str, random: Any) -> None:
    routes = [Route(written(each)) for each in parts]
    table = accepted(routes)
    assume(table is not None)
    assert table is not None
    random.shuffle(routes)
    shuffled = accepted(routes)
    assert shuffled is not None
    assert table.find("GET", path) == shuffled.find("GET", path)


@given(st.lists(templates, min_size=1, max_size=4, unique_by=tuple), paths)
def test_a_route_is_found_just_when_its_pattern_fits(parts: Any, path: str) -> None:
    table = accepted([Route(written(each)) for each in parts])
    assume(table is not None)
    assert table is not None
    found = table.find("GET", path)
    fitting = {written(each) for each in parts if fits(each, path)}
    assert found.path in fitting if found else not fitting


@given(st.lists(templates, min_size=1, max_size=4, unique_by=tuple), paths)
def test_where_no_path_variable_is_involved_werkzeug_finds_the_same_route(parts: Any, path: str) -> None:
    parts = [each for each in parts if "<path:v>" not in each]
    table = accepted([Route(written(each)) for each in parts])
    assume(table is not None)
    assert table is not None
    rules = [Rule(route.path, endpoint=route) for route in table.routes]
    theirs = Map(rules, strict_slashes=False, merge_slashes=False, converters={"re": Re, "slug": Slug}).bind("x")
    try:
        expected = theirs.match(path, "GET")[0]
    except NotFound:
        expected = None
    assert table.find("GET", path) == expected


class Re(BaseConverter):
    weight = 80

    def __init__(self, map: Map, pattern: str) -> None:
        super().__init__(map)
        self.regex = pattern


class Slug(BaseConverter):
    weight = 90
    regex = "[-A-Za-z0-9_]+"


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("client", Sticky("client")),
        ("header:X-User", Sticky("header", "x-user")),
        ("cookie:id", Sticky("cookie", "id")),
    ],
)
def test_clients_are_told_apart_by_what_the_table_says(written: str, read: Sticky) -> None:
    text = f'[[route]]\npath = "/a"\nto = "new"\npercent = 5\nsince = "soon"\nsticky = "{written}"\n'
    (route,) = RouteTable.parse(text).routes
    assert (route.sticky, route.since) == (read, "soon")

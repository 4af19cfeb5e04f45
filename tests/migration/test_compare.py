"""Two answers to one request: what a client could tell apart, and nothing else."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anysgi.migration._compare._differences import find_differences
from anysgi.migration._compare._exchanges import Answered, Asked, Recorded
from anysgi.migration._compare._finding import Finding
from anysgi.migration._compare._json import MISSING, json_differences
from anysgi.migration._compare._noise import Noise, route_of
from anysgi.migration._compare._running import compare, replay

GET = Asked("GET", "/users/7?full=1", (("host", "shop.example.com"),))


def answer(body: bytes = b"", *fields: tuple[str, str], status: int = 200, **more: Any) -> Answered:
    return Answered(status, fields, body, **more)


def as_json(value: Any, *fields: tuple[str, str]) -> Answered:
    return answer(json.dumps(value).encode(), ("content-type", "application/json"), *fields)


def html(text: str) -> Answered:
    return answer(text.encode(), ("content-type", "text/html; charset=utf-8"))


def text(value: str) -> Answered:
    return answer(value.encode(), ("content-type", "text/plain"))


def png(body: bytes) -> Answered:
    return answer(body, ("content-type", "image/png"))


def to(location: str) -> Answered:
    return answer(b"", ("location", location), status=302)


def signed(payload: str, moment: str) -> Answered:
    """A session cookie as itsdangerous signs it."""
    value = f"{payload}.{moment}.4Pq8tqZ4pB3kXJ1Wq9cQ0mZ7x2s"
    return answer(b"", ("set-cookie", f"session={value}; HttpOnly; Path=/"))


def expiring(moment: str) -> Answered:
    return answer(b"", ("expires", moment))


BROKEN_JSON = [answer(body, ("content-type", "application/json")) for body in (b"{", b"[")]
USER = {"id": 7, "name": "Ada", "tags": ["a", "b"]}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (as_json(USER), answer(json.dumps(USER, indent=2).encode(), ("content-type", "application/json"))),
        (as_json({"a": 1, "b": 2.0}), as_json({"b": 2, "a": 1.0})),
        (as_json(1, ("date", "Mon"), ("server", "a")), as_json(1, ("date", "Tue"))),
        (as_json(1, ("vary", "Cookie, Accept")), as_json(1, ("vary", "accept"), ("vary", "cookie"))),
        (as_json(1, ("cache-control", "no-store, private")), as_json(1, ("cache-control", "private,no-store"))),
        (html('<p class="a" id=b>One  two\n</p>'), html('<P id="b" class=a> One two</P>')),
        (
            answer(b"", ("location", "/x"), status=302),
            answer(b"", ("location", "http://shop.example.com/x"), status=302),
        ),
        (answer(b"", ("location", "?page=2"), status=302), answer(b"", ("location", "/users/7?page=2"), status=302)),
        (
            answer(b"", ("set-cookie", "a=1; Path=/; Expires=Mon, 01 Jan 2026 00:00:00 GMT; HttpOnly")),
            answer(b"", ("set-cookie", "a=1; httponly; expires=Tue, 02 Jan 2026 00:00:00 GMT; path=/")),
        ),
        (signed("eyJwZXJzb24iOjF9", "aSQ1Xw"), signed("eyJwZXJzb24iOjF9", "aSQ1Yg")),
        (expiring("Tue, 24 Nov 2026 22:49:59 GMT"), expiring("Tue, 24 Nov 2026 22:50:00 GMT")),
        (answer(b"\0\1", ("content-type", "image/png")), answer(b"\0\1", ("content-type", "image/png"))),
    ],
)
def test_what_no_client_could_tell_apart_is_the_same(old: Answered, new: Answered) -> None:
    assert find_differences(GET, old, new) == []


@pytest.mark.parametrize(
    ("old", "new", "kind", "place"),
    [
        (answer(status=404), answer(status=422), "status", "status"),
        (as_json(USER), as_json({**USER, "name": "Bob"}), "json", "$.name"),
        (as_json(USER), as_json({"id": 7, "title": "Ada", "tags": ["a", "b"]}), "json", "$.name"),
        (as_json(USER), as_json({**USER, "tags": ["a"]}), "json", "$.tags[1]"),
        (as_json({"a": 1}), as_json({"a": True}), "json", "$.a"),
        (as_json({"a": 1}), as_json({"a": "1"}), "json", "$.a"),
        (as_json({"a": None}), as_json({}), "json", "$.a"),
        (as_json({"at": "2026-11-24T10:00:00Z"}), as_json({"at": "24.11.2026"}), "json", "$.at"),
        (as_json({"a b": 1}), as_json({"a b": 2}), "json", "$['a b']"),
        (as_json({"name": "Ada"}), as_json({"name": "Ada "}), "json", "$.name"),
        (as_json(1, ("etag", '"a"')), as_json(1), "header", "etag"),
        (as_json(1), as_json(1, ("x-new", "1")), "header", "x-new"),
        (as_json(1), answer(b"1", ("content-type", "text/plain")), "header", "content-type"),
        (html("<p>One</p>"), html("<p>Two</p>"), "html", "part 2"),
        (html('<a href="/x">'), html('<a href="/y">'), "html", "part 1"),
        (html("<pre>a  b</pre>"), html("<pre>a b</pre>"), "html", "part 2"),
        (text("one\ntwo"), text("one\nthree"), "text", "part 2"),
        (text("one"), text("one "), "text", "part 1"),
        (text("one\n"), text("one\r\n"), "text", "line endings"),
        (png(b"\0\1\2"), png(b"\0\1\3"), "bytes", "byte 2"),
        (*BROKEN_JSON, "bytes", "byte 0"),
        (to("/x"), to("/y"), "redirect", "location"),
        (to("/x"), to("//evil.com/x"), "redirect", "location"),
        (answer(b"", ("set-cookie", "a=1")), answer(b""), "cookie", "a"),
        (answer(b"", ("set-cookie", "a=1; Secure")), answer(b"", ("set-cookie", "a=1")), "cookie", "a; secure"),
        (answer(b"", ("set-cookie", "a=1")), answer(b"", ("set-cookie", "a=2")), "cookie", "a; value"),
        (signed("eyJwZXJzb24iOjF9", "aSQ1Xw"), signed("eyJwZXJzb24iOjJ9", "aSQ1Xw"), "cookie", "session; value"),
        (expiring("Tue, 24 Nov 2026 22:49:59 GMT"), expiring("Tue, 24 Nov 2026 22:59:59 GMT"), "header", "expires"),
        (expiring("Tue, 24 Nov 2026 22:49:59 GMT"), expiring("Tue, 24 Nov 2026 22:49:59"), "header", "expires"),
        (expiring("0"), expiring("-1"), "header", "expires"),
        (answer(b"x"), Answered(0, error="ConnectionRefusedError"), "error", "answer"),
    ],
)
def test_what_a_client_could_tell_apart_is_told_with_its_place(
    old: Answered, new: Answered, kind: str, place: str
) -> None:
    found = find_differences(GET, old, new)
    assert (kind, place) in [(finding.kind, finding.place) for finding in found]
    assert any(not finding.informative for finding in found)


@pytest.mark.parametrize(
    ("old", "new", "kind"),
    [
        (answer(b"x", pieces=1), answer(b"x", pieces=9), "chunking"),
        (answer(b"x", seconds=0.01), answer(b"x", seconds=1.0), "timing"),
        (html("x"), answer(b"x", ("content-type", "text/html")), "header"),
    ],
)
def test_what_breaks_no_client_is_told_and_does_not_count(old: Answered, new: Answered, kind: str) -> None:
    [finding] = find_differences(GET, old, new)
    assert (finding.kind, finding.informative) == (kind, True)


def test_where_statuses_differ_bodies_are_not_compared() -> None:
    assert len(find_differences(GET, text("found"), answer(b"gone", ("content-type", "text/plain"), status=404))) == 1
    head = Asked("HEAD", "/")
    assert find_differences(head, text("a"), text("b")) == []


def test_a_thousand_differences_are_not_all_told() -> None:
    assert len(find_differences(GET, as_json(list(range(1_000))), as_json(list(range(1, 1_001))))) == 50
    [finding] = find_differences(GET, text("a" * 9_999), text("b" * 9_999))
    assert len(finding.old) < 400


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(values)
def test_a_value_does_not_differ_from_itself(value: Any) -> None:
    assert list(json_differences(value, json.loads(json.dumps(value)))) == []


@given(values, values)
def test_what_differs_one_way_differs_the_other_way(old: Any, new: Any) -> None:
    there, back = list(json_differences(old, new)), list(json_differences(new, old))
    assert {place for place, *_ in there} == {place for place, *_ in back}
    assert all(a is not MISSING or b is not MISSING for _, a, b in there)


@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("/", "GET /"),
        ("/users/7", "GET /users/{}"),
        ("/users/7/orders/0f8fad5b-d9cb-469f-a165-70867728950e", "GET /users/{}/orders/{}"),
        ("/static/app.css", "GET /static/app.css"),
        ("/users/me", "GET /users/me"),
    ],
)
def test_requests_of_one_route_are_told_together(path: str, route: str) -> None:
    assert route_of("GET", path) == route


class Script:
    """A target that answers from a list, and remembers what it was asked."""

    def __init__(self, *answers: Answered) -> None:
        self.answers = list(answers)
        self.asked: list[Asked] = []

    def ask(self, request: Asked) -> Answered:
        self.asked.append(request)
        return self.answers[(len(self.asked) - 1) % len(self.answers)]

    def close(self) -> None: ...


@pytest.mark.parametrize(
    ("recorded", "answer_now", "differs"),
    [
        (as_json({"token": "[redacted]"}), as_json({"token": "x"}), False),
        (as_json({"token": "[redacted]"}), as_json({}), True),
        (answer(b"", ("set-cookie", "[redacted]")), answer(b"", ("set-cookie", "a=1; Path=/")), False),
        (answer(b"", ("x-auth-token", "[redacted]")), answer(b"", ("x-auth-token", "x")), False),
        (answer(b"", ("x-auth-token", "[redacted]")), answer(b""), True),
        (
            answer(b"", ("location", "/?token=%5Bredacted%5D"), status=302),
            answer(b"", ("location", "/?token=x"), status=302),
            False,
        ),
        (answer(b"", ("set-cookie", "a=1")), answer(b""), True),
    ],
)
def test_what_a_recording_left_out_is_no_difference(recorded: Answered, answer_now: Answered, differs: bool) -> None:
    [one] = replay([Recorded(GET, recorded)], Script(answer_now), noise=Noise())
    assert one.differs is differs


def test_what_the_old_app_does_not_repeat_itself_is_no_finding() -> None:
    old = Script(*(as_json([{"id": n, "name": "Ada"}]) for n in range(9)))
    new = Script(as_json([{"id": 99, "name": "Bob"}]))
    [compared] = compare([Recorded(GET)], old, new, noise=Noise())
    assert [finding.place for finding in compared.findings] == ["$[0].name"]
    assert len(old.asked) == 3  # and once more, as the new one differs


def test_a_clock_that_ticks_between_two_questions_is_no_finding() -> None:
    early, late = as_json({"at": "10:00:00", "name": "Ada"}), as_json({"at": "10:00:01", "name": "Ada"})
    [compared] = compare([Recorded(GET)], Script(early, early, late), Script(late), noise=Noise())
    assert not compared.differs
    [compared] = compare([Recorded(GET)], Script(early, early, early), Script(late), noise=Noise())
    assert [finding.place for finding in compared.findings] == ["$.at"]


def test_noise_once_seen_is_noise_for_the_route_and_every_element_of_a_list() -> None:
    noise = Noise()
    old = Script(as_json([{"t": 1}]), as_json([{"t": 2}]), as_json([{"t": 3}, {"t": 3}]), as_json([{"t": 3}, {"t": 3}]))
    new = Script(as_json([{"t": 5}]), as_json([{"t": 3}, {"t": 7}]))
    assert [c.findings for c in compare([Recorded(GET)] * 2, old, new, noise=noise)] == [(), ()]
    assert noise.places() == {"GET /users/{}": ["json: $[*].t"]}


def test_places_can_be_ignored_by_name() -> None:
    noise = Noise(["$.items[0].etag", "x-build"])
    old = Script(as_json({"items": [{"etag": 1}, {"etag": 1}]}, ("x-build", "1")))
    new = Script(as_json({"items": [{"etag": 1}, {"etag": 2}]}, ("x-build", "2")))
    [compared] = compare([Recorded(GET)], old, new, noise=noise)
    assert not compared.differs


def test_what_may_change_data_is_not_sent_unless_both_sides_are_isolated() -> None:
    post = Recorded(Asked("POST", "/pay", body=b"x"))
    old, new = Script(text("a")), Script(text("b"))
    [skipped] = compare([post], old, new, noise=Noise())
    assert "POST may change data" in skipped.skipped
    assert old.asked == new.asked == []
    [sent] = compare([post], old, new, noise=Noise(), isolated=True)
    assert sent.differs
    assert len(old.asked) == len(new.asked) == 1


def test_a_replay_holds_answers_against_the_recorded_ones() -> None:
    target = Script(text("new"))
    recorded = [Recorded(GET, text("old")), Recorded(GET, text("new")), Recorded(GET), Recorded(Asked("PUT", "/"))]
    assert [one.differs for one in replay(recorded, target, noise=Noise())] == [True, False, False, False]
    assert len(target.asked) == 3


def test_a_time_that_wavers_is_left_out_and_not_told_of() -> None:
    late, noise = Finding("timing", "seconds", "0.1", "0.9", informative=True), Noise()
    noise.learn("GET /", [late, Finding("json", "$.at", "1", "2")])
    noise.learn("GET /slow", [late])
    assert noise.places() == {"GET /": ["json: $.at"]}
    assert noise.without("GET /slow", [late]) == []

"""Seeded mistakes in answers nobody chose: every one is found, wherever it sits, and harmless differences never are.

An answer is drawn first, then one mistake that can be made in it, then the place to make it.
"""

from __future__ import annotations

import json
from copy import deepcopy
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anysgi.migration._compare._exchanges import Answered, Asked, Recorded
from anysgi.migration._compare._noise import Noise
from anysgi.migration._compare._running import compare

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

REQUEST = Recorded(Asked("GET", "/orders/7", (("host", "shop.example"),)))
words = st.text("abcdefghijklmnopqrstuvwxyzäß -.:/<>&\"'", min_size=1, max_size=12)
names = st.text("abcdefgh_", min_size=1, max_size=8)
dates = st.datetimes().map(lambda at: at.isoformat() + "Z")
leaves = st.none() | st.booleans() | st.integers(-9999, 9999) | words | dates
documents = st.dictionaries(
    names,
    st.recursive(
        leaves,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=4),
        max_leaves=12,
    ),
    min_size=1,
    max_size=5,
)
fields = st.lists(
    st.tuples(st.sampled_from(["etag", "x-total", "link", "allow", "vary", "x-frame-options"]), words.map(str.strip)),
    unique_by=lambda pair: pair[0],
    max_size=4,
).map(lambda pairs: [(name, value or "x") for name, value in pairs])


class Says:
    """A target with one answer."""

    def __init__(self, answer: Answered) -> None:
        self.answer = answer

    def ask(self, request: Asked) -> Answered:
        return self.answer

    def close(self) -> None: ...


def differs(old: Answered, new: Answered) -> bool:
    """Through everything a request goes through, the noise model included."""
    [one] = compare([REQUEST], Says(old), Says(new), noise=Noise())
    return one.differs


# --- JSON: a mistake takes a container and a key or index of it, and changes what is there


def renamed_key(holder: Any, key: Any) -> None:
    holder[f"{key}X"] = holder.pop(key)


def missing(holder: Any, key: Any) -> None:
    del holder[key]


def null_for_absent(holder: Any, key: Any) -> None:
    holder[f"{key}X"] = None


def twice(holder: Any, key: Any) -> None:
    holder.insert(key, holder[key])


def becoming(change: Callable[[Any], Any]) -> Callable[[Any, Any], None]:
    def mistake(holder: Any, key: Any) -> None:
        holder[key] = change(holder[key])

    return mistake


def is_date(value: Any) -> bool:
    return isinstance(value, str) and value.endswith("Z") and "T" in value


def is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


ANY: Callable[[Any, Any], bool] = lambda holder, value: True  # noqa: E731
JSON_MISTAKES: dict[str, tuple[Callable[[Any, Any], bool], Callable[[Any, Any], None]]] = {
    "renamed key": (lambda holder, value: isinstance(holder, dict), renamed_key),
    "missing": (ANY, missing),
    "null for absent": (lambda holder, value: isinstance(holder, dict), null_for_absent),
    "twice": (lambda holder, value: isinstance(holder, list), twice),
    "date format": (lambda holder, value: is_date(value), becoming(lambda at: at.replace("Z", "+00:00"))),
    "date without zone": (lambda holder, value: is_date(value), becoming(lambda at: at.removesuffix("Z"))),
    "extra space": (lambda holder, value: isinstance(value, str), becoming(lambda text: text + " ")),
    "escaped twice": (lambda holder, value: isinstance(value, str), becoming(lambda text: json.dumps(text))),
    "number as text": (lambda holder, value: is_number(value), becoming(str)),
    "off by one": (lambda holder, value: is_number(value), becoming(lambda number: number + 1)),
    "number for bool": (lambda holder, value: isinstance(value, bool), becoming(int)),
    "bool turned": (lambda holder, value: isinstance(value, bool), becoming(lambda value: not value)),
    "empty for null": (lambda holder, value: value is None, becoming(lambda _: "")),
    "null for value": (lambda holder, value: value is not None, becoming(lambda _: None)),
    "list for one": (ANY, becoming(lambda value: [value])),
}


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every container in a value, with each of its keys or indices."""
    if isinstance(value, (dict, list)):
        for key in list(value) if isinstance(value, dict) else range(len(value)):
            yield value, key
            yield from places(value[key])


def as_json(value: Any, headers: list[tuple[str, str]], **layout: Any) -> Answered:
    return Answered(
        200, (("content-type", "application/json"), *headers), json.dumps(value, **layout).encode(), pieces=1
    )


@pytest.mark.parametrize("mistake", JSON_MISTAKES)
@settings(max_examples=15)
@given(data=st.data(), document=documents, headers=fields)
def test_a_mistake_anywhere_in_json_is_found(mistake: str, data: Any, document: Any, headers: Any) -> None:
    fits, make = JSON_MISTAKES[mistake]
    document["at"], document["n"], document["flag"] = "2026-11-24T10:00:00Z", 7, [True, None]  # a place for each
    wrong = deepcopy(document)
    holder, key = data.draw(st.sampled_from([spot for spot in places(wrong) if fits(spot[0], spot[0][spot[1]])]))
    make(holder, key)
    assert differs(as_json(document, headers), as_json(wrong, headers))


@settings(max_examples=60)
@given(document=documents, headers=fields, dice=st.randoms())
def test_what_json_and_headers_do_not_mean_is_no_difference(document: Any, headers: Any, dice: Any) -> None:
    shuffled = sorted(headers, key=lambda _: dice.random())
    turned = dict(sorted(document.items(), key=lambda _: dice.random()))
    new = as_json(turned, [*shuffled, ("date", "Mon"), ("server", "new")], indent=1, ensure_ascii=False)
    assert not differs(as_json(document, [("date", "Tue"), *headers]), new)


# --- everything else: a mistake takes an answer and gives the wrong one

PAGE = '<!doctype html><title>Shop</title><ul class="all"><li id="{}">{}</li><li>x</li></ul><pre>a  b</pre>'
COOKIE = "session={}; Path=/; HttpOnly; SameSite=Lax; Max-Age=3600"


def answer(kind: str, word: str, headers: list[tuple[str, str]]) -> Answered:
    types = {"html": "text/html; charset=utf-8", "text": "text/plain; charset=utf-8", "bytes": "image/png"}
    safe = word.translate({ord(char): "_" for char in "<>&\"' ;"}) + "w"
    body = {"html": PAGE.format(safe, safe), "text": f"one {safe}\ntwo\nthree\n", "bytes": f"\0{safe}\1"}[kind]
    named = [("content-type", types[kind]), ("x-request-cost", safe), ("set-cookie", COOKIE.format("abc"))]
    return Answered(200, (*named, *headers), body.encode(), pieces=1)


def with_headers(old: Answered, change: Callable[[str, str], tuple[str, str] | None]) -> Answered:
    kept = [changed for name, value in old.headers if (changed := change(name, value)) is not None]
    return Answered(old.status, tuple(kept), old.body, old.pieces)


def with_body(old: Answered, before: bytes, after: bytes) -> Answered:
    assert before in old.body
    return Answered(old.status, old.headers, old.body.replace(before, after, 1), old.pieces)


def without(wanted: str) -> Callable[[Answered], Answered]:
    return lambda old: with_headers(old, lambda name, value: None if name == wanted else (name, value))


def where(wanted: str, before: str, after: str) -> Callable[[Answered], Answered]:
    def change(name: str, value: str) -> tuple[str, str]:
        return name, value.replace(before, after) if name == wanted else value

    return lambda old: with_headers(old, change)


def swapped(before: bytes, after: bytes) -> Callable[[Answered], Answered]:
    return lambda old: with_body(old, before, after)


MISTAKES: dict[str, tuple[str, Callable[[Answered], Answered]]] = {
    "404 -> 422": ("text", lambda old: Answered(422, old.headers, old.body, 1)),
    "missing header": ("text", without("x-request-cost")),
    "header value": ("text", where("x-request-cost", "w", "v")),
    "header more": ("text", lambda old: Answered(200, (*old.headers, ("x-powered-by", "new")), old.body, 1)),
    "media type": ("text", where("content-type", "text/plain", "text/csv")),
    "charset": ("text", where("content-type", "utf-8", "latin-1")),
    "cookie missing": ("text", without("set-cookie")),
    "cookie value": ("text", where("set-cookie", "abc", "abd")),
    "cookie flag": ("text", where("set-cookie", "; HttpOnly", "")),
    "cookie path": ("text", where("set-cookie", "Path=/", "Path=/shop")),
    "cookie lifetime": ("text", where("set-cookie", "3600", "60")),
    "cookie same-site": ("text", where("set-cookie", "Lax", "None")),
    "space at the end": ("text", swapped(b"two\n", b"two \n")),
    "line missing": ("text", swapped(b"two\n", b"")),
    "line endings": ("text", lambda old: Answered(200, old.headers, old.body.replace(b"\n", b"\r\n"), 1)),
    "no line at the end": ("text", swapped(b"three\n", b"three")),
    "page text": ("html", swapped(b">Shop<", b">shop<")),
    "page attribute": ("html", swapped(b'class="all"', b'class="every"')),
    "page attribute missing": ("html", swapped(b' class="all"', b"")),
    "page tag": ("html", swapped(b"<li>x</li>", b"<dd>x</dd>")),
    "page part missing": ("html", swapped(b"<li>x</li>", b"")),
    "page verbatim space": ("html", swapped(b"a  b", b"a b")),
    "page doctype": ("html", swapped(b"<!doctype html>", b"")),
    "byte": ("bytes", swapped(b"\1", b"\2")),
    "cut off": ("bytes", swapped(b"\1", b"")),
}


@pytest.mark.parametrize("mistake", MISTAKES)
@settings(max_examples=15)
@given(word=words, headers=fields)
def test_a_mistake_in_any_other_answer_is_found(mistake: str, word: str, headers: Any) -> None:
    kind, make = MISTAKES[mistake]
    right = answer(kind, word, headers)
    assert not differs(right, right)
    assert differs(right, make(right))

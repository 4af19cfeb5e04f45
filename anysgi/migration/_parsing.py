"""Turns the values of a `routes.toml` into a `RouteTable`, and collects everything that is wrong with them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from difflib import get_close_matches
from typing import Any

from ..exceptions import RouteTableError
from ._reading import Entry, read_toml
from ._table import Route, RouteTable, Side, Sticky
from ._templates import parse_template
from ._variables import TemplateError

METHODS = (
    *("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "QUERY"),
    # WebDAV, CalDAV and friends
    *("PROPFIND", "PROPPATCH", "MKCOL", "MKCALENDAR", "COPY", "MOVE", "LOCK", "UNLOCK", "REPORT", "SEARCH", "ACL"),
)


class _Wrong(ValueError):
    """A value that cannot be used; the message says what to write."""


def _method_list(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not value or not all(isinstance(item, str) for item in value):
        raise _Wrong('methods is a list of names: write methods = ["GET", "POST"], or leave it out for every method')
    names = tuple(dict.fromkeys(item.upper() for item in value))
    for name in names:
        if name not in METHODS:
            raise _Wrong(f"there is no method {name!r}{_meant(name, METHODS)}")
    return names


def _path(value: Any) -> str:
    try:
        return parse_template(_text(value)).written
    except TemplateError as error:
        raise _Wrong(str(error)) from None


def _side(value: Any) -> Side:
    if value == "legacy":
        return "legacy"
    if value == "new":
        return "new"
    raise _Wrong(f'a side is "legacy" or "new", not {value!r}')


def _percent(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 100:
        raise _Wrong(f"percent is a number from 0 to 100, not {value!r}")
    return float(value)


def parse_sticky(value: Any) -> Sticky:
    """Read `cookie:NAME`, `header:NAME` or `client`."""
    kind, _, name = _text(value).partition(":")
    if kind == "client" and not name:
        return Sticky("client")
    if kind == "cookie" and name:
        return Sticky("cookie", name)
    if kind == "header" and name:
        return Sticky("header", name.lower())
    raise _Wrong(f'sticky is "cookie:NAME", "header:NAME" or "client", not {value!r}')


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise _Wrong(f"this takes text in quotes, not {value!r}")
    return value


def _day(value: Any) -> str:
    return value.isoformat() if isinstance(value, date) else _text(value)


def _switch(value: Any) -> bool:
    if not isinstance(value, bool):
        raise _Wrong(f"this is true or false, not {value!r}")
    return value


def _statuses(value: Any) -> frozenset[int]:
    if not isinstance(value, list) or not all(type(item) is int and 400 <= item <= 499 for item in value):
        raise _Wrong("fallthrough is a list of codes from 400 to 499: write fallthrough = [404, 405], or [] for never")
    return frozenset(value)


_TABLE: dict[str, Callable[[Any], Any]] = {"default": _side, "fallthrough": _statuses, "kill": _switch}
_ROUTE: dict[str, Callable[[Any], Any]] = {
    "path": _path,
    "to": _side,
    "methods": _method_list,
    "percent": _percent,
    "sticky": parse_sticky,
    "shadow": _text,
    "owner": _text,
    "since": _day,
    "name": _text,
}


def parse_table(text: str, file: str) -> RouteTable:
    """See `RouteTable.parse`."""
    top, entries = read_toml(text, file)
    problems: list[str] = []
    options = _read(top, _TABLE, problems)
    routes = [route for entry in entries if (route := _route(entry, problems)) is not None]
    try:
        table = RouteTable(tuple(routes), file=file, **options)
    except RouteTableError as error:
        raise RouteTableError([*problems, *error.problems]) from None
    if problems:
        raise RouteTableError(problems)
    return table


def _route(entry: Entry, problems: list[str]) -> Route | None:
    before = len(problems)
    values = _read(entry, _ROUTE, problems)
    problems += [
        f"{entry.where()}: this route has no `{key}`; {example}"
        for key, example in (("path", 'write path = "/items/<int:id>"'), ("to", 'write to = "new" or to = "legacy"'))
        if key not in entry.values
    ]
    if values.get("to") == "legacy" and "percent" in values:
        problems.append(f'{entry.where("percent")}: percent is a share of to = "new"; write that, or take percent out')
    if len(problems) > before:
        return None
    return Route(**values, file=entry.file, line=entry.line)


def _read(entry: Entry, readers: dict[str, Callable[[Any], Any]], problems: list[str]) -> dict[str, Any]:
    values = {}
    for key, value in entry.values.items():
        reader = readers.get(key)
        try:
            if reader is None:
                raise _Wrong(f"there is no key {key!r}{_meant(key, readers)}; known are {', '.join(readers)}")
            values[key] = reader(value)
        except _Wrong as error:
            problems.append(f"{entry.where(key)}: {error}")
    return values


def _meant(word: str, known: Any) -> str:
    close = get_close_matches(word, list(known), 1)
    return f"; did you mean {close[0]!r}?" if close else ""

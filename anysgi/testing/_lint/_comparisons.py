"""Rules that take several requests which differ in one point: the judges get the answers, and say what is wrong.

An app whose answers to two equal requests differ cannot be judged so; then nothing is said.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from .._exchange import Exchange

Comparison: TypeAlias = tuple[str, tuple[str, ...], Callable[..., str | None]]
"""A rule's id, the scenarios it compares, and the judge of their answers."""


def stops_at_the_first_piece(once: Exchange, again: Exchange, pieces: Exchange) -> str | None:
    """A057: the answer changes when the body comes in pieces, and not all of them were read."""
    return _short(once, again, pieces, "a body in three pieces")


def stops_at_an_empty_piece(once: Exchange, again: Exchange, empty: Exchange) -> str | None:
    """A059: the answer changes when a piece is empty, and the rest was not read."""
    return _short(once, again, empty, "a body with an empty piece")


def _short(once: Exchange, again: Exchange, other: Exchange, what: str) -> str | None:
    read = sum(event.by == "server" and event.message["type"] == "http.request" for event in other.messages)
    if _answer(once) != _answer(again) or _answer(once) == _answer(other) or read >= len(other.scenario.body):
        return None
    return f"{what} was answered {other.status}, the same body in one piece {once.status}; {read} pieces were read"


def fails_on_unknown_keys(once: Exchange, again: Exchange, extra: Exchange) -> str | None:
    """A022: the app fails when events have a key more."""
    failed = extra.exception is not None or (extra.status or 500) >= 500
    well = once.exception is None and _answer(once) == _answer(again) and (once.status or 500) < 500
    return (
        f"with a key more in each event the app answered {extra.status}, {extra.exception!r}"
        if failed and well
        else None
    )


def head_differs(get: Exchange, again: Exchange, head: Exchange) -> str | None:
    """W062: HEAD is answered with other headers than GET."""
    if get.status != head.status or get.headers != again.headers:
        return None
    for name in ("content-type", "content-length"):
        here, there = head.header(name), get.header(name)
        if here is not None and there is not None and here != there:
            return f"{name} is {here!r} for HEAD, and {there!r} for GET"
    return None


def _answer(exchange: Exchange) -> tuple[Any, ...]:
    return exchange.status, exchange.body, type(exchange.exception)


ASGI_COMPARISONS: list[Comparison] = [
    ("A057", ("post", "post again", "post in pieces"), stops_at_the_first_piece),
    ("A059", ("post", "post again", "post with an empty piece"), stops_at_an_empty_piece),
    ("A022", ("get", "get again", "unknown keys"), fails_on_unknown_keys),
]
WSGI_COMPARISONS: list[Comparison] = [("W062", ("get", "get again", "head"), head_differs)]

"""A WSGI app that gets each of `cells/_checks.py` nearly right: what they must not let pass."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl

from . import _parts as parts
from . import _wsgi_parts as streams

Environ = dict[str, Any]
Answer = tuple[int, list[tuple[str, str]], Any]
KEPT: list[Iterator[bytes]] = []


def hello(environ: Environ, door: parts.Door) -> Answer:
    """Its HEAD forgets the length of its GET."""
    return 200, [("Content-Length", "5")] if environ["REQUEST_METHOD"] == "GET" else [], [b"hello"]


def echo(environ: Environ, door: parts.Door) -> Answer:
    """The last byte is missing."""
    return 200, [], [environ["wsgi.input"].read()[:-1]]


def stream(environ: Environ, door: parts.Door) -> Answer:
    """Not a piece leaves before all are made."""
    return 200, [], [b"".join(streams.Gated(door, 2))]


def endless(environ: Environ, door: parts.Door) -> Answer:
    """Nobody closes what has no `close` and is kept."""
    KEPT.append(streams.endless(door, 0.01))
    return 200, [], map(bytes, KEPT[-1])


def cookies(environ: Environ, door: parts.Door) -> Answer:
    """The second cookie took the first one's place."""
    return 200, [("Set-Cookie", "second=2")], [json.dumps({"a": "1", "b": "two"}).encode()]


def show(environ: Environ, door: parts.Door) -> Answer:
    """Bytes taken for Latin-1."""
    return 200, [], [json.dumps({"rest": environ["PATH_INFO"].removeprefix("/show/")}).encode()]


def status(environ: Environ, door: parts.Door) -> Answer:
    return 200, [], []


def error(environ: Environ, door: parts.Door) -> Answer:
    """A 500 of which the log knows nothing."""
    return 500, [], [b"sorry"]


def state(environ: Environ, door: parts.Door) -> Answer:
    return 200, [], [json.dumps({"startups": 2, "greeting": "from lifespan"}).encode()]


VIEWS = {view.__name__: view for view in (hello, echo, stream, endless, cookies, show, status, error, state)}


def app(environ: Environ, start_response: Callable[..., object]) -> Iterator[bytes]:
    view = VIEWS[environ["PATH_INFO"].split("/")[1]]
    code, headers, body = view(environ, parts.door_of(dict(parse_qsl(environ["QUERY_STRING"]))))
    start_response(f"{code} {HTTPStatus(code).phrase}", headers)
    return body

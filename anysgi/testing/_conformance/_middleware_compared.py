"""One middleware against itself: in both conventions, and fused into a stack or not."""

from __future__ import annotations

from collections.abc import Collection
from itertools import product
from typing import Any

from .._differences import assert_same
from .._programs import Echo, Program, Raise, Read, Say
from .._run import run
from .._scenario import Scenario
from ._check import made

UPLOAD = Scenario("POST", b"/a?b=1", {"X-Name": "value", "Cookie": "a=1"}, [b"ab", b"c"])
PROGRAMS = [
    Program((Say(b"hello"),), 200, ((b"content-type", b"text/plain"),), "whole"),
    Program((Read(), Echo()), 201, ((b"set-cookie", b"a=1"), (b"set-cookie", b"b=2"))),
    Program((Say(b"one"), Say(b"two"), Say(b"three")), 200, (), "stream"),
    Program((), 204),
    Program((), 304, ((b"etag", b'"1"'),)),
]
FAILING = [Program((Raise(),)), Program((Say(b"half"), Raise()))]
# Whether the body of a HEAD is made at all is everybody's own choice, and with it whether an error in it shows.
PAIRS = [*product(PROGRAMS, (Scenario(), UPLOAD, Scenario("HEAD"))), *product(FAILING, (Scenario(), UPLOAD))]


def wsgi_and_asgi_give_the_same(layer: Any, ignore: Collection[str]) -> None:
    """One middleware, two conventions, one behaviour."""
    for program, scenario in PAIRS:
        with made(layer, program.wsgi) as one, made(layer, program.asgi) as other:
            a, b = run(one, scenario, convention="wsgi"), run(other, scenario, convention="asgi")
        assert_same(a, b, scenario, ignore)


def fused_and_unfused_give_the_same(layer: Any, ignore: Collection[str]) -> None:
    """A stack of layers does what the layers do one around the other."""
    from anysgi.middleware import Stack

    for program, scenario in PAIRS:
        for app in (program.wsgi, program.asgi):
            assert_same(Stack(layer, layer)(app), Stack(layer)(_opaque(Stack(layer)(app))), scenario, ignore)


def _opaque(app: Any) -> Any:
    """The same app behind a function, so that the stack outside cannot see, and join, the one inside."""
    from anysgi import guess_convention

    if guess_convention(app) == "wsgi":
        return lambda environ, start_response: app(environ, start_response)

    async def asgi(scope: Any, receive: Any, send: Any) -> None:
        await app(scope, receive, send)

    return asgi

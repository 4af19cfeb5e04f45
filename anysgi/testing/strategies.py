"""Hypothesis strategies for requests and apps, and the differential test made of both.

    from anysgi.testing.strategies import differential

    @differential()
    def test_my_adapter_changes_nothing(program):
        return program.asgi, MyWsgiToAsgi(program.wsgi)

Plain cases come first, so what is printed after shrinking is as plain as the difference allows.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import Any

try:
    from hypothesis import HealthCheck, Phase, given, note, settings
    from hypothesis import strategies as st
except ImportError as error:  # pragma: no cover - hypothesis is in the test group
    raise ImportError("anysgi.testing.strategies needs hypothesis: pip install 'anysgi[testing]'") from error

from ._differences import LOSSY, assert_same
from ._peer_events import Disconnect, Pause, PeerEvent, SendBlocks, SendFails
from ._programs import Echo, Program, Raise, Read, ReadLine, Restart, Say
from ._scenario import Headers, Scenario

_SEGMENTS = ["a", "b%20c", "caf%C3%A9", "%2F", "%25", "%2525", "%E9", "..", "", ";v=1", "%00", "~_.-", "\xe9"]
_QUERIES = ["", "?", "?a=1", "?a=1&a=2;b", "?q=%20+%", "?\xe9", "?x=%FF"]
_BODIES = st.one_of(st.binary(max_size=20), st.sampled_from([b"\n", b"a\nb\n\nc", b"x" * 9000]))
_VALUES = st.sampled_from([b"1", b"", b"a,b", b'W/"x"', b"\xe9\xff", b"a; q=0.5", b"x" * 300])
_NAMES = st.sampled_from([b"x-a", b"X-Mixed-Case", b"accept", b"x_under", b"user-agent", b"te", b"x-forwarded-for"])
_COOKIES = st.sampled_from([b"a=1", b"b=2; c=3", b"d="])

# All but the explanations, which trace every line of both apps.
_PHASES = [Phase.explicit, Phase.reuse, Phase.generate, Phase.target, Phase.shrink]


def chunkings(body: bytes) -> st.SearchStrategy[tuple[bytes, ...]]:
    """All ways to cut a body into chunks, empty ones included."""
    return st.lists(st.integers(0, len(body)), max_size=4).map(lambda cuts: _cut(body, sorted(cuts)))


def _cut(body: bytes, cuts: list[int]) -> tuple[bytes, ...]:
    ends = [*cuts, len(body)]
    return tuple(body[start:end] for start, end in zip([0, *cuts], ends, strict=True)) if body or cuts else ()


def targets() -> st.SearchStrategy[bytes]:
    """Raw request targets: encoded slashes and percent signs, UTF-8 and bytes that are none, empty segments."""
    paths = st.lists(st.sampled_from(_SEGMENTS), max_size=3).map(lambda parts: f"/{'/'.join(parts)}")
    return st.builds(lambda path, query: (path + query).encode("latin-1"), paths, st.sampled_from(_QUERIES))


def header_lists() -> st.SearchStrategy[Headers]:
    """Request headers: duplicates, mixed case, underscores, empty and obs-text values, several cookies."""
    plain = st.tuples(_NAMES, _VALUES)
    cookies = st.tuples(st.sampled_from([b"cookie", b"Cookie"]), _COOKIES)
    return st.lists(st.one_of(plain, cookies), max_size=5).map(tuple)


@st.composite
def scenarios(draw: st.DrawFn, *, peer: bool = False) -> Scenario:
    """Requests that clients can send.

    Args:
        draw: given by hypothesis.
        peer: let clients leave, stop reading, break and pause as well.
    """
    body = draw(st.one_of(st.just(b""), _BODIES))
    method = draw(st.sampled_from(["GET", "POST", "PUT", "HEAD", "DELETE", "OPTIONS", "PROPFIND", "M-SEARCH"]))
    version = draw(st.sampled_from(["1.1", "1.0", "2"]))
    headers = draw(header_lists())
    if version == "2":
        headers = tuple((name.lower(), value) for name, value in headers)
    if version == "1.1" and draw(st.booleans()):
        headers = (*headers, (b"Transfer-Encoding", b"chunked"))
    chunks = draw(chunkings(body))
    return Scenario(
        method,
        draw(targets()),
        headers,
        chunks,
        http_version=version,
        tls=draw(st.booleans()),
        root_path=draw(st.sampled_from(["", "/mount", "/a"])),
        client=draw(st.sampled_from([("127.0.0.1", 50000), ("::1", 1), None])),
        server=draw(st.sampled_from([("testserver", 80), ("::1", 8000), ("/run/sock", None), None])),
        peer=draw(_peers(chunks)) if peer else (),
    )


def _peers(chunks: tuple[bytes, ...]) -> st.SearchStrategy[tuple[PeerEvent, ...]]:
    """Up to one way to leave, and some slowness."""
    number = st.integers(1, 4)
    leaves: list[st.SearchStrategy[Any]] = [
        st.none(),
        st.builds(lambda count: Disconnect(after_messages=count), number),
        st.builds(SendFails, number),
        st.builds(lambda count: Disconnect(after_chunks=count), st.integers(0, len(chunks))),
        st.builds(lambda size: Disconnect(after_bytes=size), st.integers(0, sum(map(len, chunks)))),
    ]
    slow: list[st.SearchStrategy[Any]] = [st.none(), st.builds(SendBlocks, number, st.just(1.0))]
    if chunks:
        slow.append(st.builds(Pause, st.integers(0, len(chunks) - 1), st.just(1.0)))
    together = st.tuples(st.one_of(leaves), st.one_of(slow))
    return together.map(lambda events: tuple(event for event in events if event is not None))


@st.composite
def programs(draw: st.DrawFn) -> Program:
    """Apps: what they read, what they say, when they change their mind, where they fail."""
    step = st.one_of(
        st.builds(Say, st.binary(max_size=8)),
        st.builds(Echo),
        st.builds(Read, st.one_of(st.none(), st.integers(0, 9))),
        st.builds(ReadLine),
        st.builds(Say, st.just(b"y" * 3000)),
        st.builds(Restart, st.sampled_from([500, 400])),
        st.builds(Raise),
    )
    headers = st.lists(
        st.sampled_from([(b"set-cookie", b"a=1"), (b"set-cookie", b"b=2; Path=/"), (b"x-a", b"\xe9"), (b"vary", b"x")]),
        max_size=4,
    ).map(tuple)
    return Program(
        tuple(draw(st.lists(step, max_size=6))),
        draw(st.sampled_from([200, 404, 201, 204, 304, 599])),
        draw(headers),
        draw(st.sampled_from(["stream", "whole", "write"])),
    )


def differential(
    *,
    examples: int = 100,
    programs: st.SearchStrategy[Program] = programs(),  # noqa: B008 - strategies are values
    scenarios: st.SearchStrategy[Scenario] = scenarios(),  # noqa: B008 - strategies are values
    ignore: Collection[str] = LOSSY,
    **options: Any,
) -> Callable[[Callable[[Program], Any]], Callable[[], None]]:
    """Make a differential test of a function from a program to two apps, which `assert_same` compares.

    The function may be a generator that yields the two apps and cleans up afterwards.

    Args:
        examples: how many pairs of program and scenario to try.
        programs, scenarios: where they come from.
        ignore: facts that may differ, see `assert_same`.
        options: for `run`.
    """

    def decorate(make: Callable[[Program], Any]) -> Callable[[], None]:
        pair = _as_context(make)

        @settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck), phases=_PHASES)
        @given(programs, scenarios)
        def compare(program: Program, scenario: Scenario) -> None:
            with pair(program) as (one, other):
                note(f"{program!r}\n{scenario!r}")
                assert_same(one, other, scenario, ignore, **options)

        @functools.wraps(make)
        def test() -> None:
            compare()

        del test.__wrapped__  # or pytest asks for a fixture `program`
        return test

    return decorate


def _as_context(make: Callable[[Program], Any]) -> Callable[[Program], Any]:
    if inspect.isgeneratorfunction(make):
        return contextmanager(make)

    @contextmanager
    def pair(program: Program) -> Iterator[Any]:
        yield make(program)

    return pair

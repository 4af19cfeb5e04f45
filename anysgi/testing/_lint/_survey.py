"""`anysgi lint`: an app driven through a standard set of scenarios, and what its validator found.

Some rules take two requests that differ in one point: their judges are in `_comparisons`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from ...exceptions import ExchangeTimeout
from .._peer_events import Disconnect, SendFails
from .._run import arun, run
from .._scenario import Scenario
from .._transports._loop_thread import LoopThread
from ._asgi import LintASGI
from ._comparisons import ASGI_COMPARISONS, WSGI_COMPARISONS
from ._lifespan_survey import lifespan
from ._report import USUAL
from ._survey_servers import with_a_client_that_waits, with_an_unknown_scope, with_unknown_keys
from ._websocket_survey import HANDSHAKE, TALKS, talk
from ._wsgi import LintWSGI

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ...types import Convention
    from .._exchange import Exchange
    from ._rule import Finding

BODY = (b"name=ann", b"&cart=", b"42")
_SIZE = {"content-length": "16", "content-type": "application/x-www-form-urlencoded"}
_CHUNKED = {"transfer-encoding": "chunked", "content-type": "application/x-www-form-urlencoded"}

STANDARD: dict[str, Callable[[bytes], Scenario]] = {
    "get": lambda path: Scenario("GET", path),
    "get again": lambda path: Scenario("GET", path),
    "head": lambda path: Scenario("HEAD", path),
    "options": lambda path: Scenario("OPTIONS", path),
    "http/1.0": lambda path: Scenario("GET", path, http_version="1.0"),
    "tls": lambda path: Scenario("GET", path, tls=True),
    "odd query": lambda path: Scenario("GET", path + b"?q=%E9&q=%F0%9F%9B%92&=&", {"cookie": "a=1; b=2"}),
    "odd path": lambda path: Scenario("GET", path.rstrip(b"/") + b"/caf%C3%A9/%2525"),
    "not utf-8": lambda path: Scenario("GET", path.rstrip(b"/") + b"/%E9"),
    "post": lambda path: Scenario("POST", path, _SIZE, b"".join(BODY)),
    "post again": lambda path: Scenario("POST", path, _SIZE, b"".join(BODY)),
    "post in pieces": lambda path: Scenario("POST", path, _SIZE, BODY),
    "post with an empty piece": lambda path: Scenario("POST", path, _SIZE, (BODY[0], b"", *BODY[1:])),
    "post, chunked": lambda path: Scenario("POST", path, _CHUNKED, BODY),
    "post, cut short": lambda path: Scenario("POST", path, _SIZE, BODY, peer=[Disconnect(after_chunks=1)]),
    "client leaves": lambda path: Scenario("GET", path, peer=[Disconnect(after_messages=2)]),
    "send fails": lambda path: Scenario("GET", path, peer=[SendFails(at=2)]),
}
"""What each path is asked for."""

_ANSWERS = {"asgi": "A061", "wsgi": "W044"}  # the rule that an app answers
_ANSWERS_BESIDE_HTTP = {
    "unknown scope": "A011",
    "lifespan": "A108",
    **dict.fromkeys((HANDSHAKE, *TALKS), "A091"),
}
_WAITS = "post, the rest once the head is there"
_UNSEEN = "client leaves unseen"
STANDARD_ASGI: dict[str, Callable[[bytes], Scenario]] = {
    **STANDARD,
    # uvicorn, hypercorn and gunicorn say nothing in `send()`: an app that never receives streams on for ever
    _UNSEEN: lambda path: Scenario("GET", path, peer=[Disconnect(after_messages=2)], like="uvicorn"),
}


@dataclass(slots=True)
class Survey:
    """What `anysgi lint` found.

    Attributes:
        convention: `"wsgi"` or `"asgi"`.
        scenarios: how many requests were made.
        findings: the scenario's name, and what was found in it.
        notes: what could not be done, and why.
    """

    convention: Convention
    scenarios: int = 0
    findings: list[tuple[str, Finding]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def broken(self) -> bool:
        """Whether a MUST was broken."""
        return any(finding.severity == "must" for _, finding in self.findings)


class _Watch:
    """Takes the findings of one app, under the name of the scenario that is being run."""

    def __init__(self, convention: Convention) -> None:
        self.survey, self.scenario = Survey(convention), ""
        self.answers: dict[str, Exchange] = {}

    def found(self, finding: Finding) -> None:
        if finding.party != "server":  # the server is ours
            self.survey.findings.append((self.scenario, finding))

    def begins(self, name: str) -> None:
        self.scenario = name
        self.survey.scenarios += 1

    def ended(self, name: str, exchange: Exchange) -> None:
        self.answers[name] = exchange

    def took_too_long(self, name: str, path: bytes, lint: LintASGI | LintWSGI, late: ExchangeTimeout) -> None:
        """An endless answer is no mistake, unless its client had left, or was itself kept waiting."""
        if name == _UNSEEN:
            lint.report.add("A060", "the app went on after its client had left", f"GET {path.decode('latin-1')}")
        elif name == _WAITS and "post in pieces" in self.answers:
            problem = "the app waits for more of the request, and its client for a head that no body has released"
            lint.report.add("A077", problem, f"POST {path.decode('latin-1')}")
        elif _so_far(late).status is None and not _so_far(late).scenario.peer:
            raise late  # each of the other requests would wait as long
        else:
            self.survey.notes.append(f"{name}, {path.decode('latin-1')}: no end within the bound, not judged further")

    @contextmanager
    def asking(self, path: bytes, lint: LintASGI | LintWSGI) -> Iterator[None]:
        """Around all the requests for one path: ends with the first that gets no answer at all."""
        self.answers = {}
        try:
            yield
        except ExchangeTimeout as late:
            where = f"{_so_far(late).scenario.method} {path.decode('latin-1')}"
            lint.report.add(_ANSWERS[self.survey.convention], "there was no answer within the bound", where)
            self.survey.notes.append(f"{where}: no answer within the bound, so nothing more was asked of this path")


def _so_far(late: ExchangeTimeout) -> Exchange:
    return cast("Exchange", late.exchange)  # which the public exception calls an object


def survey(
    app: Any,
    convention: Convention,
    paths: Iterable[bytes] = (b"/",),
    *,
    select: Iterable[str] = USUAL,
    ignore: Iterable[str] = (),
    bound: float = 3.0,
) -> Survey:
    """Drive an app through the standard scenarios.

    Args:
        app: a WSGI or an ASGI app.
        convention: which of the two.
        paths: raw request targets without query, such as `b"/cart"`.
        select, ignore: which findings to report, see `LintASGI`.
        bound: seconds each request may take.

    Returns:
        The findings about the app; an ASGI app's lifespan is run around its requests, on their event loop.  One that
        blocks that loop is not asked any further, nor is a path that does not answer; a note says so.

    Raises:
        ValueError: `select` or `ignore` name nothing there is.
    """
    watch = _Watch(convention)
    if convention == "wsgi":
        lint = LintWSGI(app, on=watch.found, select=select, ignore=ignore)
        for path in paths:
            with watch.asking(path, lint):
                _survey_wsgi(lint, watch, path, bound)
    else:
        _survey_asgi(LintASGI(app, on=watch.found, select=select, ignore=ignore), watch, paths, bound)
    return watch.survey


def _survey_wsgi(lint: LintWSGI, watch: _Watch, path: bytes, bound: float) -> None:
    for name, scenario in STANDARD.items():
        watch.begins(name)
        try:
            watch.ended(name, run(lint, scenario(path), convention="wsgi", bound=bound))
        except ExchangeTimeout as late:
            watch.took_too_long(name, path, lint, late)
    _compare(lint, watch, path, WSGI_COMPARISONS)


def _survey_asgi(lint: LintASGI, watch: _Watch, paths: Iterable[bytes], bound: float) -> None:
    """Run each step on one loop on a thread, and wait here: an app that blocks the loop blocks nothing else."""
    loop = LoopThread()
    wait = partial(loop.run, limit=3 * bound)  # longer than any step takes on a loop that turns
    try:
        watch.begins("unknown scope")
        wait(with_an_unknown_scope, lint, bound)
        watch.begins("lifespan")
        around = lifespan(lint, bound)
        state = wait(around.__aenter__)
        for path in paths:
            with watch.asking(path, lint):
                _survey_path(lint, watch, path, bound, state, wait)
        watch.scenario = "lifespan"
        wait(around.__aexit__, None, None, None)
    except TimeoutError:
        rule = _ANSWERS_BESIDE_HTTP.get(watch.scenario, _ANSWERS["asgi"])
        lint.report.add(rule, "there was no answer: the app blocks its event loop", watch.scenario)
        watch.survey.notes.append(f"{watch.scenario}: the app blocks its event loop, so nothing more was tried")
    finally:
        loop.stop()


def _survey_path(
    lint: LintASGI, watch: _Watch, path: bytes, bound: float, state: dict[str, Any] | None, wait: Callable[..., Any]
) -> None:
    for name, scenario in STANDARD_ASGI.items():
        watch.begins(name)
        wait(_one, lint, lint, watch, name, scenario(path), bound, state)
    watch.begins("unknown keys")
    wait(_one, with_unknown_keys(lint), lint, watch, "unknown keys", Scenario("GET", path), bound, state)
    watch.begins(_WAITS)
    wait(_one, with_a_client_that_waits(lint), lint, watch, _WAITS, STANDARD["post in pieces"](path), bound, state)
    _compare(lint, watch, path, ASGI_COMPARISONS)
    watch.begins(HANDSHAKE)
    if wait(talk, lint, path, [], 1000, bound, state):
        for name, (says, code) in TALKS.items():
            watch.begins(name)
            wait(talk, lint, path, says, code, bound, state)


async def _one(
    app: Any, lint: LintASGI, watch: _Watch, name: str, scenario: Scenario, bound: float, state: dict[str, Any] | None
) -> None:
    try:
        watch.ended(name, await arun(app, scenario, convention="asgi", bound=bound, state=state))
    except ExchangeTimeout as late:
        watch.took_too_long(name, scenario.target, lint, late)


def _compare(lint: LintASGI | LintWSGI, watch: _Watch, path: bytes, comparisons: Any) -> None:
    for id, names, judge in comparisons:
        if all(name in watch.answers for name in names):
            watch.scenario = names[-1]
            problem = judge(*(watch.answers[name] for name in names))
            if problem is not None:
                exchange = watch.answers[names[-1]]
                lint.report.add(id, problem, f"{exchange.scenario.method} {path.decode('latin-1')}")

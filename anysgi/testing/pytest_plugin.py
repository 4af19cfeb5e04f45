"""The pytest plugin: fixtures, the marker `both`, and reports of leaks and of blocked event loops.

It has no event loop and no async fixture of its own, so it gets along with pytest-asyncio and anyio in every mode.
All of anysgi is imported when a fixture is used: projects that have it installed pay nothing for this file.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from functools import cache
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from anysgi.types import Convention

    from ._blocking import blocking
    from ._exchange import Exchange
    from ._lint._asgi import LintASGI
    from ._lint._wsgi import LintWSGI
    from ._scenario import Scenario

REPORTS = "anysgi leaks", "anysgi blocked event loops"
LEAKS, BLOCKS = REPORTS
LINTS = pytest.StashKey[list["LintWSGI | LintASGI"]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("anysgi", "anysgi.testing")
    group.addoption(
        "--anysgi-lint",
        action="store_true",
        help="put LintWSGI or LintASGI around every app that the fixtures of anysgi run",
    )
    group.addoption(
        "--anysgi-blocking",
        type=float,
        metavar="SECONDS",
        help="fail tests in which an asyncio event loop was blocked for so long",
    )
    group.addoption(
        "--anysgi-blocking-baseline",
        metavar="FILE",
        help="known blocks: only new and longer ones fail",
    )
    group.addoption(
        "--anysgi-blocking-update",
        action="store_true",
        help="write what was seen into the baseline, instead of failing",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers",
        "both(wsgi, asgi): run the test with the fixture `app` set to a WSGI app, and again to an ASGI app; "
        "each is an app or 'module:name'",
    )
    _refuse_what_cannot_be_meant(config)
    config.pluginmanager.register(_Summary(), "anysgi-summary")


def _refuse_what_cannot_be_meant(config: pytest.Config) -> None:
    seconds, file = config.getoption("anysgi_blocking"), config.getoption("anysgi_blocking_baseline")
    if config.getoption("anysgi_blocking_update"):
        if seconds is None or file is None:
            raise pytest.UsageError(
                "--anysgi-blocking-update needs --anysgi-blocking SECONDS and --anysgi-blocking-baseline FILE"
            )
        if config.getoption("numprocesses", None):
            raise pytest.UsageError("--anysgi-blocking-update writes one file from one process: run it without -n")
    if seconds is not None:
        from ._blocking import blocking

        try:
            blocking(seconds, baseline=file)
        except ValueError as error:
            raise pytest.UsageError(str(error)) from error


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    marker = metafunc.definition.get_closest_marker("both")
    if marker is not None and "app" in metafunc.fixturenames:
        apps = {**dict(zip(("wsgi", "asgi"), marker.args, strict=False)), **marker.kwargs}
        metafunc.parametrize("app", list(apps.values()), ids=list(apps), indirect=True)


# Fixtures


@pytest.fixture(params=["wsgi", "asgi"])
def convention(request: pytest.FixtureRequest) -> Convention:
    """Each convention in turn."""
    chosen: Convention = request.param
    return chosen


@pytest.fixture
def app(request: pytest.FixtureRequest) -> Any:
    """The apps of `@pytest.mark.both(...)`, in turn.  A fixture `app` of your own comes before this one."""
    given = getattr(request, "param", None)
    if given is None:
        pytest.fail("the fixture `app` of anysgi needs a marker: @pytest.mark.both('old:app', 'new:app')")
    return resolve_name(given) if isinstance(given, str) else given


@pytest.fixture
def exchange(request: pytest.FixtureRequest) -> Callable[..., Exchange]:
    """`exchange(app, scenario, **options)`: `anysgi.testing.run`, whose leaks are reported at the end."""
    from ._run import run

    def run_and_note(app: Any, scenario: Scenario | None = None, **options: Any) -> Exchange:
        found = run(_linted(request, app), scenario, **options)
        for leak in found.leaks:
            request.node.add_report_section("call", LEAKS, f"{request.node.nodeid}: {leak}")
        return found

    return run_and_note


@pytest.fixture
def wsgi_client(request: pytest.FixtureRequest) -> Iterator[Callable[..., Any]]:
    """`wsgi_client(app, **options)`: a `TestClient` of a WSGI app, closed at the end."""
    yield from _clients(request, "wsgi")


@pytest.fixture
def asgi_client(request: pytest.FixtureRequest) -> Iterator[Callable[..., Any]]:
    """`asgi_client(app, **options)`: a `TestClient` of an ASGI app, its lifespan included, closed at the end."""
    yield from _clients(request, "asgi")


def _clients(request: pytest.FixtureRequest, convention: Convention) -> Iterator[Callable[..., Any]]:
    from ._transports._test_client import TestClient

    if request.config.getoption("anysgi_blocking") is not None:
        _import_what_clients_need()

    def client(app: Any, **options: Any) -> Any:
        given: dict[str, Any] = {"lifespan": "auto", "follow_redirects": False, **options}
        made = TestClient(_linted(request, app, convention), convention=convention, **given)
        stack.callback(made.close)
        return stack.enter_context(made)

    with ExitStack() as stack:
        yield client


@cache
def _import_what_clients_need() -> None:
    """Use each client once, before a test does: what is imported then would count as a block of the test's loop."""
    from ._program_apps import AsgiProgram, WsgiProgram
    from ._programs import Program
    from ._transports._test_client import TestClient

    for app in (WsgiProgram(Program()), AsgiProgram(Program())):
        with TestClient(app, lifespan="auto") as client:
            client.get("/")


def _linted(request: pytest.FixtureRequest, app: Any, convention: Convention | None = None) -> Any:
    if not request.config.getoption("anysgi_lint"):
        return app
    from anysgi import guess_convention

    from ._lint._asgi import LintASGI
    from ._lint._wsgi import LintWSGI

    lint = (LintWSGI if (convention or guess_convention(app)) == "wsgi" else LintASGI)(app)
    request.node.stash.setdefault(LINTS, []).append(lint)
    return lint


# Reports


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    try:
        result = yield from _watched(item)
    finally:
        broken = [str(finding) for lint in item.stash.get(LINTS, []) for finding in lint.findings]
        if broken:
            item.add_report_section("call", "anysgi lint", "\n".join(broken))
    if broken:  # raised where nobody looked: in an exchange, or inside of an app that handles all errors
        pytest.fail(f"anysgi: a spec was broken: {broken[0]}", pytrace=False)
    return result


def _watched(item: pytest.Item) -> Generator[None, object, object]:
    seconds = item.config.getoption("anysgi_blocking")
    if seconds is None:
        return (yield)
    from ._blocking import blocking

    with blocking(seconds, baseline=item.config.getoption("anysgi_blocking_baseline"), fail=False) as watch:
        result = yield
    _judge(item, watch)
    return result


def _judge(item: pytest.Item, watch: blocking) -> None:
    __tracebackhide__ = True
    for block in watch.blocks:
        item.add_report_section("call", BLOCKS, str(block))
    if item.config.getoption("anysgi_blocking_update"):
        watch.update_baseline()
    else:
        watch.check()


class _Summary:
    """What the tests' reports say, at the end: they are all that comes out of the processes of pytest-xdist."""

    def __init__(self) -> None:
        self.lines: dict[str, list[str]] = {name: [] for name in REPORTS}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when != "teardown":  # it has the sections of all phases
            return
        for title, content in report.sections:
            for name in REPORTS:
                if name in title:
                    self.lines[name].append(content)

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        for name, lines in self.lines.items():
            if lines:
                terminalreporter.section(name.replace(" ", ": ", 1))
                for line in lines:
                    terminalreporter.line(line)

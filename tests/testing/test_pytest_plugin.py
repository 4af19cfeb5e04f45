"""The plugin as users get it: by its entry point, in pytest runs of their own, beside pytest-asyncio and anyio."""

from __future__ import annotations

from importlib.metadata import entry_points

import pytest

pytest_plugins = ["pytester"]
INSTALLED = any(point.name == "anysgi" for point in entry_points(group="pytest11"))
pytestmark = pytest.mark.skipif(not INSTALLED, reason="anysgi was installed before it had a plugin: install it again")

TESTS = """
import asyncio, time
import pytest
from anysgi.testing import Scenario, arun

def wsgi_app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [environ["REQUEST_METHOD"].encode()]

async def asgi_app(scope, receive, send):
    assert scope["type"] == "http"
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": scope["method"].encode()})

@pytest.mark.both(wsgi_app, asgi=asgi_app)
def test_both(app, exchange):
    assert exchange(app, Scenario("POST")).body == b"POST"

@pytest.mark.both("test_user:wsgi_app", "test_user:asgi_app")
def test_both_by_name(app, exchange):
    assert exchange(app).status == 200

def test_convention(convention):
    assert convention in ("wsgi", "asgi")

def test_clients(wsgi_client, asgi_client):
    assert wsgi_client(wsgi_app).put("/").text == asgi_client(asgi_app, headers={"x": "y"}).put("/").text == "PUT"

async def echo(scope, receive, send):
    assert scope["type"] == "websocket"
    await receive()
    await send({"type": "websocket.accept"})
    await send({**await receive(), "type": "websocket.send"})
    await send({"type": "websocket.close"})

def test_websockets(asgi_client):
    with asgi_client(echo).websocket_connect("/") as websocket:
        websocket.send_text("hello")
        assert websocket.receive_text() == "hello"

async def test_async(exchange):
    assert (await arun(asgi_app)).status == 200
    assert (await arun(wsgi_app)).status == 200
    assert exchange(asgi_app).status == 200

def test_a_leak_is_reported(exchange):
    async def leaky(scope, receive, send):
        leaky.task = asyncio.create_task(asyncio.sleep(30), name="forgotten")
        await asgi_app(scope, receive, send)
    assert exchange(leaky).leaks
"""


@pytest.fixture
def user(pytester: pytest.Pytester) -> pytest.Pytester:
    pytester.syspathinsert()
    pytester.makeini("[pytest]\nasyncio_default_fixture_loop_scope = function\n")
    return pytester


@pytest.mark.parametrize(
    ("options", "mark"),
    [
        (["-p", "no:anyio", "-o", "asyncio_mode=auto"], ""),
        (["-o", "asyncio_mode=strict"], "@pytest.mark.asyncio\n"),
        (["-p", "no:asyncio"], "@pytest.mark.anyio\n"),
        (["-p", "no:asyncio", "--trio"], "@pytest.mark.anyio\n"),
    ],
    ids=["pytest-asyncio-auto", "pytest-asyncio-strict", "anyio", "anyio-trio"],
)
def test_fixtures_and_marker_work_beside_the_async_plugins(
    user: pytest.Pytester, options: list[str], mark: str
) -> None:
    backend = "trio" if "--trio" in options else "asyncio"
    options = [option for option in options if option != "--trio"]
    tests = TESTS.replace("async def test_async", f"{mark}async def test_async")
    user.makepyfile(test_user=tests + f"\n@pytest.fixture\ndef anyio_backend():\n    return {backend!r}\n")
    result = user.runpytest_inprocess("-q", "-p", "no:cacheprovider", "--strict-markers", *options)
    result.assert_outcomes(passed=10)
    result.stdout.fnmatch_lines(["*anysgi: leaks*", "*test_a_leak_is_reported: task forgotten*"])


def test_the_same_in_a_process_of_its_own_with_both_async_plugins_and_every_option(user: pytest.Pytester) -> None:
    tests = TESTS.replace("async def test_async", "@pytest.mark.asyncio\nasync def test_async")
    also = "\n@pytest.mark.anyio\nasync def test_anyio(exchange):\n    assert (await arun(asgi_app)).status == 200\n"
    user.makepyfile(test_user=tests + also)
    options = [
        "--strict-markers",
        "--anysgi-lint",
        "--anysgi-blocking",
        "5",
        "--anysgi-blocking-baseline",
        "known.json",
    ]
    result = user.runpytest_subprocess("-q", "-p", "no:cacheprovider", *options)
    result.assert_outcomes(passed=12)  # anyio's own runs twice: asyncio and trio
    result.stdout.fnmatch_lines(["*anysgi: leaks*", "*test_a_leak_is_reported: task forgotten*"])


def test_lint_goes_around_every_app(user: pytest.Pytester) -> None:
    user.makepyfile(
        """
        async def wrong(scope, receive, send):
            await send({"type": "http.response.start", "status": 200, "headers": [("a", "b")]})
            await send({"type": "http.response.body"})

        def also_wrong(environ, start_response):
            start_response("200 OK", [("Connection", "close")])
            return [b""]

        async def swallows(scope, receive, send):
            assert scope["type"] == "http"
            try:
                await send({"type": "http.response.start", "status": "200", "headers": []})
            except AssertionError:
                await send({"type": "http.response.start", "status": 500, "headers": []})
                await send({"type": "http.response.body"})

        def test_asgi(exchange):
            exchange(wrong).raise_for_exception()

        def test_that_does_not_look(exchange):
            exchange(wrong)

        def test_of_an_app_that_handles_all_errors(asgi_client):
            assert asgi_client(swallows).get("/").status_code == 500


        def test_clients(wsgi_client):
            wsgi_client(also_wrong).get("/")
        """
    )
    result = user.runpytest_inprocess("-q", "-p", "no:cacheprovider", "--anysgi-lint")
    result.assert_outcomes(failed=4)
    result.stdout.fnmatch_lines(["*A064*", "anysgi: a spec was broken: A064 *", "anysgi: a spec *: A063 *", "*W043*"])


def test_blocked_loops_fail_unless_the_baseline_knows_them(user: pytest.Pytester) -> None:
    user.makepyfile(
        """
        import asyncio, time

        def test_blocks():
            async def main():
                time.sleep(0.3)
            asyncio.run(main())

        def test_does_not():
            asyncio.run(asyncio.sleep(0))
        """
    )
    options = ["-q", "-p", "no:cacheprovider", "--anysgi-blocking", "0.08", "--anysgi-blocking-baseline", "known.json"]
    result = user.runpytest_inprocess(*options)
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*anysgi: blocked event loops*", "0.* s at *.py:* in main *"])
    user.runpytest_inprocess(*options, "--anysgi-blocking-update").assert_outcomes(passed=2)
    user.runpytest_inprocess(*options).assert_outcomes(passed=2)


LEAKS_AND_BLOCKS = """
import asyncio, time

async def leaky(scope, receive, send):
    leaky.task = asyncio.create_task(asyncio.sleep(30), name="forgotten")
    await send({"type": "http.response.start", "status": 200})
    await send({"type": "http.response.body"})

def test_leaks(exchange):
    assert exchange(leaky).leaks

def test_blocks():
    async def main():
        time.sleep(0.3)
    asyncio.run(main())
"""


def test_reports_of_other_processes_arrive(user: pytest.Pytester) -> None:
    user.makepyfile(LEAKS_AND_BLOCKS)
    result = user.runpytest_subprocess("-q", "-p", "no:cacheprovider", "-n", "1", "--anysgi-blocking", "0.08")
    result.assert_outcomes(passed=1, failed=1)
    lines = result.stdout.lines
    told = [line for line in lines if line.startswith("test_") and "task forgotten" in line]
    assert len(told) == 1
    result.stdout.fnmatch_lines(["*anysgi: leaks*", "*anysgi: blocked event loops*", "0.* s at *.py:* in main *"])


def test_a_leak_found_while_a_fixture_is_made_is_reported_once(user: pytest.Pytester) -> None:
    also = """
import pytest

@pytest.fixture
def found(exchange):
    return exchange(leaky)

def test_fixture(found):
    assert found.leaks
"""
    user.makepyfile(LEAKS_AND_BLOCKS + also)
    result = user.runpytest_inprocess("-q", "-p", "no:cacheprovider", "-k", "test_fixture")
    result.assert_outcomes(passed=1, deselected=2)
    assert len([line for line in result.stdout.lines if "test_fixture: task forgotten" in line]) == 1


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--anysgi-blocking-update"], "--anysgi-blocking-update needs --anysgi-blocking SECONDS"),
        (["--anysgi-blocking", "1", "--anysgi-blocking-update"], "and --anysgi-blocking-baseline FILE"),
        (
            ["--anysgi-blocking", "1", "--anysgi-blocking-update", "--anysgi-blocking-baseline", "new.json", "-n", "1"],
            "*one process*without -n",
        ),
        (["--anysgi-blocking", "1", "--anysgi-blocking-baseline", "broken.json"], "broken.json is no baseline*"),
        (["--anysgi-blocking", "1", "--anysgi-blocking-baseline", "list.json"], "list.json is no baseline*"),
    ],
)
def test_options_that_cannot_be_meant_are_wrong_usage(user: pytest.Pytester, options: list[str], told: str) -> None:
    user.makepyfile("def test_it(): ...")
    (user.path / "broken.json").write_text("{")
    (user.path / "list.json").write_text("[1]")
    result = user.runpytest_inprocess("-q", "-p", "no:cacheprovider", *options)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: *{told}*"])


def test_what_the_clients_import_blocks_no_loop_of_a_test(user: pytest.Pytester) -> None:
    user.makepyfile(
        """
        import sys

        async def app(scope, receive, send):
            assert scope["type"] == "http"
            await send({"type": "http.response.start", "status": 200})
            await send({"type": "http.response.body"})

        def wsgi_app(environ, start_response):
            start_response("200 OK", [])
            return []

        def test_without():
            assert "httpx2" not in sys.modules

        def test_with(asgi_client, wsgi_client):
            before = {*sys.modules}
            assert asgi_client(app).get("/").status_code == 200
            assert wsgi_client(wsgi_app).get("/").status_code == 200
            assert {*sys.modules} == before
        """
    )
    options = ["-q", "-p", "no:cacheprovider", "--anysgi-blocking", "5"]
    user.runpytest_subprocess(*options).assert_outcomes(passed=2)


def test_the_app_fixture_asks_for_its_marker_and_gives_way_to_ones_own(user: pytest.Pytester) -> None:
    user.makepyfile(test_missing="def test_it(app): ...")
    user.makepyfile(
        test_own="import pytest\n@pytest.fixture\ndef app():\n    return 1\ndef test_it(app):\n    assert app == 1"
    )
    result = user.runpytest_inprocess("-q", "-p", "no:cacheprovider")
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*needs a marker: @pytest.mark.both*"])

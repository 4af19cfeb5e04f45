"""What the validators do with a finding, what they let through unchanged, and what they keep."""

from __future__ import annotations

import gc
import io
import warnings
from typing import Any

import pytest

from anysgi.exceptions import AppProtocolError, LintWarning, ServerProtocolError
from anysgi.testing import Finding, LintASGI, LintWSGI

from ._asgi_driver import GOOD, REQUEST, Server, body, plays, scope_of, start
from ._wsgi_driver import TEXT, environ_of, hello, starts
from ._wsgi_driver import Server as WsgiServer

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def call(lint: LintASGI, **changes: Any) -> Server:
    server = Server([REQUEST])
    await lint(scope_of("http", **changes), server.receive, server.send)
    return server


BROKEN = plays(body(b"hello"))


# --- what becomes of a finding


async def test_an_apps_mistake_is_raised_in_its_own_send_with_what_to_write() -> None:
    seen: list[BaseException] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        try:
            await send(body(b"hello"))
        except AppProtocolError as error:
            seen.append(error)
            raise

    with pytest.raises(AppProtocolError, match=r"A061 \(must, app\), GET /cart: 'http.response.body' came"):
        await call(LintASGI(app))
    assert "Write: await send({" in str(seen[0])


async def test_a_servers_mistake_is_raised_to_the_server() -> None:
    with pytest.raises(ServerProtocolError, match="A031"):
        await call(LintASGI(GOOD["http"]), method="get")
    with pytest.raises(ServerProtocolError, match="W010"):
        WsgiServer().serve(LintWSGI(hello), environ_of(SERVER_PORT=80))


async def test_findings_can_be_warnings() -> None:
    with pytest.warns(LintWarning, match="A061"):
        await call(LintASGI(BROKEN, on="warn"))
    with pytest.warns(LintWarning, match="W043"):
        WsgiServer().serve(LintWSGI(starts("200 OK", ("Connection", "close")), on="warn"), environ_of())


async def test_findings_are_kept_and_handed_to_a_function() -> None:
    told: list[Finding] = []
    lint = LintASGI(BROKEN, on=told.append)
    await call(lint)
    assert told == lint.findings
    assert told[0].rule.id == "A061"


async def test_an_iterable_nobody_closed_warns_and_is_never_raised() -> None:
    lint = LintWSGI(hello)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        list(lint(environ_of(), lambda status, headers: print))
        gc.collect()
    assert [finding.rule.id for finding in lint.findings] == ["W055"]


async def test_findings_are_bounded() -> None:
    lint = LintASGI(BROKEN, on="collect")
    for _ in range(1001):
        await call(lint)
    assert len(lint.findings) == 1000
    assert repr(lint).endswith("1000 findings)")


# --- what is reported


@pytest.mark.parametrize(
    ("select", "ignore", "expected"),
    [
        (("all",), (), {"A065", "A079"}),
        (("lint",), (), {"A079"}),
        (("A06",), (), {"A065"}),
        (("A065", "A079"), ("A079",), {"A065"}),
        (("app",), ("ambiguous",), {"A079"}),
        ("A079", (), {"A079"}),
        (("server",), (), set()),
    ],
)
async def test_rules_can_be_chosen_and_left_out(select: Any, ignore: Any, expected: set[str]) -> None:
    app = plays(start(200, (b"Content-Length", b"3")), body(b"hello"))
    lint = LintASGI(app, on="collect", select=select, ignore=ignore)
    await call(lint)
    assert {finding.rule.id for finding in lint.findings} == expected


async def test_a_websocket_that_is_closed_unseen_is_no_mistake_for_sure() -> None:
    lint = LintASGI(plays({"type": "websocket.close"}), on="collect", select=("all",))
    server = Server([{"type": "websocket.connect"}])
    await lint(scope_of("websocket"), server.receive, server.send)
    assert {(finding.rule.id, finding.severity) for finding in lint.findings} == {("A091", "ambiguous")}


@pytest.mark.parametrize("wrong", [{"on": "print"}, {"select": ["W001"]}, {"ignore": ["often"]}])
def test_words_that_name_nothing_are_refused(wrong: Any) -> None:
    with pytest.raises(ValueError, match=r"not 'print'|names no rule"):
        LintASGI(GOOD["http"], **wrong)


# --- what is let through


async def test_messages_reach_the_server_as_they_are() -> None:
    messages = [start(200, (b"x-a", b"1")), body(b"a", True), body(b"b")]
    server = await call(LintASGI(plays(*messages)))
    assert all(sent is message for sent, message in zip(server.sent, messages, strict=True))


async def test_headers_that_can_be_read_once_still_reach_the_server() -> None:
    server = await call(LintASGI(plays({**start(), "headers": iter([(b"x-a", b"1")])}, body())))
    assert server.sent[0]["headers"] == [(b"x-a", b"1")]


async def test_header_pairs_and_links_that_can_be_read_once_still_reach_the_server() -> None:
    hint = {"type": "http.response.early_hint", "links": iter([b"</a.css>; rel=preload"])}
    app = plays({**start(), "headers": [iter([b"x-a", b"1"]), {b"x-b": 1, b"2": 2}.keys()]}, hint, body())
    server = await call(LintASGI(app), extensions={"http.response.early_hint": {}})
    assert list(server.sent[0]["headers"][0]) == [b"x-a", b"1"]
    assert server.sent[1]["links"] == [b"</a.css>; rel=preload"]


def test_nothing_is_asked_of_a_loop_that_is_not_asyncios() -> None:
    lint = LintASGI(GOOD["lifespan"])
    server = Server([{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}])
    with pytest.raises(StopIteration):
        lint(scope_of("lifespan"), server.receive, server.send).send(None)
    assert lint.findings == []


async def test_a_scope_is_the_very_object_the_server_gave() -> None:
    seen: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope)
        await GOOD["http"](scope, receive, send)

    scope, server = scope_of("http"), Server([REQUEST])
    await LintASGI(app)(scope, server.receive, server.send)
    assert seen[0] is scope


@pytest.mark.parametrize("as_class", [True, False], ids=["a class", "a function"])
def test_what_the_servers_file_wrapper_made_reaches_it_untouched(as_class: bool) -> None:
    class File:
        def __init__(self, file: Any, size: int = 8192) -> None:
            self.file = file

    made: list[File] = []

    def wrapper(*args: Any) -> File:
        made.append(File(*args))
        return made[-1]

    def app(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [TEXT])
        return environ["wsgi.file_wrapper"](io.BytesIO(b"file"))

    File.__iter__ = lambda self: iter([b"file"])  # type: ignore[attr-defined]
    environ = environ_of(wsgi_file_wrapper=File if as_class else wrapper)
    result = LintWSGI(app)(environ, WsgiServer().start_response)
    assert type(result) is File
    assert as_class or result is made[0]


def test_a_list_keeps_its_length_and_a_generator_has_none() -> None:
    result = LintWSGI(hello)(environ_of(), WsgiServer().start_response)
    assert len(result) == 1
    result.close()
    result = LintWSGI(starts(chunks=iter([b"a"])))(environ_of(), WsgiServer().start_response)
    assert not hasattr(result, "__len__")
    result.close()


def test_streams_pass_on_what_else_the_servers_have() -> None:
    def app(environ: Any, start_response: Any) -> Any:
        buffer = bytearray(2)
        assert environ["wsgi.input"].readinto(buffer) == 2
        assert environ["wsgi.input"].read1(3) == b"llo"
        assert environ["wsgi.input"].closed is False
        assert environ["wsgi.input"].readlines() == []
        environ["wsgi.errors"].write("x")
        assert environ["wsgi.errors"].getvalue() == "x"
        return hello(environ, start_response)

    lint = LintWSGI(app)
    WsgiServer().serve(lint, environ_of(b"hello"))
    assert lint.findings == []
    assert "0 findings" in repr(lint)

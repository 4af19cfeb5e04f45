"""The router, on both kinds of servers and with both kinds of new sides: who answers, and what falls back to whom."""

from __future__ import annotations

import asyncio
import inspect
import threading
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from typing import TYPE_CHECKING, Any
from wsgiref.util import FileWrapper

import pytest
import trio

from anysgi import AsgiToWsgi, WsgiToAsgi, guess_convention
from anysgi.exceptions import AppProtocolError, ConventionError
from anysgi.migration import Route, Router, RouteTable, Sticky
from tests.adapters._calling import make_environ
from tests.adapters._driving import AsgiPeer, http_scope, serving

from ._apps import Boom, NewAsgi, NewWsgi, ask, ask_asgi, failing, legacy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

NEW = RouteTable((Route("/<path:p>", "new", name="all"),))
New = NewAsgi | NewWsgi


@pytest.fixture(params=["wsgi", "asgi"])
def server(request: pytest.FixtureRequest) -> Any:
    """The server's convention."""
    return request.param


@pytest.fixture(params=[NewWsgi, NewAsgi], ids=["new-wsgi", "new-asgi"])
def new(request: pytest.FixtureRequest) -> Any:
    return request.param()


@pytest.fixture
def make() -> Iterator[Callable[..., Router]]:
    """Makes routers, and closes them."""
    made = []

    def router(new: Any, table: Any = NEW, old: Any = legacy, **options: Any) -> Router:
        made.append(Router(old, new, table=table, **{"switches": (), **options}))
        return made[-1]

    yield router
    for each in made:
        each.close()


# --- who answers


def test_a_route_goes_to_its_side_and_the_rest_to_the_default(make: Any, server: str, new: New) -> None:
    table = RouteTable((Route("/ok", "new"), Route("/post", "new", methods=("POST",))))
    router = make(new, table)
    assert ask(router, server, "/ok").side == "new"
    assert ask(router, server, "/other").body == b"legacy GET /other"
    assert [ask(router, server, "/post", method).side for method in ("GET", "POST")] == ["legacy", "new"]
    default = make(new, RouteTable((Route("/kept"),), default="new"))
    assert [ask(default, server, path).side for path in ("/kept", "/else")] == ["legacy", "new"]


def test_a_body_reaches_the_side_that_answers(make: Any, server: str, new: New) -> None:
    router = make(new)
    assert ask(router, server, "/echo", "POST", b"hello").body == b"new hello"
    router.kill()
    assert ask(router, server, "/echo", "POST", b"hello").body == b"legacy POST /echo hello"


def test_a_percentage_splits_clients_and_each_client_stays(make: Any, server: str, new: New) -> None:
    route = Route("/ok", "new", percent=50.0, sticky=Sticky("cookie", "id"))
    router = make(new, RouteTable((route,)))
    sides = {name: ask(router, server, "/ok", cookie=f"a=b; id={name}").side for name in "abcdefghijklmnop"}
    assert set(sides.values()) == {"legacy", "new"}
    assert all(ask(router, server, "/ok", cookie=f"id={name}").side == side for name, side in sides.items())


@pytest.mark.parametrize("sticky", [Sticky("client"), Sticky("header", "user"), None])
def test_a_share_of_nothing_or_everything_needs_no_lot(make: Any, server: str, new: New, sticky: Any) -> None:
    router = make(new, RouteTable((Route("/ok", "new", percent=50.0, sticky=sticky, name="ok"),)))
    for percent, side in ((0, "legacy"), (100, "new")):
        router.set_percent("ok", percent)
        assert ask(router, server, "/ok", user="u").side == side
    router.set_percent("ok", None)
    assert ask(router, server, "/ok", user="u").side in ("legacy", "new")


# --- falling through


@pytest.mark.parametrize("path", ["/missing", "/not-allowed"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_404_or_405_of_the_new_side_falls_through(make: Any, server: str, new: New, path: str, method: str) -> None:
    router = make(new)
    body = b"hello" if method == "POST" else b""
    answer = ask(router, server, path, method, body)
    assert (answer.status, answer.body) == (200, f"legacy {method} {path} {body.decode()}".strip().encode())
    assert router.stats.tally("all", "new").handed_on == 1
    assert router.stats.tally("all", "legacy").requests == 1
    assert new.calls == [path]


def test_a_404_after_the_body_was_read_stands(make: Any, server: str, new: New) -> None:
    answer = ask(make(new), server, "/read-404", "POST", b"hello")
    assert (answer.status, answer.side, answer.body) == (404, "new", b"new hello")


def test_a_new_side_that_looks_for_its_client_after_its_404_takes_nothing_from_legacy(make: Any) -> None:
    seen = []

    async def new(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 404, "headers": []})
        seen.append((await receive())["type"])

    assert ask(make(new), "asgi", "/n", "POST", b"hello").body == b"legacy POST /n hello"
    assert seen == ["http.disconnect"]


def test_a_new_side_that_waited_for_the_body_before_its_404_takes_nothing_from_legacy(make: Any) -> None:
    waiting = asyncio.Event()
    peer = AsgiPeer({"type": "http.request", "body": b"", "more_body": True})
    seen = []

    async def new(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        task = asyncio.create_task(receive())
        await peer.idle.wait()
        await send({"type": "http.response.start", "status": 404, "headers": []})
        waiting.set()
        seen.append((await task)["type"])

    async def main() -> None:
        async with serving(make(new).asgi, peer, "POST", "/n", [(b"content-length", b"5")]):
            await waiting.wait()
            peer.push({"type": "http.request", "body": b"hello"})

    asyncio.run(main())
    assert (peer.body, seen) == (b"legacy POST /n hello", ["http.disconnect"])


def test_a_new_side_that_reads_as_it_is_closed_takes_nothing_from_legacy(make: Any) -> None:
    class Reading(list[bytes]):
        source: Any

        def close(self) -> None:
            assert self.source.read() == b""

    def new(environ: Any, start_response: Any) -> list[bytes]:
        start_response("404 Not Found", [])
        result = Reading()
        result.source = environ["wsgi.input"]
        return result

    assert ask(make(new), "wsgi", "/n", "POST", b"hello").body == b"legacy POST /n hello"


def test_a_new_side_that_fails_as_its_404_is_closed_is_logged(make: Any, caplog: pytest.LogCaptureFixture) -> None:
    class Failing(list[bytes]):
        def close(self) -> None:
            raise Boom

    def new(environ: Any, start_response: Any) -> list[bytes]:
        start_response("404 Not Found", [])
        return Failing()

    assert ask(make(new), "wsgi", "/n").side == "legacy"
    assert "failed as it was closed" in caplog.text


def test_a_404_that_never_ends_is_stopped(make: Any, server: str) -> None:
    async def new(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 404, "headers": []})
        while True:
            await send({"type": "http.response.body", "body": b"x" * 1000, "more_body": True})

    assert ask(make(new), server, "/n").side == "legacy"


def test_an_empty_body_may_be_looked_at_before_falling_through(make: Any, server: str, new: New) -> None:
    assert ask(make(new), server, "/look-404", "POST").body == b"legacy POST /look-404"


def test_which_statuses_fall_through_is_the_tables_choice(make: Any, server: str, new: New) -> None:
    router = make(new, RouteTable(NEW.routes, fallthrough=frozenset((410,))))
    assert ask(router, server, "/gone").side == "legacy"
    assert ask(router, server, "/missing").status == 404


def test_the_response_that_is_not_sent_is_closed(make: Any, server: str) -> None:
    new = NewWsgi()
    router = make(new)
    assert ask(router, server, "/missing").side == "legacy"
    assert ask(router, server, "/lazy/missing").side == "legacy"
    assert new.closed == 2


def test_a_generator_that_starts_its_response_late_is_served(make: Any, server: str) -> None:
    new = NewWsgi()
    assert ask(make(new), server, "/lazy").body == b"new lazy"
    assert new.closed == 1


# --- crashes


@pytest.mark.parametrize("path", ["/crash", "/error", "/silent"])
def test_legacy_answers_after_a_crash(
    make: Any, server: str, new: New, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    router = make(new)
    assert ask(router, server, path).body == f"legacy GET {path}".encode()
    tally = router.stats.tally("all", "new")
    assert (tally.rescued, tally.errors, tally.requests) == (1, 1, 0)
    assert any("legacy answers instead" in record.message for record in caplog.records)


def test_one_method_to_rescue_needs_no_list(make: Any, server: str, new: New) -> None:
    assert ask(make(new, rescue="GET"), server, "/crash").side == "legacy"


@pytest.mark.parametrize(
    ("path", "method", "body", "options"),
    [
        ("/crash", "POST", b"", {}),  # nobody knows what it did before it fell
        ("/read-crash", "GET", b"hello", {}),  # legacy would get half a body
        ("/crash", "GET", b"", {"rescue": ()}),
    ],
)
def test_a_crash_is_raised_where_legacy_may_not_answer(
    make: Any, server: str, new: New, path: str, method: str, body: bytes, options: Any
) -> None:
    router = make(new, **options)
    assert isinstance(ask(router, server, path, method, body).error, Boom)
    assert router.stats.tally("all", "new").errors == 1


def test_a_crash_after_the_first_byte_is_raised(make: Any, server: str, new: New) -> None:
    router = make(new)
    answer = ask(router, server, "/crash-late")
    assert isinstance(answer.error, Boom)
    tally = router.stats.tally("all", "new")
    assert (tally.requests, tally.errors) == (1, 1)


@pytest.mark.parametrize("side", ["new", "legacy"])
@pytest.mark.parametrize(("status", "headed"), [("200 OK", True), ("500 Oh", True), ("200 OK", False)])
def test_an_error_half_way_is_one_error(make: Any, server: str, side: Any, status: str, headed: bool) -> None:
    def half_way(environ: Any, start_response: Any) -> Iterator[bytes]:
        if headed:
            start_response(status, [])
            yield b"half"
        raise Boom("half way")

    table = RouteTable((Route("/<path:p>", side, name="all"),))
    router = make(half_way, table, half_way, rescue=())
    assert isinstance(ask(router, server, "/half").error, Boom)
    tally = router.stats.tally("all", side)
    assert (tally.requests, tally.errors) == (1, 1)


@pytest.mark.parametrize("wrapper", [FileWrapper, lambda file: FileWrapper(file)])
def test_a_file_reaches_the_server_as_the_servers_own(make: Any, wrapper: Any) -> None:
    made: list[Any] = []

    def app(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [])
        made.append(environ["wsgi.file_wrapper"](BytesIO(b"file")))
        return made[0]

    environ = make_environ(**{"wsgi.file_wrapper": wrapper})
    assert make(NewWsgi(), RouteTable(), app).wsgi(environ, lambda *head: None) is made[0]


def test_a_500_stands_for_methods_that_are_not_safe(make: Any, server: str, new: New) -> None:
    router = make(new)
    answer = ask(router, server, "/error", "POST")
    assert (answer.status, answer.side) == (500, "new")
    assert router.stats.tally("all", "new").errors == 1


def test_no_response_at_all_is_the_apps_mistake(make: Any, server: str, new: New) -> None:
    assert isinstance(ask(make(new), server, "/silent", "POST").error, AppProtocolError)
    if isinstance(new, NewWsgi):
        assert isinstance(ask(make(new), server, "/lazy/silent", "POST").error, AppProtocolError)


def test_a_crash_of_legacy_is_raised_and_counted(make: Any, server: str, new: New) -> None:
    router = make(new, RouteTable(), failing)
    assert isinstance(ask(router, server, "/").error, Boom)
    assert router.stats.tally("(default)", "legacy").errors == 1


def test_a_new_side_that_hangs_is_given_up(make: Any, server: str) -> None:
    new = NewAsgi()
    router = make(new, head_timeout=0.05)
    assert ask(router, server, "/ok").body == b"new "
    assert ask(router, server, "/hang").body == b"legacy GET /hang"
    answer = ask(router, server, "/hang", "POST")
    assert (answer.status, answer.error) == (504, None)
    assert router.stats.tally("all", "new").rescued == 1


# --- switches, while it runs


def test_the_kill_switch_sends_everything_to_legacy_at_once(make: Any, server: str, new: New) -> None:
    router = make(new)
    assert ask(router, server, "/ok").side == "new"
    router.kill()
    assert ask(router, server, "/ok").side == "legacy"
    assert router.explain("GET", "/ok").startswith("the kill switch is on")
    router.restore()
    assert ask(router, server, "/ok").side == "new"
    assert router.explain("GET", "/ok") == "GET /ok goes to new: all takes it, * /<path:p>"


def test_a_percentage_is_changed_by_name(make: Any) -> None:
    router = make(NewWsgi())
    router.set_percent("all", 0)
    assert router.explain("GET", "/ok").startswith("a switch sets the new side's share to 0 %")
    with pytest.raises(KeyError):
        router.set_percent("none", 5)
    with pytest.raises(ValueError, match="0 to 100"):
        router.set_percent("all", 101)


# --- being an app


def test_the_router_is_an_app_of_either_convention(make: Any) -> None:
    router = make(NewWsgi())
    assert guess_convention(router) == "asgi"
    assert (guess_convention(router.asgi), guess_convention(router.wsgi)) == ("asgi", "wsgi")
    assert inspect.iscoroutinefunction(router.asgi.__call__)
    assert asyncio.iscoroutinefunction(router.__call__)  # what uvicorn asks
    assert "Router(legacy=" in repr(router)


def test_the_router_itself_is_called_either_way(make: Any) -> None:
    router = make(NewWsgi())

    class Plain:  # a server that looks at nothing
        asgi = staticmethod(router)
        wsgi = staticmethod(router)

    assert [ask(Plain, server, "/ok").side for server in ("wsgi", "asgi")] == ["new", "new"]


def test_what_is_no_app_is_refused_at_once() -> None:
    with pytest.raises(ConventionError):
        Router(legacy, 3, table=NEW)
    with pytest.raises(ValueError, match="head_timeout"):
        Router(legacy, NewWsgi(), table=NEW, head_timeout=0)


def test_an_adapter_around_a_side_is_taken_off_where_it_is_not_needed(make: Any) -> None:
    router = make(AsgiToWsgi(NewAsgi()), old=WsgiToAsgi(legacy, threads=2))
    sides = router._core
    assert (sides.new.asgi, sides.legacy.wsgi) == (sides.new.app.app, legacy)
    assert (sides.new.wsgi, sides.legacy.asgi) == (sides.new.app, sides.legacy.app)
    for server in ("wsgi", "asgi"):
        assert ask(router, server, "/crash").side == "legacy"
        assert ask(router, server, "/ok").side == "new"
    sides.new.app.close()
    sides.legacy.app.drain()


def test_a_prefix_of_the_server_is_not_part_of_the_path(make: Any) -> None:
    router = make(NewWsgi(), RouteTable((Route("/ok", "new"),)))

    async def main() -> Any:
        from tests.adapters._driving import serve

        return [await serve(router.asgi, None, path=path, root_path="/app") for path in ("/app/ok", "/ok", "/apple/ok")]

    sides = [dict(peer.headers)[b"x-side"] for peer in asyncio.run(main())]
    assert sides == [b"new", b"new", b"legacy"]


def test_an_unknown_scope_type_is_refused(make: Any) -> None:
    with pytest.raises(ValueError, match="cannot serve ASGI scope type 'telnet'"):
        asyncio.run(make(NewAsgi()).asgi({"type": "telnet"}, None, None))


def test_websockets_go_to_the_new_side(make: Any) -> None:
    seen = []

    async def new(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope["type"])

    asyncio.run(make(new).asgi({"type": "websocket", "path": "/"}, None, None))
    assert seen == ["websocket"]


# --- lifespan


class Living:
    """An ASGI app with a lifespan, whose state its requests see."""

    def __init__(self, name: str, log: list[str], fails: str = "") -> None:
        self.name, self.log, self.fails = name, log, fails

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            for phase in ("startup", "shutdown"):
                await receive()
                self.log.append(f"{self.name} {phase}")
                scope["state"]["name"] = self.name
                outcome = "failed" if self.fails == phase else "complete"
                await send({"type": f"lifespan.{phase}.{outcome}", "message": "no database"})
                if outcome == "failed":
                    return
        else:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": scope["state"]["name"].encode()})


async def live(router: Router, *paths: str) -> tuple[list[Any], list[bytes]]:
    """Run a whole lifespan, with requests in it; returns what was sent, and the bodies."""
    sent: list[Any] = []
    stop, started = asyncio.Event(), asyncio.Event()
    events = iter(["lifespan.startup", "lifespan.shutdown"])

    async def receive() -> Any:
        event = next(events)
        if event == "lifespan.shutdown":
            await stop.wait()
        return {"type": event}

    async def send(message: Any) -> None:
        sent.append(message)
        started.set()

    async with asyncio.timeout(10):
        task = asyncio.create_task(router.asgi({"type": "lifespan", "state": {}}, receive, send))  # type: ignore[arg-type]
        await started.wait()
        bodies = [(await ask_asgi(router, path)).body for path in paths]
        stop.set()
        await asyncio.wait([task])
    task.exception()
    return sent, bodies


def kinds(sent: list[Any]) -> list[str]:
    return [message["type"].removeprefix("lifespan.") for message in sent]


def test_both_sides_live_and_each_request_sees_its_sides_state(make: Any) -> None:
    log: list[str] = []
    router = make(Living("new", log), RouteTable((Route("/n", "new"),)), Living("legacy", log))
    sent, bodies = asyncio.run(live(router, "/n", "/l"))
    assert kinds(sent) == ["startup.complete", "shutdown.complete"]
    assert bodies == [b"new", b"legacy"]
    assert log == ["legacy startup", "new startup", "new shutdown", "legacy shutdown"]


def test_a_new_side_that_does_not_start_is_taken_out(make: Any, caplog: pytest.LogCaptureFixture) -> None:
    router = make(Living("new", [], "startup"))
    sent, bodies = asyncio.run(live(router, "/n"))
    assert kinds(sent) == ["startup.complete", "shutdown.complete"]
    assert bodies == [b"legacy GET /n"]
    assert "the new side did not start" in caplog.text


def test_a_legacy_side_that_does_not_start_stops_the_server(make: Any) -> None:
    router = make(NewAsgi(), old=Living("legacy", [], "startup"))
    sent, _ = asyncio.run(live(router))
    assert sent == [{"type": "lifespan.startup.failed", "message": "legacy: the app's startup failed: no database"}]


def test_a_failed_shutdown_is_said_by_name(make: Any, caplog: pytest.LogCaptureFixture) -> None:
    router = make(Living("new", [], "shutdown"))
    sent, _ = asyncio.run(live(router))
    assert kinds(sent) == ["startup.complete", "shutdown.failed"]
    assert "new: " in sent[1]["message"]


def test_under_wsgi_a_new_side_that_does_not_start_leaves_everything_to_legacy(make: Any) -> None:
    router = make(Living("new", [], "startup"))
    for _ in range(3):
        assert ask(router, "wsgi", "/n", "POST", b"hello").body == b"legacy POST /n hello"
    assert router.stats.tally("all", "new").rescued == 1  # asked once


def test_a_wsgi_app_that_hangs_on_an_asgi_server_is_given_up(make: Any) -> None:
    gate = threading.Event()

    def hangs(environ: Any, start_response: Any) -> list[bytes]:
        assert gate.wait(10)
        raise Boom

    router = make(WsgiToAsgi(hangs, grace=0.05), head_timeout=0.05)
    assert ask(router, "asgi", "/n").body == b"legacy GET /n"
    gate.set()
    router._core.new.app.drain()


@pytest.mark.parametrize("server", ["wsgi", "asgi"])
def test_a_timeout_of_the_apps_own_is_a_crash_like_any_other(make: Any, server: str) -> None:
    async def new(scope: Any, receive: Any, send: Any) -> None:
        raise TimeoutError("its own")

    router = make(new, head_timeout=5)
    assert ask(router, server, "/n").side == "legacy"
    assert isinstance(ask(router, server, "/n", "POST").error, TimeoutError)


def test_websockets_have_no_head_to_wait_for(make: Any) -> None:
    async def new(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "websocket.accept"})

    sent = []

    async def send(message: Any) -> None:
        sent.append(message["type"])

    asyncio.run(make(new, head_timeout=5).asgi({"type": "websocket", "path": "/"}, None, send))
    assert sent == ["websocket.accept"]
    assert "HeadDeadline" in repr(make(new, head_timeout=5)._core.new.asgi)


def test_a_child_process_counts_anew(make: Any) -> None:
    router = make(NewWsgi())
    ask(router, "wsgi", "/ok")
    router._core.after_fork()
    assert router.stats.tally("all", "new").requests == 0
    assert ask(router, "wsgi", "/ok").side == "new"
    assert router.stats.tally("all", "new").requests == 1


def test_a_path_asked_for_too_often_to_remember_all_is_still_found(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("anysgi.migration._ways._REMEMBERED", 2)
    router = make(NewWsgi(), RouteTable((Route("/<int:n>", "new", name="n"),)))
    assert [ask(router, "wsgi", f"/{number}").side for number in (*range(5), 0)] == ["new"] * 6
    assert router.stats.tally("n", "new").requests == 6


@pytest.mark.parametrize("server", ["wsgi", "asgi"])
def test_requests_of_many_threads_are_all_counted(make: Any, server: str) -> None:
    router = make(NewWsgi(), RouteTable((Route("/ok", "new", name="ok"),)))
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda path: ask(router, server, path), ["/ok", "/other", "/missing"] * 50))
    assert len(answers) == 150
    assert router.stats.tally("ok", "new").requests == 50
    assert router.stats.tally("(default)", "legacy").requests == 100


def test_without_a_shadow_nobody_looks(make: Any) -> None:
    router = make(NewWsgi(), RouteTable((Route("/ok", "new", shadow="compare"),)))
    assert ask(router, "wsgi", "/ok").side == "new"


def test_a_generator_that_starts_its_response_before_its_only_empty_chunk(make: Any, server: str) -> None:
    def new(environ: Any, start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [("x-side", "new")])
        yield from ()

    answer = ask(make(new), server, "/n")
    assert (answer.side, answer.body) == ("new", b"")


def test_the_router_runs_on_trio(make: Any) -> None:
    async def new(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            return
        if scope["path"] == "/hang":
            await trio.sleep_forever()
        await send({"type": "http.response.start", "status": 404 if scope["path"] == "/missing" else 200})
        await send({"type": "http.response.body", "body": b"new"})

    router = make(new, head_timeout=0.05)

    async def body_of(path: str) -> bytes:
        sent: list[Any] = []

        async def receive() -> Any:
            return {"type": "http.request", "body": b""}

        async def send(message: Any) -> None:
            sent.append(message)

        with trio.fail_after(10):
            await router.asgi(http_scope(path=path), receive, send)
        return b"".join(message.get("body", b"") for message in sent)

    async def main() -> list[bytes]:
        return [await body_of(path) for path in ("/ok", "/missing", "/hang")]

    assert trio.run(main) == [b"new", b"legacy GET /missing", b"legacy GET /hang"]

"""What middleware libraries are reported to get wrong: the 20 items of `research/middleware.md`, section 6.

`ITEMS` names the tests that hold each item.  The ones that several layers or several requests have to do with are here.
"""

from __future__ import annotations

import ast
import asyncio
import functools
import gzip
import logging
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import anyio
import pytest
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from anysgi.exceptions import ClientDisconnected
from anysgi.middleware import (
    Dual,
    Flow,
    Request,
    Stack,
    body_limit,
    cors,
    decompress,
    errors,
    middleware,
    request_id,
    security_headers,
)
from anysgi.middleware import _request_id as ids

from ._driving import App, Ask, Drive

HERE = Path(__file__).parent
BOUND = 10.0  # seconds

ITEMS = """
1   compress           the_client_decides_and_vary_says_so_either_way
1   codings            the_client_gets_the_coding_it_likes_best
2   compress           what_must_not_be_compressed_passes_untouched
2   compress           head_gets_the_headers_of_get_and_no_length_that_is_wrong
3   compress           each_piece_of_a_stream_can_be_decoded_when_it_arrives
3   compress           a_response_that_breaks_off_does_not_look_whole
3   bodies             after_an_error_no_stage_is_finished
3   bodies             after_an_abort_no_stage_is_finished
4   compress           a_body_in_one_piece_is_compressed_and_its_length_is_exact
4   flow               a_body_passes_a_transform_and_its_length_is_true
5   flow               the_outcome_of_what_did_not_go_well
5   flow               an_exception_of_the_app_is_raised_at_the_yield_and_may_be_answered
5   rules              an_exception_after_the_head_is_never_answered
5   rules              an_exception_in_close_is_raised_and_the_outcome_told_once
5   access_log         what_did_not_go_well_is_logged_as_such
6   rules              a_generator_app_that_starts_late_is_started_before_we_return
6   rules              the_last_head_before_the_return_counts
6   rules              a_second_head_without_an_exception_is_a_mistake
6   bodies             write_counts_as_body
6   rules              what_was_written_is_not_sent_after_a_response_in_its_place
7   rules              close_comes_before_iteration_and_twice
7   rules              a_replaced_response_is_closed_or_cut_and_inner_layers_see_an_abort
7   rules              an_exception_in_close_is_raised_and_the_outcome_told_once
8   flow               a_stack_that_does_not_look_at_the_body_hands_over_the_apps_own_object
8   bodies             a_file_the_server_sends_is_forwarded_and_counted
8   bodies             a_file_stays_the_servers_where_only_its_outcome_is_wanted
8   ../servers/files   a_file_whose_outcome_is_logged_leaves_by_gunicorns_sendfile
9   bodies             a_layer_that_needs_bytes_is_offered_no_path
9   bodies             a_layer_that_needs_bytes_gets_no_file_of_the_server
9   bodies             a_file_that_must_be_bytes_flows_through_and_is_closed
10  bodies             a_client_that_leaves_half_way_never_looks_like_an_end
10  rules              an_app_that_returns_in_the_middle_was_aborted
10  rules              a_cancellation_cannot_be_answered
10  django             a_cancelled_view_goes_through_the_layers
10  properties         wsgi_is_asgi
10  places             the_end_of_a_stream_and_a_client_that_leaves_it
10  ../servers/outcomes  a_client_that_leaves_a_stream_is_told_of_once
11  rules              receive_and_send_in_tasks_of_their_own
11  rules              a_bound_variable_is_there_for_app_body_and_outcome_and_gone_afterwards
11  request_id         the_id_is_there_for_the_app_its_body_and_the_log_and_gone_afterwards
11  acceptance         what_is_bound_is_there_for_a_background_task
12  bodies             messages_reach_the_server_as_they_are
12  installation       the_lifespan_and_unknown_scopes_pass_untouched
12  websockets         the_accept_is_a_head_and_the_close_an_end
12  websockets         a_layer_denies_with_a_response_where_the_server_can_send_it
12  websockets         elsewhere_it_denies_with_a_close
13  body_limit         a_body_over_the_limit_is_answered_413
13  body_limit         a_length_that_lies_low_does_not_help
13  body_limit         a_framework_that_makes_a_500_of_it_is_put_right
13  acceptance         a_limit_that_is_passed_inside_a_task_group_is_answered_413
14  codings            a_bomb_is_refused_at_the_bound
14  codings            members_one_after_another_are_one_body_however_they_are_cut
14  codings            a_body_that_breaks_off_is_refused
14  decompress         broken_truncated_and_exploding_bodies_are_refused
14  acceptance         a_client_that_leaves_inside_a_compressed_body_is_no_end_of_it
15  server_timing      it_stands_beside_what_the_app_sent
15  acceptance         what_is_there_already_is_added_to_in_order
16  hosts_and_origins  a_host_is_taken_apart_or_refused
16  forwarded          forwarded_is_read_with_its_quotes
16  forwarded          a_node_is_an_address_and_maybe_a_port
16  gatekeepers        only_named_hosts_are_answered
16  gatekeepers        forwarded_is_read_instead_and_never_both
17  rate_limit         a_store_that_is_down_opens_or_closes_and_is_logged
17  idempotency        a_store_that_is_down_opens_or_closes_and_is_logged
17  acceptance         a_slow_store_holds_up_nobody_else
18  installation       one_stack_serves_several_apps_of_both_conventions
18  acceptance         one_stack_serves_many_threads_at_once
19  properties         fused_is_unfused
19  properties         wsgi_is_asgi
20  acceptance         an_error_page_has_what_every_page_has
20  installation       fastapi_outside_of_its_error_page
"""
ENTRIES = [line.split() for line in ITEMS.strip().splitlines()]
ONE_CONVENTION = {
    "6": "start_response() and write() are WSGI's",
    "7": "close() is WSGI's; what ASGI has in its place is item 10",
    "8": "the server's file is wsgi.file_wrapper there, http.response.pathsend here: a test each",
    "9": "the same",
    "12": "messages, lifespan and WebSockets are ASGI's",
}


@functools.cache
def its_tests(file: str) -> dict[str, bool]:
    """A file's tests, and whether each runs in both conventions."""
    path = HERE / file
    nodes = ast.parse(path.with_name(f"test_{path.name}.py").read_text()).body
    functions = [node for node in nodes if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")]
    arguments = {node.name: {argument.arg for argument in node.args.args} for node in functions}
    return {name.removeprefix("test_"): not found.isdisjoint({"drive", "program"}) for name, found in arguments.items()}


def test_every_item_is_held() -> None:
    assert {item for item, _, _ in ENTRIES} == {str(number) for number in range(1, 21)}


@pytest.mark.parametrize(("item", "file", "name"), ENTRIES, ids=["-".join(entry) for entry in ENTRIES])
def test_every_named_test_exists(item: str, file: str, name: str) -> None:
    assert name in its_tests(file)


@pytest.mark.parametrize("item", sorted({item for item, _, _ in ENTRIES} - set(ONE_CONVENTION)))
def test_every_item_is_held_in_both_conventions(item: str) -> None:
    assert any(its_tests(file)[name] for number, file, name in ENTRIES if number == item)


def test_what_is_bound_is_there_for_a_background_task() -> None:
    seen: list[str | None] = []

    async def page(request: Any) -> Any:
        return PlainTextResponse("hello", background=BackgroundTask(lambda: seen.append(ids.current_request_id())))

    answer = Drive("asgi")(request_id(), Starlette(routes=[Route("/", page)]), headers={"X-Request-ID": "r1"})
    assert (answer.status, seen) == (200, ["r1"])
    assert ids.current_request_id() is None


def test_a_limit_that_is_passed_inside_a_task_group_is_answered_413() -> None:
    app = App(b"x", reads=True)

    async def grouped(scope: Any, receive: Any, send: Any) -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(app.asgi, scope, receive, send)

    answer = Drive("asgi")(body_limit(limit=2), grouped, method="POST", body=[b"123"])
    assert (answer.status, answer.error) == (413, None)


def test_a_client_that_leaves_inside_a_compressed_body_is_no_end_of_it(drive: Drive) -> None:
    wire, raised = gzip.compress(b"hello" * 1000), []

    class Noting(App):
        def wsgi(self, environ: Any, start_response: Any) -> Any:
            try:
                return super().wsgi({**environ}, start_response)
            except OSError as error:
                raised.append(error)
                raise

        async def asgi(self, scope: Any, receive: Any, send: Any) -> None:
            try:
                await super().asgi(scope, receive, send)
            except OSError as error:
                raised.append(error)
                raise

    app = Noting(b"x", reads=True)
    headers = {"Content-Encoding": "gzip"}
    if drive.convention == "wsgi":
        ask = Ask("POST", headers=list(headers.items()), body=wire[:10])
        environ = {**ask.environ(), "CONTENT_LENGTH": str(len(wire)), "wsgi.input_terminated": False}
        with pytest.raises(ClientDisconnected):
            drive.wrap(decompress(collect=False), app)(environ, lambda *head: None)
    else:
        messages = iter([{"type": "http.request", "body": wire[:10], "more_body": True}, {"type": "http.disconnect"}])

        async def receive() -> Any:
            return next(messages)

        scope = Ask("POST", headers=list(headers.items()), body=wire).scope()
        with pytest.raises(OSError, match="the client left"):
            asyncio.run(drive.wrap(decompress(collect=False), app)(scope, receive, None))
    assert (len(raised), app.received) == (1, b"")


def test_what_is_there_already_is_added_to_in_order(drive: Drive) -> None:
    @middleware
    def add(request: Request) -> Flow:
        response = yield request
        response.headers.add("set-cookie", "c=3")
        response.headers.vary("origin")

    app = App(b"x", headers=[("Set-Cookie", "a=1"), ("Vary", "cookie"), ("Set-Cookie", "b=2")])
    answer = drive(Stack(add(), request_id()), app)
    assert answer.getlist("set-cookie") == ["a=1", "b=2", "c=3"]
    assert answer.header("vary") == "cookie, origin"


class Slow:
    """A store that makes the first client wait until the second one was served."""

    def __init__(self) -> None:
        self.second_served = threading.Event()

    def hit(self, client: str) -> bool:
        return client != "first" or self.second_served.wait(BOUND)


class SlowAsync:
    """The same, to be awaited."""

    def __init__(self) -> None:
        self.second_served = asyncio.Event()

    async def hit(self, client: str) -> bool:
        return client != "first" or await asyncio.wait_for(self.second_served.wait(), BOUND)


@middleware
def counted(request: Request, *, store: Dual) -> Flow:
    assert (yield store.hit(request.headers.get("x-client", "")))
    yield request


def test_a_slow_store_holds_up_nobody_else(drive: Drive) -> None:
    asks = [Ask(headers=[("x-client", client)]) for client in ("first", "second")]
    scopes = {id(ask): ask.scope() for ask in asks}

    async def serve_both() -> list[str]:
        order, slow = [], SlowAsync()
        app = drive.wrap(counted(store=Dual(asynchronous=slow)), App(b"x"))

        async def serve(ask: Ask) -> None:
            async def send(message: Any) -> None:
                if message["type"] == "http.response.start":
                    order.append(dict(ask.headers)["x-client"])

            await app(scopes[id(ask)], None, send)
            slow.second_served.set()

        await asyncio.gather(*map(serve, asks))
        return order

    def serve_in_threads() -> list[str]:
        order, slow = [], Slow()
        app = drive.wrap(counted(store=Dual(sync=slow)), App(b"x"))

        def serve(ask: Ask) -> None:
            app(ask.environ(), lambda *head: order.append(dict(ask.headers)["x-client"]))
            slow.second_served.set()

        with ThreadPoolExecutor(2) as pool:
            list(pool.map(serve, asks))
        return order

    served = asyncio.run(serve_both()) if drive.convention == "asgi" else serve_in_threads()
    assert served == ["second", "first"]


def test_one_stack_serves_many_threads_at_once(drive: Drive) -> None:
    together = threading.Barrier(4, timeout=BOUND)
    stack = Stack(request_id(), security_headers())

    def serve(number: int) -> list[str]:
        app = App(lambda: together.wait() and None, b"x", shape="stream")
        return drive(stack, app, headers={"X-Request-ID": f"r{number}"}).getlist("x-request-id")

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(serve, range(4))) == [[f"r{number}"] for number in range(4)]


def test_nothing_a_client_says_of_itself_becomes_a_header_of_its_own(drive: Drive) -> None:
    """Servers refuse line breaks in headers; a layer does not rely on it."""
    forged = "https://x.test\r\nSet-Cookie: a=1"
    stack = Stack(request_id(validate=lambda value: True), cors(origins=lambda origin: True, credentials=True))
    app = drive.wrap(stack, App(b"x"))

    def wsgi(environ: Any, start_response: Any) -> Any:
        return app({**environ, "HTTP_ORIGIN": forged, "HTTP_X_REQUEST_ID": forged}, start_response)

    async def asgi(scope: Any, receive: Any, send: Any) -> None:
        headers = [(b"origin", forged.encode()), (b"x-request-id", forged.encode())]
        await app({**scope, "headers": headers}, receive, send)

    answer = drive.serve({"wsgi": wsgi, "asgi": asgi}[drive.convention], Ask())
    assert (answer.status, answer.error) == (200, None)
    assert answer.header("access-control-allow-origin") is None
    assert re.fullmatch("[0-9a-f]{32}", answer.header("x-request-id") or "")


def test_an_error_page_has_what_every_page_has(drive: Drive, caplog: pytest.LogCaptureFixture) -> None:
    stack = Stack(request_id(), cors(origins=["https://shop.test"]), security_headers(), errors())
    headers = {"Origin": "https://shop.test", "X-Request-ID": "r1"}
    with caplog.at_level(logging.CRITICAL):
        answer = drive(stack, App(raises=LookupError("oh")), headers=headers)
    assert (answer.status, answer.error) == (500, None)
    assert answer.header("x-request-id") == "r1"
    assert answer.header("access-control-allow-origin") == "https://shop.test"
    assert answer.header("x-content-type-options") == "nosniff"

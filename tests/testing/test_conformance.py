"""The checks: our middleware passes all of them, and each of the 32 known bugs of the research is found by one."""

from __future__ import annotations

import asyncio
import logging
import sys
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from anysgi import middleware
from anysgi.exceptions import ExchangeTimeout
from anysgi.testing import (
    CheckResult,
    Disconnect,
    LintASGI,
    LintWSGI,
    Program,
    Report,
    Say,
    Scenario,
    assert_same,
    check_asgi_to_wsgi,
    check_middleware,
    check_wsgi_to_asgi,
    run,
)
from anysgi.testing._conformance import _a2w_probing, _w2a_probing
from anysgi.testing._conformance._asgi_to_wsgi import ASGI_TO_WSGI
from anysgi.testing._conformance._check import Check
from anysgi.testing._conformance._middleware import ASGI_MIDDLEWARE, WSGI_MIDDLEWARE
from anysgi.testing._conformance._wsgi_to_asgi import WSGI_TO_ASGI

from . import _seeded as seeded
from ._apps import asgi_echo, wsgi_echo
from .conformance_page import PAGE, words

SUITES = {"w2a": WSGI_TO_ASGI, "a2w": ASGI_TO_WSGI, "wsgi": WSGI_MIDDLEWARE, "asgi": ASGI_MIDDLEWARE}


@pytest.fixture(autouse=True)
def _quiet() -> Any:
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


# Ours; tests/adapters/test_conformance.py has each check on our adapters


def test_both_doors_run_every_check(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Check, "try_on", lambda check, make: (check.name, make))
    for door, checks, least in ((check_wsgi_to_asgi, WSGI_TO_ASGI, 45), (check_asgi_to_wsgi, ASGI_TO_WSGI, 30)):
        assert list(door(id)) == [(check.name, id) for check in checks]
        assert len(checks) >= least


LAYERS: dict[str, dict[str, Any]] = {
    "access_log": {},
    "body_limit": {"limit": 10**6},
    "capture": {"to": bool},
    "compress": {},
    "conditional": {},
    "cors": {"origins": ["https://shop.example"]},
    "csrf": {},
    "decompress": {},
    "digest": {},
    "errors": {},
    "health": {},
    "idempotency": {},
    "load_shed": {"limit": 100},
    "maintenance": {"on": lambda *_: False},
    "method_override": {},
    "metrics": {"registry": CollectorRegistry()},
    "proxy_headers": {},
    "request_id": {},
    "security_headers": {},
    "server_timing": {},
    "tracing": {},
    "trusted_hosts": {"hosts": ["testserver"]},
}
"""Of our library, all that hand requests on."""
# They look at the first piece of body before they write the head: a body that is there whole gets a length and an ETag.
LOOK_AT_THE_BODY = {"compress", "conditional", "digest"}
DIFFERENT_EACH_TIME = ["header:x-request-id", "header:server-timing", "header:traceparent"]


@pytest.mark.parametrize("name", LAYERS)
def test_our_middleware_passes_all_fused_and_not(name: str) -> None:
    report = check_middleware(getattr(middleware, name)(**LAYERS[name]), ignore=DIFFERENT_EACH_TIME)
    held = ["asgi_sends_the_head_without_waiting_for_the_body"] if name in LOOK_AT_THE_BODY else []
    assert [str(result) for result in report.failures if result.name not in held] == []
    assert [result.name for result in report.failures] == held
    assert report[-1].name == "fused_and_unfused_give_the_same"


def test_a_middleware_that_does_nothing_passes_all() -> None:
    check_middleware(lambda app: app).raise_for_failures()


# The 32 known bugs

FOUND_BY_CHECKS = [
    ("B1", "a2w", "an_app_that_sends_nothing_is_an_error", seeded.asgi_to_wsgi(seeded.hangs_without_a_response)),
    ("B2", "a2w", "an_app_that_sends_a_head_alone_is_an_error", seeded.asgi_to_wsgi(seeded.hangs_after_the_head)),
    ("B3", "a2w", "a_short_upload_is_a_disconnect", seeded.asgi_to_wsgi(seeded.feeds_nothing_for_ever)),
    ("B4", "a2w", "headers_may_be_missing", seeded.asgi_to_wsgi(seeded.needs_headers)),
    (
        "B5",
        "a2w",
        "a_body_of_unknown_length_arrives",
        seeded.asgi_to_wsgi(around_adapter=seeded.environ_spoiled(seeded.drops_chunked_bodies)),
    ),
    (
        "B6",
        "a2w",
        "paths_may_hold_any_byte",
        seeded.asgi_to_wsgi(around_adapter=seeded.environ_spoiled(seeded.decodes_paths_as_utf8)),
    ),
    (
        "B7",
        "w2a",
        "close_is_called_once_when_send_fails",
        seeded.wsgi_to_asgi(around_adapter=seeded.send_blocks_for_ever_when_it_fails),
    ),
    ("B8", "w2a", "the_body_reads_like_a_file", seeded.wsgi_to_asgi(seeded.environ_spoiled(seeded.reads_by_hand))),
    (
        "B9",
        "w2a",
        "an_upload_that_breaks_off_is_no_end",
        seeded.wsgi_to_asgi(seeded.environ_spoiled(seeded.ends_where_it_breaks)),
    ),
    (
        "B10",
        "w2a",
        "exc_info_replaces_the_head",
        seeded.wsgi_to_asgi(seeded.start_response_spoiled(seeded.ignores_exc_info)),
    ),
    (
        "B11",
        "w2a",
        "a_body_without_a_head_is_an_error",
        seeded.wsgi_to_asgi(around_adapter=seeded.sends_a_body_without_a_head),
    ),
    ("B12", "w2a", "close_is_called_once_after_the_last_chunk", seeded.wsgi_to_asgi(seeded.keeps_close_to_itself)),
    ("B13", "w2a", "requests_run_at_the_same_time", seeded.wsgi_to_asgi(threads=1)),
    (
        "B14",
        "w2a",
        "a_query_may_hold_any_byte",
        seeded.wsgi_to_asgi(around_adapter=seeded.refuses_queries_beyond_ascii),
    ),
    (
        "B15",
        "w2a",
        "a_server_without_an_address_is_understood",
        seeded.wsgi_to_asgi(around_adapter=seeded.needs_a_server_address),
    ),
    (
        "B16",
        "w2a",
        "header_values_may_be_latin_1",
        seeded.wsgi_to_asgi(seeded.start_response_spoiled(seeded.encodes_as_ascii)),
    ),
    (
        "B17",
        "w2a",
        "an_empty_iterable_sends_the_head",
        seeded.wsgi_to_asgi(around_adapter=seeded.forgets_the_head_of_nothing),
    ),
    (
        "B18",
        "w2a",
        "write_sends_before_the_iterable",
        seeded.wsgi_to_asgi(seeded.start_response_spoiled(seeded.returns_none)),
    ),
    ("B19", "w2a", "a_chunk_is_sent_before_the_next_is_asked_for", seeded.wsgi_to_asgi(seeded.collects_it_all)),
    (
        "B20",
        "w2a",
        "a_mount_ends_at_a_segment",
        seeded.wsgi_to_asgi(seeded.environ_spoiled(seeded.strips_prefixes_anywhere)),
    ),
    (
        "B21",
        "w2a",
        "split_cookies_are_joined_by_semicolons",
        seeded.wsgi_to_asgi(seeded.environ_spoiled(seeded.joins_cookies_with_commas)),
    ),
    (
        "B22",
        "w2a",
        "header_names_are_compared_without_case",
        seeded.wsgi_to_asgi(seeded.environ_spoiled(seeded.compares_names_with_case)),
    ),
    ("B23", "w2a", "a_slow_client_holds_the_app_up", seeded.wsgi_to_asgi(around_adapter=seeded.queues_without_bounds)),
    ("B26", "wsgi", "wsgi_passes_close_on", seeded.closes_nothing),
    ("B27", "wsgi", "wsgi_passes_close_on_when_the_client_leaves", seeded.closes_the_iterator),
    ("B28", "a2w", "it_works_in_a_forked_worker", seeded.MadeOnItsLoop),
    ("B29", "a2w", "after_the_body_receive_waits", seeded.asgi_to_wsgi(seeded.gives_the_body_again)),
    ("B30", "asgi", "asgi_sends_the_head_without_waiting_for_the_body", seeded.holds_the_head_back),
]


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.parametrize(
    ("suite", "name", "make"), [row[1:] for row in FOUND_BY_CHECKS], ids=[row[0] for row in FOUND_BY_CHECKS]
)
def test_a_check_finds_the_planted_bug(suite: str, name: str, make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    [check] = [check for check in SUITES[suite] if check.name == name]
    for module in (sys.modules[check.run.__module__], _w2a_probing, _a2w_probing):
        monkeypatch.setattr(module, "BOUND", 0.5, raising=False)
    result = check.try_on(make)
    assert not result.passed
    assert result.detail


def test_b24_a_client_with_an_illegal_environ_is_found_by_lint() -> None:
    app = LintWSGI(wsgi_echo, on="collect")
    seeded.httpx_like_client(app)
    assert {finding.rule.id for finding in app.findings} >= {"W012"}
    assert {finding.party for finding in app.findings} == {"server"}


def test_b25_a_test_client_without_asgi_in_its_scope_is_found_by_lint() -> None:
    app = LintASGI(asgi_echo, on="collect")
    asyncio.run(seeded.test_client_scope(app))
    assert {finding.rule.id for finding in app.findings} >= {"A003", "A035"}


def test_b31_an_app_that_streams_on_for_nobody_or_takes_half_an_upload_is_found_by_run() -> None:
    left = Scenario(peer=[Disconnect(after_messages=3)], like="uvicorn")
    with pytest.raises(ExchangeTimeout, match=r"http\.response\.body"):
        run(seeded.streams_on_after_the_client_left, left, bound=0.2)
    app = LintASGI(seeded.takes_a_disconnect_for_the_end, on="collect")
    half = run(app, Scenario("POST", body=b"abcdef", peer=[Disconnect(after_bytes=3)], like="uvicorn"))
    assert [event.message["type"] for event in half.messages][-2:] == ["http.response.start", "http.response.body"]
    assert "A086" in {finding.rule.id for finding in app.findings}


def test_b32_a_dispatcher_that_confuses_mounts_and_protocols_is_found() -> None:
    app = seeded.dispatcher({"/api": Program((Say(b"api"),)).asgi})
    with pytest.raises(AssertionError, match="status: 200 != 404"):
        assert_same(app, Program((), 404).asgi, Scenario(target=b"/apix"))
    lint = LintASGI(app, on="collect")

    async def connects() -> None:
        async def receive() -> Any:
            return {"type": "websocket.connect"}

        async def send(message: Any) -> None: ...

        scope = {"type": "websocket", "asgi": {"version": "3.0"}, "path": "/chat", "headers": []}
        await lint({**scope, "query_string": b"", "subprotocols": []}, receive, send)

    asyncio.run(connects())
    assert [finding for finding in lint.findings if "http.response.start" in finding.message]


def test_all_32_are_there() -> None:
    elsewhere = {"B24", "B25", "B31", "B32"}
    assert {row[0] for row in FOUND_BY_CHECKS} | elsewhere == {f"B{number}" for number in range(1, 33)}


def test_the_published_table_names_every_check_and_ours_passes_them() -> None:
    page = PAGE.read_text(encoding="utf-8")
    for checks in (WSGI_TO_ASGI, ASGI_TO_WSGI):
        rows = [f"| {words(check.name)} | yes |" for check in checks]
        assert [row for row in rows if row not in page] == [], "run `python -m tests.testing.conformance_page`"
        assert f"| **passed** | {len(checks)} of {len(checks)} |" in page


# How checks are run


def test_a_report_says_which_checks_failed_and_why() -> None:
    report = Report([CheckResult("a", True, "", "rule a"), CheckResult("b", False, "it is so", "rule b")])
    assert [str(result) for result in report] == ["ok   a", "FAIL b: it is so"]
    with pytest.raises(AssertionError, match=r"1 of 2 checks failed:\n  FAIL b: it is so\n +rule b"):
        report.raise_for_failures()
    Report().raise_for_failures()


def test_a_check_that_hangs_or_breaks_is_a_failure() -> None:
    def spins(make: Any) -> None:
        while True:
            pass

    def breaks(make: Any) -> None:
        raise KeyError("inside")

    def times_out(make: Any) -> None:
        raise ExchangeTimeout("too late: Scenario()")

    details = [Check("x", "", function).try_on(None, 0.1).detail for function in (spins, breaks, times_out)]  # type: ignore[arg-type]
    assert details == ["it hangs", "KeyError: 'inside'", "too late"]


def test_a_middleware_of_one_convention_is_checked_in_that_one() -> None:
    report = check_middleware(lambda app: app, conventions=["asgi"])
    assert {result.name.partition("_")[0] for result in report} == {"asgi"}

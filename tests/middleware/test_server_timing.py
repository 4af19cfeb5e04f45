"""`server_timing`: the time to the head, and the spans inside it."""

from __future__ import annotations

import re
from typing import Any

from anysgi.middleware import server_timing, span

from ._driving import App, Drive

TOTAL = re.compile(r"total;dur=\d+\.\d")


class Working(App):
    """An app that times its work."""

    def _called(self, request: Any) -> None:
        super()._called(request)
        with span("db", 'say "hi"'):
            pass
        with span("db", 'say "hi"'):
            pass


def test_the_time_to_the_head_is_sent(drive: Drive) -> None:
    assert TOTAL.fullmatch(drive(server_timing()).header("server-timing") or "")


def test_it_stands_beside_what_the_app_sent(drive: Drive) -> None:
    answer = drive(server_timing(metric="app"), App(b"", headers={"Server-Timing": "cache;desc=hit"}))
    first, second = answer.getlist("server-timing")
    assert first == "cache;desc=hit"
    assert second.startswith("app;dur=")


def test_spans_of_the_app_are_in_it_once_each(drive: Drive) -> None:
    found = drive(server_timing(), Working(b"")).header("server-timing") or ""
    assert re.fullmatch(r'total;dur=\d+\.\d, db;dur=\d+\.\d;desc="say \\"hi\\""', found)


def test_names_and_descriptions_that_no_header_can_hold_break_no_response(drive: Drive) -> None:
    class Careless(App):
        def _called(self, request: Any) -> None:
            with span("select *, 1", "4 €\r\nSet-Cookie: a"):
                pass

    found = drive(server_timing(), Careless(b"")).header("server-timing") or ""
    assert re.fullmatch(r'total;dur=\d+\.\d, select_\*__1;dur=\d+\.\d;desc="4 \?\?\?Set-Cookie: a"', found)


def test_a_loop_cannot_make_the_header_grow_without_end(drive: Drive) -> None:
    class Looping(App):
        def _called(self, request: Any) -> None:
            for number in range(1000):
                with span(f"s{number}"):
                    pass

    assert (drive(server_timing(), Looping(b"")).header("server-timing") or "").count(",") == 64


def test_timings_are_for_those_who_may_see_them(drive: Drive) -> None:
    stack = server_timing(visible=lambda request: request.headers.get("x-staff") == "1")
    assert drive(stack).header("server-timing") is None
    assert drive(stack, headers={"X-Staff": "1"}).header("server-timing")


def test_a_span_outside_of_a_request_is_harmless() -> None:
    with span("db"):
        pass


def test_short_spans_may_be_left_out_and_all_of_them_reported(drive: Drive) -> None:
    reports: list[Any] = []
    hidden = server_timing(
        threshold=60,
        visible=lambda request: request.query == "see",
        report=lambda request, seconds: reports.append(seconds),
    )
    assert TOTAL.fullmatch(drive(hidden, Working(b""), query="see").header("server-timing") or "")
    assert drive(hidden, Working(b"")).header("server-timing") is None
    assert [set(seconds) for seconds in reports] == [{"total", "db"}] * 2

"""For each WSGI rule that a wrapper decides: a case that breaks it, and a legal one that comes close."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from ._wsgi_driver import GONE, TEXT, Body, hello, reads, starts, wsgi
from ._wsgi_special import (
    READS_ALL,
    Binary,
    ClosesTheIterable,
    ClosesTheIterator,
    ClosesTwice,
    Collects,
    EmptyLine,
    EndsTwice,
    Forgetful,
    GoesOn,
    LeavesInTheMiddle,
    LongReadline,
    NeverCloses,
    NoBareRead,
    NoLines,
    NoWrite,
    OddLines,
    OtherThread,
    Passes,
    ServerFile,
    ShortReadline,
    StopsEarly,
    TooMuch,
    around,
    by_name,
    changes_its_headers,
    dispatches,
    fails_after_the_head,
    from_two_threads,
    logs,
    sends_a_file,
    starts_in_time,
    starts_late,
    starts_twice,
    three,
    twice,
    with_a_mapping,
    writes,
)

if TYPE_CHECKING:
    from ._wsgi_driver import App, Case


def returns(value: Any) -> App:
    """An app that starts, and returns something."""

    def app(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [TEXT])
        return value

    return app


def no_start(environ: Any, start_response: Any) -> Any:
    return []


def length(size: int, *chunks: bytes, code: str = "200 OK") -> App:
    return starts(code, TEXT, ("Content-Length", str(size)), chunks=chunks)


def header(name: Any, value: Any) -> App:
    return starts("200 OK", TEXT, (name, value))


ABORTED = {"CONTENT_LENGTH": "10", "REQUEST_METHOD": "POST"}

PAIRS: dict[str, tuple[Case, Case]] = {
    "W001": (with_a_mapping, wsgi()),
    "W002": (twice(shared=True), twice(shared=False)),
    "W003": (wsgi(REQUEST_METHOD=""), wsgi(REQUEST_METHOD="M-SEARCH")),
    "W004": (wsgi(SCRIPT_NAME="/"), wsgi(SCRIPT_NAME="/shop")),
    "W005": (wsgi(PATH_INFO="x", SCRIPT_NAME="/api"), wsgi(PATH_INFO="", SCRIPT_NAME="/api")),
    "W006": (wsgi(PATH_INFO=""), wsgi(PATH_INFO=GONE, SCRIPT_NAME="/api")),
    "W007": (wsgi(QUERY_STRING=b"a=1"), wsgi(QUERY_STRING=GONE)),
    "W008": (wsgi(CONTENT_LENGTH=GONE, HTTP_CONTENT_LENGTH="0"), wsgi(CONTENT_LENGTH=GONE, CONTENT_TYPE="")),
    "W009": (wsgi(CONTENT_LENGTH="+5"), wsgi(CONTENT_LENGTH="")),
    "W010": (wsgi(SERVER_PORT=80), wsgi(SERVER_NAME="::1")),
    "W011": (wsgi(SERVER_PROTOCOL=GONE), wsgi(SERVER_PROTOCOL="HTTP/2")),
    "W012": (wsgi(PATH_INFO="/☃"), wsgi(PATH_INFO="/caf\xc3\xa9")),
    "W013": (wsgi(**{"HTTP_X-Cart": "1"}), wsgi(HTTP_X_CART="1", HTTP_COOKIE='a="x, y"; b=2')),
    "W015": (wsgi(wsgi_version=(2, 0)), wsgi()),
    "W016": (wsgi(wsgi_url_scheme=GONE), wsgi(wsgi_url_scheme="https")),
    "W017": (wsgi(wsgi_input=object()), wsgi(wsgi_input=io.BytesIO())),
    "W018": (wsgi(wsgi_errors=object()), wsgi(wsgi_errors=io.StringIO())),
    "W019": (wsgi(wsgi_run_once=GONE), wsgi(wsgi_multithread=1)),
    "W020": (wsgi(REMOTE_ADDR=None), wsgi(REMOTE_ADDR="")),
    "W021": (wsgi(REMOTE_PORT=50000), wsgi(**{"shop.database": object()})),
    "W022": (wsgi(http_x="1"), wsgi(X_SERVER="1")),
    "W023": (wsgi(wsgi_file_wrapper="yes"), wsgi(sends_a_file, wsgi_file_wrapper=ServerFile)),
    "W024": (
        wsgi(reads(lambda stream: stream.read(2)), b"hello", wsgi_input=TooMuch(b"hello")),
        wsgi(reads(lambda stream: stream.read()), b"hello"),
    ),
    "W025": (
        wsgi(reads(lambda stream: (stream.read(2), stream.read())), b"hello", wsgi_input=EndsTwice(b"hello")),
        wsgi(reads(READS_ALL), b"hello", wsgi_input_terminated=True),
    ),
    "W026": (
        wsgi(reads(lambda stream: (stream.readline(5), stream.read())), b"hello", wsgi_input=ShortReadline(b"hello")),
        wsgi(reads(lambda stream: (stream.readline(2), stream.readline())), b"hello\n"),
    ),
    "W027": (
        wsgi(reads(lambda stream: stream.readlines()), wsgi_input=NoLines()),
        wsgi(reads(lambda stream: stream.readlines(1)), b"a\nb\nc"),
    ),
    "W028": (wsgi(reads(list), wsgi_input=EmptyLine()), wsgi(reads(list), b"a\n\nb")),
    "W029": (
        wsgi(reads(lambda stream: stream.read(10**9)), b"hello"),
        wsgi(reads(lambda stream: stream.read(5)), b"hello"),
    ),
    "W030": (wsgi(reads(lambda stream: stream.close())), wsgi(reads(lambda stream: stream.closed))),
    "W031": (wsgi(reads(lambda stream: stream.seek(0))), wsgi(reads(lambda stream: hasattr(stream, "seek")))),
    "W032": (
        wsgi(reads(READS_ALL), wsgi_input_terminated=True, wsgi_input=Body(b"hello"), **ABORTED),
        wsgi(reads(READS_ALL), wsgi_input_terminated=True, wsgi_input=LeavesInTheMiddle(b"hello"), **ABORTED),
    ),
    "W033": (wsgi(wsgi_input_terminated=1), wsgi(wsgi_input_terminated=False)),
    "W034": (wsgi(logs(b"oops")), wsgi(logs("oops"))),
    "W035": (wsgi(by_name), wsgi(starts_twice(real=True))),
    "W036": (wsgi(starts("200")), wsgi(starts("200 "))),
    "W037": (wsgi(starts("999 Odd")), wsgi(starts("599 Odd"))),
    "W038": (wsgi(starts("200 OK", ["X-Cart", "1"])), wsgi(starts("200 OK", ("X-Cart", "1")))),
    "W039": (wsgi(header("X Cart", "1")), wsgi(header("X.Cart", "1"))),
    "W040": (wsgi(header("X-Cart", "a\x7f")), wsgi(header("X-Cart", "a\xa0"))),
    "W041": (wsgi(header("X-Cart", "☃")), wsgi(header("X-Cart", "\xe2\x98\x83"))),
    "W042": (wsgi(header("Status", "200")), wsgi(header("X-Status", "200"))),
    "W043": (wsgi(header("Connection", "close")), wsgi(header("Proxy-Status", "x"))),
    "W044": (wsgi(no_start), wsgi(starts_in_time)),
    "W045": (wsgi(starts_twice()), wsgi(starts_twice(real=True))),
    "W046": (wsgi(starts_twice(exc_info=(1,))), wsgi(starts_twice(real=True))),
    "W047": (wsgi(fails_after_the_head, server=Forgetful), wsgi(fails_after_the_head)),
    "W049": (wsgi(server=NoWrite), wsgi()),
    "W050": (wsgi(writes(b"hello", inside=True)), wsgi(writes(b"hello"))),
    "W052": (wsgi(changes_its_headers(after=True)), wsgi(changes_its_headers(after=False))),
    "W053": (wsgi(returns(None)), wsgi(returns(()))),
    "W054": (wsgi(returns(["text"])), wsgi(returns([b"", b"text"]))),
    "W055": (wsgi(server=NeverCloses), wsgi(three, server=StopsEarly)),
    "W056": (around(ClosesTheIterator), around(ClosesTheIterable)),
    "W057": (wsgi(three, server=GoesOn), wsgi(three, server=StopsEarly)),
    "W059": (around(Collects, three), around(ClosesTheIterable, three)),
    "W060": (wsgi(length(5, b"abc")), wsgi(length(5), REQUEST_METHOD="HEAD")),
    "W061": (wsgi(starts("204 No Content", TEXT)), wsgi(starts("204 No Content", TEXT, chunks=(b"",)))),
    "W064": (wsgi(server=Passes), wsgi()),
    "W065": (
        around(dispatches(keep=False), PATH_INFO="/shop/cart"),
        around(dispatches(keep=True), PATH_INFO="/shop/cart"),
    ),
    "W067": (wsgi(server=OtherThread), wsgi(three)),
}

MORE_BROKEN: list[tuple[str, Case]] = [
    # further ways to break a rule whose pair shows one
    ("W004", wsgi(SCRIPT_NAME="api")),
    ("W004", wsgi(SCRIPT_NAME="/api/")),
    ("W004", wsgi(SCRIPT_NAME=b"/api")),
    ("W008", wsgi(CONTENT_LENGTH=5)),
    ("W010", wsgi(SERVER_PORT="None")),
    ("W013", wsgi(HTTP_COOKIE="a=1,b=2")),
    ("W018", wsgi(wsgi_errors=Binary())),
    ("W019", from_two_threads(wsgi_multithread=False)),
    ("W024", wsgi(reads(lambda stream: stream.read()), wsgi_input=NoBareRead())),
    ("W025", wsgi(reads(lambda stream: stream.read()), wsgi_input=Body(b"hello"), CONTENT_LENGTH="2")),
    ("W026", wsgi(reads(lambda stream: stream.readline(2)), b"hello", wsgi_input=LongReadline(b"hello"))),
    ("W027", wsgi(reads(lambda stream: stream.readlines()), b"a\nb\n", wsgi_input=OddLines(b"abcd"))),
    (
        "W033",
        wsgi(
            reads(lambda s: (s.read(2), s.read())), b"hello", wsgi_input=EndsTwice(b"hello"), wsgi_input_terminated=True
        ),
    ),
    ("W034", wsgi(logs("oops", close=True))),
    ("W036", wsgi(starts("200 OK\r\nX-Evil: 1"))),
    ("W036", wsgi(starts("200 ☃"))),
    ("W038", wsgi(lambda environ, start_response: [start_response("200 OK", (TEXT,)) and b"x"])),
    ("W044", wsgi(starts_late)),
    ("W050", wsgi(writes("text"))),
    ("W053", wsgi(returns("text"))),
    ("W053", wsgi(returns({b"a": 1}))),
    ("W055", wsgi(server=ClosesTwice)),
    ("W056", around(ClosesTheIterator, three)),
    ("W061", wsgi(hello, REQUEST_METHOD="HEAD")),
    ("W044", wsgi(lambda environ, start_response: environ["wsgi.file_wrapper"](Body()), wsgi_file_wrapper=ServerFile)),
]

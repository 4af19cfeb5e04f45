"""The rules of ASGI that only a client and an app together can tell."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from .._conformance._check import NotTried, equal, expect
from .._lint._asgi_rules import ASGI
from . import _wire
from ._asgi_app import ORDERED, asgi_that_raises_in_startup, asgi_without_lifespan
from ._probe_line import Line
from ._push_client import pushed
from ._rule_checks import RuleChecks
from ._websocket_client import Socket, refusal_of
from ._wire import Cut, Wire, come_so_far, get

if TYPE_CHECKING:
    from ._served import Serve, ServedApp

STARTING = RuleChecks(ASGI)
"""Checks that need a server of their own."""

ANSWERING = RuleChecks(ASGI)
"""Checks on a server that serves `asgi`."""

_ERROR = re.compile(r"traceback|\berror\b|exception", re.IGNORECASE)


@STARTING.rule("A012")
def an_app_that_rejects_lifespan_is_served(serve: Serve) -> None:
    with serve(asgi_without_lifespan) as served:
        equal(get(served, "/").body, b"ok", "the answer of an app without lifespan")


@STARTING.rule("A112")
def an_app_that_raises_in_its_startup_is_served(serve: Serve) -> None:
    with serve(asgi_that_raises_in_startup) as served:
        equal(get(served, "/").body, b"ok", "the answer of an app that raised in its startup")


@ANSWERING.rule("A023")
def a_failed_app_takes_its_connection_along(served: ServedApp) -> None:
    with Wire(served) as wire:
        wire.ask("/fails-amid-the-body")
        try:
            equal(wire.answer().status, 500, "the status of a whole response whose app failed in the middle")
        except Cut:
            pass
    with Wire(served) as wire:
        wire.ask("/fails")
        try:
            equal(wire.answer().status, 500, "the status of an app that failed")
        except Cut:
            return
        expect(not wire.again(), "the connection of an app that failed takes the next request")


@ANSWERING.rule("A042")
def repeated_request_headers_arrive(served: ServedApp) -> None:
    sent = [("X-Twice", "2"), ("X-Other", "0"), ("X-Twice", "1"), ("X-Twice", "2")]
    pairs = json.loads(get(served, "/tells-its-headers", *sent).body)
    equal([value for name, value in pairs if name.lower() == "x-twice"], ["2", "1", "2"], "x-twice")


@ANSWERING.rule("A069")
def response_headers_keep_their_order(served: ServedApp) -> None:
    headers = get(served, "/sends-headers-in-order").headers
    equal([pair for pair in headers if pair in ORDERED], ORDERED, "the order of the headers")


@ANSWERING.rule("A076")
def a_chunk_leaves_before_the_app_goes_on(served: ServedApp) -> None:
    equal(come_so_far(served, "/waits-amid-the-body"), b"one", "what has come")


@ANSWERING.rule("A085")
def a_client_that_leaves_is_no_error(served: ServedApp) -> None:
    before = _log(served)
    with Line(_wire.BOUND) as line, Wire(served) as wire:
        wire.ask("/sends-until-it-fails" + line.query)
        wire.head()
        wire.piece()
        wire.reset()
        raised = line.heard() and not line.heard()  # the app has ended
    get(served, "/")  # whatever it logs, it has logged before it answers somebody else
    told = _log(served)[len(before) :]
    expect(not raised or not _ERROR.search(told), f"the log says {told.strip()!r}")


def _log(served: ServedApp) -> str:
    if served.log is None:
        raise NotTried("its log is not given")
    return served.log()


@ANSWERING.rule("A097")
def messages_arrive_whole(served: ServedApp) -> None:
    with Socket(served, "/tells-its-messages") as socket:
        socket.say_in_pieces("he", "l", "lo")
        equal(socket.next(), {"text": "hello", "bytes": None}, "a text in three fragments, with a ping in between,")
        socket.say_in_pieces(b"\0", b"\1")
        equal(socket.next(), {"text": None, "bytes": "\0\1"}, "a binary message in two fragments")
        equal(socket.pongs, [b"ping", b"ping", b"ping"], "what answers the pings")


@ANSWERING.rule("A101")
def a_refused_handshake_is_a_403(served: ServedApp) -> None:
    equal(refusal_of(served, "/refuses"), 403, "the status of a handshake that the app closed")


@ANSWERING.rule("A122")
def a_push_is_a_request_of_its_own(served: ServedApp) -> None:
    pairs = json.loads(pushed(served, "/pushes", authority="probe.example"))
    hosts = [value for name, value in pairs if name.lower() == "host"]
    equal(hosts, ["probe.example"], "the host of the pushed request")

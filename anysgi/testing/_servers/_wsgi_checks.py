"""The rules of PEP 3333 that only a client and an app together can tell."""

from __future__ import annotations

import json
import secrets
from typing import TYPE_CHECKING

from .._conformance._check import NotTried, equal, expect
from .._lint._wsgi_rules import WSGI
from . import _wire
from ._rule_checks import RuleChecks
from ._served import logged_within
from ._wire import Cut, come_so_far, get

if TYPE_CHECKING:
    from ._served import ServedApp

ANSWERING = RuleChecks(WSGI)
"""Checks on a server that serves `wsgi`."""


@ANSWERING.rule("W014")
def names_with_underscores_are_dropped(served: ServedApp) -> None:
    answer = get(served, "/tells-its-headers", ("X-Real-Ip", "proxy"), ("X_Real_Ip", "forged"))
    if not 400 <= answer.status < 500:  # to refuse such a request is as good
        equal(json.loads(answer.body).get("HTTP_X_REAL_IP"), "proxy", "HTTP_X_REAL_IP, beside a forged X_Real_Ip,")


@ANSWERING.rule("W048")
def the_head_waits_for_the_first_chunk(served: ServedApp) -> None:
    status = get(served, "/changes-its-mind").status
    equal(status, 404, "the status that exc_info put in the place of 200, after an empty chunk,")


@ANSWERING.rule("W051")
def what_was_written_comes_first(served: ServedApp) -> None:
    equal(get(served, "/writes").body, b"onetwo", "what was written, and then returned,")


@ANSWERING.rule("W058")
def a_chunk_is_sent_before_the_next_is_asked_for(served: ServedApp) -> None:
    equal(come_so_far(served, "/waits-amid-the-body"), b"one", "what has come")


@ANSWERING.rule("W063")
def an_empty_iterable_has_a_head(served: ServedApp) -> None:
    answer = get(served, "/has-nothing-to-say")
    expect((b"x-probe", b"1") in answer.headers, f"the answer is {answer.status}, without the app's headers")


@ANSWERING.rule("W066")
def a_failure_is_told_once(served: ServedApp) -> None:
    if served.log is None:
        raise NotTried("its log is not given")
    mark = f"anysgi-{secrets.token_hex(8)}"
    try:
        get(served, f"/fails?{mark}")
    except Cut:
        pass
    told = f"LookupError: {mark}"
    logged_within(served.log, told, _wire.BOUND)
    get(served, "/")  # time for the second telling
    equal(served.log().count(told), 1, "how often the log tells of an exception")

"""`cors`: what a browser is told, and what caches may do with it."""

from __future__ import annotations

import re
from typing import Any

import pytest

from anysgi.exceptions import StackError
from anysgi.middleware import Stack, cors, csrf, errors

from ._driving import Answer, App, Drive

ME, OTHER = "https://app.example.com", "https://evil.example.net"


def preflight(drive: Drive, stack: Any, origin: str = ME, method: str = "PUT", **headers: str) -> Answer:
    asked = {"Origin": origin, "Access-Control-Request-Method": method}
    asked |= {name.replace("_", "-"): value for name, value in headers.items()}
    return drive(stack, App(b"the app"), method="OPTIONS", headers=asked)


def test_a_named_origin_may_read(drive: Drive) -> None:
    answer = drive(cors(origins=ME, expose=["X-Total"], credentials=True), headers={"Origin": ME})
    assert answer.header("access-control-allow-origin") == ME
    assert answer.header("access-control-allow-credentials") == "true"
    assert answer.header("access-control-expose-headers") == "X-Total"
    assert answer.header("vary") == "origin"


@pytest.mark.parametrize("headers", [{"Origin": OTHER}, {"Origin": "null"}, {}])
def test_another_may_not_and_vary_says_so_with_and_without_an_origin(drive: Drive, headers: dict[str, str]) -> None:
    answer = drive(cors(origins=[ME]), App(b"hello", headers={"Vary": "Cookie"}), headers=headers)
    assert answer.header("access-control-allow-origin") is None
    assert answer.header("vary") == "Cookie, origin"
    assert answer.body == b"hello"


def test_anyone_may_read_what_is_the_same_for_all(drive: Drive) -> None:
    answer = drive(cors(origins="*"), headers={"Origin": OTHER})
    assert answer.header("access-control-allow-origin") == "*"
    assert answer.header("vary") is None


def test_what_the_app_set_itself_is_replaced_never_doubled(drive: Drive) -> None:
    app = App(b"x", headers={"Access-Control-Allow-Origin": "*"})
    assert drive(cors(origins=ME), app, headers={"Origin": ME}).getlist("access-control-allow-origin") == [ME]


def test_a_preflight_is_answered_without_the_app(drive: Drive) -> None:
    stack = cors(origins=re.compile(r"https://\w+\.example\.com"), headers=["X-Token"], max_age=60)
    answer = preflight(drive, stack, Access_Control_Request_Headers="content-type, X-TOKEN")
    assert (answer.status, answer.body) == (204, b"")
    assert answer.header("access-control-allow-origin") == ME
    assert "PUT" in (answer.header("access-control-allow-methods") or "")
    assert "x-token" in (answer.header("access-control-allow-headers") or "")
    assert answer.header("access-control-max-age") == "60"
    assert answer.header("vary") == "origin, access-control-request-method, access-control-request-headers"


@pytest.mark.parametrize(
    ("origin", "method", "headers", "said"),
    [
        (OTHER, "PUT", {}, "origin"),
        (ME, "LINK", {}, "LINK"),
        (ME, "PUT", {"Access_Control_Request_Headers": "x-secret"}, "x-secret"),
        (ME, "PUT", {"Access_Control_Request_Private_Network": "true"}, "public pages"),
    ],
)
def test_a_preflight_that_fails_says_why_and_allows_nothing(
    drive: Drive, origin: str, method: str, headers: dict[str, str], said: str
) -> None:
    answer = preflight(drive, cors(origins=ME), origin, method, **headers)
    assert answer.status == 403
    assert said in answer.text
    assert answer.header("access-control-allow-origin") is None
    assert "origin" in (answer.header("vary") or "")


def test_any_header_and_private_networks_may_be_allowed(drive: Drive) -> None:
    stack = cors(origins=ME, headers="*", private_network=True)
    answer = preflight(
        drive, stack, Access_Control_Request_Headers="x-a, x-b", Access_Control_Request_Private_Network="true"
    )
    assert answer.header("access-control-allow-headers") == "x-a, x-b"
    assert answer.header("access-control-allow-private-network") == "true"
    assert preflight(drive, stack).header("access-control-allow-headers") is None


@pytest.mark.parametrize("name", ["a b", "\xe9", "x:y"])
def test_any_header_is_one_that_has_a_name(drive: Drive, name: str) -> None:
    answer = preflight(drive, cors(origins=ME, headers="*"), Access_Control_Request_Headers=f"x-a, {name}")
    assert (answer.status, answer.error) == (403, None)
    assert answer.header("access-control-allow-headers") is None


def test_options_that_is_no_preflight_is_the_apps(drive: Drive) -> None:
    assert drive(cors(origins=ME), method="OPTIONS", headers={"Origin": ME}).body == b"hello"
    assert drive(cors(origins=ME), method="OPTIONS").body == b"hello"


def test_an_error_page_can_be_read_by_the_page_that_asked(drive: Drive) -> None:
    stack = Stack(cors(origins=ME), errors())
    answer = drive(stack, App(raises=RuntimeError("boom")), headers={"Origin": ME})
    assert (answer.status, answer.header("access-control-allow-origin")) == (500, ME)


def test_anyone_with_credentials_is_an_error_when_the_stack_is_built() -> None:
    with pytest.raises(ValueError, match="act as your user"):
        cors(origins="*", credentials=True)
    with pytest.raises(ValueError, match="is no origin"):
        cors(origins="app.example.com")


def test_it_must_stand_outside_of_what_may_answer_by_itself() -> None:
    with pytest.raises(StackError, match="cors must stand outside csrf"):
        Stack(csrf(), cors(origins=ME))

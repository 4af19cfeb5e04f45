"""Options that take several names take one as it is: a text is a collection of letters, and nobody means those."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from anysgi.middleware import cors, idempotency, method_override, security_headers

from ._driving import App, Drive

if TYPE_CHECKING:
    from collections.abc import Callable

ORIGIN = {"Origin": "https://a.example"}
PREFLIGHT = {**ORIGIN, "Access-Control-Request-Method": "PURGE", "Access-Control-Request-Headers": "x-token"}


def _cors(**options: Any) -> Any:
    return cors(origins="https://a.example", **options)


@pytest.mark.parametrize(
    ("make", "name", "request_", "told"),
    [
        (
            lambda names: _cors(methods=names, headers="*"),
            "PURGE",
            ("OPTIONS", PREFLIGHT),
            ("access-control-allow-methods", "GET, HEAD, POST, PURGE"),
        ),
        (
            lambda names: _cors(headers=names, methods=["PURGE"]),
            "X-Token",
            ("OPTIONS", PREFLIGHT),
            (
                "access-control-allow-headers",
                "accept, accept-language, content-language, content-type, range, x-token",
            ),
        ),
        (
            lambda names: _cors(headers=names, methods=["PURGE"]),
            "*",
            ("OPTIONS", PREFLIGHT),
            ("access-control-allow-headers", "x-token"),
        ),
        (
            lambda names: _cors(expose=names),
            "X-Total",
            ("GET", ORIGIN),
            ("access-control-expose-headers", "X-Total"),
        ),
        (
            lambda names: security_headers(remove=names),
            "X-Powered-By",
            ("GET", {}),
            ("x-powered-by", None),
        ),
        (
            lambda names: idempotency(methods=names, required=True),
            "PATCH",
            ("PATCH", {}),
            ("content-type", "application/problem+json"),
        ),
    ],
    ids=[
        "cors methods",
        "cors headers",
        "cors any header",
        "cors expose",
        "security_headers remove",
        "idempotency methods",
    ],
)
def test_one_name_is_as_good_as_a_list_of_one(
    drive: Drive, make: Callable[[Any], Any], name: str, request_: tuple[str, Any], told: tuple[str, str | None]
) -> None:
    method, headers = request_
    for given in ([name], name):
        answer = drive(make(given), App(b"x", headers={"X-Powered-By": "x"}), method=method, headers=headers)
        assert answer.header(told[0]) == told[1], given


def test_one_method_may_take_the_place_of_a_post(drive: Drive) -> None:
    headers = {"X-HTTP-Method-Override": "PURGE"}
    for given in (["PURGE"], "PURGE"):
        assert drive(method_override(methods=given), App(b"x"), method="POST", headers=headers).status == 200, given

"""HTTP for the dashboard, as much as it needs: one request, one whole reply, a page with its policy."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from functools import cache
from html import escape
from importlib.resources import files
from typing import TYPE_CHECKING

from .._core._headers import latin1
from .._core._one_header import header_in_scope
from ._clients import cookie_value
from ._dashboard_access import COOKIE

if TYPE_CHECKING:
    from ..types import Receive, Scope, Send

_MOST_BODY = 4096  # bytes of a form or a command


@dataclass(frozen=True, slots=True)
class Reply:
    """One whole response."""

    status: int
    body: bytes = b""
    kind: str = "text/plain; charset=utf-8"
    headers: tuple[tuple[str, str], ...] = ()


class Refused(Exception):
    """What a request gets that may not, or cannot, be served.

    Args:
        status: of the response.
        text: its body.
    """

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.reply = Reply(status, text.encode() + b"\n")


@dataclass(frozen=True, slots=True)
class Visit:
    """One request for the dashboard."""

    scope: Scope
    receive: Receive
    where: str  # below the dashboard's path

    @property
    def cookie(self) -> str:
        return cookie_value(self.header("cookie"), COOKIE)

    def header(self, name: str) -> str:
        return header_in_scope(self.scope, name)

    async def body(self) -> bytes:
        """The whole body; small, or refused."""
        body, more = b"", True
        while more:
            message = await self.receive()
            if message["type"] == "http.disconnect":
                raise Refused(400, "the client left")
            body, more = body + message.get("body", b""), message.get("more_body", False)
            if len(body) > _MOST_BODY:
                raise Refused(413, f"more than {_MOST_BODY} bytes")
        return body


_HEADERS = (
    ("cache-control", "no-store"),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
)


async def answer(reply: Reply, method: str, send: Send) -> None:
    headers = [*_HEADERS, *reply.headers]
    if reply.status != 204:
        headers += [("content-type", reply.kind), ("content-length", str(len(reply.body)))]
    encoded = [(latin1(name), latin1(value)) for name, value in headers]
    await send({"type": "http.response.start", "status": reply.status, "headers": encoded})
    await send({"type": "http.response.body", "body": b"" if method == "HEAD" else reply.body})


@cache
def _file(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def html_page(name: str, values: dict[str, str], status: int = 200) -> Reply:
    """A page with its values, and a policy that runs nothing but its own script."""
    nonce = secrets.token_urlsafe(16)
    text = _file(name)
    for key, value in {**values, "nonce": nonce}.items():
        text = text.replace(f"{{{{{key}}}}}", escape(value))
    policy = (
        f"default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; connect-src 'self'; "
        "form-action 'self'; frame-ancestors 'none'; base-uri 'none'; img-src data:"
    )
    return Reply(status, text.encode(), "text/html; charset=utf-8", (("content-security-policy", policy),))

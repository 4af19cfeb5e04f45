"""`receive` with the stages of a stack in between.  Only what the app reads is read: there is one reader, the app."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._body import is_changed, pass_on

if TYPE_CHECKING:
    from ...types import Message, Receive
    from ._asgi_request import AsgiRequest


def staged_receive(receive: Receive, request: AsgiRequest) -> Receive:
    """Put the stages between the server's `receive` and the app's."""
    body = request.body
    if is_changed(body) and "content-length" in request.headers:
        request.headers.delete("content-length")
        if request.http_version < "2":  # where a request without either has no body (RFC 9112 section 6.3)
            request.headers.set("transfer-encoding", "chunked")

    async def staged() -> Message:
        message = await receive()
        if message["type"] != "http.request":
            return message
        last = not message.get("more_body")
        data: bytes = message.get("body", b"")
        return {**message, "body": pass_on(body, data, last=last)} if data or last else message

    return staged

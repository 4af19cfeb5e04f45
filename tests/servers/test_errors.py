"""Errors: before the head a 500 and a traceback in the log, after it a connection that is cut, never a clean end."""

from __future__ import annotations

from uuid import uuid4

import pytest

from ._cells import A2W, W2A, of
from ._process import Server

ALL = (*W2A, *A2W)


@of(*ALL)
def test_an_error_before_the_head_is_a_500_and_a_traceback(server: Server) -> None:
    tag = uuid4().hex
    reply = server.get(f"/error?tag={tag}")
    assert reply.status == 500
    assert tag.encode() not in reply.body, "what went wrong is for the log, not for the client"
    server.logged(f"RuntimeError: boom before the head {tag}")
    assert "Traceback (most recent call last)" in server.log()
    assert server.get("/hello").status == 200


@of(*ALL)
@pytest.mark.parametrize("length", ["", "&length=100"], ids=["chunked", "sized"])
def test_an_error_after_the_first_piece_cuts_the_connection(server: Server, length: str) -> None:
    tag = uuid4().hex
    reply = server.get(f"/error-late?tag={tag}{length}")
    assert reply.status == 200
    assert reply.body == b"first piece\n", "what was made before the error is sent"
    assert not reply.complete
    server.logged(f"RuntimeError: boom after the first piece {tag}")
    assert server.get("/hello").status == 200


@of(*ALL)
def test_a_body_shorter_than_its_length_is_not_a_clean_end(server: Server) -> None:
    reply = server.get("/short", "Connection: close")
    assert not (reply.complete and reply.status == 200)
    assert server.get("/hello").status == 200

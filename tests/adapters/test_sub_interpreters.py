"""`AsgiToWsgi` in a sub-interpreter, as mod_wsgi runs apps: inline in any, on a thread where there are some."""

from __future__ import annotations

import json
from importlib.util import find_spec
from typing import Any

import pytest

from ._calling import run_script

pytestmark = pytest.mark.skipif(
    find_spec("_xxsubinterpreters") is None, reason="the module that makes interpreters has another name since 3.13"
)

APP = """
import io, json, sys, threading
from anysgi import AsgiToWsgi

async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        for phase in ("startup", "shutdown"):
            assert (await receive())["type"] == f"lifespan.{phase}"
            print(json.dumps(phase))
            await send({"type": f"lifespan.{phase}.complete"})
        return
    message = await receive()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": message["body"][:2], "more_body": True})
    await send({"type": "http.response.body", "body": message["body"][2:]})

environ = {
    "REQUEST_METHOD": "POST", "SCRIPT_NAME": "", "PATH_INFO": "/", "QUERY_STRING": "", "CONTENT_LENGTH": "5",
    "SERVER_NAME": "x", "SERVER_PORT": "80", "SERVER_PROTOCOL": "HTTP/1.1", "wsgi.url_scheme": "http",
    "wsgi.input": io.BytesIO(b"hello"), "wsgi.errors": sys.stderr,
}
try:
    with AsgiToWsgi(app, mode=MODE) as adapter:
        response = adapter(environ, lambda status, headers: print(json.dumps(status)))
        print(json.dumps(b"".join(response).decode()))
        getattr(response, "close", bool)()
except RuntimeError as error:
    print(json.dumps(str(error)))
threading._shutdown()  # as mod_wsgi does before it ends an interpreter
"""


def run_inside(*, isolated: bool, mode: str) -> list[Any]:
    """What the app printed in an interpreter of its own, which could be ended afterwards."""
    code = APP.replace("MODE", repr(mode))
    said = run_script(f"""
        import sys
        import _xxsubinterpreters as interpreters
        inside = interpreters.create(isolated={isolated})
        interpreters.run_string(inside, f"import sys; sys.path[:] = {{sys.path!r}}")
        interpreters.run_string(inside, {code!r})
        interpreters.destroy(inside)
        """)
    return [json.loads(line) for line in said.splitlines()]


SERVED = ["startup", "200 OK", "hello", "shutdown"]


@pytest.mark.parametrize("isolated", [True, False], ids=["isolated", "shared"])
def test_inline_it_serves_in_any(isolated: bool) -> None:
    assert run_inside(isolated=isolated, mode="inline") == SERVED


def test_with_a_thread_it_serves_where_threads_are_shared() -> None:
    assert run_inside(isolated=False, mode="thread") == SERVED


def test_with_a_thread_it_is_refused_where_there_are_none_and_told_what_to_do() -> None:
    (said,) = run_inside(isolated=True, mode="thread")
    assert "not supported for isolated subinterpreters" in said
    assert "mode='inline'" in said
    assert "WSGIApplicationGroup %{GLOBAL}" in said

"""`AsgiToWsgi` in a sub-interpreter, as mod_wsgi runs apps: inline in any, on a thread where there are some."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest

from ._calling import run_script

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
if sys.version_info < (3, 12):  # from then on an interpreter that ends does so itself, and refuses a second time
    threading._shutdown()  # as mod_wsgi does before it ends an interpreter
"""


def run_inside(*, isolated: bool, mode: str) -> list[Any]:
    """What the app printed in an interpreter of its own, which could be ended afterwards."""
    code = APP.replace("MODE", repr(mode))
    said = run_script(f"""
        import sys
        if sys.version_info < (3, 13):
            import _xxsubinterpreters as interpreters
            inside, run = interpreters.create(isolated={isolated}), interpreters.run_string
        else:
            import _interpreters as interpreters
            inside, run = interpreters.create({"isolated" if isolated else "legacy"!r}), interpreters.exec
        run(inside, f"import sys; sys.path[:] = {{sys.path!r}}")
        failure = run(inside, {code!r})  # since 3.13
        assert failure is None, failure
        interpreters.destroy(inside)
        """)
    return [json.loads(line) for line in said.splitlines()]


ends_the_process = pytest.mark.skipif(
    sys.version_info[:2] == (3, 12), reason="`import asyncio` in an isolated interpreter ends a process of Python 3.12"
)
SERVED = ["startup", "200 OK", "hello", "shutdown"]


@pytest.mark.parametrize(
    "isolated", [pytest.param(True, id="isolated", marks=ends_the_process), pytest.param(False, id="shared")]
)
def test_inline_it_serves_in_any(isolated: bool) -> None:
    assert run_inside(isolated=isolated, mode="inline") == SERVED


def test_with_a_thread_it_serves_where_threads_are_shared() -> None:
    assert run_inside(isolated=False, mode="thread") == SERVED


@ends_the_process
def test_with_a_thread_it_is_refused_where_there_are_none_and_told_what_to_do() -> None:
    (said,) = run_inside(isolated=True, mode="thread")
    assert "thread did not start" in said
    assert "mode='inline'" in said
    assert "WSGIApplicationGroup %{GLOBAL}" in said

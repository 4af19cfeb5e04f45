"""WsgiToAsgi, the environ an app gets: paths, ports and keys, for every habit of ASGI servers."""

from __future__ import annotations

import copy
import sys
from typing import Any
from wsgiref.validate import validator

import pytest

from anysgi import WsgiToAsgi
from anysgi.testing import Scenario

from ._driving import serve, wsgi_app


def on_scope(app: Any, scope: dict[str, Any]) -> Any:
    """An app that is given exactly this scope, whatever the server's."""
    return lambda _, receive, send: app(scope, receive, send)


async def environ_of(**scope: Any) -> dict[str, Any]:
    app = wsgi_app(b"x")
    await serve(WsgiToAsgi(app), **scope)
    return app.environ  # type: ignore[attr-defined,no-any-return]


PATHS = [  # root_path, path, SCRIPT_NAME, PATH_INFO
    ("", "/", "", "/"),
    ("", "/users", "", "/users"),
    ("/app", "/app/users", "/app", "/users"),
    ("/app", "/app/", "/app", "/"),
    ("/app", "/app", "/app", ""),
    ("/app", "/users", "/app", "/users"),  # the proxy, or the server, took the prefix off
    ("/app", "/", "/app", "/"),
    ("/app", "/apple/pie", "/app", "/apple/pie"),  # a prefix ends at a slash
    ("/app/", "/app/x", "/app", "/x"),
    ("/app/", "/x", "/app", "/x"),
    ("/a/b", "/a/b/c", "/a/b", "/c"),
    ("/caf\xe9", "/caf\xe9/x", "/caf\xc3\xa9", "/x"),
]


@pytest.mark.anyio
@pytest.mark.parametrize(("root", "path", "script_name", "path_info"), PATHS)
async def test_root_path_is_taken_off_at_a_slash_and_only_there(
    root: str, path: str, script_name: str, path_info: str
) -> None:
    environ = await environ_of(root_path=root, path=path, raw_path=None)
    assert (environ["SCRIPT_NAME"], environ["PATH_INFO"]) == (script_name, path_info)


@pytest.mark.anyio
async def test_script_name_of_the_process_is_not_the_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCRIPT_NAME", "/env")
    environ = await environ_of(root_path="/app", path="/app/x", raw_path=b"/app/x")
    assert (environ["SCRIPT_NAME"], environ["PATH_INFO"]) == ("/app", "/x")


@pytest.mark.anyio
async def test_the_path_is_what_the_client_wrote_byte_for_byte() -> None:
    environ = await environ_of(path="/a/b\ufffd", raw_path=b"/a%2Fb%FF", query_string=b"q=1")
    assert environ["PATH_INFO"] == "/a/b\xff"
    assert environ["REQUEST_URI"] == environ["RAW_URI"] == "/a%2Fb%FF?q=1"


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("server", "scheme", "host", "expected"),
    [
        (("example.org", 8000), "http", b"other", ("example.org", "8000")),
        (("example.org", "8000"), "http", b"other", ("example.org", "8000")),
        (None, "http", b"shop.example:8080", ("shop.example", "8080")),
        (None, "https", b"shop.example", ("shop.example", "443")),
        (("/run/app.sock", None), "http", b"[::1]", ("[::1]", "80")),
    ],
)
async def test_server_port_is_a_number_in_a_str_whatever_the_server_gives(
    server: Any, scheme: str, host: bytes, expected: tuple[str, str]
) -> None:
    scope = {"type": "http", "method": "GET", "path": "/", "scheme": scheme, "server": server}
    app = wsgi_app(b"x")
    await serve(on_scope(WsgiToAsgi(app), {**scope, "headers": [(b"host", host)]}))
    assert (app.environ["SERVER_NAME"], app.environ["SERVER_PORT"]) == expected  # type: ignore[attr-defined]


@pytest.mark.anyio
@pytest.mark.parametrize("server", [("testserver", 80), None, ("/run/app.sock", None), ("::1", 8000)], ids=repr)
@pytest.mark.parametrize("method", ["GET", "POST", "HEAD"])
async def test_the_validator_of_the_standard_library_finds_nothing(server: Any, method: str) -> None:
    def app(environ: Any, start_response: Any) -> Any:
        source = environ["wsgi.input"]
        source.readline(3), list(source), source.read(5)
        text = [("Content-Type", "text/plain"), ("Content-Length", "0")]
        start_response("200 OK", text)
        return iter([])

    peer = await serve(WsgiToAsgi(validator(app)), Scenario(method, body=[b"a\nb", b"\nc\n"], server=server))
    assert (peer.status, peer.complete) == (200, True)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("client", "expected"),
    [(("1.2.3.4", 99), ("1.2.3.4", "99")), (("1.2.3.4", None), ("1.2.3.4", "0")), (None, (None, None))],
)
async def test_the_client_is_named_where_it_is_known(client: Any, expected: Any) -> None:
    environ = await environ_of(client=client)
    assert (environ.get("REMOTE_ADDR"), environ.get("REMOTE_PORT")) == expected


@pytest.mark.anyio
async def test_errors_go_to_stderr_and_the_flags_say_what_is_true(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = sys.stdout
    monkeypatch.setattr(sys, "stderr", stream)
    environ = await environ_of()
    assert environ["wsgi.errors"] is stream
    assert (environ["wsgi.multithread"], environ["wsgi.multiprocess"], environ["wsgi.run_once"]) == (True, True, False)
    app = wsgi_app(b"x")
    await serve(WsgiToAsgi(app, multiprocess=False))
    assert app.environ["wsgi.multiprocess"] is False  # type: ignore[attr-defined]


@pytest.mark.anyio
async def test_the_scope_is_at_hand_and_left_as_it_was() -> None:
    app = wsgi_app(b"x")
    scope = {"type": "http", "method": "GET", "path": "/", "headers": [(b"a", b"b")], "state": {"x": 1}}
    before = copy.deepcopy(scope)
    await serve(on_scope(WsgiToAsgi(app), scope))
    assert scope == before
    assert app.environ["asgi.scope"] == scope  # type: ignore[attr-defined]

"""`anysgi serve` for real: every server it knows as a process, with an app of either convention."""

from __future__ import annotations

import re
import signal
import socket
import time
from pathlib import Path

import pytest

from tests.cli._run import APPS, PATIENCE, Served, anysgi, request, serving, wait_until

pytestmark = [pytest.mark.server, pytest.mark.timeout(2 * PATIENCE)]

ASGI_SERVERS = ("uvicorn", "hypercorn", "granian", "daphne")
WSGI_SERVERS = ("gunicorn", "waitress")
WITH_WORKERS = ("uvicorn", "hypercorn", "granian", "gunicorn")
FLASK, FASTAPI = "Flask app 'flask_shop' (WSGI)", "FastAPI app 'fastapi_shop' (ASGI)"
CHAINS = (
    {("flask", server): f"{FLASK} -> WsgiToAsgi(threads=40) -> {server}" for server in ASGI_SERVERS}
    | {("fastapi", server): f"{FASTAPI} -> {server}" for server in ASGI_SERVERS}
    | {("flask", server): f"{FLASK} -> {server}(threads=40)" for server in WSGI_SERVERS}
    | {("fastapi", server): f"{FASTAPI} -> AsgiToWsgi -> {server}(threads=40)" for server in WSGI_SERVERS}
)
ENDED = (0, 143, -signal.SIGTERM)
BODY = bytes(range(128)) * 1000


def check_answers(served: Served, word: str) -> None:
    status, text = served.get()
    assert (status, text.strip('"')) == (200, word)


@pytest.mark.parametrize("app", ["flask", "fastapi"])
@pytest.mark.parametrize("server", [*ASGI_SERVERS, *WSGI_SERVERS])
def test_every_server_serves_apps_of_both_conventions_and_says_how(server: str, app: str) -> None:
    with serving(f"{app}_shop:app", "--server", server) as served:
        assert served.log().startswith(f"{CHAINS[app, server]}  http://127.0.0.1:{served.port}\n")
        check_answers(served, app)
        assert request(served.port, "POST", "/echo", BODY) == (200, BODY.decode())
        assert served.stop() in ENDED
        assert "Traceback" not in served.log()


@pytest.mark.parametrize(("server", "chain"), [("uvicorn", "(ASGI) -> uvicorn"), ("waitress", "(WSGI) -> waitress")])
def test_a_router_is_served_as_what_the_server_speaks_without_an_adapter(server: str, chain: str) -> None:
    with serving("front:router", "--server", server) as served:
        assert served.log().startswith(f"Router 'front:router' {chain}")
        check_answers(served, "flask")
        assert served.get("/pid")[0] == 200
        assert served.stop() in ENDED


@pytest.mark.slow
def test_a_router_in_workers_of_gunicorn_is_the_wsgi_app_it_is() -> None:
    with serving("front:router", "--server", "gunicorn") as served:
        assert served.log().startswith("Router 'front:router' (WSGI) -> gunicorn")
        check_answers(served, "flask")
        assert served.get("/pid")[0] == 200


def test_a_uvicorn_that_must_not_wait_for_a_stream_ends_without_a_traceback_of_ours() -> None:
    with serving("plain:endless") as served, socket.create_connection(("127.0.0.1", served.port)) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert client.recv(1)
        served.process.send_signal(signal.SIGTERM)
        wait_until(lambda: "force quit" in served.log())
        served.process.send_signal(signal.SIGINT)
        assert served.process.wait(PATIENCE) == -signal.SIGTERM
        assert "Traceback" not in served.log()


@pytest.mark.parametrize("server", WSGI_SERVERS)
def test_an_abandoned_long_poll_ends_where_the_server_can_tell_if_it_is_asked_to(server: str) -> None:
    with serving("plain:long_poll", "--server", server) as served:
        with socket.create_connection(("127.0.0.1", served.port)) as client:
            client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            wait_until(lambda: "asked for news: http.request" in served.log())
        wait_until(lambda: "told of the end: http.disconnect" in served.log())
        assert "WARNING" not in served.log()


def test_an_app_without_a_framework_is_announced_by_its_convention() -> None:
    with serving("plain:hello", "--server", "waitress", "--threads", "3") as served:
        assert served.log().startswith("App 'plain:hello' (WSGI) -> waitress(threads=3)  http")


@pytest.mark.slow
@pytest.mark.parametrize("server", WITH_WORKERS)
def test_two_workers_are_two_processes_and_neither_is_the_command(server: str) -> None:
    app = "fastapi_shop" if server == "gunicorn" else "flask_shop"
    with serving(app, "--server", server, "--workers", "2") as served:
        seen: set[str] = set()

        def both_answered() -> bool:
            seen.add(served.get("/pid")[1])
            return len(seen) == 2

        wait_until(both_answered)
        assert str(served.process.pid) not in seen
        assert served.stop() in ENDED


def test_an_adapted_app_in_several_processes_is_told_so() -> None:
    with serving("flask_shop", "--workers", "2") as served:
        assert served.get("/environ/wsgi.multiprocess") == (200, "True")
    with serving("flask_shop") as served:
        assert served.get("/environ/wsgi.multiprocess") == (200, "False")


@pytest.mark.slow
@pytest.mark.parametrize("server", WITH_WORKERS)
def test_reload_serves_the_new_code(server: str, tmp_path: Path) -> None:
    module = tmp_path / "edited.py"
    text = "def app(environ, start_response):\n    start_response('200 OK', [])\n    return [b'{}']\n"
    module.write_text(text.format("before"))
    with serving("edited", "--server", server, "--reload", cwd=tmp_path) as served:
        wait_until(lambda: _text(served) == "before")
        wait_until(lambda: _changed(module, text.format("after the change"), served))


@pytest.mark.slow
def test_a_typo_does_not_end_a_gunicorn_that_reloads(tmp_path: Path) -> None:
    module = tmp_path / "edited.py"
    text = "def app(environ, start_response):\n    start_response('200 OK', [])\n    return [b'{}']\n"
    module.write_text(text.format("before"))
    with serving("edited", "--server", "gunicorn", "--reload", cwd=tmp_path) as served:
        wait_until(lambda: _text(served) == "before")
        wait_until(lambda: _broken(module, served))
        wait_until(lambda: _changed(module, text.format("after the change"), served))


def _broken(module: Path, served: Served) -> bool:
    """Whether the page of gunicorn's for a module that cannot be read is served."""
    if time.time() - module.stat().st_mtime > 4:
        module.write_text("def app(:\n")
    return "SyntaxError" in (_text(served) or "")


def _changed(module: Path, text: str, served: Served) -> bool:
    """Whether the new text is served; written again every few seconds, as a reloader may begin to look late."""
    # Another size than before: some reloaders compare seconds only.
    if module.read_text() != text or time.time() - module.stat().st_mtime > 4:
        module.write_text(text)
    return _text(served) == "after the change"


def _text(served: Served) -> str | None:
    """The text of `/`, or None while the server restarts."""
    try:
        return served.get()[1]
    except OSError:
        return None


@pytest.mark.parametrize("server", WSGI_SERVERS)
def test_a_wsgi_server_runs_the_lifespan_of_an_asgi_app(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    traces = tmp_path / "traces"
    monkeypatch.setenv("TRACES", str(traces))
    with serving("fastapi_shop", "--server", server, "--lifespan", "on") as served:
        check_answers(served, "fastapi")
        served.stop()
    assert traces.read_text().split() == ["startup", "request", "shutdown"]


@pytest.mark.parametrize("server", ["uvicorn", "granian", "gunicorn"])
def test_the_lifespan_can_be_left_out(server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    traces = tmp_path / "traces"
    monkeypatch.setenv("TRACES", str(traces))
    with serving("fastapi_shop", "--server", server, "--lifespan", "off") as served:
        check_answers(served, "fastapi")
        served.stop()
    assert traces.read_text().split() == ["request"]


@pytest.mark.parametrize("server", ["uvicorn", *WSGI_SERVERS])
def test_a_startup_that_fails_ends_the_server_loudly(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACES", "refuse")
    ended = anysgi("serve", "fastapi_shop", "--server", server, "--lifespan", "on", "--port", "0")
    assert ended.returncode not in (0, 143)
    assert "the database is away" in ended.stderr + ended.stdout


def test_port_0_takes_a_free_port_that_the_server_announces() -> None:
    with serving("flask_shop", port=0) as served:
        wait_until(lambda: "Uvicorn running" in served.log())
        assert "on a free port" in served.log()
        found = re.search(r"running on http://127\.0\.0\.1:(\d+)", served.log())
        assert found is not None
        assert request(int(found[1]), "GET", "/") == (200, "flask")


def test_a_factory_makes_the_app_when_asked_to() -> None:
    with serving("--factory", "flask_shop:create_app") as served:
        check_answers(served, "made by the factory")


def test_every_worker_calls_the_factory_itself() -> None:
    with serving("--factory", "flask_shop", "--server", "gunicorn", "--workers", "2") as served:
        check_answers(served, "made by the factory")


def test_an_undecided_app_runs_once_its_convention_is_given() -> None:
    with serving("plain:undecided", "--convention", "wsgi") as served:
        check_answers(served, "hello")


@pytest.mark.parametrize("server", ["granian", "waitress"])
def test_an_asgi_2_app_runs_where_only_asgi_3_is_known(server: str) -> None:
    with serving("plain:Old", "--server", server) as served:
        check_answers(served, "old")


def test_the_app_may_live_in_another_folder(tmp_path: Path) -> None:
    with serving("flask_shop", "--app-dir", str(APPS), "--server", "gunicorn", cwd=tmp_path) as served:
        check_answers(served, "flask")


def test_the_window_reaches_the_adapter() -> None:
    with serving("flask_shop", "--window", "1024", "--threads", "2") as served:
        assert request(served.port, "POST", "/echo", BODY) == (200, BODY.decode())
        assert "WsgiToAsgi(threads=2)" in served.log()

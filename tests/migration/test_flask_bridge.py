"""Flask's sessions and contexts in ASGI apps, against Flask itself: what one side writes, the other reads."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import flask
import pytest
from fastapi import FastAPI, Request, WebSocket
from flask import Flask, current_app, g
from flask.sessions import SecureCookieSessionInterface
from starlette.testclient import TestClient

from anysgi.migration import FlaskContext, FlaskSession, reset_usage, usage_report
from anysgi.migration._usage import note_usage

if TYPE_CHECKING:
    from collections.abc import Iterator

VALUES = {"user": 7, "name": "Ünï", "when": datetime(2026, 11, 24, tzinfo=UTC), "pair": (1, 2), "raw": b"\xff"}


@pytest.fixture
def old() -> Flask:
    app = Flask("old")
    app.secret_key = "the key of the day"
    app.teardown_request(lambda error: app.config.setdefault("torn", []).append(error))

    @app.get("/write")
    def write() -> str:
        flask.session.update(VALUES)
        return "written"

    @app.get("/clear")
    def clear() -> str:
        flask.session.clear()
        return "cleared"

    @app.get("/read")
    def read() -> str:
        return repr(sorted(flask.session.items()))

    return app


def user_name() -> str:
    """A helper of the old app's."""
    return f"{g.get('user', 'nobody')} of {current_app.name} at {flask.request.path}"


@pytest.fixture
def new() -> FastAPI:
    app = FastAPI()

    @app.get("/write")
    def write(request: Request) -> str:
        request.session.update(VALUES)
        return "written"

    @app.get("/read")
    async def read(request: Request) -> str:
        return repr(sorted(request.session.items()))

    @app.get("/clear")
    def clear(request: Request) -> str:
        request.session.clear()
        return "cleared"

    @app.get("/nothing")
    def nothing() -> str:
        return ""

    @app.get("/permanent")
    def permanent(request: Request) -> str:
        request.session.permanent = True  # type: ignore[attr-defined]
        request.session["user"] = 7
        return f"{request.session.permanent} {'user' in request.session} {len(request.session)}"  # type: ignore[attr-defined]

    @app.get("/who/{name}")
    def who(name: str) -> str:
        g.user = name
        return user_name()

    @app.get("/flask-session")
    async def flask_session() -> str:
        flask.session["user"] = 8
        return str(flask.session["user"])

    @app.get("/fails")
    def fails() -> None:
        raise ZeroDivisionError

    @app.websocket("/socket")
    async def socket(socket: WebSocket) -> None:
        await socket.accept()
        await socket.send_text(str(dict(socket.session).get("user")))
        await socket.close()

    return app


@pytest.fixture
def client(old: Flask, new: FastAPI) -> Iterator[TestClient]:
    reset_usage()
    with TestClient(FlaskSession(new, old)) as client:
        yield client


def cookie_of(answer: Any) -> str:
    return str(answer.headers.get("set-cookie", ""))


# --- sessions


def test_both_sides_write_the_same_cookie(old: Flask, client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("itsdangerous.timed.TimestampSigner.get_timestamp", lambda self: 1_790_000_000)
    ours, theirs = cookie_of(client.get("/write")), cookie_of(old.test_client().get("/write"))
    assert ours == theirs != ""
    assert client.get("/read").headers["vary"] == "Cookie"


def test_each_side_reads_what_the_other_wrote(old: Flask, client: TestClient) -> None:
    theirs = old.test_client()
    theirs.set_cookie("session", client.get("/write").cookies["session"])
    assert theirs.get("/read").text == repr(sorted(VALUES.items()))
    client.cookies.clear()
    written = theirs.get("/write").headers["set-cookie"].partition(";")[0].removeprefix("session=")
    client.cookies.set("session", written)
    assert client.get("/read").json() == repr(sorted(VALUES.items()))


def test_a_session_nobody_touched_leaves_no_trace(client: TestClient) -> None:
    assert not {"set-cookie", "vary"} & set(client.get("/nothing").headers)


@pytest.mark.parametrize("cookie", ["nonsense", "e30.aaaa.bbbb"])
def test_a_forged_cookie_is_an_empty_session(client: TestClient, cookie: str) -> None:
    client.cookies.set("session", cookie)
    assert client.get("/read").json() == "[]"


def test_a_key_of_yesterday_is_still_read(old: Flask, client: TestClient) -> None:
    client.get("/write")
    old.config["SECRET_KEY_FALLBACKS"], old.secret_key = [old.secret_key], "the key of tomorrow"
    assert "('user', 7)" in client.get("/read").json()


def test_an_old_cookie_has_expired(old: Flask, client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as past:
        past.setattr("itsdangerous.timed.TimestampSigner.get_timestamp", lambda self: 1)
        cookie = client.get("/write").cookies["session"]
    client.cookies.set("session", cookie)
    assert client.get("/read").json() == "[]"


def test_a_cleared_session_takes_its_cookie_along(client: TestClient) -> None:
    client.get("/write")
    assert "Expires=Thu, 01 Jan 1970" in cookie_of(client.get("/clear"))


def test_clearing_a_session_that_is_empty_says_what_flask_says(old: Flask, client: TestClient) -> None:
    ours, theirs = cookie_of(client.get("/clear")), cookie_of(old.test_client().get("/clear"))
    assert ours == theirs != ""


def test_flasks_own_attributes_are_there(client: TestClient) -> None:
    answer = client.get("/permanent")
    assert answer.json() == "True True 2"  # `_permanent` is a key
    assert "Expires=" in cookie_of(answer)


def test_a_flask_app_without_a_key_has_empty_sessions(new: FastAPI) -> None:
    with TestClient(FlaskSession(new, Flask("keyless"))) as client:
        answer = client.get("/read")
    assert (answer.json(), cookie_of(answer)) == ("[]", "")


def test_a_websocket_has_the_session_too(client: TestClient) -> None:
    client.get("/write")
    with client.websocket_connect("/socket") as socket:
        assert socket.receive_text() == "7"


# --- contexts


@pytest.mark.parametrize("path", ["/who/anna", "/flask-session"])
def test_without_the_bridge_flask_says_that_it_has_no_context(new: FastAPI, path: str) -> None:
    with TestClient(new) as client, pytest.raises(RuntimeError, match="outside of"):
        client.get(path)


def test_helpers_of_the_flask_app_work_in_the_new_one(old: Flask, new: FastAPI) -> None:
    with TestClient(FlaskContext(new, old)) as client:
        assert client.get("/who/anna").json() == "anna of old at /who/anna"
        assert client.get("/who/bert").json() == "bert of old at /who/bert"
    assert old.config["torn"] == [None, None]


def test_a_session_changed_in_the_context_is_saved(old: Flask, new: FastAPI) -> None:
    with TestClient(FlaskContext(new, old)) as client:
        answer = client.get("/flask-session")
        assert answer.json() == "8"
        theirs = old.test_client()
        theirs.set_cookie("session", answer.cookies["session"])
        assert "('user', 8)" in theirs.get("/read").text
        assert "set-cookie" not in client.get("/who/x").headers


def test_only_chosen_routes_have_a_context(old: Flask, new: FastAPI) -> None:
    with TestClient(FlaskContext(new, old, only=["/who/{name}"])) as client:
        assert client.get("/who/anna").json().startswith("anna")
        with pytest.raises(RuntimeError, match="outside of request context"):
            client.get("/flask-session")


def test_what_a_handler_raises_reaches_the_teardown(old: Flask, new: FastAPI) -> None:
    with TestClient(FlaskContext(new, old)) as client, pytest.raises(ZeroDivisionError):
        client.get("/fails")
    assert isinstance(old.config["torn"][0], ZeroDivisionError)


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_session_that_cannot_be_opened_leaves_no_context_behind(old: Flask, new: FastAPI) -> None:
    class Down(SecureCookieSessionInterface):
        def open_session(self, *args: Any) -> Any:
            raise ConnectionError("the session's server is down")

    old.session_interface = Down()
    scope = {"type": "http", "method": "GET", "path": "/who/anna", "query_string": b"", "headers": [], "scheme": "http"}
    unused: Any = None
    with pytest.raises(ConnectionError):
        await FlaskContext(new, old)(scope, unused, unused)
    assert not flask.has_app_context()
    assert not flask.has_request_context()


def test_before_request_functions_may_load_the_user_or_answer(old: Flask, new: FastAPI) -> None:
    @old.before_request
    def load() -> Any:
        g.user = "loaded"
        if flask.request.args.get("stop"):
            return "stopped", 403
        return None

    @new.get("/loaded")
    def loaded() -> str:
        return user_name()

    with TestClient(FlaskContext(new, old, before_request=True)) as client:
        assert client.get("/loaded").json() == "loaded of old at /loaded"
        assert (client.get("/loaded?stop=1").status_code, client.get("/loaded?stop=1").text) == (403, "stopped")


# --- the report


def test_the_report_names_the_lines_that_use_a_bridge(old: Flask, new: FastAPI, client: TestClient) -> None:
    assert usage_report() == []
    client.get("/read")
    (usage,) = usage_report()
    assert (usage.bridge, usage.what, usage.file) == ("FlaskSession", "session", __file__)
    assert str(usage).startswith(f"{__file__}:{usage.line}: session through FlaskSession, ")
    reset_usage()
    with TestClient(FlaskContext(new, old)) as bridged:
        bridged.get("/who/anna")
        bridged.get("/nothing")
    assert {(usage.what, usage.file) for usage in usage_report()} == {
        ("g", __file__),
        ("current_app", __file__),
        ("request", __file__),
    }


def test_the_report_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    reset_usage()
    monkeypatch.setattr("anysgi.migration._usage._MOST", 1)
    note_usage("FlaskContext", "g")
    note_usage("FlaskContext", "g")
    assert sorted((usage.file, usage.times) for usage in usage_report()) == [("", 1), (__file__, 1)]
    reset_usage()

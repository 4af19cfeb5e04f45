"""Django's sessions in ASGI apps, against Django itself: what one side writes, the other reads.

Engines that need no database; the database's is met in the Django example, on real servers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import django
import pytest
from django.conf import settings
from django.http import HttpResponse
from django.urls import path
from django.utils.functional import empty
from fastapi import FastAPI, Request, WebSocket
from starlette.testclient import TestClient

from anysgi.migration import DjangoSession, reset_usage, usage_report

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

VALUES = {"user": 7, "name": "Ünï", "list": [1, 2]}


def write_old(request: Any) -> HttpResponse:
    request.session.update(VALUES)
    return HttpResponse("written")


def read_old(request: Any) -> HttpResponse:
    return HttpResponse(repr(sorted(request.session.items())))


urlpatterns = [path("write", write_old), path("read", read_old)]

app = FastAPI()


@app.get("/write")
def write(request: Request) -> str:
    request.session.update(VALUES)
    return "written"


@app.get("/read")
async def read(request: Request) -> str:
    return repr(sorted(request.session.items()))


@app.get("/flush")
def flush(request: Request) -> str:
    request.session.flush()  # type: ignore[attr-defined]
    return "flushed"


@app.get("/forget")
async def forget(request: Request) -> str:
    del request.session["user"]
    request.session.set_expiry(60)  # type: ignore[attr-defined]
    return f"{'user' in request.session} {len(request.session)}"


@app.get("/race")
def race(request: Request) -> str:
    """The user logs out elsewhere while this runs."""
    request.session["late"] = 1
    type(request.session._inner)(request.session.session_key).delete()  # type: ignore[attr-defined]
    return "too late"


@app.get("/nothing")
def nothing() -> str:
    return ""


@app.websocket("/socket")
async def socket(socket: WebSocket) -> None:
    await socket.accept()
    await socket.send_text(str(dict(socket.session).get("user")))
    await socket.close()


@pytest.fixture(params=["signed_cookies", "file"], autouse=True)
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    options = {
        "SESSION_ENGINE": f"django.contrib.sessions.backends.{request.param}",
        "SESSION_FILE_PATH": str(tmp_path),
        "SECRET_KEY": "the key of the day",
        "LOGGING_CONFIG": None,
        "ALLOWED_HOSTS": ["*"],
        "ROOT_URLCONF": __name__,
        "MIDDLEWARE": ["django.contrib.sessions.middleware.SessionMiddleware"],
    }
    before = settings._wrapped  # other tests of this process have settings of their own, or will
    settings._wrapped = empty
    settings.configure(**options)
    django.setup()
    yield request.param
    settings._wrapped = before


@pytest.fixture
def client() -> Iterator[TestClient]:
    with TestClient(DjangoSession(app)) as client:
        yield client


def old_client() -> Any:
    from django.test import Client

    return Client()


def test_each_side_reads_what_the_other_wrote(client: TestClient) -> None:
    theirs = old_client()
    theirs.cookies["sessionid"] = client.get("/write").cookies["sessionid"]
    assert theirs.get("/read").content.decode() == repr(sorted(VALUES.items()))
    theirs.get("/write")
    client.cookies.clear()
    client.cookies.set("sessionid", theirs.cookies["sessionid"].value)
    assert client.get("/read").json() == repr(sorted(VALUES.items()))


def attributes(cookie: str) -> list[str]:
    """A Set-Cookie header without what changes from one second, and one session, to the next."""
    return sorted(part for part in cookie.split("; ") if not part.startswith(("sessionid=", "expires=")))


def test_the_cookie_has_the_attributes_that_django_gives_it(client: TestClient) -> None:
    ours = client.get("/write").headers
    theirs = old_client().get("/write")
    assert attributes(ours["set-cookie"]) == attributes(theirs.cookies["sessionid"].OutputString())
    assert (ours["vary"], theirs.headers["Vary"]) == ("Cookie", "Cookie")


def test_a_session_nobody_touched_leaves_no_trace(client: TestClient) -> None:
    assert not {"set-cookie", "vary"} & set(client.get("/nothing").headers)
    client.get("/write")
    assert not {"set-cookie", "vary"} & set(client.get("/nothing").headers)
    assert client.get("/read").headers["vary"] == "Cookie"


def test_djangos_own_methods_are_there(client: TestClient) -> None:
    client.get("/write")
    answer = client.get("/forget")
    assert answer.json() == "False 3"  # its expiry is a key
    assert "Max-Age=60" in answer.headers["set-cookie"]
    assert "Max-Age=0" in client.get("/flush").headers["set-cookie"]
    assert client.get("/read").json() == "[]"


def test_a_session_that_is_unknown_is_empty_and_its_cookie_is_dealt_with_as_by_django(client: TestClient) -> None:
    theirs = old_client()
    theirs.cookies["sessionid"] = "nosuchsession"
    cookie = theirs.get("/read").cookies["sessionid"].OutputString()
    client.cookies.set("sessionid", "nosuchsession")
    answer = client.get("/read")
    assert answer.json() == "[]"
    assert attributes(answer.headers["set-cookie"]) == attributes(cookie)


def test_a_websocket_has_the_session_too(client: TestClient) -> None:
    client.get("/write")
    with client.websocket_connect("/socket") as socket:
        assert socket.receive_text() == "7"


def test_a_session_deleted_meanwhile_is_answered_400_as_django_does(client: TestClient, engine: str) -> None:
    client.get("/write")
    if engine == "file":
        answer = client.get("/race")
        assert answer.status_code == 400
        assert "deleted before the request completed" in answer.text


def test_the_report_names_the_lines_that_use_the_bridge(client: TestClient) -> None:
    reset_usage()
    client.get("/read")
    (usage,) = usage_report()
    assert (usage.bridge, usage.what, usage.file) == ("DjangoSession", "session", __file__)
    reset_usage()

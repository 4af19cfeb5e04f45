"""No false alarm: eight frameworks under their own test clients and under httpx, with the whole set of usual rules.

What is listed as known is true, and the client's doing: each has its reason beside it.  Django's own client does not
call the WSGI or ASGI app at all, and Pyramid has none; both are driven with Werkzeug's and httpx's.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from anysgi.testing import LintASGI, LintWSGI

from . import _frameworks as frameworks
from ._frameworks import PATHS


def ids(lint: LintASGI | LintWSGI) -> set[str]:
    return {finding.rule.id for finding in lint.findings}


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """The tracebacks of /boom are wanted, and not to be read."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def django() -> Iterator[None]:
    from django.conf import settings
    from django.test import override_settings
    from django.utils.functional import empty

    ours = not settings.configured
    if ours:
        settings.configure(ROOT_URLCONF=frameworks.Urlconf(), ALLOWED_HOSTS=["*"], SECRET_KEY="x", LOGGING_CONFIG=None)
    options = {
        "ROOT_URLCONF": frameworks.Urlconf(),
        "MIDDLEWARE": [
            "django.middleware.common.CommonMiddleware",
            "django.contrib.sessions.middleware.SessionMiddleware",
        ],
        "SESSION_ENGINE": "django.contrib.sessions.backends.signed_cookies",
        "ALLOWED_HOSTS": ["*"],
    }
    with override_settings(**options):
        yield
    if ours:
        settings._wrapped = empty  # other tests configure Django for themselves


def django_wsgi() -> Any:
    from django.core.wsgi import get_wsgi_application

    return get_wsgi_application()


def django_asgi() -> Any:
    from django.core.asgi import get_asgi_application

    return get_asgi_application()


# --- WSGI

# WebOb imports cgi, and Pyramid pkg_resources.
PYRAMID = pytest.param(frameworks.pyramid, marks=pytest.mark.filterwarnings("ignore::DeprecationWarning"))


@pytest.mark.usefixtures("django")
@pytest.mark.parametrize("make", [frameworks.flask, django_wsgi, PYRAMID, frameworks.falcon_wsgi])
def test_wsgi_frameworks_under_werkzeugs_client_raise_no_alarm(make: Any) -> None:
    from werkzeug.test import Client

    lint = LintWSGI(make(), on="collect")
    client = Client(lint)
    for path in PATHS:
        for method in ("GET", "HEAD"):
            try:
                client.open(path, method=method).close()
            except (ZeroDivisionError, ValueError):
                assert path == "/boom" or "%" in path  # Pyramid refuses the latter with an exception
    client.post("/up", data=b"x" * 5_000).close()
    client.post("/up", data={"file": (open(__file__, "rb"), "a.py")}).close()  # noqa: SIM115
    assert [str(finding) for finding in lint.findings] == []


def test_flask_under_its_own_client_raises_no_alarm() -> None:
    app = frameworks.flask()
    app.wsgi_app = lint = LintWSGI(app.wsgi_app, on="collect")
    client = app.test_client()
    for path in PATHS:
        with client.get(path):
            pass
        with client.head(path):
            pass
    with client.post("/up", data={"a": "b"}, query_string={"q": "é"}):
        pass
    assert [str(finding) for finding in lint.findings] == []


def test_falcon_under_its_own_client_raises_no_alarm() -> None:
    from falcon.testing import TestClient

    for lint in (LintWSGI(frameworks.falcon_wsgi(), on="collect"), LintASGI(frameworks.falcon_asgi(), on="collect")):
        client = TestClient(lint)
        for path in PATHS:
            client.simulate_get(path)
            client.simulate_head(path)
        client.simulate_post("/up", body="x" * 5_000)
        assert [str(finding) for finding in lint.findings] == []


# --- ASGI

HTTPX = {"A047"}  # httpx's ASGITransport gives ("shop", None) for a default port, which the spec reads as a unix socket


@pytest.mark.anyio
@pytest.mark.usefixtures("django")
@pytest.mark.parametrize(
    "make",
    [
        frameworks.fastapi,
        frameworks.starlette,
        frameworks.quart,
        frameworks.litestar,
        frameworks.falcon_asgi,
        pytest.param(django_asgi, marks=pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")),
    ],
)
async def test_asgi_frameworks_under_httpx_raise_no_alarm(make: Any) -> None:
    lint = LintASGI(make(), on="collect")
    transport = httpx.ASGITransport(lint, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://shop") as client:
        for path in (*PATHS, "/astream", "/mounted/"):
            await client.get(path)
            await client.head(path)
        await client.post("/up", content=b"x" * 5_000)
        await client.post("/up", files={"file": b"x"})
    assert ids(lint) <= HTTPX


STARLETTE = {"A003"}  # its TestClient's http scope has no "asgi"


@pytest.mark.parametrize("make", [frameworks.fastapi, frameworks.starlette])
def test_starlette_and_fastapi_under_their_own_client_raise_no_alarm(make: Any) -> None:
    from starlette.testclient import TestClient

    lint = LintASGI(make(), on="collect")
    with TestClient(lint, raise_server_exceptions=False) as client:
        for path in (*PATHS, "/mounted/"):
            client.get(path)
            client.head(path)
        client.post("/up", content=b"x" * 5_000)
        if make is frameworks.fastapi:
            with client.websocket_connect("/ws") as socket:
                socket.send_text("hello")
                assert socket.receive_text() == "hello"
    assert ids(lint) <= STARLETTE


QUART = {
    "A003",  # "asgi" without a version
    "A090",  # its test socket never sends websocket.connect
    "A091",  # ... so that the app's accept comes before it
    "A098",  # ... and leaves without a code
}


@pytest.mark.anyio
async def test_quart_under_its_own_client_raises_no_alarm() -> None:
    app = frameworks.quart()
    app.asgi_app = lint = LintASGI(app.asgi_app, on="collect")
    async with app.test_app() as running:
        client = running.test_client()
        for path in PATHS:
            await (await client.get(path)).get_data()
        await client.post("/up", data=b"x" * 5_000)
        async with client.websocket("/ws") as socket:
            await socket.send("hello")
            assert await socket.receive() == "hello"
    assert ids(lint) <= QUART


LITESTAR = {
    "A003",  # no "asgi" in the scope of its test client
    "A035",  # raw_path with the query string
    "A089",  # subprotocols [""]
    "A036",  # the path is decoded twice
}


def test_litestar_under_its_own_client_raises_no_alarm() -> None:
    from litestar.testing import TestClient

    app = frameworks.litestar()
    app.asgi_handler = lint = LintASGI(app.asgi_handler, on="collect")
    with TestClient(app, raise_server_exceptions=False) as client:
        for path in PATHS:
            client.get(path)
            client.head(path)
        client.post("/up", content=b"x" * 5_000)
    assert ids(lint) <= LITESTAR

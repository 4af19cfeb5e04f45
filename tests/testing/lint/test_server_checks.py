"""`check_asgi_server` and `check_wsgi_server` on real servers, each started by its command: no false alarm.

What is listed as known is true: each has its reason beside it.
"""

from __future__ import annotations

import sys

import pytest

from anysgi.testing import check_asgi_server, check_wsgi_server, served_by
from anysgi.testing._servers._asgi_app import asgi

pytestmark = [pytest.mark.server, pytest.mark.timeout(120)]

GUNICORN = ["gunicorn", "{app}", "--bind", "127.0.0.1:{port}", "--graceful-timeout", "1", "--no-control-socket"]
LIBRARY = "tests.testing.lint.serve_app"
ASGI = {
    "uvicorn": ["uvicorn", "{app}", "--port", "{port}", "--http", "httptools"],
    "uvicorn-h11": ["uvicorn", "{app}", "--port", "{port}", "--http", "h11"],
    "hypercorn": ["hypercorn", "{app}", "--bind", "127.0.0.1:{port}"],
    "daphne": ["daphne", "{app}", "--port", "{port}"],
    "granian": ["granian", "{app}", "--interface", "asgi", "--port", "{port}"],
    "gunicorn-asgi": [*GUNICORN, "--worker-class", "asgi"],
}
WSGI = {
    "gunicorn-sync": GUNICORN,
    "gunicorn-gthread": [*GUNICORN, "--threads", "4"],
    "waitress": ["waitress", "--listen", "127.0.0.1:{port}", "{app}"],
    "granian-wsgi": ["granian", "{app}", "--interface", "wsgi", "--port", "{port}"],
    "werkzeug": [LIBRARY, "werkzeug", "{app}", "{port}"],
    "wsgiref": [LIBRARY, "wsgiref", "{app}", "{port}"],
}
EAGER = {"W048": "an empty chunk sends the head"}
GROUPED = {"A069": "headers of one name are written together"}
KNOWN: dict[str, dict[str, str]] = {
    "daphne": {**GROUPED, "A023": "the connection of an app that failed stays open, and says nothing"},
    "granian": {**GROUPED, "A023": "the connection of an app that failed takes the next request"},
    "gunicorn-sync": EAGER,
    "gunicorn-gthread": EAGER,
    "granian-wsgi": {
        **EAGER,
        "W014": "X_Real_Ip takes the place of X-Real-Ip",
        "W051": "start_response returns None, so that an app that writes fails",
    },
    "werkzeug": EAGER,
    "wsgiref": {**EAGER, "W014": "X_Real_Ip is joined to X-Real-Ip"},
}
QUICK = ("uvicorn", "waitress")
MARKED = [pytest.param(name, marks=[] if name in QUICK else [pytest.mark.slow]) for name in ASGI | WSGI]


@pytest.mark.parametrize("name", MARKED)
def test_a_real_server_breaks_what_is_known_and_no_more(name: str) -> None:
    serve = served_by(sys.executable, "-m", *(ASGI | WSGI)[name])
    report = (check_asgi_server if name in ASGI else check_wsgi_server)(serve)
    assert {result.name: result.detail for result in report.failures}.keys() == KNOWN.get(name, {}).keys(), report
    untried = [result.name for result in report if result.passed and result.detail]
    assert untried == ([] if name in WSGI or name == "hypercorn" else ["A122"])


# starting and stopping


def test_a_command_that_ends_is_an_error_with_its_output() -> None:
    with pytest.raises(ConnectionError, match="ended with 3:\nno such port"), served_by(*python("exit"))(asgi):
        pass


def test_a_command_that_does_not_listen_is_an_error_within_the_bound() -> None:
    serve = served_by(*python("sleep"), bound=0.1)
    with pytest.raises(ConnectionError, match=r"did not listen within 0\.1 s"), serve(asgi):
        pass


def test_a_command_that_will_not_end_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("anysgi.testing._servers._served._STOP_IN", 0.1)
    with served_by(*python("stubborn"))(asgi) as served:
        assert served.log is not None
        assert served.log() == f"{asgi.__module__}:asgi\n"


def python(way: str) -> tuple[str, ...]:
    lines = {
        "exit": "print('no such port', flush=True); sys.exit(3)",
        "sleep": "import time; time.sleep(60)",
        "stubborn": (
            "import signal, socket; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('{app}', flush=True);"
            "server = socket.create_server(('127.0.0.1', {port}));\nwhile True: server.accept()[0].close()"
        ),
    }
    return sys.executable, "-c", f"import sys; {lines[way]}"


def test_a_missing_client_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "h2", None)
    with pytest.raises(ImportError, match=r"needs h2: pip install 'anysgi\[testing\]'"):
        check_asgi_server(served_by("never-started"))

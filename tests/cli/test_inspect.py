"""`anysgi inspect`: what it knows of an app of every framework, and what it admits not to know."""

from __future__ import annotations

import json
import platform
import sys

import pytest
from click.testing import CliRunner

from anysgi.cli import main
from tests.cli._run import APPS, anysgi

SPOOLED, STREAMED = "spool", "stream"


def inspect(target: str) -> tuple[int, str]:
    """Run it in a process for Django, whose settings are the process's; here for the others, importing each once."""
    if target.startswith("django"):
        ended = anysgi("inspect", target, "--json")
        return ended.returncode, ended.stdout
    result = CliRunner().invoke(main, ["inspect", target, "--json", "--app-dir", str(APPS)])
    return result.exit_code, result.output


@pytest.fixture(autouse=True)
def _path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [*sys.path])


@pytest.mark.filterwarnings("ignore:'cgi' is deprecated:DeprecationWarning")  # WebOb, on Python 3.11 and 3.12
@pytest.mark.parametrize(
    ("target", "framework", "convention", "routes", "chunked"),
    [
        ("flask_shop:app", "Flask", "wsgi", 5, STREAMED),
        ("django_site:application", "Django", "wsgi", 3, SPOOLED),
        ("django_site:asgi", "Django", "asgi", 3, None),
        ("fastapi_shop:app", "FastAPI", "asgi", 7, None),
        ("others:bottle_app", "Bottle", "wsgi", 2, SPOOLED),
        ("others:falcon_app", "Falcon", "wsgi", 2, SPOOLED),
        ("others:falcon_asgi", "Falcon", "asgi", 2, None),
        ("others:quart_app", "Quart", "asgi", 2, None),
        ("others:starlette_app", "Starlette", "asgi", 2, None),
        ("others:litestar_app", "Litestar", "asgi", 2, None),
        ("others:pyramid_app", "Pyramid", "wsgi", 2, STREAMED),
        ("others:wrapped", "Flask", "wsgi", 5, STREAMED),
        ("plain:hello", None, "wsgi", None, STREAMED),
        ("plain:Old", None, "asgi", None, None),
    ],
)
def test_an_app_of_every_framework_is_known(
    target: str, framework: str | None, convention: str, routes: int | None, chunked: str | None
) -> None:
    code, output = inspect(target)
    assert code == 0, output
    report = json.loads(output)
    known = (report["target"], report["framework"], report["convention"], report["routes"])
    assert known == (target, framework, convention, routes)
    adapted, native = (
        ("on_asgi_server", "on_wsgi_server") if convention == "wsgi" else ("on_wsgi_server", "on_asgi_server")
    )
    assert report[native] is None
    assert report[adapted]["adapter"] == ("WsgiToAsgi" if convention == "wsgi" else "AsgiToWsgi")
    if chunked:
        assert report[adapted]["chunked"] == chunked


def test_a_router_is_an_app_of_both_conventions() -> None:
    code, output = inspect("front:router")
    report = json.loads(output)
    assert (code, report["convention"], report["on_asgi_server"], report["on_wsgi_server"]) == (0, "both", None, None)
    text = CliRunner().invoke(main, ["inspect", "front:router", "--app-dir", str(APPS)]).output
    assert "convention:        WSGI and ASGI, a Router\n" in text


def test_the_text_says_the_same_for_people() -> None:
    ended = anysgi("inspect", "django_site")
    assert ended.returncode == 0
    lines = {
        name.strip(): value.strip() for name, _, value in (line.partition(":") for line in ended.stdout.splitlines())
    }
    assert lines["app"] == "django_site:application"
    assert lines["convention"] == "WSGI"
    assert lines["framework"].startswith("Django ")
    assert lines["routes"] == "3"
    assert lines["python"] == platform.python_version()
    assert lines["on an ASGI server"] == "WsgiToAsgi, 40 threads"
    assert lines["on a WSGI server"] == "as it is, no adapter"
    assert "needs a Content-Length" in lines["chunked request bodies"]


def test_what_cannot_be_known_is_called_unknown() -> None:
    ended = anysgi("inspect", "plain:hello")
    assert [line.split() for line in ended.stdout.splitlines()[2:4]] == [
        ["framework:", "unknown"],
        ["routes:", "unknown"],
    ]


def test_a_problem_of_the_app_exits_with_1_and_a_wrong_command_with_2() -> None:
    assert anysgi("inspect", "plain:undecided").returncode == 1
    assert anysgi("inspect", "plain.py").returncode == 2


def test_the_version_is_printed_with_pythons() -> None:
    ended = anysgi("--version")
    assert ended.stdout.startswith("anysgi ")
    assert ended.stdout.rstrip().endswith(f"Python {platform.python_version()}")

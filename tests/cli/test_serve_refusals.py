"""What `anysgi serve` says when it cannot serve: one paragraph, the right exit code, and no traceback of ours."""

from __future__ import annotations

import importlib.util
import sys
from typing import TYPE_CHECKING, Protocol

import pytest
from click.testing import CliRunner, Result

from anysgi.cli import main

if TYPE_CHECKING:
    from pathlib import Path

SHOP = """
from flask import Flask, request, current_app
app = Flask("shop")
def create_app(config=None): return Flask("made")
def view(request): ...
def wrapper(*args): ...
class Thing: ...
def needy(config): ...
async def later(): ...
def forgetful(): ...
def raising(): raise ValueError("no config")
"""
ASYNC = "async def app(scope, receive, send): ...\n"
SEVERAL = "from flask import Flask, request\none = Flask('a')\ntwo = Flask('b')\n"


class Serve(Protocol):
    """Run `anysgi serve` in this process, on modules given by name and text."""

    def __call__(self, *arguments: str, **modules: str) -> Result: ...


@pytest.fixture
def serve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Serve:
    monkeypatch.setattr(sys, "path", [*sys.path])

    def run(*arguments: str, **modules: str) -> Result:
        for name, text in modules.items():
            path = tmp_path / f"{name}.py"
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
            sys.modules.pop(name.partition("/")[0], None)  # one of that name that another test imported
        importlib.invalidate_caches()
        try:
            return CliRunner().invoke(main, ["serve", "--app-dir", str(tmp_path), *arguments])
        finally:
            for name in {name.partition("/")[0] for name in modules}:
                sys.modules.pop(name, None)

    return run


def check(result: Result, code: int, *parts: str) -> None:
    assert result.exit_code == code, result.output
    for part in parts:
        assert part in result.output
    assert "anysgi/cli/" not in result.output, "our own frames are no news to the user"


def test_a_missing_module_is_named_with_the_ones_that_look_like_it(serve: Serve) -> None:
    result = serve("shpo:app", shop=SHOP)
    check(result, 1, "There is no module 'shpo' in ", "Did you mean 'shop'?", "--app-dir")
    assert "Traceback" not in result.output


def test_a_missing_submodule_is_named_with_the_ones_that_look_like_it(serve: Serve) -> None:
    check(serve("mysite.wsgy", **{"mysite/__init__": "", "mysite/wsgi": ""}), 1, "no module 'wsgy'", "'mysite.wsgi'")


def test_a_module_is_not_taken_for_a_package(serve: Serve) -> None:
    check(serve("shop.app", shop=SHOP), 1, "'shop' is a module, not a package", "shop:app")


def test_an_import_error_inside_the_users_module_shows_their_traceback(serve: Serve) -> None:
    result = serve("broken:app", broken="def load():\n    import nosuchthing\nload()\n")
    check(result, 1, "Traceback", 'broken.py", line 2', "exists, but an import inside it failed.")
    assert result.output.count("No module named 'nosuchthing'") == 1


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("1/0\n", "ZeroDivisionError: division by zero"),
        ("def f(:\n", "SyntaxError"),
        ("raise SystemExit(3)\n", "SystemExit: 3"),
    ],
)
def test_any_other_error_while_importing_shows_their_traceback(serve: Serve, text: str, part: str) -> None:
    result = serve("broken:app", broken=text)
    check(result, 1, "broken.py", part, "failed while it was imported.")
    assert result.output.count(part) == 1


def test_a_missing_attribute_is_named_with_the_apps_that_are_there(serve: Serve) -> None:
    result = serve("shop:appp", shop=SHOP)
    check(result, 1, "There is no shop:appp", "Did you mean 'app'?", "shop:app, --factory shop:create_app.")


def test_two_apps_without_a_usual_name_must_be_told_apart(serve: Serve) -> None:
    check(serve("several", several=SEVERAL), 1, "finds several apps in 'several'", "several:one, several:two")


def test_a_module_without_an_app_says_so(serve: Serve) -> None:
    check(serve("empty", empty="x = 1\n"), 1, "finds no app in 'empty'")


def test_a_factory_is_asked_for_by_its_option(serve: Serve) -> None:
    check(serve("shop:create_app", shop=SHOP), 1, "is a factory", "write: --factory shop:create_app")


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("app", "needs environ, start_response. If it is the app itself, leave --factory away."),
        ("needy", "needs config"),
        ("later", "is async"),
        ("forgetful", "None is not an app: a factory that ends without `return app` gives None"),
        ("raising", "ValueError: no config"),
    ],
)
def test_a_factory_that_gives_no_app_is_explained(serve: Serve, name: str, part: str) -> None:
    check(serve("--factory", f"shop:{name}", shop=SHOP), 1, part)


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("view", "takes (request), so it is neither"),
        ("wrapper", "--convention wsgi|asgi"),
        ("Thing", "the class shop.Thing is not an app"),
        ("Flask", "app = Flask(...)"),
    ],
)
def test_what_is_no_app_is_explained(serve: Serve, name: str, part: str) -> None:
    check(serve(f"shop:{name}", shop=SHOP), 1, part)


@pytest.mark.parametrize(
    ("target", "part"),
    [
        ("shop.py:app", "name the module instead: shop:app"),
        ("./site/shop.py", "name the module instead: site.shop:app"),
        ("shop:create_app()", "--factory shop:create_app"),
        ("shop:my-app", "is not MODULE:APP"),
        (":app", "is not MODULE:APP"),
    ],
)
def test_a_target_in_another_notation_is_a_usage_error_with_the_right_one(serve: Serve, target: str, part: str) -> None:
    check(serve(target), 2, part)


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["--server", "waitress", "--workers", "2"], "For --workers: uvicorn, hypercorn, granian or gunicorn."),
        (["--server", "daphne", "--reload"], "For --reload: uvicorn, hypercorn, granian or gunicorn."),
        (["--server", "waitress", "--reload"], "waitress cannot reload"),
        (["--server", "granian", "--port", "0"], "For --port 0: uvicorn, hypercorn, daphne, gunicorn or waitress."),
        (["--reload", "--workers", "2"], "leave --workers away"),
        (["--server", "hypercorn", "--lifespan", "off"], "For off: uvicorn, granian, daphne, gunicorn or waitress."),
        (["--server", "gunicorn", "--lifespan", "on"], "is WSGI all the way"),
        (["--server", "gunicorn", "--window", "1024"], "needs none"),
        (["--server", "apache"], "'apache' is not one of"),
        (["--port", "70000"], "70000 is not in the range"),
    ],
)
def test_options_that_could_do_nothing_are_refused(serve: Serve, arguments: list[str], part: str) -> None:
    check(serve("shop:app", *arguments, shop=SHOP), 2, part)


def test_threads_are_refused_where_everything_runs_on_an_event_loop(serve: Serve) -> None:
    check(serve("native:app", "--threads", "4", native=ASYNC), 2, "--threads is for WSGI", "ASGI all the way")


@pytest.mark.parametrize(
    ("server", "line"), [("uvicorn", 'pip install "anysgi[serve]"'), ("hypercorn", "pip install hypercorn")]
)
def test_a_missing_server_names_the_line_that_installs_it(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, server: str, line: str
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    check(serve("shop:app", "--server", server, shop=SHOP), 1, f"{server} is not installed. Install it: {line}")


def test_help_teaches_with_examples() -> None:
    result = CliRunner().invoke(main, ["serve", "--help"])
    assert result.exit_code == 0
    assert "anysgi serve shop:app --server gunicorn --workers 4 --threads 16" in result.output

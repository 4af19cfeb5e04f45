"""What reading a handler's source finds, where it says it found it, and what it admits not to know."""

from __future__ import annotations

import functools
import inspect
from pathlib import Path
from typing import Any

import pytest

from anysgi.migration._inventory._code import read_handler
from anysgi.migration._inventory._source import is_within, project_of
from anysgi.migration._inventory._uses import look_up
from tests.migration.apps import _extensions, _uses


def facts(handler: object) -> list[tuple[str, str]]:
    return [(fact.kind, fact.what) for fact in read_handler((handler,)).facts]


@pytest.mark.parametrize(
    ("handler", "expected"),
    [
        (_uses.uses_session, [("session", "flask.session")]),
        (_uses.uses_g, [("g", "flask.g")]),
        (_uses.uses_context, [("context", "flask.current_app")]),
        (_uses.uses_threadlocal, [("threadlocal", "thread.local")]),
        (_uses.uses_lock, [("lock", "LOCK (thread.lock)")]),
        (_uses.acquires_lock, [("lock", "LOCK (thread.lock)")]),
        (_uses.uploads, [("upload", "request.files")]),
        (_uses.sleeps, [("blocking", "time.sleep (sleep)")]),
        (_uses.sleeps_by_another_name, [("blocking", "time.sleep (sleep)")]),
        (_uses.queries, [("blocking", "sqlite3.connect (database)")]),
        (_uses.runs_a_process, [("blocking", "subprocess.run (process)")]),
        (_uses.reads_a_file, [("blocking", "io.open (file)")]),
        (_uses.loads, [("blocking", "pathlib.Path.read_text (file)")]),
        (_uses.goes_deep, [("blocking", "time.sleep (sleep)")]),
        (_uses.takes_a_store, [("blocking", "time.sleep (sleep)")]),
        (_uses.makes_a_store, [("blocking", "pathlib.Path.read_text (file)")]),
        (_uses.sleeps_in_a_closure(), [("blocking", "time.sleep (sleep)")]),
        (_uses.behind_a_decorator, [("blocking", "time.sleep (sleep)")]),
        (functools.partial(_uses.sleeps), [("blocking", "time.sleep (sleep)")]),
        (_uses.View(), [("blocking", "time.sleep (sleep)")]),
        (_uses.STORE.nap, [("blocking", "time.sleep (sleep)")]),
        (_uses.sleeps_in_async, [("blocking", "time.sleep (sleep)")]),
        (_uses.uses_an_annotation, [("blocking", "pathlib.Path.read_text (file)")]),
        (_uses.uses_a_block, [("blocking", "pathlib.Path.read_text (file)")]),
        (_uses.uses_a_hinted_result, [("blocking", "pathlib.Path.read_text (file)")]),
        (_uses.uses_a_class_method, [("blocking", "time.sleep (sleep)")]),
        (_uses.RESOURCE.load, [("blocking", "pathlib.Path.read_text (file)")]),
        (_uses.RESOURCE.hooked, [("blocking", "pathlib.Path.read_text (file)")]),
        (_uses.asks_a_client, [("blocking", "redis.commands.core.Client.get (database)")]),
        (_uses.adds_to_a_session, [("blocking", "SESSION.add (database)")]),
        (_uses.iterates, [("blocking", "django.db.models.manager.Queries.filter (database)")]),
        (_uses.imports_nearby, [("blocking", "time.sleep (sleep)")]),
        (_uses.assigned_twice, [("blocking", "pathlib.Path.read_text (file)")]),
        (_uses.assigned_none_first, [("blocking", "pathlib.Path.read_text (file)")]),
        (_uses.imports_under_a_name, [("blocking", "time.sleep (sleep)")]),
        (_extensions.asks_who_is_logged_in, [("auth", "flask_login.current_user")]),
        (_extensions.asks_whose_token_it_is, [("auth", "flask_jwt_extended.current_user")]),
        (_extensions.logs_out, [("auth", "flask_login.utils.logout_user")]),
        (_extensions.only_for_users, [("auth", "flask_login.utils.login_required")]),
        (_extensions.only_with_a_token, [("auth", "flask_jwt_extended.view_decorators.jwt_required")]),
        (_extensions.only_for_djangos_users, [("auth", "django.contrib.auth.decorators.user_passes_test")]),
        (_extensions.asks_by_thread, [("threadlocal", "sqlalchemy.orm.scoping.scoped_session")]),
        (_extensions.asks_by_the_id_of_its_thread, [("threadlocal", "sqlalchemy.orm.scoping.scoped_session")]),
        (_extensions.asks_by_request, [("context", "sqlalchemy.orm.scoping.scoped_session")]),
    ],
    ids=lambda value: getattr(value, "__name__", None) or "",
)
def test_what_a_handler_uses_is_found(handler: object, expected: list[tuple[str, str]]) -> None:
    assert facts(handler) == expected


@pytest.mark.parametrize(
    "handler",
    [
        _uses.touches_the_trap,
        _uses.shadows,
        _uses.reads_a_table,
        _uses.only_passes_it_on,
        _uses.calls_a_parameter,
        _uses.assigned_two_things,
        _uses.assigned_in_a_loop,
        _uses.shadows_by_a_function,
        _uses.raises_what_a_client_does,
        _uses.not_yet(),
        _uses.uses_a_lazy_object,
        _uses.nested_class,
        _uses.awaits_a_client,
        _uses.awaits_the_end_of_a_chain,
        _uses.iterates_asynchronously,
    ],
)
def test_what_it_does_not_use_is_not_reported(handler: object) -> None:
    assert facts(handler) == []


@pytest.mark.parametrize(
    ("name", "waits_for"),
    [
        ("requests.api.get", "http"),
        ("requests.sessions.Session.send", "http"),
        ("requests.structures.CaseInsensitiveDict", None),
        ("urllib.request.urlopen", "http"),
        ("urllib.request.Request", None),
        ("botocore.client.S3._make_api_call", "http"),
        ("botocore.config.Config", None),
        ("boto3.client", "http"),
        ("boto3.dynamodb.conditions.Key", ""),
        ("subprocess.run", "process"),
        ("subprocess.list2cmdline", ""),
        ("socket.socket.connect", "socket"),
        ("_socket.socket.bind", ""),
        ("socket.socket.close", ""),
    ],
)
def test_of_a_client_only_what_talks_waits(name: str, waits_for: str | None) -> None:
    assert look_up(name, "called") == waits_for


def test_the_evidence_is_a_place_and_the_way_to_it() -> None:
    [fact] = read_handler((_uses.goes_deep,)).facts
    assert fact.file == _uses.__file__
    assert inspect.getsource(_uses).splitlines()[fact.line - 1].strip() == "time.sleep(1)"
    assert fact.via == ("goes_deep", "deep")


@pytest.mark.parametrize(
    ("handler", "name", "line_of", "kind"),
    [
        (_uses.sleeps, "sleeps", _uses.sleeps, "sync"),
        (_uses.sleeps_in_async, "sleeps_in_async", _uses.sleeps_in_async, "async"),
        (_uses.STORE.load, "Store.load", _uses.Store.load, "sync"),
        (functools.partial(_uses.sleeps), "sleeps", _uses.sleeps, "sync"),
    ],
)
def test_a_handler_is_named_with_its_file_and_line(handler: Any, name: str, line_of: Any, kind: str) -> None:
    found = read_handler((handler,))
    assert (found.name, found.file, found.kind) == (name, _uses.__file__, kind)
    assert found.line == inspect.getsourcelines(line_of)[1]


def test_a_decorated_handler_is_the_function_inside() -> None:
    found = read_handler((_uses.behind_a_decorator,))
    assert found.name == "behind_a_decorator"
    assert "def behind_a_decorator" in inspect.getsource(_uses).splitlines()[(found.line or 0) - 1]


def test_a_decorated_method_is_the_function_inside() -> None:
    found = read_handler((_uses.RESOURCE.hooked,))
    assert found.name == "Resource.hooked"
    assert "def hooked" in inspect.getsource(_uses).splitlines()[(found.line or 0) - 1]


def test_what_runs_with_a_handler_counts_as_its_own() -> None:
    found = read_handler((_uses.uses_g, _uses.sleeps))
    assert {fact.kind for fact in found.facts} == {"g", "blocking"}


def test_what_cannot_be_followed_is_said() -> None:
    assert read_handler((_uses.assigned_two_things,)).unknown == ("1 calls on values that are only known at run time",)
    assert read_handler((_uses.calls_a_parameter,)).unknown == ("1 calls on values that are only known at run time",)
    assert read_handler((len,)).unknown == ("its source is not Python, or not here",)
    assert read_handler(()).unknown == ("no handler is registered for it",)


def test_code_of_other_packages_is_named_and_not_followed() -> None:
    def parses() -> object:
        import click

        return click.get_app_dir("shop")

    found = read_handler((parses,))
    assert not found.facts
    assert "what happens inside click" in found.unknown


def test_a_function_that_cython_compiled_is_named_by_its_own_module() -> None:
    assert read_handler((_extensions.asks_cython,)).unknown == ("what happens inside uvloop",)


def test_a_class_of_the_project_is_not_foreign_whoever_made_its_init() -> None:
    assert read_handler((_uses.makes_a_model,)).unknown == ()


def test_the_depth_is_bounded_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("anysgi.migration._inventory._code._DEPTH", 0)
    found = read_handler((_uses.goes_deep,))
    assert not found.facts
    assert found.unknown == ("what lies deeper than 0 calls or 300 functions",)


def test_a_function_without_source_is_said() -> None:
    namespace: dict[str, Any] = {"__name__": _uses.__name__}
    exec(compile("def made(): pass", Path(_uses.__file__).with_name("made.py"), "exec"), namespace)
    found = read_handler((namespace["made"],))
    assert found.unknown == ("1 calls on values that are only known at run time",)
    assert (found.name, found.line) == ("made", 1)


def test_a_file_among_installed_packages_is_a_project_of_its_own(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "site-packages"
    folder.mkdir()
    (folder / "lonely.py").write_text("def view(): pass\n")
    monkeypatch.syspath_prepend(folder)
    import importlib

    lonely = importlib.import_module("lonely")
    assert project_of("lonely") == str(folder / "lonely.py")
    assert is_within(str(folder / "lonely.py"), str(folder / "lonely.py"))
    assert not is_within(str(folder / "other.py"), str(tmp_path))
    assert read_handler((lonely.view,)).line == 1
    assert project_of("sys") is None

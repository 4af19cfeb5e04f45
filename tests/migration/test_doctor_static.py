"""`anysgi doctor` on static files and prefixes: what pages need is there, on both sides, wherever an app is mounted."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fastapi import FastAPI

from anysgi.migration._doctor import CHECKS, Finding, Patient, call
from anysgi.migration._doctor._pages import look_at_pages
from anysgi.migration._doctor._static_files import prefixed_once, static_files
from tests.cli._run import ROOT, anysgi
from tests.migration.apps import sick

from .test_doctor import side


def page(*parts: str) -> Any:
    def view() -> str:
        return "".join(parts)

    return view


@pytest.fixture
def files(tmp_path: Path) -> Path:
    for name in ("style.css", "ünï/logo 1.png"):
        (tmp_path / "static" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "static" / name).write_text(name)
    return tmp_path / "static"


def flask_with(folder: Path | None, *parts: str) -> Any:
    from flask import Flask

    app = Flask(__name__, static_folder=folder)
    app.add_url_rule("/", "view", page(*parts))
    return app


def starlette_with(folder: Path) -> Any:
    from starlette.staticfiles import StaticFiles

    app = sick.starlette_app()
    app.mount("/static", StaticFiles(directory=folder))
    return app


def looked_at(app: Any, new: Any = None, paths: tuple[str, ...] = ("/",)) -> list[Finding]:
    return list(look_at_pages(Patient(side(app), None if new is None else side(new, "api:app")), list(paths)))


def seen_in(finding: Finding) -> list[str]:
    return [evidence.seen for evidence in finding.evidence]


def test_static_files_that_the_new_side_serves_too_are_no_finding(files: Path) -> None:
    assert looked_at(flask_with(files), starlette_with(files)) == []
    assert looked_at(starlette_with(files), flask_with(files)) == []
    assert looked_at(starlette_with(files), starlette_with(files)) == []


def test_static_files_that_the_new_side_does_not_have_are_named(files: Path, tmp_path: Path) -> None:
    (tmp_path / "fewer").mkdir()
    (tmp_path / "fewer" / "style.css").write_text("")
    [finding] = looked_at(flask_with(files), starlette_with(tmp_path / "fewer"))
    assert (finding.check, finding.severity) == ("static-urls", "warning")
    assert finding.what == "1 of the 2 files that shop:app serves are not there on api:app"
    assert seen_in(finding) == ["404 /static/%C3%BCn%C3%AF/logo%201.png"]
    [finding] = looked_at(starlette_with(files), sick.starlette_app())
    assert len(finding.evidence) == 2
    assert 'path = "/static/<path:rest>", to = "legacy"' in finding.fix


def test_a_blueprints_static_files_belong_to_it(files: Path) -> None:
    from flask import Blueprint

    app = flask_with(None)
    app.register_blueprint(Blueprint("admin", __name__, static_folder=files, url_prefix="/admin"))
    [finding] = looked_at(app, sick.starlette_app())
    assert "404 /admin/static/style.css" in seen_in(finding)


def test_what_a_page_needs_has_to_be_there(files: Path) -> None:
    parts = (
        '<link rel="stylesheet" href="/static/style.css"><link rel="stylesheet" href="/gone.css?v=1">',
        '<link rel="canonical" href="/not-followed"><a href="/not-followed">a</a>',
        '<img src="static/none.png"><script src="//cdn.example/x.js"></script><img src="http://[bad/">',
    )
    missing, prefix = looked_at(flask_with(files, *parts))
    assert (missing.check, missing.severity) == ("static-urls", "error")
    assert seen_in(missing) == ["404 /gone.css, for /", "404 /static/none.png, for /"]
    assert seen_in(prefix) == [f"{link}, on /" for link in ("/static/style.css", "/gone.css", "/not-followed")]


def test_links_that_url_for_makes_stay_below_a_prefix(files: Path) -> None:
    from flask import redirect, url_for

    app = flask_with(files)
    app.add_url_rule("/made", "made", lambda: f'<a href="{url_for("static", filename="style.css")}">a</a>')
    app.add_url_rule("/moved", "moved", lambda: redirect(url_for("made")))
    app.add_url_rule("/lost", "lost", lambda: redirect("/made"))
    assert looked_at(app, paths=("/made", "/moved")) == []
    [finding] = looked_at(app, paths=("/made", "/moved", "/lost"))
    assert (finding.check, finding.severity, seen_in(finding)) == ("prefix", "note", ["/made, on /lost"])


def test_a_page_that_hangs_needs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    import asyncio

    monkeypatch.setattr("anysgi.migration._doctor._pages._BOUND", 0.05)

    async def hangs(_request: Any) -> Any:
        await asyncio.Event().wait()

    assert looked_at(sick.starlette_app(hangs)) == []


@pytest.mark.filterwarnings("ignore:The `root_path` parameter is deprecated")
@pytest.mark.parametrize(
    ("old", "new", "below"),
    [
        ("/shop", "/shop/", None),
        ("/", "", None),
        ("/shop", "", "/shop, api:app below /"),
        ("/", "/v2", "/, api:app below /v2"),
    ],
)
def test_the_prefixes_of_both_sides_are_held_against_each_other(old: str, new: str, below: str | None) -> None:
    patient = Patient(side(sick.flask_app(APPLICATION_ROOT=old)), side(FastAPI(root_path=new), "api:app"))
    told = list(CHECKS["prefix"](patient))
    assert [item.severity for item in told] == ["warning"] * (below is not None)
    if below:
        assert told[0].what.startswith(f"shop:app makes URLs below {below}: ")


DJANGO_STATIC = {
    "INSTALLED_APPS": ["django.contrib.staticfiles"],
    "MIDDLEWARE": ["django.middleware.common.CommonMiddleware"],
    "STATIC_URL": "/static/",
    "STATIC_ROOT": None,
}


@pytest.mark.parametrize(
    ("settings", "severity"),
    [
        ({}, "warning"),
        ({"STATIC_ROOT": "/srv/static"}, "note"),
        ({"INSTALLED_APPS": []}, None),
        ({"STATIC_URL": "https://cdn.example/static/"}, None),
        ({"STATIC_URL": None}, None),
        ({"MIDDLEWARE": ["whitenoise.middleware.WhiteNoiseMiddleware"]}, None),
    ],
)
def test_djangos_static_files_want_somebody_who_serves_them(
    monkeypatch: pytest.MonkeyPatch, settings: dict[str, Any], severity: str | None
) -> None:
    monkeypatch.setattr("django.conf.settings", SimpleNamespace(**DJANGO_STATIC | settings))
    site = replace(side(sick.flask_app(), "site:app"), framework="Django")
    assert [item.severity for item in CHECKS["static-urls"](Patient(site))] == ([severity] if severity else [])


def test_a_setting_of_both_sides_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("django.conf.settings", SimpleNamespace(**DJANGO_STATIC))
    old, new = (
        replace(side(sick.flask_app(), name), framework="Django") for name in ("site.wsgi:app", "site.asgi:app")
    )
    [told] = CHECKS["static-urls"](Patient(old, new))
    assert told.what.startswith("nothing in site.wsgi:app or site.asgi:app serves /static/: ")


def test_a_side_that_serves_djangos_static_files_is_found(monkeypatch: pytest.MonkeyPatch, files: Path) -> None:
    monkeypatch.setattr("django.conf.settings", SimpleNamespace(**DJANGO_STATIC))
    site = replace(side(sick.flask_app(), "site:app"), framework="Django")
    assert not [*CHECKS["static-urls"](Patient(site, side(starlette_with(files))))]


@pytest.mark.parametrize("ignored", [[], ["run"], ["static-urls"], ["prefix"], ["run", "static-urls", "prefix"]])
def test_what_calling_finds_can_be_left_out(ignored: list[str]) -> None:
    app = flask_with(None, '<img src="/none.png">')
    app.add_url_rule("/fails", "fails", sick.fails)
    found = call(Patient(side(app)), 4, ["/", "/fails"], ignored)
    assert {item.check for item in found} == {"run", "static-urls", "prefix"} - set(ignored)


def test_djangos_finders_name_its_static_files(monkeypatch: pytest.MonkeyPatch) -> None:
    class Finder:
        def list(self, ignored: list[str]) -> list[tuple[str, None]]:
            return [("admin\\base.css", None), ("ü.css", None)]

    settings = SimpleNamespace(**DJANGO_STATIC)
    monkeypatch.setattr("django.contrib.staticfiles.finders.get_finders", lambda: [Finder()])
    monkeypatch.setattr("django.conf.settings", settings)
    site = replace(side(sick.flask_app(), "site:app"), framework="Django")
    assert list(static_files(site)) == ["/static/admin/base.css", "/static/%C3%BC.css"]
    settings.INSTALLED_APPS = []
    assert list(static_files(site)) == []
    assert list(static_files(replace(site, framework=None))) == []


@pytest.mark.parametrize(("written", "kept"), [("static/", ("/static/",)), ("/static/", ()), (None, ())])
def test_django_keeps_the_first_prefix_of_a_relative_url(
    monkeypatch: pytest.MonkeyPatch, written: str | None, kept: tuple[str, ...]
) -> None:
    raw = SimpleNamespace(STATIC_URL=written)
    monkeypatch.setattr("django.conf.settings", SimpleNamespace(STATIC_URL="/static/", _wrapped=raw))
    assert prefixed_once(replace(side(sick.flask_app()), framework="Django")) == kept


@pytest.mark.slow
def test_djangos_admin_lacks_its_style_sheets_on_a_server_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP_DB", str(tmp_path / "shop.sqlite3"))
    example = ROOT / "examples" / "django-admin-beside-fastapi"
    (tmp_path / "bare.py").write_text(
        f"import sys; sys.path.append({str(example)!r})\n"
        "import shop_django, django.core.asgi\n"
        "shop_django.prepare()\n"
        "served, alone = shop_django.app, django.core.asgi.get_asgi_application()\n"
    )

    def found(app: str) -> dict[str, list[str]]:
        done = anysgi("doctor", app, "--run", "1", "--path", "/admin/login/", "--json", cwd=tmp_path)
        checks: dict[str, list[str]] = {}
        for item in json.loads(done.stdout)["findings"]:
            checks.setdefault(item["check"], []).extend(evidence["seen"] for evidence in item["evidence"])
        return checks

    served, alone = found("bare:served"), found("bare:alone")
    assert "STATIC_URL = '/static/'" in alone["static-urls"]
    assert "404 /static/admin/css/base.css, for /admin/login/" in alone["static-urls"]
    assert not {"static-urls", "prefix", "run"} & {*served}
    assert not {"prefix", "run"} & {*alone}

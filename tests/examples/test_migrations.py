"""The migration examples: every step on a server of each convention, with visitors who notice nothing."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from anysgi.migration import RouteTable
from tests.cli._run import PATIENCE, ROOT, Served, free_port, running, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.server, pytest.mark.timeout(5 * PATIENCE)]

BLOG = ROOT / "examples/flaskr-to-fastapi"
ADMIN = ROOT / "examples/django-admin-beside-fastapi"
STEPS = sorted((BLOG / "steps").glob("*.toml"))
SIDES = {
    "1-all-flask": {"read": "flask", "write": "flask", "login": "flask"},
    "2-reading": {"read": "fastapi", "write": "flask", "login": "flask"},
    "3-writing": {"read": "fastapi", "write": "fastapi", "login": "flask"},
    "4-all-fastapi": {"read": "fastapi", "write": "fastapi", "login": "fastapi"},
}
"""Who answers what; the front page of step 2 is split by address, and here everybody has the same."""

on_both = pytest.mark.parametrize("server", ["uvicorn", "gunicorn"])


@contextmanager
def served(server: str, folder: Path) -> Iterator[Served]:
    port = free_port()
    words = {
        "uvicorn": ["uvicorn", "front:asgi_app", "--port", str(port)],
        "gunicorn": ["gunicorn", "front:application", "--threads", "8", "--bind", f"127.0.0.1:{port}"],
    }[server]
    with running("-m", *words, cwd=folder, port=port) as process:
        yield process


def browser(process: Served) -> httpx.Client:
    return httpx.Client(base_url=f"http://127.0.0.1:{process.port}", follow_redirects=True, timeout=PATIENCE)


def by(answer: httpx.Response) -> str:
    return str(answer.headers["x-answered-by"])


def blogs(author: httpx.Client, stranger: httpx.Client, name: str, sides: dict[str, str]) -> None:
    """A person registers, writes, edits and deletes; another one may only read."""
    person = {"name": name, "password": "secret"}
    assert by(author.post("/register", data=person)) == sides["login"]
    assert "This name is taken." in author.post("/register", data=person).text
    refused = author.post("/login", data=person | {"password": "guess"})
    assert "Name and password do not fit." in refused.text
    assert "do not fit" not in author.get("/login").text  # said once
    assert name in author.post("/login", data=person).text
    assert author.get("/write").status_code == 200

    author.post("/write", data={"title": f"<b>{name}</b>", "body": "first"})
    page = author.get("/").text
    assert f"&lt;b&gt;{name}&lt;/b&gt;" in page
    post = re.findall(r'href="(/posts/\d+)"', page)[0]
    assert (by(stranger.get(post)), stranger.head(post).status_code) == (sides["read"], 200)
    assert stranger.get(f"{post}/edit").status_code == 401
    assert stranger.get("/write").url.path == "/login"
    edited = author.post(f"{post}/edit", data={"title": "edited", "body": "second"})
    assert (edited.url.path, "second" in edited.text) == (post, True)
    answer = author.get(f"{post}/edit")
    assert (answer.status_code, by(answer)) == (200, sides["write"])

    assert author.post("/logout").url.path == "/"
    stranger.post("/login", data={"name": "eve", "password": "secret"})
    assert [stranger.get(f"{where}/edit").status_code for where in (post, "/posts/999")] == [403, 404]
    assert stranger.get("/posts/999").status_code == stranger.get("/posts/x").status_code == 404
    stranger.post("/logout")
    author.post("/login", data=person)
    author.post(f"{post}/delete")
    assert author.get(post).status_code == 404


def holds(client: httpx.Client, sides: dict[str, str]) -> bool:
    """Whether the router has taken up a step's table."""
    paths = {"read": "/posts/1", "write": "/write", "login": "/login"}
    return {what: by(client.get(path, follow_redirects=False)) for what, path in paths.items()} == sides


@pytest.mark.slow
@on_both
def test_the_blog_moves_in_steps_and_nobody_notices(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = tmp_path / "routes.toml"
    shutil.copy(STEPS[0], table)
    monkeypatch.setenv("BLOG_TABLE", str(table))
    monkeypatch.setenv("BLOG_DB", str(tmp_path / "blog.sqlite3"))
    with served(server, BLOG) as process, browser(process) as author, browser(process) as stranger:
        eve = {"name": "eve", "password": "secret"}
        for where, form in (("/register", eve), ("/login", eve), ("/write", {"title": "hers", "body": "stays"})):
            stranger.post(where, data=form)
        stranger.post("/logout")
        for step in STEPS:
            shutil.copy(step, table)
            sides = SIDES[step.stem]
            wait_until(partial(holds, stranger, sides))
            blogs(author, stranger, f"person-{step.stem}", sides)
        (tmp_path / "routes.switches.json").write_text('{"kill": true}')
        wait_until(lambda: by(author.get("/")) == "flask")
        assert "person-4-all-fastapi" in author.get("/").text  # still logged in
        assert author.get("/_migration").status_code == 200


def test_every_step_has_a_sound_table_and_moves_on() -> None:
    shares = []
    for step in STEPS:
        table = RouteTable.load(step)
        shares.append(sum(route.share for route in table.routes) + 1000 * (table.default == "new"))
    assert [step.stem for step in STEPS] == list(SIDES)
    assert shares == sorted(set(shares))


@pytest.mark.slow
def test_the_demo_plays_and_each_step_differs_from_the_blog_as_it_was_exactly_as_declared() -> None:
    played = subprocess.run(
        [sys.executable, "play.py"], cwd=BLOG, capture_output=True, text=True, timeout=4 * PATIENCE, check=False
    )
    assert played.returncode == 0, played.stdout + played.stderr
    assert played.stdout.count("FastAPI  200") > 4
    _, proof = played.stdout.split("And the proof")
    found = re.findall(r"(\S+) +(\d+) differences, +(\d+) declared +(\S+)", proof)
    assert [(step, int(differences)) for step, differences, _, _ in found] == [
        ("1-all-flask", 0),
        ("2-reading", 0),
        ("3-writing", 6),
        ("4-all-fastapi", 6),
    ]
    assert not re.search("not declared|gone", proof)
    for step, _, _, report in found:
        page = Path(report).read_text(encoding="utf-8")
        assert "front:application" in page, step


@pytest.mark.slow
@on_both
def test_django_keeps_its_admin_beside_fastapi(server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_DB", str(tmp_path / "shop.sqlite3"))
    with served(server, ADMIN) as process, browser(process) as person:
        assert person.get("/api/me").json() == {"name": None, "by": "fastapi"}
        assert person.get("/api/items").status_code == 401
        form = person.get("/admin/").text
        token = re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', form)[0]
        login = {"username": "ada", "password": "secret", "csrfmiddlewaretoken": token, "next": "/admin/"}
        assert "Site administration" in person.post("/admin/login/", data=login).text
        assert person.get("/api/me").json() == {"name": "ada", "by": "fastapi"}
        assert person.get("/api/items").json() == [{"name": "Teapot", "price": 20}]
        assert "Teapot" in person.get("/admin/auth/item/").text
        assert person.get("/static/admin/css/base.css").status_code == 200
        token = person.cookies["csrftoken"]
        person.post("/admin/logout/", data={"csrfmiddlewaretoken": token})
        assert person.get("/api/me").json() == {"name": None, "by": "fastapi"}
        assert "CSRF" in person.post("/api/me").text  # no route takes POST: it is Django that refuses

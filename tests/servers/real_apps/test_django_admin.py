"""Django's admin: somebody logs in, adds a group, renames it, deletes it and leaves."""

from __future__ import annotations

import re

import httpx
import pytest

APP, CONVENTION, READY = "django_admin", "wsgi", "/admin/login/"
pytestmark = [pytest.mark.slow, pytest.mark.server]


def submit(client: httpx.Client, target: str, **fields: str) -> httpx.Response:
    """Open the page with the form, fill it in, send it, and follow where that leads."""
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', client.get(target).text)
    assert token, f"no form at {target}"
    return client.post(target, data={"csrfmiddlewaretoken": token[1], **fields}, follow_redirects=True)


def test_a_group_is_added_renamed_and_deleted(client: httpx.Client) -> None:
    assert client.get("/admin/").headers["Location"] == "/admin/login/?next=/admin/"
    assert (
        "Please enter the correct" in submit(client, "/admin/login/?next=/admin/", username="boss", password="x").text
    )
    home = submit(client, "/admin/login/?next=/admin/", username="boss", password="secret")
    assert "Site administration" in home.text

    added = submit(client, "/admin/auth/group/add/", name="Größe & Gewicht", _continue="yes")
    assert "was added successfully" in added.text
    change = added.url.path
    assert re.fullmatch(r"/admin/auth/group/\d+/change/", change)
    assert "Größe &amp; Gewicht" in client.get("/admin/auth/group/").text
    assert "was changed successfully" in submit(client, change, name="Renamed").text
    assert "already exists" in submit(client, "/admin/auth/group/add/", name="Renamed").text

    deleted = submit(client, change.replace("change", "delete"), post="yes")
    assert "was deleted successfully" in deleted.text
    assert "0 groups" in client.get("/admin/auth/group/").text
    submit(client, "/admin/", next="/")  # the form in the page's head: log out
    assert client.post("/admin/logout/").status_code == 403, "without its token the form is refused"


def test_a_forged_form_is_refused(client: httpx.Client) -> None:
    assert client.post("/admin/login/", data={"username": "boss", "password": "secret"}).status_code == 403

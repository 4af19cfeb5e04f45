"""Datasette: somebody looks at a table, asks a question of theirs in SQL, and takes all of it home."""

from __future__ import annotations

import csv
import io

import httpx
import pytest

APP, CONVENTION, READY = "datasette", "asgi", "/-/versions.json"
pytestmark = [pytest.mark.slow, pytest.mark.server]


def test_a_table_is_paged_through_and_taken_home(client: httpx.Client) -> None:
    assert "plants" in client.get("/").text
    page = client.get("/plants/plants.json", params={"_shape": "array", "_size": "3", "name__startswith": "Blüte 99"})
    assert [row["name"] for row in page.json()] == ["Blüte 99", "Blüte 990", "Blüte 991"]
    seen, link = 0, "/plants/plants.json?_shape=objects&_size=100"
    while link:
        page = client.get(link)
        seen += len(page.json()["rows"])
        link = page.json()["next_url"]
    assert seen == 1000
    with client.stream("GET", "/plants/plants.csv?_stream=on&_size=max") as stream:
        rows = list(csv.DictReader(io.StringIO(stream.read().decode())))
    assert (len(rows), rows[-1]) == (1000, {"id": "999", "name": "Blüte 999"})


def test_a_question_is_answered_and_a_wrong_one_refused(client: httpx.Client) -> None:
    question = {"sql": "select count(*) as n from plants where id < :most", "most": "10", "_shape": "array"}
    assert client.get("/plants.json", params=question, follow_redirects=True).json() == [{"n": 10}]
    wrong = client.get("/plants.json", params={"sql": "select petals from plants"}, follow_redirects=True)
    assert wrong.status_code == 400
    assert "no such column" in wrong.text


def test_static_files_and_headers(client: httpx.Client) -> None:
    style = client.get("/-/static/app.css")
    assert style.headers["Content-Type"].startswith("text/css")
    assert style.status_code == 200
    assert client.head("/plants/plants.json").content == b""
    assert client.get("/no-such-database").status_code == 404

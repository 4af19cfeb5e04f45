"""The examples run as their docstrings say, and the demo serves Flask and FastAPI side by side on one port."""

from __future__ import annotations

import http.client
import json
import re
import time
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from tests.cli._run import PATIENCE, ROOT, Served, free_port, request, running, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.server, pytest.mark.timeout(2 * PATIENCE)]


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("flask_on_uvicorn", "Hello from Flask, on an ASGI server\n"),
        ("fastapi_on_gunicorn", '"Hello from FastAPI, on a WSGI server"'),
        ("flask_lifespan", "Hello from a Flask app with a lifespan\n"),
    ],
)
def test_an_example_runs_as_its_docstring_says(name: str, answer: str) -> None:
    found = re.match(r'""".+ Run it: (\w+) (.+)"""', (ROOT / f"examples/{name}.py").read_text())
    assert found is not None
    port = free_port()
    listen = ["--bind", f"127.0.0.1:{port}"] if found[1] == "gunicorn" else ["--port", str(port)]
    with running("-m", found[1], *found[2].split(), *listen, cwd=ROOT, port=port) as served:
        assert served.get() == (200, answer)


@pytest.fixture(scope="module")
def demo() -> Iterator[Served]:
    with serving("examples.demo:app", cwd=ROOT) as served:
        yield served


def test_the_demo_announces_where_it_is(demo: Served) -> None:
    assert demo.log().startswith(f"Starlette app 'examples.demo' (ASGI) -> uvicorn  http://127.0.0.1:{demo.port}")


def test_the_page_asks_both_apps_and_nobody_else(demo: Served) -> None:
    status, page = demo.get()
    assert status == 200
    assert 'id="flask"' in page
    assert 'id="fastapi"' in page
    assert "://" not in page, "the page needs nothing from outside"


@pytest.mark.parametrize(("shop", "first"), [("flask", "Teapot"), ("fastapi", "Moka pot")])
def test_both_shops_list_products_under_their_own_prefix(demo: Served, shop: str, first: str) -> None:
    products = json.loads(demo.get(f"/{shop}/products")[1])
    assert (products[0]["name"], products[0]["url"]) == (first, f"/{shop}/products/1")
    assert json.loads(demo.get(products[0]["url"])[1])["name"] == first
    assert demo.get(f"/{shop}/products/9")[0] == 404


@pytest.mark.parametrize(("shop", "total"), [("flask", 54), ("fastapi", 68)])
def test_both_shops_take_orders(demo: Served, shop: str, total: int) -> None:
    with closing(http.client.HTTPConnection("127.0.0.1", demo.port, timeout=PATIENCE)) as client:
        client.request("POST", f"/{shop}/orders", b'{"1": 2, "3": 1}', {"content-type": "application/json"})
        answer = client.getresponse()
        assert (answer.status, json.loads(answer.read())) == (201, {"total": total})


@pytest.mark.parametrize("shop", ["flask", "fastapi"])
def test_both_shops_stream_piece_by_piece(demo: Served, shop: str) -> None:
    with closing(http.client.HTTPConnection("127.0.0.1", demo.port, timeout=PATIENCE)) as client:
        client.request("GET", f"/{shop}/brew")
        answer = client.getresponse()
        arrivals = [time.monotonic() for _ in iter(answer.readline, b"")]
    assert len(arrivals) == 6
    # The app sleeps 0.35 s between steps: had anything collected them, they would arrive together.
    assert arrivals[-1] - arrivals[0] > 1


def test_a_missing_page_is_a_404(demo: Served) -> None:
    assert request(demo.port, "GET", "/nothing")[0] == 404

"""Falcon's own examples come in pairs, one for WSGI and one for ASGI: what differs is listed here with the reason.

They are in its source distribution, which `python -m tests.suites` fetches.
"""

from __future__ import annotations

import importlib.util
import io
import json
import uuid
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from itertools import count
from threading import Thread
from typing import TYPE_CHECKING, Any

import falcon
import falcon.asgi
import pytest

from ..suites import _sdist
from ._either_side import JSON, ask, differences

if TYPE_CHECKING:
    from pathlib import Path

    from anysgi.migration._compare._exchanges import Recorded

pytestmark = [pytest.mark.slow, pytest.mark.parametrize("server", ["wsgi", "asgi"])]

TOKEN = ("authorization", "Fernet x")
ID = uuid.UUID(int=1)
LISTED = {
    "asgilook's cache marks every answer": {
        *("GET /images: x-asgilook-cache", "HEAD /images: x-asgilook-cache", "OPTIONS /images: x-asgilook-cache"),
        *("GET /images?maxsize=x: x-asgilook-cache", "GET /nowhere: x-asgilook-cache"),
        *(f"GET /images/{ID}.jpg: x-asgilook-cache", f"GET /images/{ID}.jpeg: x-asgilook-cache"),
        *("GET /images/none.jpeg: x-asgilook-cache", f"GET /thumbnails/{ID}/100x75.jpeg: x-asgilook-cache"),
    },
    "asgilook's cache looks at the path alone: a GET's answer is given to HEAD, to OPTIONS, and to any query": {
        *("HEAD /images: status", "HEAD /images: allow", "HEAD /images: vary"),
        *("OPTIONS /images: allow", "OPTIONS /images: byte 0"),
        *("GET /images?maxsize=x: status", "GET /images?maxsize=x: vary"),
    },
    "asgilook tells more of an image": {"GET /images: $", "POST /images: byte 0"},
    "look names a file by its media type, asgilook makes everything a .jpeg": {
        "POST /images: location",
        *(f"GET /images/{ID}.jpg: {place}" for place in ("status", "content-type", "vary")),
        *(f"GET /images/{ID}.jpeg: {place}" for place in ("status", "content-type", "vary")),
    },
    "look fails where there is no file, asgilook says so": {"GET /images/none.jpeg: status"},
    "look has no thumbnails": {
        f"GET /thumbnails/{ID}/100x75.jpeg: {place}" for place in ("status", "content-type", "vary")
    },
}


@pytest.fixture
def examples(monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = _sdist.folder("falcon") / "examples"
    assert folder.is_dir(), "Falcon's examples are not here: python -m tests.suites"
    for inside in ("", "look", "asgilook"):
        monkeypatch.syspath_prepend(str(folder / inside))
    return folder


def loaded(file: Path) -> Any:
    spec = importlib.util.spec_from_file_location(file.stem, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def pair(examples: Path, name: str) -> Callable[[str], tuple[Any, Any]]:
    """The apps of `things.py` and `things_asgi.py`."""
    return lambda _: (loaded(examples / f"{name}.py").app, loaded(examples / f"{name}_asgi.py").app)


def test_things_answer_alike(server: str, examples: Path) -> None:
    requests = [ask(method, "/things") for method in ("GET", "HEAD", "OPTIONS", "POST", "DELETE")]
    requests += [ask("GET", "/things?a=1"), ask("GET", "/things/"), ask("GET", "/nowhere")]
    assert differences(server, pair(examples, "things"), requests) == []


def test_advanced_things_answer_alike(
    server: str, examples: Path, engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uuid, "uuid4", lambda: ID)  # what they answer with, at random
    things = "/1337/things"
    requests = [
        ask("GET", things),
        ask("GET", things, TOKEN),
        *(ask("GET", f"{things}?{query}", TOKEN) for query in ("limit=2&marker=a", "marker=%C3%BC")),
        ask("GET", f"{things}?limit=x", TOKEN),
        ask("GET", things, TOKEN, ("accept", "text/html")),
        *(ask(method, things, TOKEN) for method in ("HEAD", "OPTIONS", "DELETE")),
        *(ask("POST", things, TOKEN, JSON, body=body) for body in ("{}", '{"color": "Ünï"}')),
        ask("POST", things, TOKEN, JSON, body="{"),
        ask("POST", things, TOKEN, JSON),
        ask("POST", things, TOKEN, JSON, body=json.dumps({"long": "x" * 65_536})),
        ask("POST", things, TOKEN, ("content-type", "text/csv"), body="a,b"),
        ask("PUT", things, TOKEN, JSON, body="{}"),
        *(ask("GET", path, TOKEN) for path in ("/search/ddg", "/search/none?q=a", "/nowhere")),
        ask("GET", "/search/ddg?q=%C3%BC%20b", TOKEN),
    ]

    def sides(_: str) -> tuple[Any, Any]:
        modules = [loaded(examples / f"things_advanced{dialect}.py") for dialect in ("", "_asgi")]
        for module in modules:
            module.SinkAdapter.engines = {"ddg": engine}
        return modules[0].app, modules[1].app

    assert differences(server, sides, requests) == []


@pytest.fixture
def engine() -> Iterator[str]:
    """The URL of a server that says what it was asked for."""

    class Engine(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(203)
            self.send_header("Content-Type", "text/plain; charset=utf-8")
            self.end_headers()
            self.wfile.write(self.path.encode())

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Engine) as there:
        thread = Thread(target=there.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{there.server_port}/"
        there.shutdown()
        thread.join()


@pytest.mark.parametrize("recipe", ["output_csv_stream", "output_csv_text"])
def test_reports_are_alike(server: str, recipe: str, examples: Path) -> None:
    def sides(_: str) -> tuple[Any, Any]:
        apps = falcon.App(), falcon.asgi.App()
        for app, dialect in zip(apps, ("wsgi", "asgi"), strict=True):
            app.add_route("/report", loaded(examples / "recipes" / f"{recipe}_{dialect}.py").Report())
        return apps

    assert differences(server, sides, [ask(method, "/report") for method in ("GET", "OPTIONS")]) == []


def test_both_see_the_path_as_it_was_sent(server: str, examples: Path) -> None:
    sent = ("/cache/a", "/cache/http%3A%2F%2Ffalcon%2Ftest", "/cache/a%2Fb/status", "/cache/%C3%BC?q=%2F", "/cache/a/b")
    recipe = examples / "recipes"

    def sides(_: str) -> tuple[Any, Any]:
        return loaded(recipe / "raw_url_path_wsgi.py").app, loaded(recipe / "raw_url_path_asgi.py").app

    assert differences(server, sides, [ask("GET", path) for path in sent]) == []


def test_look_and_asgilook_differ_in_what_is_listed(server: str, examples: Path, tmp_path: Path) -> None:
    image, jpeg = jpeg_of(200, 150), ("content-type", "image/jpeg")
    requests: list[Recorded] = [
        *(ask(method, "/images") for method in ("GET", "HEAD", "OPTIONS", "DELETE")),
        ask("POST", "/images", jpeg, body=image),
        ask("GET", "/images"),
        ask("GET", "/images?maxsize=x"),
        *(ask("GET", f"/images/{name}") for name in (f"{ID}.jpg", f"{ID}.jpeg", "none.jpeg")),
        ask("GET", f"/thumbnails/{ID}/100x75.jpeg"),
        ask("DELETE", f"/images/{ID}.jpeg"),
        ask("GET", "/nowhere"),
    ]
    found = differences(server, lambda side: look_and_asgilook(tmp_path / side), requests)
    told = {f"{request}: {finding.place}" for request, finding in found}
    listed = set.union(*LISTED.values())
    assert sorted(told ^ listed) == []


def jpeg_of(width: int, height: int) -> bytes:
    import PIL.Image

    file = io.BytesIO()
    PIL.Image.new("RGB", (width, height), "red").save(file, "JPEG")
    return file.getvalue()


def look_and_asgilook(folder: Path) -> tuple[Any, Any]:
    """Both with a folder of their own, and with the same names for the same images."""
    import asgilook.app  # type: ignore[import-not-found]  # all four are unpacked by the suites
    import asgilook.config  # type: ignore[import-not-found]
    import fakeredis
    import look.app  # type: ignore[import-not-found]
    import look.images  # type: ignore[import-not-found]

    def names() -> Callable[[], uuid.UUID]:
        numbers = count(1)
        return lambda: uuid.UUID(int=next(numbers))

    for name in ("look", "asgilook"):
        (folder / name).mkdir(parents=True)
    store = look.images.ImageStore(str(folder / "look"), uuidgen=names())
    config = asgilook.config.Config()
    config.storage_path, config.uuid_generator = folder / "asgilook", names()
    config.redis_from_url = lambda _: fakeredis.FakeAsyncRedis()
    return look.app.create_app(store), asgilook.app.create_app(config)

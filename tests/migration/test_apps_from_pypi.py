"""Applications and frameworks nobody here wrote, behind the router: whichever side answers, nobody can tell.

Each runs with data of its own on either side, so that every method is sent.  What differs with the moment it was asked
is named, and nothing else may differ.  httpbin is in `test_httpbin.py`, Falcon's examples are in
`test_falcons_examples.py`.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import subprocess
import sys
import warnings
from base64 import b64encode
from typing import TYPE_CHECKING, Any

import pytest

from anysgi import WsgiToAsgi

from ..cli._run import PATIENCE, ROOT
from ._either_side import JSON, ask, differences
from .apps import falcon_pair

if TYPE_CHECKING:
    from pathlib import Path

on_both = pytest.mark.parametrize("server", ["wsgi", "asgi"])


@on_both
def test_falcons_two_dialects_answer_alike(server: str) -> None:
    note = json.dumps({"text": "new", "tags": [1]})
    requests = [
        *(ask(method, path) for path in ("/notes", "/notes/1", "/lines") for method in ("GET", "HEAD", "OPTIONS")),
        *(ask("GET", path) for path in ("/notes?limit=1", "/notes?limit=0", "/notes?limit=x", "/notes/2", "/old")),
        *(ask("GET", path) for path in ("/notes/9", "/notes/x", "/nowhere", "/lost/a%20b", "/private/notes")),
        ask("GET", "/private/notes", ("authorization", "Token x")),
        ask("GET", "/notes", ("accept", "text/xml")),
        ask("POST", "/notes", JSON, body=note),
        ask("POST", "/notes", JSON, body="{"),
        ask("POST", "/notes", ("content-type", "text/csv"), body=note),
        ask("DELETE", "/notes/1"),
        ask("PUT", "/notes/1", JSON, body=note),
    ]
    sides = lambda _: (falcon_pair.make_wsgi(), falcon_pair.make_asgi())  # noqa: E731
    assert differences(server, sides, requests) == []


def kinto_app(_side: str) -> tuple[Any, Any]:
    import kinto

    backends = {f"{kind}_backend": f"kinto.core.{kind}.memory" for kind in ("storage", "permission", "cache")}
    anybody = {"multiauth.policies": "basicauth", "bucket_create_principals": "system.Everyone"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # "HTTPS is not enabled"
        app = kinto.main({}, userid_hmac_secret="x", **backends, **anybody)
    return app, WsgiToAsgi(app)


@pytest.mark.slow
@on_both
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_kinto_answers_alike_on_either_side(server: str) -> None:
    auth = ("authorization", f"Basic {b64encode(b'ada:secret').decode()}")
    record, many = "/v1/buckets/b/collections/c/records", range(3)
    data = [json.dumps({"data": {"id": f"r{n}", "n": n, "text": "Ünï"}}) for n in many]
    requests = [
        ask("GET", "/v1/", auth),
        ask("GET", "/v1"),
        ask("PUT", "/v1/buckets/b", auth, JSON),
        ask("PUT", "/v1/buckets/b/collections/c", auth, JSON),
        *(ask("PUT", f"{record}/r{n}", auth, JSON, body=data[n]) for n in many),
        ask("GET", f"{record}?_sort=-n&_limit=2", auth),
        ask("GET", f"{record}?n=1&_fields=text", auth),
        ask("HEAD", record, auth),
        ask("GET", f"{record}/r1", auth),
        ask("GET", f"{record}/r1", auth, ("if-none-match", '"1"')),
        ask("PATCH", f"{record}/r1", auth, JSON, body='{"data": {"n": 8}}'),
        ask("PUT", f"{record}/r1", auth, JSON, ("if-none-match", "*"), body=data[1]),
        ask("PUT", f"{record}/r1", auth, JSON, body="{"),
        ask("POST", "/v1/batch", auth, JSON, body=json.dumps({"requests": [{"path": f"{record}/r2"}]})),
        ask("OPTIONS", record, ("origin", "http://x"), ("access-control-request-method", "GET")),
        ask("DELETE", f"{record}/r2", auth),
        ask("GET", f"{record}/r2", auth),
        ask("GET", record),
        ask("GET", "/v1/nowhere", auth),
    ]
    moments = ["etag", "last-modified", "expires", "$.data.last_modified", "$.data[*].last_modified", "$.last_modified"]
    nested = [
        f"$.responses[*].{part}" for part in ("body.data.last_modified", "headers.ETag", "headers['Last-Modified']")
    ]
    assert differences(server, kinto_app, requests, *moments, *nested, "$.details.existing.last_modified") == []


@pytest.mark.slow
@on_both
def test_wsgidav_answers_alike_on_either_side(server: str, tmp_path: Path) -> None:
    from wsgidav.wsgidav_app import WsgiDAVApp

    seed = tmp_path / "seed"
    (seed / "folder").mkdir(parents=True)
    (seed / "a.txt").write_text("hello " * 1000)
    (seed / "folder" / "Ünï b.txt").write_text("b")
    for path in (seed / "a.txt", seed / "folder" / "Ünï b.txt", seed / "folder", seed):
        os.utime(path, (1_700_000_000, 1_700_000_000))

    def share(side: str) -> tuple[Any, Any]:
        shutil.copytree(seed, tmp_path / side / "share")
        quiet = {"simple_dc": {"user_mapping": {"*": True}}, "verbose": 0, "logging": {"enable": False}}
        app = WsgiDAVApp({"provider_mapping": {"/": str(tmp_path / side / "share")}, **quiet})
        return app, WsgiToAsgi(app)

    there = "http://localhost"
    props = "<displayname/><getcontentlength/><getcontenttype/><resourcetype/>"  # the free space changes all the time
    lasting = f'<?xml version="1.0"?><propfind xmlns="DAV:"><prop>{props}</prop></propfind>'
    requests = [
        *(ask("OPTIONS", path) for path in ("/", "/a.txt", "/nowhere")),
        *(ask("PROPFIND", "/", ("depth", depth), body=lasting) for depth in ("0", "1", "infinity")),
        ask("PROPFIND", "/folder/", ("depth", "1"), body=lasting),
        ask("GET", "/a.txt"),
        ask("HEAD", "/a.txt"),
        ask("GET", "/a.txt", ("range", "bytes=3-9")),
        ask("GET", "/a.txt", ("range", "bytes=99999-")),
        ask("GET", "/a.txt", ("if-modified-since", "Fri, 01 Jan 2100 00:00:00 GMT")),
        ask("GET", "/folder/%C3%9Cn%C3%AF%20b.txt"),
        ask("PUT", "/new.txt", ("content-type", "text/plain"), body="new " * 5000),
        ask("GET", "/new.txt"),
        ask("PUT", "/nowhere/new.txt", body="x"),
        ask("MKCOL", "/more"),
        ask("MKCOL", "/more"),
        ask("COPY", "/a.txt", ("destination", f"{there}/more/copy.txt")),
        ask("MOVE", "/new.txt", ("destination", f"{there}/more/moved.txt")),
        ask("GET", "/more/moved.txt"),
        ask("DELETE", "/more"),
        ask("GET", "/more/moved.txt"),
        ask("UNLOCK", "/a.txt"),
    ]
    logging.getLogger("wsgidav").setLevel(logging.CRITICAL)
    times = ("etag", "last-modified", "part 21")  # the last is the foot of its pages, which has the time
    found = differences(server, share, requests, *times)
    assert not found, "\n".join(map(str, found))


@pytest.mark.slow
@on_both
def test_djangos_admin_answers_alike_as_a_wsgi_and_as_an_asgi_app(server: str, tmp_path: Path) -> None:
    apps, traffic = ROOT / "tests/migration/apps", tmp_path / "traffic.jsonl"
    environ = os.environ | {"DATABASE": str(tmp_path / "db.sqlite3"), "TRAFFIC": str(traffic), "CONN_MAX_AGE": "0"}

    def python(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, *words]
        return subprocess.run(
            command, cwd=apps, env=environ, capture_output=True, text=True, timeout=PATIENCE, check=False
        )

    made = python("-c", "import django_pair")
    assert made.returncode == 0, made.stderr
    sides = f"django_pair:as_it_was.{server}", f"django_pair:moved.{server}"
    done = python("-m", "anysgi", "compare", *sides, "--requests", str(traffic), "--json")
    found = json.loads(done.stdout)
    examples = [example for route in found["routes"].values() for example in route["examples"]]
    assert (found["different"], found["same"]) == (0, len(traffic.read_text().splitlines())), examples
    assert {"GET /admin/auth/user/", "GET /admin/auth/user/{}/change/"} <= set(found["routes"])

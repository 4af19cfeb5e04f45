"""Proves each step: the same requests to the blog as it was and to the blog at that step, and a report of the answers.

python parity.py [FOLDER]    one HTML page a step, into FOLDER, or `reports` here

The blog as it was runs as a server, with data of its own; the step is run by `anysgi compare`, on a copy of the same
data.  What differs is held against `steps/STEP.differences`, which says what is meant to.  Exit code: 1 if they differ.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import blog_flask
from play import Visitor, free_port, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent
STEPS = sorted((HERE / "steps").glob("*.toml"))
PAGES = (
    "/",
    "/posts/1",
    "/posts/2",
    "/posts/999",
    "/posts/x",
    "/posts/1/",
    "/posts/1/edit",
    "/write",
    "/login",
    "/none",
)


def log_in(name: str) -> str:
    """Register somebody, who writes a post; returns the session's cookie."""
    client, person = blog_flask.app.test_client(), {"name": name, "password": "secret"}
    client.post("/register", data=person)
    client.post("/login", data=person)
    client.post("/write", data={"title": f"By {name}", "body": "Some <b>text</b>."})
    cookie = client.get_cookie("session")
    assert cookie is not None
    return f"session={cookie.value}"


def traffic() -> Iterator[dict[str, Any]]:
    """What a stranger asks, and eve, who wrote post 2, and ada, who wrote post 1 and deletes it in the end."""
    ada, eve = log_in("ada"), log_in("eve")
    for path in PAGES:
        yield from (request(method, path) for method in ("GET", "HEAD", "OPTIONS"))
        yield from (request("GET", path, cookie) for cookie in (ada, eve))
    yield request("POST", "/register", name="ada", password="taken")
    yield request("POST", "/login", name="ada", password="a guess")
    yield request("POST", "/login", name="ada", password="secret")
    for cookie in ("", eve, ada):
        for key in (1, 999):
            yield request("POST", f"/posts/{key}/edit", cookie, title="Edited", body="Twice.")
            yield request("GET", f"/posts/{key}", cookie)
        yield request("POST", "/write", cookie, title="Another", body="One.")
        yield request("POST", "/posts/1/delete", cookie)
        yield request("GET", "/posts/1", cookie)
        yield request("POST", "/logout", cookie)


def request(method: str, path: str, cookie: str = "", **form: str) -> dict[str, Any]:
    """One line of a recording."""
    headers = [("host", "blog.example"), ("cookie", cookie), ("content-type", "application/x-www-form-urlencoded")]
    kept = [header for header, wanted in zip(headers, (True, cookie, form), strict=True) if wanted]
    return {"request": {"method": method, "target": path, "headers": kept, "body": urlencode(form)}}


@contextmanager
def the_blog_as_it_was(database: Path) -> Iterator[str]:
    """Serve it; yields its URL."""
    port = free_port()
    words = [sys.executable, "-m", "flask", "--app", "blog_flask", "run", "--port", str(port)]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    server = subprocess.Popen(words, cwd=HERE, env=os.environ | {"BLOG_DB": str(database)}, **quiet)
    try:
        wait_for(Visitor(port), server)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(10)


def compare(url: str, step: Path, requests: Path, database: Path, report: Path) -> set[str]:
    """Compare one step; returns how it differs, a line a place."""
    words = ["compare", url, "front:application", "--requests", str(requests), "--report", str(report)]
    words += ["--isolated", "--ignore", "x-answered-by", "--json"]
    environ = {"BLOG_TABLE": str(step), "BLOG_DB": str(database), "ANYSGI_PERCENT": "index=100"}
    command = [sys.executable, "-m", "anysgi", *words]
    done = subprocess.run(command, cwd=HERE, env=os.environ | environ, capture_output=True, text=True, check=False)
    if not done.stdout:
        sys.exit(done.stderr)
    routes = json.loads(done.stdout)["routes"]
    return {
        f"{name}: {finding['kind']} {finding['place']}"
        for name, route in routes.items()
        for example in route["examples"]
        for finding in example["findings"]
        if not finding["informative"]
    }


def declared(step: Path) -> set[str]:
    """What is meant to differ."""
    file = step.with_suffix(".differences")
    lines = file.read_text().splitlines() if file.exists() else []
    return {line for line in lines if line and not line.startswith("#")}


def prove(reports: Path) -> bool:
    """Write every step's report; returns whether each differs as declared."""
    reports.mkdir(parents=True, exist_ok=True)
    fine = True
    with tempfile.TemporaryDirectory() as folder:
        seed, old, new = (Path(folder, name) for name in ("seed.sqlite3", "old.sqlite3", "new.sqlite3"))
        requests = Path(folder, "traffic.jsonl")
        os.environ["BLOG_DB"] = str(seed)
        requests.write_text("".join(json.dumps(line) + "\n" for line in traffic()))
        with the_blog_as_it_was(old) as url:
            for step in STEPS:
                shutil.copy(seed, old)
                shutil.copy(seed, new)
                report = reports / f"{step.stem}.html"
                found, meant = compare(url, step, requests, new, report), declared(step)
                print(f"   {step.stem:14} {len(found):2} differences, {len(meant):2} declared   {report}")
                for line in sorted(found ^ meant):
                    print(f"      {'not declared' if line in found else 'gone'}: {line}")
                fine &= found == meant
    return fine


if __name__ == "__main__":
    sys.exit(not prove(Path(sys.argv[1] if len(sys.argv) > 1 else HERE / "reports").resolve()))

"""Plays the migration in a minute: `make demo`, or `python play.py [--stay]`.

One server runs throughout.  Between the steps only the route table changes, and somebody keeps blogging all the while.
Then `parity.py` proves each step.  With `--stay` the last step goes on being served, with its dashboard.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from http.cookiejar import CookieJar
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, build_opener

HERE = Path(__file__).parent
TOKEN = "for the example only"
SIDES = {"flask": "Flask  ", "fastapi": "FastAPI"}


class Visitor:
    """A browser of sorts: keeps cookies, follows redirects, and notes who answered."""

    def __init__(self, port: int) -> None:
        self.base = f"http://127.0.0.1:{port}"
        self.opener = build_opener(HTTPCookieProcessor(CookieJar()))

    def ask(self, path: str, **form: str) -> tuple[int, str, str]:
        """Status, side and text of the answer."""
        data = urlencode(form).encode() if form else None
        try:
            with self.opener.open(self.base + path, data, timeout=10) as answer:
                return answer.status, answer.headers["x-answered-by"], answer.read().decode()
        except HTTPError as error:
            with error:
                return error.code, error.headers["x-answered-by"], error.read().decode()

    def show(self, label: str, path: str, **form: str) -> str:
        """Ask, and print who answered."""
        status, side, text = self.ask(path, **form)
        print(f"   {SIDES.get(side, side)}  {status}  {label}")
        return text


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def wait_for(visitor: Visitor, server: subprocess.Popen[bytes]) -> None:
    for _ in range(200):
        if server.poll() is not None:
            sys.exit("the server did not start")
        try:
            visitor.ask("/")
        except OSError:
            time.sleep(0.1)
        else:
            return
    sys.exit("the server did not answer within 20 s")


def tell(text: str) -> None:
    print(f"\n\033[1m{text}\033[0m", flush=True)


def play(visitor: Visitor, table: Path) -> None:
    """All four steps, and a step back."""
    steps = sorted((HERE / "steps").glob("*.toml"))
    for number, step in enumerate(steps, 1):
        shutil.copy(step, table)
        time.sleep(0.5)  # the router looks every 0.2 s
        tell(step.read_text().partition("\n")[0].removeprefix("# "))
        if number == 1:
            visitor.ask("/register", name="ada", password="secret")
            visitor.show("log in", "/login", name="ada", password="secret")
        visitor.show("write a post, and see the front page", "/write", title=f"Step {number}", body="It works.")
        visitor.show("read it", f"/posts/{number}")
        text = visitor.show("edit it", f"/posts/{number}/edit", title=f"Step {number}, edited", body="It works.")
        assert f"Step {number}, edited" in text
    tell("Something is wrong?  The kill switch: everything goes to Flask, and ada is still logged in.")
    table.with_suffix(".switches.json").write_text('{"kill": true}')
    time.sleep(0.5)
    text = visitor.show("the front page", "/")
    assert "ada" in text
    table.with_suffix(".switches.json").unlink()


def main() -> None:
    """Start the server, play, stop it."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder, "routes.toml")
        shutil.copy(HERE / "steps/1-all-flask.toml", table)
        environ = os.environ | {"BLOG_TABLE": str(table), "BLOG_DB": str(Path(folder, "blog.sqlite3"))}
        words = [sys.executable, "-m", "uvicorn", "front:asgi_app", "--port", str(port), "--log-level", "error"]
        server = subprocess.Popen(words, cwd=HERE, env=environ | {"BLOG_TOKEN": TOKEN})
        try:
            visitor = Visitor(port)
            wait_for(visitor, server)
            play(visitor, table)
            tell("And the proof: each step against the blog as it was.")
            subprocess.run([sys.executable, "parity.py"], cwd=HERE, check=True)
            if "--stay" in sys.argv:
                tell(f"{visitor.base}/ and {visitor.base}/_migration (token: {TOKEN}).  Ctrl+C ends it.")
                server.wait()
        except KeyboardInterrupt:
            pass
        finally:
            server.terminate()
            server.wait(10)


if __name__ == "__main__":
    main()

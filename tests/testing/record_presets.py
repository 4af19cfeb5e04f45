"""Record what real servers hand to an app, into `anysgi/testing/_presets.json`.

    python -m tests.testing.record_presets            every server
    python -m tests.testing.record_presets uvicorn    one of them

Each server is started on a free port of 127.0.0.1 with the apps of `_recorded_app`, asked twice (a plain POST; an
upload that is broken off), and ended.
"""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
DATA = ROOT / "anysgi" / "testing" / "_presets.json"
APPS = "tests.testing._recorded_app"
WAITRESS = f"import sys, waitress; from {APPS} import wsgi; waitress.serve(wsgi, host='127.0.0.1', port={{port}})"
WSGIREF = f"from wsgiref.simple_server import make_server as m; from {APPS} import wsgi; "
WERKZEUG = f"from werkzeug.serving import run_simple as r; from {APPS} import wsgi; "

COMMANDS: dict[str, dict[str, list[str]]] = {
    "asgi": {
        "uvicorn": ["-m", "uvicorn", f"{APPS}:asgi", "--port", "{port}"],
        "hypercorn": ["-m", "hypercorn", f"asgi:{APPS}:asgi", "--bind", "127.0.0.1:{port}", "--workers", "0"],
        "gunicorn": ["-m", "gunicorn", f"{APPS}:asgi", "-k", "asgi", "-b", "127.0.0.1:{port}", "--no-control-socket"],
        "granian": ["-m", "granian", f"{APPS}:asgi", "--interface", "asgi", "--port", "{port}"],
        "daphne": ["-m", "daphne", f"{APPS}:asgi", "-p", "{port}"],
    },
    "wsgi": {
        "gunicorn": ["-m", "gunicorn", f"{APPS}:wsgi", "-b", "127.0.0.1:{port}", "--no-control-socket"],
        "waitress": ["-c", WAITRESS],
        "granian": ["-m", "granian", f"{APPS}:wsgi", "--interface", "wsgi", "--port", "{port}"],
        "hypercorn": ["-m", "hypercorn", f"wsgi:{APPS}:wsgi", "--bind", "127.0.0.1:{port}", "--workers", "0"],
        "wsgiref": ["-c", WSGIREF + "m('127.0.0.1', {port}, wsgi).serve_forever()"],
        "werkzeug": ["-c", WERKZEUG + "r('127.0.0.1', {port}, wsgi, threaded=True)"],
    },
}

# What does not change with the request, the machine or the process.
WSGI_TRAITS = {"SERVER_SOFTWARE", "GATEWAY_INTERFACE", "wsgi.version", "wsgi.multithread", "wsgi.multiprocess"}
WSGI_TRAITS |= {"wsgi.run_once", "wsgi.input_terminated"}


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def ask(port: int) -> None:
    """A plain request, as soon as the server answers."""
    until = time.monotonic() + 20
    while True:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        try:
            connection.request("POST", "/a%20b?x=1", b"hello", {"Content-Type": "text/plain", "X-Probe": "1"})
            connection.getresponse().read()
            return
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)
        finally:
            connection.close()


def leave(port: int) -> None:
    """An upload of ten bytes that ends after three."""
    with socket.create_connection(("127.0.0.1", port), 5) as client:
        client.sendall(b"POST /leave HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc")
        time.sleep(0.3)


def facts(command: list[str], journal: Path) -> dict[str, Any]:
    port = free_port()
    words = [sys.executable, *(word.replace("{port}", str(port)) for word in command)]
    environ = os.environ | {"RECORD": str(journal), "PYTHONPATH": str(ROOT)}
    server = subprocess.Popen(words, cwd=ROOT, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        ask(port)
        leave(port)
        until = time.monotonic() + 3
        while time.monotonic() < until and "upload" not in journal.read_text():
            time.sleep(0.05)
    finally:
        server.terminate()
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            server.kill()
    found: dict[str, Any] = {"upload": "buffered"}  # a server that reads it all first never called the app
    for line in journal.read_text().splitlines():
        found.update(json.loads(line))
    return found


def preset(convention: str, found: dict[str, Any]) -> dict[str, Any]:
    request = found.pop("scope" if convention == "asgi" else "environ")
    if convention == "asgi":
        fixed = {key: request[key] for key in ("asgi", "extensions", "state") if key in request}
    else:
        fixed = {key: request[key] for key in sorted(WSGI_TRAITS & set(request))}
    inherited = {*os.environ, "RECORD", "PYTHONPATH"}  # some servers mix the process's environment in
    keys = sorted(key for key in request if not key.startswith(("HTTP_", "CONTENT_")) and key not in inherited)
    return {"keys": keys, "fixed": fixed, **found}


def main(wanted: list[str]) -> None:
    known = json.loads(DATA.read_text()) if DATA.exists() else {}
    for convention, servers in COMMANDS.items():
        for name, command in servers.items():
            if wanted and name not in wanted:
                continue
            with tempfile.TemporaryDirectory() as folder:
                journal = Path(folder, "journal")
                journal.touch()
                found = facts(command, journal)
            entry = known.setdefault(name, {})
            entry["version"] = version(name) if name != "wsgiref" else sys.version.split()[0]
            entry[convention] = preset(convention, found)
            sys.stdout.write(f"{name} {convention}: {entry[convention]}\n")
    DATA.write_text(json.dumps(dict(sorted(known.items())), indent=1, sort_keys=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])

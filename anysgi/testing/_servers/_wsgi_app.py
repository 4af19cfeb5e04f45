"""The WSGI app that a server is given: each path does one thing, and the client knows what it comes to."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any

from ._probe_line import wsgi_line


def wsgi(environ: dict[str, Any], start_response: Any) -> Any:
    """An app with a probe for each rule."""
    return _PROBES.get(environ["PATH_INFO"], _says_ok)(environ, start_response)


def _says_ok(environ: Any, start_response: Any) -> Any:
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]


def _tells_its_headers(environ: Any, start_response: Any) -> Any:
    body = json.dumps({key: value for key, value in environ.items() if key.startswith("HTTP_")}).encode()
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]


def _changes_its_mind(environ: Any, start_response: Any) -> Iterator[bytes]:
    start_response("200 OK", [])
    yield b""
    try:
        raise LookupError("an app of anysgi changes its mind")
    except LookupError:
        try:
            start_response("404 Not Found", [("Content-Length", "5")], sys.exc_info())
        except LookupError:  # it is too late: the head is out
            return
    yield b"sorry"


def _writes(environ: Any, start_response: Any) -> Any:
    write = start_response("200 OK", [("Content-Length", "6")])
    write(b"one")
    return [b"two"]


def _waits_amid_the_body(environ: Any, start_response: Any) -> Iterator[bytes]:
    with wsgi_line(environ) as line:
        start_response("200 OK", [("Content-Length", "6")])
        yield b"one"
        line.sendall(b"!")
        line.recv(1)
        yield b"two"


def _has_nothing_to_say(environ: Any, start_response: Any) -> Any:
    start_response("200 OK", [("X-Probe", "1"), ("Content-Length", "0")])
    return []


def _fails(environ: Any, start_response: Any) -> Any:
    raise LookupError(environ["QUERY_STRING"])


_PROBES = {
    "/tells-its-headers": _tells_its_headers,
    "/changes-its-mind": _changes_its_mind,
    "/writes": _writes,
    "/waits-amid-the-body": _waits_amid_the_body,
    "/has-nothing-to-say": _has_nothing_to_say,
    "/fails": _fails,
}

"""The routes as a plain WSGI app: no framework between the adapter and PEP 3333."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterable
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import parse_qsl

from . import _parts as parts
from . import _wsgi_parts as streams

Headers = list[tuple[str, str]]
Answer = tuple[str, Headers, Iterable[bytes]]
BINARY: Headers = [("Content-Type", "application/octet-stream")]


def whole(body: bytes, kind: str = "text/plain", status: str = "200 OK") -> Answer:
    return status, [("Content-Type", kind), ("Content-Length", str(len(body)))], [body]


def as_json(value: object) -> Answer:
    return whole(json.dumps(value).encode(), "application/json")


def download(query: dict[str, str]) -> Answer:
    size = int(query["size"])
    return "200 OK", BINARY if "chunked" in query else [*BINARY, ("Content-Length", str(size))], streams.download(size)


def file(environ: dict[str, Any], size: int) -> Answer:
    wrap = environ.get("wsgi.file_wrapper", lambda f, n: iter(lambda: f.read(n), b""))
    return "200 OK", [*BINARY, ("Content-Length", str(size))], wrap(open(parts.file(size), "rb"), parts.BLOCK)


def cookies(environ: dict[str, Any]) -> Answer:
    seen = {name: morsel.value for name, morsel in SimpleCookie(environ.get("HTTP_COOKIE", "")).items()}
    status, headers, body = as_json(seen)
    return status, [*headers, ("Set-Cookie", "first=1"), ("Set-Cookie", 'second="two words"')], body


def fixed(path: str, query: dict[str, str]) -> Answer | None:
    """The answers that need nothing of the request but its query."""
    match path:
        case "/hello":
            return whole(b"hello")
        case "/download":
            return download(query)
        case "/status/204" | "/status/304":
            return f"{path[-3:]} Whatever", [("ETag", '"v1"')] if path.endswith("304") else [], []
        case "/go":
            return "302 Found", [("Location", "/hello")], []
        case "/error":
            raise RuntimeError(f"boom before the head {query['tag']}")
        case "/error-late":
            length = [("Content-Length", query["length"])] if "length" in query else []
            return "200 OK", length, streams.late_error(query["tag"])
        case "/short":
            return "200 OK", [("Content-Length", "10")], iter([b"12345"])
        case "/bad-header":
            return "200 OK", [("X-Note", "fine\r\nX-Smuggled: yes")], [b"split"]
        case "/early":
            return whole(b"", status="401 Unauthorized")
        case "/sleep":
            time.sleep(float(query["seconds"]))
            return whole(b"slept")
        case "/where":
            return as_json(parts.where() | {"master": os.getppid()})
    return None


def answer(environ: dict[str, Any], query: dict[str, str]) -> Answer:
    match environ["PATH_INFO"]:
        case "/echo":
            return whole(environ["wsgi.input"].read(), "application/octet-stream")
        case "/upload":
            return as_json(streams.upload(environ["wsgi.input"].read, parts.door_of(query)))
        case "/stream":
            return "200 OK", [], streams.Gated(parts.door_of(query), int(query.get("pieces", 3)))
        case "/endless":
            return "200 OK", [], streams.endless(parts.door_of(query), float(query.get("pause", 0)))
        case "/watch":
            return "200 OK", [], streams.watching(parts.door_of(query), environ["anysgi.client_disconnected"])
        case "/file":
            return file(environ, int(query["size"]))
        case "/cookies":
            return cookies(environ)
        case "/headers":
            return as_json(streams.headers(environ))
        case "/state":
            return as_json(parts.state_report(environ.get("anysgi.state", {})) | {"same_loop": True})
        case str(path) if path.startswith("/show/"):
            return as_json(streams.show(environ))
    return fixed(environ["PATH_INFO"], query) or whole(b"not here", status="404 Not Found")


def app(environ: dict[str, Any], start_response: Callable[[str, Headers], object]) -> Iterable[bytes]:
    status, headers, body = answer(environ, dict(parse_qsl(environ["QUERY_STRING"])))
    if environ["REQUEST_METHOD"] == "HEAD":
        body = []
    start_response(status, headers)
    return body

"""Read the requests to measure with: one JSON object a line, with `path`, and `method`, `headers`, `body` if needed.

{"method": "GET", "path": "/items/7?full=1"}
{"path": "/search?q=tea", "headers": {"accept": "application/json"}}
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote

from .._matching import Matcher
from .._table import Route
from .._templates import TemplateError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from ...types import Scope
    from .._inventory import Inventory

SAFE = frozenset(("GET", "HEAD", "OPTIONS"))
"""Methods that are not to change anything (RFC 9110 section 9.2.1)."""
_MOST = 100_000  # lines read


class RequestFileError(ValueError):
    """A line that is no request; the message has file and line."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request to send in process.

    Attributes:
        method: in capitals.
        path: the target: path and query, percent-encoded.
        headers: pairs of text.
        body: its bytes.
    """

    method: str
    path: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""

    def scope(self) -> Scope:
        """Return it as an ASGI `http` scope."""
        path, _, query = self.path.partition("?")
        headers = [(name.lower().encode(), value.encode()) for name, value in self.headers]
        if not any(name == b"host" for name, _value in headers):
            headers.append((b"host", b"localhost"))
        if self.body:
            headers.append((b"content-length", str(len(self.body)).encode()))
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": self.method,
            "scheme": "http",
            "path": unquote(path),
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": headers,
            "client": ("127.0.0.1", 50000),
            "server": ("localhost", 80),
        }


def read_requests(file: Path) -> list[Request]:
    """Read a file of requests.

    Raises:
        OSError: it cannot be read.
        RequestFileError: a line is no request; the message has file and line.
    """
    with file.open(encoding="utf-8") as lines:
        numbered = ((number, line) for number, line in enumerate(lines, 1) if line.strip())
        return [_request(line, f"{file}:{number}") for (number, line), _ in zip(numbered, range(_MOST), strict=False)]


def _request(line: str, where: str) -> Request:
    try:
        given = json.loads(line)
    except ValueError as error:
        raise RequestFileError(f"{where}: no JSON: {error}") from None
    if not isinstance(given, dict) or not str(given.get("path", "")).startswith("/"):
        raise RequestFileError(f'{where}: a request is an object with a path: {{"method": "GET", "path": "/items/7"}}')
    headers = given.get("headers") or {}
    pairs = headers.items() if isinstance(headers, dict) else headers
    try:
        named = tuple((str(name), str(value)) for name, value in pairs)
        return Request(
            str(given.get("method") or "GET").upper(), given["path"], named, str(given.get("body") or "").encode()
        )
    except (TypeError, ValueError):
        raise RequestFileError(f"{where}: headers are an object, or a list of pairs") from None


def by_route(requests: Iterable[Request], inventory: Inventory) -> dict[str, list[Request]]:
    """Group requests by the route that answers them.

    Args:
        requests: in any order.
        inventory: the app's routes; a request that none of them fits is a group of its own path.

    Returns:
        `METHOD template` and its requests, in the order in which they first appear.
    """
    matcher = Matcher(list(_routes(inventory)))
    groups: dict[str, list[Request]] = {}
    for request in requests:
        path = unquote(request.path.partition("?")[0])
        route = matcher.find(request.method, path)
        groups.setdefault(f"{request.method} {route.path if route else path}", []).append(request)
    return groups


def _routes(inventory: Inventory) -> Iterable[Route]:
    for route in inventory.routes:
        try:
            yield Route(route.path, methods=tuple(sorted(route.answers - {"*"})))
        except TemplateError:  # what routes.toml cannot hold is grouped by its path
            continue

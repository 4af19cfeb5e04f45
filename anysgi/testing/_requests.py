"""A scenario's request as a scope, and as an environ.

Written apart from `anysgi._core` on purpose: a kit that judges translations must not borrow the one it judges.
Sources: ASGI spec, "HTTP Connection Scope"; PEP 3333, "environ Variables"; RFC 3875.
"""

from __future__ import annotations

import copy
import io
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import unquote_to_bytes

from ._presets import Habits, preset
from ._scenario import Scenario

if TYPE_CHECKING:
    from ..types import Convention


class RequestHead(Protocol):
    """What a scope or an environ is made of: a `Scenario`, or the request of a client."""

    def __hash__(self) -> int: ...
    @property
    def method(self) -> str: ...
    @property
    def target(self) -> bytes: ...
    @property
    def sent_headers(self) -> tuple[tuple[bytes, bytes], ...]: ...
    @property
    def http_version(self) -> str: ...
    @property
    def tls(self) -> bool: ...
    @property
    def root_path(self) -> str: ...
    @property
    def client(self) -> tuple[str, int] | None: ...
    @property
    def server(self) -> tuple[str, int | None] | None: ...


# A server that keeps every promise of the specs.
_MODEL = {
    "asgi": Habits(
        frozenset(), {"asgi": {"version": "3.0", "spec_version": "2.4"}, "extensions": {}}, "http.disconnect"
    ),
    "wsgi": Habits(frozenset(), {"wsgi.input_terminated": True}, "OSError"),
}


def habits_of(scenario: Scenario, convention: Convention) -> Habits:
    """How the server of a scenario behaves."""
    return _MODEL[convention] if scenario.like is None else preset(scenario.like).habits(convention)


def scope_of(scenario: RequestHead, habits: Habits) -> dict[str, Any]:
    """The scope a server makes of it; a new one each time."""
    raw_path, _, query = scenario.target.partition(b"?")
    fixed = copy.deepcopy(habits.fixed)
    scope = {
        "type": "http",
        **fixed,
        "http_version": scenario.http_version,
        "method": scenario.method,
        "scheme": "https" if scenario.tls else "http",
        "path": unquote_to_bytes(raw_path).decode("utf-8", "replace"),
        "raw_path": raw_path,
        "query_string": query,
        "root_path": scenario.root_path,
        "headers": [(name.lower(), value) for name, value in scenario.sent_headers],
        "client": scenario.client,
        "server": scenario.server,
    }
    return {key: scope[key] for key in scope if key in habits.keys} if habits.keys else scope


def websocket_scope_of(scenario: RequestHead, habits: Habits) -> dict[str, Any]:
    """The scope of a WebSocket's handshake (ASGI spec, "WebSocket Connection Scope")."""
    scope = scope_of(scenario, habits)
    del scope["method"]
    offered = [value for name, value in scenario.sent_headers if name.lower() == b"sec-websocket-protocol"]
    names = b",".join(offered).decode("latin-1").split(",")
    return {
        **scope,
        "type": "websocket",
        "scheme": "wss" if scenario.tls else "ws",
        "subprotocols": [name.strip() for name in names if name.strip()],
        "extensions": {"websocket.http.response": {}},
    }


def environ_of(scenario: RequestHead, habits: Habits, body: Any, errors: Any) -> dict[str, Any]:
    """The environ a server makes of it; a new one each time.

    Args:
        scenario: the request.
        habits: the server's.
        body: `wsgi.input`.
        errors: `wsgi.errors`.
    """
    environ = _environ_without_streams(scenario, habits).copy()
    environ["wsgi.input"], environ["wsgi.errors"] = body, errors
    return environ


@lru_cache(maxsize=256)  # one scenario is often run many times
def _environ_without_streams(scenario: RequestHead, habits: Habits) -> dict[str, Any]:
    path, _, query = scenario.target.partition(b"?")
    script_name, path_info = _mounted(scenario.root_path, unquote_to_bytes(path).decode("latin-1"))
    target = scenario.target.decode("latin-1")
    name, port = scenario.server or ("localhost", None)
    environ: dict[str, Any] = {
        "REQUEST_METHOD": scenario.method,
        "SCRIPT_NAME": script_name,
        "PATH_INFO": path_info,
        "QUERY_STRING": query.decode("latin-1"),
        "REQUEST_URI": target,
        "RAW_URI": target,
        "SERVER_NAME": name,
        "SERVER_PORT": str(port if port is not None else 443 if scenario.tls else 80),
        "SERVER_PROTOCOL": "HTTP/2" if scenario.http_version == "2" else f"HTTP/{scenario.http_version}",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "https" if scenario.tls else "http",
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    if scenario.client is not None:
        address, from_port = scenario.client
        environ.update(REMOTE_ADDR=address, REMOTE_HOST=address, REMOTE_PORT=str(from_port))
    environ.update(habits.fixed, **{"wsgi.version": (1, 0)})
    if habits.keys:
        environ = {key: value for key, value in environ.items() if key in habits.keys}
        if "wsgi.file_wrapper" in habits.keys:
            environ["wsgi.file_wrapper"] = FileWrapper
    _add_headers(environ, scenario)
    return environ


class FileWrapper:
    """PEP 3333, "Optional Platform-Specific File Handling", without a platform: blocks read one by one."""

    def __init__(self, file: io.BufferedIOBase, block_size: int = 8192) -> None:
        self.file, self.block_size = file, block_size
        if hasattr(file, "close"):
            self.close = file.close

    def __iter__(self) -> FileWrapper:
        return self

    def __next__(self) -> bytes:
        block = self.file.read(self.block_size)
        if not block:
            raise StopIteration
        return block


def _mounted(root_path: str, path: str) -> tuple[str, str]:
    """SCRIPT_NAME and PATH_INFO; a path outside of the mount is not in it."""
    root = root_path.encode().decode("latin-1")
    if root and (path == root or path.startswith(root + "/")):
        return root, path[len(root) :]
    return "", path


def _add_headers(environ: dict[str, Any], scenario: RequestHead) -> None:
    for raw_name, raw_value in scenario.sent_headers:
        name, value = raw_name.decode("latin-1").upper().replace("-", "_"), raw_value.decode("latin-1")
        if b"_" in raw_name:  # it could be taken for another: servers drop it
            continue
        key = name if name in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{name}"
        if key in environ and name != "CONTENT_LENGTH":
            value = f"{environ[key]}{'; ' if name == 'COOKIE' else ','}{value}"
        environ[key] = value

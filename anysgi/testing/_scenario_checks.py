"""What cannot exist: scenarios that no client could send, or that no server would hand to an app."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..exceptions import ScenarioError
from ._framing import is_chunked, uploaded
from ._peer_events import Disconnect, Pause, PeerEvent, SendFails

if TYPE_CHECKING:
    from ._scenario import Scenario

_TOKEN = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_TARGET = re.compile(rb"[\x21\x22\x24-\x7e\x80-\xff]+")  # no space, no control, no '#'
_VALUE = re.compile(rb"(?:[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?")
_VERSIONS = ("1.0", "1.1", "2")
_NOT_IN_HTTP_2 = {b"connection", b"transfer-encoding", b"keep-alive", b"upgrade", b"proxy-connection"}


def _check_request_line(scenario: Scenario) -> None:
    method, target = scenario.method, scenario.target
    if not (method.isascii() and _TOKEN.fullmatch(method.encode("ascii"))):
        raise ScenarioError(f"a method is a token such as 'GET' (RFC 9110 section 9.1), not {method!r}")
    if not _TARGET.fullmatch(target):
        raise ScenarioError(
            f"a request target has no space, no control character and no '#' (RFC 9112 section 3.2), not {target!r}; "
            "percent-encode them: b'/a%20b'"
        )
    if not target.startswith(b"/") and (method, target) != ("OPTIONS", b"*"):
        raise ScenarioError(f"a target begins with '/', not {target!r}; only OPTIONS may have b'*'")
    if scenario.http_version not in _VERSIONS:
        raise ScenarioError(f"http_version is one of {', '.join(_VERSIONS)}, not {scenario.http_version!r}")
    root = scenario.root_path
    if root and (not root.startswith("/") or root.endswith("/")):
        raise ScenarioError(f"root_path is '' or begins with '/' and does not end with one, not {root!r}")


def _check_headers(scenario: Scenario) -> None:
    for name, value in scenario.headers:
        if not _TOKEN.fullmatch(name):
            raise ScenarioError(f"a header name is a token (RFC 9110 section 5.1), not {name!r}")
        if not _VALUE.fullmatch(value):
            raise ScenarioError(
                f"no header arrives with a line break, a control character or space around it: {name!r}: {value!r}"
            )
        if scenario.http_version == "2" and (name != name.lower() or name in _NOT_IN_HTTP_2):
            raise ScenarioError(f"HTTP/2 has lowercase names and no connection headers (RFC 9113 8.2): {name!r}")


def _check_body(scenario: Scenario) -> None:
    for chunk in scenario.body:
        if not isinstance(chunk, bytes):
            raise ScenarioError(f"a body is bytes, or chunks of bytes; write b'…', or text.encode(), not {chunk!r:.60}")


def _check_framing(scenario: Scenario) -> None:
    given = [value for name, value in scenario.headers if name.lower() == b"content-length"]
    if any(not value.isdigit() or value != given[0] for value in given):
        raise ScenarioError(f"servers refuse content-length {given}: it is one number, and no other beside it")
    if given and is_chunked(scenario):
        raise ScenarioError("a body has a content-length or is chunked, never both (RFC 9112 section 6.2)")
    if is_chunked(scenario) and scenario.http_version == "1.0":
        raise ScenarioError("HTTP/1.0 has no chunked bodies")
    size, leaves = sum(map(len, scenario.body)), scenario.event(Disconnect)
    if given and size > int(given[0]):
        raise ScenarioError(f"content-length says {int(given[0])}, the body has {size} bytes: servers cut it there")
    if given and size < int(given[0]) and (leaves is None or leaves.after_messages is not None):
        raise ScenarioError(
            f"content-length says {int(given[0])}, the body has {size} bytes: the server waits for the rest until the "
            f"client leaves; add peer=[Disconnect(after_bytes={size})]"
        )


def _check_peer(scenario: Scenario) -> None:
    kinds = [type(event) for event in scenario.peer]
    if strange := [event for event in scenario.peer if not isinstance(event, PeerEvent)]:
        raise ScenarioError(f"a peer disconnects, pauses, fails or blocks; it cannot {strange[0]!r}")
    if kinds.count(Disconnect) > 1 or kinds.count(SendFails) > 1:
        raise ScenarioError("a client leaves once: only one Disconnect and one SendFails")
    for event in scenario.peer:
        if isinstance(event, Pause) and not 0 <= event.before_chunk < len(scenario.body):
            raise ScenarioError(f"{event!r}, but the body has {len(scenario.body)} chunks")
        if isinstance(event, Disconnect):
            if (event.after_chunks or 0) > len(scenario.body):
                raise ScenarioError(f"{event!r}, but the body has {len(scenario.body)} chunks")
            if (event.after_bytes or 0) > sum(map(len, scenario.body)):
                raise ScenarioError(f"{event!r}, but the body has {sum(map(len, scenario.body))} bytes")


def _check_like(scenario: Scenario) -> None:
    if scenario.like is not None:
        from ._presets import preset

        known = preset(scenario.like)
        habits = [way for way in (known.wsgi, known.asgi) if way is not None]
        if all(way.upload == "buffered" for way in habits) and not uploaded(scenario)[1]:
            raise ScenarioError(
                f"{scenario.like} reads an upload to its end before it calls the app: nobody would know"
            )


CHECKS = (_check_request_line, _check_headers, _check_body, _check_framing, _check_peer, _check_like)

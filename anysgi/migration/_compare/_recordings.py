"""Recordings: JSON, one exchange a line.  A line is written whole or not at all, so a recording can be read while it
grows, and a broken line names its place.

    {"v": 1, "at": 1764000000.0, "request": {"method": "GET", "target": "/", "headers": [["host", "a"]], "body": "x"},
     "response": {"status": 200, "headers": [], "body": {"base64": "/w=="}, "pieces": 1, "seconds": 0.01}}

A line with nothing but `"method"` and `"target"`, or `"path"`, is a request as people write it.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from typing import IO, TYPE_CHECKING, Any

from ...exceptions import RecordingError
from ._exchanges import Answered, Asked, Headers, Recorded
from ._har import read_har

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

VERSION = 1
_LONGEST = 64 * 1024 * 1024  # bytes of a line: what no recorder writes, and no reader should hold


def read_recording(path: Path, name: str | None = None) -> Iterator[Recorded]:
    """Read a recording, or a HAR file, exchange by exchange.

    Args:
        path: a file; not a pipe, of which the beginning cannot be read twice.
        name: what places in it are called after, if not `path`.

    Raises:
        RecordingError: something in it is not what it should be; the message has the file and the line.
        OSError: it cannot be read.
    """
    called = name or str(path)
    with path.open("rb") as file:
        first = file.readline(_LONGEST)
        while first and not first.strip():
            first = file.readline(_LONGEST)
        if _is_har(first):
            file.seek(0)
            yield from read_har(file, called)
        else:
            file.seek(0)
            yield from _lines(file, called)


def _is_har(first: bytes) -> bool:
    """A HAR file is one object, with line breaks or without; a line of a recording is an object of its own."""
    try:
        value = json.loads(first)
    except ValueError:
        return first.lstrip()[:1] == b"{"
    return isinstance(value, dict) and "log" in value


def _lines(file: IO[bytes], name: str) -> Iterator[Recorded]:
    for number, line in enumerate(iter(lambda: file.readline(_LONGEST), b""), 1):
        if not line.strip():
            continue
        place = f"{name}:{number}"
        try:
            yield _parsed(json.loads(line), place)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise RecordingError(f"{place}: not a recorded exchange: {_said(error)}") from None


def _said(error: Exception) -> str:
    return f"{error.args[0]!r} is missing" if isinstance(error, KeyError) else str(error)


def _parsed(line: Any, place: str) -> Recorded:
    _expect(line, dict, "a line is one JSON object")
    if line.get("v", VERSION) > VERSION:
        raise ValueError(f"it is of version {line['v']}, and this anysgi reads up to {VERSION}")
    request = line.get("request", line)
    _expect(request, dict, "a request is an object")
    target = str(request.get("target") or request["path"])
    if not target.startswith("/"):
        raise ValueError(f"the target {target!r} does not begin with '/'")
    asked = Asked(
        str(request.get("method", "GET")).upper(), target, _headers(request), _unpacked(request.get("body")), place
    )
    response = line.get("response")
    answered = None
    if response is not None:
        _expect(response, dict, "a response is an object")
        answered = Answered(
            int(response["status"]),
            _headers(response),
            _unpacked(response.get("body")),
            int(response.get("pieces", 0)),
            float(response.get("seconds", 0.0)),
            str(response.get("error", "")),
        )
    return Recorded(asked, answered, line.get("at"))


def _expect(value: Any, kind: type | tuple[type, ...], what: str) -> None:
    if not isinstance(value, kind):
        raise ValueError(f"{what}, not {json.dumps(value)[:80]}")


def _headers(part: dict[str, Any]) -> Headers:
    given = part.get("headers", ())
    pairs = list(given.items()) if isinstance(given, dict) else given
    _expect(pairs, (list, tuple), "headers are pairs of a name and a value, or an object")
    for pair in pairs:
        _expect(pair, (list, tuple), "headers are pairs of a name and a value, or an object")
    return tuple((str(name).lower(), str(value)) for name, value in pairs)


def _unpacked(body: Any) -> bytes:
    if body is None:
        return b""
    if isinstance(body, str):
        return body.encode()
    _expect(body, dict, 'a body is text, or {"base64": "…"}')
    try:
        return b64decode(body["base64"], validate=True)
    except NotBase64 as error:
        raise ValueError(f"the body is not base64: {error}") from None


def write_line(recorded: Recorded) -> bytes:
    """Write one exchange as a line of a recording."""
    request, response = recorded.request, recorded.response
    line: dict[str, Any] = {"v": VERSION}
    if recorded.moment is not None:
        line["at"] = recorded.moment
    line["request"] = {"method": request.method, "target": request.target, "headers": request.headers}
    if request.body:
        line["request"]["body"] = _packed(request.body)
    if response is not None:
        line["response"] = {"status": response.status, "headers": response.headers, "body": _packed(response.body)}
        line["response"] |= {"pieces": response.pieces, "seconds": round(response.seconds, 6)}
        if response.error:
            line["response"]["error"] = response.error
    return json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _packed(body: bytes) -> str | dict[str, str]:
    """Text that people can read, where it is text."""
    try:
        return body.decode()
    except UnicodeDecodeError:
        return {"base64": b64encode(body).decode("ascii")}

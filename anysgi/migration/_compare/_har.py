"""HAR files, as browsers and proxies write them (HTTP Archive 1.2), in and out."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from datetime import UTC, datetime
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ...exceptions import RecordingError
from ._exchanges import Answered, Asked, Headers, Recorded
from ._har_entries import NotHar, entries_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# Browsers put the pseudo headers of HTTP/2 here, and what belongs to the connection they had.
_OF_THE_CONNECTION = frozenset(["connection", "content-length", "transfer-encoding", "keep-alive", "te", "upgrade"])


def read_har(file: IO[bytes], name: str) -> Iterator[Recorded]:
    """Read the requests of a HAR file for http and https, in order, one in memory at a time.

    Raises:
        RecordingError: it is no HAR file; the message names the line or the entry.
    """
    try:
        for number, (line, entry) in enumerate(entries_of(file)):
            try:
                yield _parsed(entry, f"{name}: entry {number}")
            except (KeyError, TypeError, ValueError, AttributeError) as error:
                said = f"{error} is missing" if isinstance(error, KeyError) else str(error)
                raise RecordingError(f"{name}:{line}: entry {number} is not one of a HAR file: {said}") from None
    except NotHar as error:
        raise RecordingError(f"{name}{error}") from None
    except UnicodeDecodeError as error:
        raise RecordingError(f"{name}: not UTF-8 text: {error}") from None


def _parsed(entry: dict[str, Any], place: str) -> Recorded:
    request, response = entry["request"], entry.get("response") or {}
    url = urlsplit(request["url"])
    if url.scheme not in ("http", "https"):
        raise ValueError(f"{request['url']!r} is not http")
    target = (url.path or "/") + (f"?{url.query}" if url.query else "")
    posted = (request.get("postData") or {}).get("text") or ""
    asked = Asked(request["method"].upper(), target, _headers(request, url.netloc), posted.encode(), place)
    if not response.get("status"):
        return Recorded(asked)
    content = response.get("content") or {}
    text = content.get("text") or ""
    body = b64decode(text) if content.get("encoding") == "base64" else text.encode()
    answered = Answered(int(response["status"]), _headers(response), body, seconds=float(entry.get("time") or 0) / 1e3)
    return Recorded(asked, answered)


def _headers(part: dict[str, Any], host: str = "") -> Headers:
    pairs = [(pair["name"].lower(), str(pair["value"])) for pair in part.get("headers") or ()]
    kept = [pair for pair in pairs if pair[0] not in _OF_THE_CONNECTION and not pair[0].startswith(":")]
    named = any(name == "host" for name, _ in kept)
    return tuple(kept if named or not host else [("host", host), *kept])


def write_har(recorded: Iterable[Recorded], file: IO[str]) -> None:
    """Write a HAR file, entry by entry, for tools that read these: browsers, proxies, load generators.

    Args:
        recorded: exchanges, as `read_recording` yields them.
        file: is written to, and not closed.
    """
    file.write('{"log": {"version": "1.2", "creator": {"name": "anysgi", "version": "1"}, "entries": [')
    for number, each in enumerate(recorded):
        file.write((",\n" if number else "\n") + json.dumps(_entry(each), ensure_ascii=False))
    file.write("\n]}}\n")


def _entry(recorded: Recorded) -> dict[str, Any]:
    request, response = recorded.request, recorded.response or Answered(0)
    host = next((value for name, value in request.headers if name == "host"), "localhost")
    posted = {"postData": {"mimeType": "", "text": request.body.decode("utf-8", "replace")}} if request.body else {}
    try:
        content: dict[str, Any] = {"text": response.body.decode()}
    except UnicodeDecodeError:
        content = {"text": b64encode(response.body).decode("ascii"), "encoding": "base64"}
    content |= {"size": len(response.body), "mimeType": response.header("content-type")}
    common = {"httpVersion": "HTTP/1.1", "cookies": [], "headersSize": -1}
    return {
        "startedDateTime": datetime.fromtimestamp(recorded.moment or 0.0, UTC).isoformat(),
        "time": response.seconds * 1e3,
        "request": {
            "method": request.method,
            "url": f"http://{host}{request.target}",
            "headers": _named(request.headers),
            "queryString": [],
            "bodySize": len(request.body),
            **posted,
            **common,
        },
        "response": {
            "status": response.status,
            "statusText": "",
            "headers": _named(response.headers),
            "content": content,
            "redirectURL": response.header("location"),
            "bodySize": len(response.body),
            **common,
        },
        "cache": {},
        "timings": {"send": 0, "wait": response.seconds * 1e3, "receive": 0},
    }


def _named(headers: Headers) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in headers]

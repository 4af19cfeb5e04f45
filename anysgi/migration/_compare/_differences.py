"""How two answers to one request differ, as a client could tell.

Each comparator looks at one thing, and is a row of the table at the end.  What is `informative` differs between any two
implementations and breaks no client: it is told, and does not count.
"""

from __future__ import annotations

import difflib
import json
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from ._html import html_parts
from ._json import MISSING, json_differences

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ._exchanges import Answered, Asked

IGNORED = frozenset(
    [
        "connection",
        "content-length",
        "content-type",
        "date",
        "keep-alive",
        "location",
        "server",
        "server-timing",
        "set-cookie",
        "traceparent",
        "transfer-encoding",
        "x-correlation-id",
        "x-request-id",
    ]
)
"""Headers that say nothing of an app, or that a comparator of their own looks at."""
SETS = frozenset(
    [
        "accept-ranges",
        "access-control-allow-headers",
        "access-control-allow-methods",
        "access-control-expose-headers",
        "allow",
        "cache-control",
        "vary",
    ]
)
"""Headers whose members have no order."""
_MOST = 50  # differences told of one pair of answers
_BODIES = frozenset(["bytes", "html", "json", "text"])
_SHORT = 300  # characters of a value that are told
_SIGNED = re.compile(r"(\.?[\w-]*)\.[\w-]{5,8}\.[\w-]{27,}")  # by itsdangerous: what is said, when, and the signature


@dataclass(frozen=True, slots=True)
class Finding:
    """One difference.

    Attributes:
        kind: the comparator's name.
        place: what differs, such as `$.user.name` or `etag`.
        old, new: what each side has, shortened; empty for what it does not have.
        informative: whether it breaks no client.
    """

    kind: str
    place: str
    old: str
    new: str
    informative: bool = False


def find_differences(request: Asked, old: Answered, new: Answered) -> list[Finding]:
    """Compare two answers.

    Where one side did not answer there is nothing else to tell; where the statuses differ, bodies are not compared.
    """
    if old.error != new.error:
        return [Finding("error", "answer", _shown(old.error or f"{old.status}"), _shown(new.error or f"{new.status}"))]
    found: list[Finding] = []
    leads_on = all(300 <= answer.status < 400 and answer.header("location") for answer in (old, new))
    for compare in _COMPARATORS:
        for finding in compare(request, old, new):
            # Nobody reads the note that comes with a redirect.
            unread = leads_on and (finding.kind in _BODIES or finding.place == "content-type")
            found.append(replace(finding, informative=True) if unread else finding)
            if len(found) >= _MOST:
                return found
    return found


def _status(_request: Asked, old: Answered, new: Answered) -> Iterator[Finding]:
    if old.status != new.status:
        yield Finding("status", "status", str(old.status), str(new.status))


def _headers(_request: Asked, old: Answered, new: Answered) -> Iterator[Finding]:
    names = dict.fromkeys(name for answer in (old, new) for name, _ in answer.headers if name not in IGNORED)
    for name in names:
        before, after = (_header_value(answer, name) for answer in (old, new))
        if before != after:
            yield Finding("header", name, _shown(", ".join(old.values(name))), _shown(", ".join(new.values(name))))


def _header_value(answer: Answered, name: str) -> object:
    values = answer.values(name)
    if name in SETS:
        return frozenset(part.strip().lower() for value in values for part in value.split(",") if part.strip())
    return [" ".join(value.split()) for value in values]


def _content_type(_request: Asked, old: Answered, new: Answered) -> Iterator[Finding]:
    before, after = (answer.header("content-type").lower().replace(" ", "") for answer in (old, new))
    if before != after:
        same = media_type(old) == media_type(new) and _same_charset(before, after)
        yield Finding("header", "content-type", before, after, informative=same)


def _same_charset(old: str, new: str) -> bool:
    """JSON is UTF-8 with or without the parameter; a browser takes UTF-8 for both spellings."""
    charsets = {kind.lower().partition("charset=")[2].strip('" ') or "utf-8" for kind in (old, new)}
    return charsets == {"utf-8"}


def media_type(answer: Answered) -> str:
    """The media type of an answer, without parameters."""
    return answer.header("content-type").partition(";")[0].strip().lower()


def _cookies(_request: Asked, old: Answered, new: Answered) -> Iterator[Finding]:
    before, after = (dict(map(_cookie, answer.values("set-cookie"))) for answer in (old, new))
    for name in dict.fromkeys([*before, *after]):
        theirs, ours = before.get(name), after.get(name)
        if theirs is None or ours is None:
            yield Finding("cookie", name, "set" if theirs else "", "set" if ours else "")
            continue
        for part in dict.fromkeys([*theirs, *ours]):
            if theirs.get(part) != ours.get(part):
                yield Finding("cookie", f"{name}; {part}", _shown(theirs.get(part, "")), _shown(ours.get(part, "")))


def _cookie(field: str) -> tuple[str, dict[str, str]]:
    """A cookie's name and its attributes; its lifetime counts, the moment it was computed or signed does not."""
    pair, *attributes = field.split(";")
    name, _, value = pair.partition("=")
    signed = _SIGNED.fullmatch(value.strip())
    parts = {"value": signed[1] if signed else value.strip()}
    for attribute in attributes:
        key, _, text = attribute.strip().partition("=")
        key = key.lower()
        parts[key] = "a date" if key == "expires" else text.lower() or "yes"
    return name.strip(), parts


def _redirect(request: Asked, old: Answered, new: Answered) -> Iterator[Finding]:
    before, after = (_target(request, answer.header("location")) for answer in (old, new))
    if before != after:
        yield Finding("redirect", "location", _shown(old.header("location")), _shown(new.header("location")))


def _target(request: Asked, location: str) -> str:
    """Where a redirect leads; its own host may be written out or not."""
    if not location:
        return ""
    host = next((value for name, value in request.headers if name == "host"), "")
    found = urlsplit(urljoin(f"http://{host}{request.target}", location))
    near = found.netloc in ("", host, "localhost", "testserver")
    return ("" if near else f"//{found.netloc}") + found.path + (f"?{found.query}" if found.query else "")


def _body(request: Asked, old: Answered, new: Answered) -> Iterator[Finding]:
    if old.status != new.status or old.body == new.body or request.method == "HEAD":
        return
    kinds = {media_type(old), media_type(new)}
    yield from _body_differ(kinds.pop() if len(kinds) == 1 else "")(old.body, new.body)


def _body_differ(kind: str) -> Callable[[bytes, bytes], Iterator[Finding]]:
    """How to compare two bodies of a media type."""
    if kind == "application/json" or kind.endswith("+json"):
        return _json_bodies
    if kind in ("text/html", "application/xhtml+xml"):
        return lambda old, new: _rows("html", html_parts(_text(old)), html_parts(_text(new)))
    if kind.startswith("text/"):
        return lambda old, new: _rows("text", _text(old).splitlines(), _text(new).splitlines())
    return _byte_bodies


def _text(body: bytes) -> str:
    return body.decode("utf-8", "replace")


def _json_bodies(old: bytes, new: bytes) -> Iterator[Finding]:
    try:
        before, after = json.loads(old), json.loads(new)
    except ValueError:
        yield from _byte_bodies(old, new)
        return
    for place, theirs, ours in json_differences(before, after):
        yield Finding("json", place, _json(theirs), _json(ours))


def _byte_bodies(old: bytes, new: bytes) -> Iterator[Finding]:
    pairs = enumerate(zip(old, new, strict=False))
    at = next((place for place, (a, b) in pairs if a != b), min(len(old), len(new)))
    yield Finding("bytes", f"byte {at}", _around(old, at), _around(new, at))


def _json(value: Any) -> str:
    return "" if value is MISSING else _shown(json.dumps(value, ensure_ascii=False))


def _rows(kind: str, old: list[str], new: list[str]) -> Iterator[Finding]:
    """Compare text line by line, and pages part by part."""
    told = False
    for tag, a, b, c, d in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag != "equal":
            told = True
            yield Finding(kind, f"part {a + 1}", _shown("\n".join(old[a:b])), _shown("\n".join(new[c:d])))
    if not told and kind == "text":
        yield Finding(kind, "line endings", "", "")


def _around(body: bytes, at: int) -> str:
    return f"{len(body)} bytes, {body[max(0, at - 8) : at + 24]!r}"


def _chunking(_request: Asked, old: Answered, new: Answered) -> Iterator[Finding]:
    before, after = ("streamed" if answer.pieces > 1 else "whole" for answer in (old, new))
    if old.pieces and new.pieces and before != after:
        yield Finding("chunking", "body", before, after, informative=True)


def _timing(_request: Asked, old: Answered, new: Answered) -> Iterator[Finding]:
    slow, fast = max(old.seconds, new.seconds), min(old.seconds, new.seconds)
    if slow > 0.1 and slow > 3 * fast:
        yield Finding("timing", "seconds", f"{old.seconds:.3f}", f"{new.seconds:.3f}", informative=True)


def _shown(text: str) -> str:
    return text if len(text) <= _SHORT else f"{text[:_SHORT]}… ({len(text)} characters)"


_COMPARATORS: tuple[Callable[[Asked, Answered, Answered], Iterator[Finding]], ...] = (
    _status,
    _redirect,
    _content_type,
    _headers,
    _cookies,
    _body,
    _chunking,
    _timing,
)

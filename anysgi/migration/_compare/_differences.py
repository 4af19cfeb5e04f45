"""How two answers to one request differ, as a client could tell.

Each comparator looks at one thing, and is a row of the table at the end.  What is `informative` differs between any two
implementations and breaks no client: it is told, and does not count.
"""

from __future__ import annotations

import difflib
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from . import _heads
from ._finding import Finding, shown
from ._heads import media_type
from ._html import html_parts
from ._json import MISSING, json_differences

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ._exchanges import Answered, Asked

_MOST = 50  # differences told of one pair of answers
_BODIES = frozenset(["bytes", "html", "json", "text"])


def find_differences(request: Asked, old: Answered, new: Answered) -> list[Finding]:
    """Compare two answers.

    Where one side did not answer there is nothing else to tell; where the statuses differ, bodies are not compared.
    """
    if old.error != new.error:
        return [Finding("error", "answer", shown(old.error or f"{old.status}"), shown(new.error or f"{new.status}"))]
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
    return "" if value is MISSING else shown(json.dumps(value, ensure_ascii=False))


def _rows(kind: str, old: list[str], new: list[str]) -> Iterator[Finding]:
    """Compare text line by line, and pages part by part."""
    told = False
    for tag, a, b, c, d in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag != "equal":
            told = True
            yield Finding(kind, f"part {a + 1}", shown("\n".join(old[a:b])), shown("\n".join(new[c:d])))
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


_COMPARATORS: tuple[Callable[[Asked, Answered, Answered], Iterator[Finding]], ...] = (
    _heads.status,
    _heads.redirect,
    _heads.content_type,
    _heads.headers,
    _heads.cookies,
    _body,
    _chunking,
    _timing,
)

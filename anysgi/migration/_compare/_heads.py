"""How the heads of two answers differ: status, headers by their role, cookies, redirects."""

from __future__ import annotations

import re
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from ._finding import Finding, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

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
MOMENTS = frozenset(["expires", "last-modified"])
"""Headers that may say when they were asked for, as Django's `never_cache` does."""
_APART = 10  # seconds
_SIGNED = re.compile(r"(\.?[\w-]*)\.[\w-]{5,8}\.[\w-]{27,}")  # by itsdangerous: what is said, when, and the signature


def status(_request: Asked, old: Answered, new: Answered) -> Iterator[Finding]:
    if old.status != new.status:
        yield Finding("status", "status", str(old.status), str(new.status))


def headers(_request: Asked, old: Answered, new: Answered) -> Iterator[Finding]:
    names = dict.fromkeys(name for answer in (old, new) for name, _ in answer.headers if name not in IGNORED)
    for name in names:
        before, after = (_header_value(answer, name) for answer in (old, new))
        if before != after and not (name in MOMENTS and _at_once(old.header(name), new.header(name))):
            yield Finding("header", name, shown(", ".join(old.values(name))), shown(", ".join(new.values(name))))


def _at_once(old: str, new: str) -> bool:
    """Whether two dates are as far apart as the two questions may be: each was computed when it was asked for."""
    try:
        return abs((parsedate_to_datetime(old) - parsedate_to_datetime(new)).total_seconds()) <= _APART
    except (ValueError, TypeError):  # no date, or one of two without a zone
        return False


def _header_value(answer: Answered, name: str) -> object:
    values = answer.values(name)
    if name in SETS:
        return frozenset(part.strip().lower() for value in values for part in value.split(",") if part.strip())
    return [" ".join(value.split()) for value in values]


def content_type(_request: Asked, old: Answered, new: Answered) -> Iterator[Finding]:
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


def cookies(_request: Asked, old: Answered, new: Answered) -> Iterator[Finding]:
    before, after = (dict(map(_cookie, answer.values("set-cookie"))) for answer in (old, new))
    for name in dict.fromkeys([*before, *after]):
        theirs, ours = before.get(name), after.get(name)
        if theirs is None or ours is None:
            yield Finding("cookie", name, "set" if theirs else "", "set" if ours else "")
            continue
        for part in dict.fromkeys([*theirs, *ours]):
            if theirs.get(part) != ours.get(part):
                yield Finding("cookie", f"{name}; {part}", shown(theirs.get(part, "")), shown(ours.get(part, "")))


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


def redirect(request: Asked, old: Answered, new: Answered) -> Iterator[Finding]:
    before, after = (_target(request, answer.header("location")) for answer in (old, new))
    if before != after:
        yield Finding("redirect", "location", shown(old.header("location")), shown(new.header("location")))


def _target(request: Asked, location: str) -> str:
    """Where a redirect leads; its own host may be written out or not."""
    if not location:
        return ""
    host = next((value for name, value in request.headers if name == "host"), "")
    found = urlsplit(urljoin(f"http://{host}{request.target}", location))
    near = found.netloc in ("", host, "localhost", "testserver")
    return ("" if near else f"//{found.netloc}") + found.path + (f"?{found.query}" if found.query else "")

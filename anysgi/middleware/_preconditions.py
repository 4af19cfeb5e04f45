"""Preconditions of a request, evaluated in their one order (RFC 9110 section 13.2.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

_LONGEST = 8_192  # bytes of a list of tags worth reading; a longer one names nothing


def failed_precondition(get: Callable[[str], str | None], etag: str | None, modified: str | None) -> int | None:
    """Say with which status a GET or HEAD fails its preconditions.

    Args:
        get: looks a request header up by its lowercased name.
        etag: ETag of the response, quotes and `W/` included.
        modified: Last-Modified of the response.

    Returns:
        412, 304, or None if the response is to be sent.  Dates nobody can read count as absent (section 13.1.3).
    """
    changed = _date(modified)
    if (wanted := get("if-match")) is not None:
        if not _names(wanted, etag, weak=False):
            return 412
    elif changed and (since := _date(get("if-unmodified-since"))) and changed > since:
        return 412
    if (known := get("if-none-match")) is not None:
        return 304 if _names(known, etag, weak=True) else None
    if changed and (since := _date(get("if-modified-since"))) and changed <= since:
        return 304
    return None


def _date(value: str | None) -> datetime | None:
    from werkzeug.http import parse_date

    try:
        return parse_date(value)
    except OverflowError:  # a year or an hour that no machine word holds
        return None


def _names(tags: str, etag: str | None, *, weak: bool) -> bool:
    """Whether a list of tags names `etag`, by weak or by strong comparison (RFC 9110 section 8.8.3.2)."""
    from werkzeug.http import parse_etags, unquote_etag

    if len(tags) > _LONGEST:
        return False
    named = parse_etags(tags)
    opaque, is_weak = unquote_etag(etag)
    if named.star_tag or opaque is None:
        return named.star_tag
    return named.contains_weak(opaque) if weak else not is_weak and named.contains(opaque)

"""RFC 9110 section 13.2.2 as a table."""

from __future__ import annotations

import pytest

from anysgi.middleware._preconditions import failed_precondition

BEFORE, MODIFIED, AFTER = (f"Tue, 0{day} Nov 2026 10:00:00 GMT" for day in (1, 2, 3))


@pytest.mark.parametrize(
    ("request_headers", "etag", "modified", "status"),
    [
        ({}, '"a"', MODIFIED, None),
        # If-None-Match: weak comparison
        ({"if-none-match": '"a"'}, '"a"', None, 304),
        ({"if-none-match": 'W/"a"'}, '"a"', None, 304),
        ({"if-none-match": '"a"'}, 'W/"a"', None, 304),
        ({"if-none-match": '"b", "a"'}, '"a"', None, 304),
        ({"if-none-match": '"b"'}, '"a"', None, None),
        ({"if-none-match": "*"}, '"a"', None, 304),
        ({"if-none-match": "*"}, None, None, 304),
        ({"if-none-match": '"a"'}, None, None, None),
        ({"if-none-match": ""}, '"a"', None, None),
        # ... and If-Modified-Since is not looked at beside it
        ({"if-none-match": '"b"', "if-modified-since": AFTER}, '"a"', MODIFIED, None),
        ({"if-modified-since": AFTER}, None, MODIFIED, 304),
        ({"if-modified-since": MODIFIED}, None, MODIFIED, 304),
        ({"if-modified-since": BEFORE}, None, MODIFIED, None),
        ({"if-modified-since": "yesterday"}, None, MODIFIED, None),
        ({"if-modified-since": AFTER}, None, "never", None),
        ({"if-modified-since": "Sun, 06 Nov 99999999999999 08:49:37 GMT"}, None, MODIFIED, None),
        ({"if-modified-since": "Sun, 06 Nov 1994 08:49:37 +99999999999999999999"}, None, MODIFIED, None),
        ({"if-unmodified-since": "Sun, 99999999999999999999 Nov 1994 08:49:37 GMT"}, None, MODIFIED, None),
        # a list that is longer than any client's names nothing
        ({"if-none-match": '"a",' * 5_000}, '"a"', None, None),
        ({"if-match": '"a",' * 5_000}, '"a"', None, 412),
        ({"if-modified-since": AFTER}, None, None, None),
        # If-Match: strong comparison
        ({"if-match": '"a"'}, '"a"', None, None),
        ({"if-match": '"b"'}, '"a"', None, 412),
        ({"if-match": '"a"'}, 'W/"a"', None, 412),
        ({"if-match": 'W/"a"'}, '"a"', None, 412),
        ({"if-match": '"a"'}, None, None, 412),
        ({"if-match": "*"}, '"a"', None, None),
        ({"if-match": "*"}, None, None, None),
        # ... comes first, and If-Unmodified-Since is not looked at beside it
        ({"if-match": '"b"', "if-none-match": '"a"'}, '"a"', None, 412),
        ({"if-match": '"a"', "if-none-match": '"a"'}, '"a"', None, 304),
        ({"if-match": '"a"', "if-unmodified-since": BEFORE}, '"a"', MODIFIED, None),
        ({"if-unmodified-since": BEFORE}, None, MODIFIED, 412),
        ({"if-unmodified-since": MODIFIED}, None, MODIFIED, None),
        ({"if-unmodified-since": BEFORE, "if-none-match": '"a"'}, '"a"', MODIFIED, 412),
    ],
)
def test_preconditions_are_evaluated_in_order(
    request_headers: dict[str, str], etag: str | None, modified: str | None, status: int | None
) -> None:
    assert failed_precondition(request_headers.get, etag, modified) == status

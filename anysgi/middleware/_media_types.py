"""Media types (RFC 9110 section 8.3.1): which of them an operator named."""

from __future__ import annotations

import fnmatch
import re
from functools import lru_cache
from typing import TYPE_CHECKING

from ._names import several

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

_LONGEST = 256  # bytes of a Content-Type worth reading, and remembering: the media type stands first


def type_judge(patterns: Collection[str]) -> Callable[[str], bool]:
    """Make the function that says whether a Content-Type is one of some; `*` stands for any characters."""
    matches = re.compile("|".join(fnmatch.translate(pattern.lower()) for pattern in several(patterns))).match

    @lru_cache(maxsize=256)
    def is_one(content_type: str) -> bool:
        return matches(content_type.partition(";")[0].strip().lower()) is not None

    return lambda content_type: is_one(content_type[:_LONGEST])

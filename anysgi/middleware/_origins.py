"""Origins (RFC 6454 section 6): which of them an operator named."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Origins: TypeAlias = str | re.Pattern[str] | Callable[[str], bool] | Iterable[str | re.Pattern[str]]
    """`"*"`, an origin, a pattern for all of one, a function that judges one, or several of the first three."""

_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://(?:[a-z0-9_.-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?")


def origin_judge(origins: Origins) -> Callable[[str], bool]:
    """Make the function that says whether an origin is one of `origins`.

    Raises:
        ValueError: an origin that no browser would send: with a path, a slash at the end, or without a scheme.
    """
    if callable(origins):
        judge = origins
        return lambda origin: is_origin(origin) and judge(origin)
    several = [origins] if isinstance(origins, str | re.Pattern) else list(origins)
    named = frozenset(_checked(origin) for origin in several if isinstance(origin, str))
    patterns = [origin for origin in several if not isinstance(origin, str)]
    if "*" in named:
        return _anyone
    if not patterns:
        return named.__contains__
    return lambda origin: (
        origin in named or (is_origin(origin) and any(pattern.fullmatch(origin) for pattern in patterns))
    )


def is_origin(value: str) -> bool:
    """Whether a value has the shape of an origin; only those are asked about, as the answer repeats them."""
    return value == "null" or _ORIGIN.fullmatch(value.lower()) is not None


def _anyone(_origin: str) -> bool:
    return True


def is_anyone(judge: Callable[[str], bool]) -> bool:
    """Whether `judge` says yes to every origin."""
    return judge is _anyone


@lru_cache(maxsize=256)
def _checked(origin: str) -> str:
    lowered = origin.lower()
    if lowered not in ("*", "null") and not _ORIGIN.fullmatch(lowered):
        raise ValueError(
            f"{origin!r} is no origin; write 'https://example.com' or 'http://localhost:3000', and no path"
        )
    return lowered.removesuffix(":443") if lowered.startswith("https:") else lowered.removesuffix(":80")

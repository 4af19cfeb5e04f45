"""Headers of responses as an app gave them, and as they were checked and encoded: the same few come with every one."""

from __future__ import annotations

from typing import Any

RememberedPairs = dict[Any, tuple[bytes, bytes]]

_LONGEST = 64  # bytes of a name or value worth remembering
_MOST = 1024  # pairs per table: plenty for honest apps, and a bound for values that never repeat


def remember_pair(pairs: RememberedPairs, header: tuple[object, object], pair: tuple[bytes, bytes]) -> None:
    """Keep what `header` came to, unless it is long or a secret."""
    if len(pair[0]) <= _LONGEST and len(pair[1]) <= _LONGEST and pair[0] != b"set-cookie":
        if len(pairs) >= _MOST:
            pairs.clear()
        pairs[header] = pair

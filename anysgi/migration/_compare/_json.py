"""How two JSON values differ, place by place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

MISSING = object()


def json_differences(old: Any, new: Any, place: str = "$") -> Iterator[tuple[str, Any, Any]]:
    """Yield (place, old, new) for what differs; `MISSING` stands for what one side does not have.

    Numbers are equal by value, so 1 and 1.0 are; true is not 1.  The order of an object's keys means nothing, that of a
    list does.
    """
    if isinstance(old, dict) and isinstance(new, dict):
        for key in [*old, *(key for key in new if key not in old)]:
            yield from json_differences(old.get(key, MISSING), new.get(key, MISSING), f"{place}{_step(key)}")
    elif isinstance(old, list) and isinstance(new, list):
        for index in range(max(len(old), len(new))):
            theirs, ours = (items[index] if index < len(items) else MISSING for items in (old, new))
            yield from json_differences(theirs, ours, f"{place}[{index}]")
    elif old is not new and (isinstance(old, bool) or isinstance(new, bool) or old != new):
        yield place, old, new


def _step(key: str) -> str:
    return f".{key}" if key.isidentifier() else f"[{key!r}]"

"""One difference between two answers, in few enough words for a report."""

from __future__ import annotations

from dataclasses import dataclass

_SHORT = 300  # characters of a value that are told


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


def shown(text: str) -> str:
    return text if len(text) <= _SHORT else f"{text[:_SHORT]}… ({len(text)} characters)"

"""What a rule is: a function from a setting's value to its outcome.  Most are made by the four below."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple

Verdict = Literal["translated", "changed", "lost"]
Words = Callable[[object], list[str]]


class Outcome(NamedTuple):
    """What becomes of a setting.

    Attributes:
        verdict: `translated`, `changed` (it means something else there) or `lost` (there is no equivalent).
        reason: what is different, and what to do instead; may be empty for what is translated.
        words: what it adds to the command line.
    """

    verdict: Verdict
    reason: str
    words: tuple[str, ...] = ()


Rule = Callable[[object], Outcome]
Rules = Mapping[str, Rule]


def nothing(_value: object) -> list[str]:
    """Add no words."""
    return []


def kept(reason: str, words: Words = nothing) -> Rule:
    """Make a rule for what means the same there, in whatever way."""
    return lambda value: Outcome("translated", reason, tuple(words(value)))


def same(option: str, reason: str = "") -> Rule:
    """Make a rule for what is an option there, with the same value and meaning."""
    return kept(reason, option_with(option))


def changed(reason: str, words: Words = nothing) -> Rule:
    """Make a rule for what means something else there."""
    return lambda value: Outcome("changed", reason, tuple(words(value)))


def lost(reason: str) -> Rule:
    """Make a rule for what has no equivalent."""
    return lambda _value: Outcome("lost", reason)


def option_with(option: str) -> Words:
    """Write `--option value`; nothing where the value is unset.  Numbers with names, as of `ssl`, are numbers."""
    return lambda value: [option, str(int(value) if isinstance(value, int) else value)] if value else []


def each(option: str, value: object) -> list[str]:
    """Write `--option item` for every item of a list."""
    items = value if isinstance(value, (list, tuple)) else []
    return [word for item in items for word in (option, str(item))]


def flag(option: str) -> Words:
    """Write `--option` where the value is true."""
    return lambda value: [option] if value else []


def addresses(value: object) -> list[str]:
    """Return the addresses of `bind`: one string, several with commas, or a list."""
    items = value if isinstance(value, (list, tuple)) else str(value).split(",")
    return [str(item).strip() for item in items if str(item).strip()]


def host_and_port(address: str) -> tuple[str, str]:
    """Split `host:port`, with gunicorn's defaults for what is missing."""
    host, _, port = address.removeprefix("tcp://").rpartition(":")
    if not port.isdecimal():
        host, port = address, "8000"
    return host.strip("[]") or "127.0.0.1", port


def one_address(words: Callable[[str], list[str]]) -> Rule:
    """Make the rule of `bind` for a server that listens on one address."""

    def rule(value: object) -> Outcome:
        first, *others = addresses(value) or ["127.0.0.1:8000"]
        if others:
            reason = f"it listens on one address; lost: {', '.join(others)}"
            return Outcome("changed", reason, tuple(words(first)))
        return Outcome("translated", "", tuple(words(first)))

    return rule

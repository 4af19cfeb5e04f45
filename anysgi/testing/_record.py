"""The notes a scripted server takes: every message, in order, and the exchange they add up to."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from ..exceptions import ExchangeTimeout
from ._bounded import Abandoned
from ._exchange import Event, Exchange

if TYPE_CHECKING:
    from ..types import Convention
    from ._exchange import Party
    from ._scenario import Scenario

_SHOWN = 20
# What is longer than that has no end, and would fill the memory.
MOST_BYTES = 2**30
_EACH = 2**12  # bytes that a message counts for, beside its body


class Record:
    """An exchange in the making.

    Args:
        scenario: what is run.
        convention: how.

    Attributes:
        exchange: what is known so far.
        skipped: seconds of pauses that cost no time.
    """

    __slots__ = ("_room", "_started", "exchange", "skipped")

    def __init__(self, scenario: Scenario, convention: Convention) -> None:
        self.exchange = Exchange(scenario, convention, {})
        self.skipped = 0.0
        self._room = MOST_BYTES
        self._started = time.perf_counter()

    def add(self, by: Party, message: dict[str, Any]) -> None:
        """Note a message, which is nobody else's: who sent it must not change the note.

        An exchange that has no end is stopped here, inside of the app.
        """
        if self._room < 0:
            raise Abandoned
        body = message.get("body")
        self._room -= _EACH + len(body) if isinstance(body, bytes) else _EACH
        # Written out, as it is for each message there is.
        self.exchange.messages.append(Event(by, message, time.perf_counter() - self._started + self.skipped))

    def note(self, by: Party, message: dict[str, Any]) -> None:
        """Note a message that is said once, after the end as well."""
        self.exchange.messages.append(Event(by, message, self.elapsed()))

    def elapsed(self) -> float:
        return time.perf_counter() - self._started + self.skipped

    @property
    def endless(self) -> bool:
        return self._room < 0

    def timeout(self, what: str, where: str) -> ExchangeTimeout:
        """The error that tells what happened, the messages so far, and where the app stands."""
        return ExchangeTimeout(f"{what}: {self.exchange.scenario!r}\n{self.so_far()}\n{where}", self.exchange)

    def so_far(self) -> str:
        """What was said, for people."""
        return "Messages so far:\n" + ("\n".join(map(str, self.exchange.messages[-_SHOWN:])) or "(no message)")

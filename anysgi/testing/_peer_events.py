"""What the client of a scenario does beside sending its request: it leaves, stops reading, breaks, or takes its time.

Response messages are counted from 1: the head, then each piece of body.  WSGI has no messages; there the head goes out
with the first piece of body, and pieces are the non-empty chunks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from ..exceptions import ScenarioError


@dataclass(frozen=True, slots=True)
class Disconnect:
    """The client leaves.  Exactly one of the three says when.

    Args:
        after_chunks: once so many chunks of the request body were handed to the app; 0 is before the first.
        after_bytes: once so many bytes of it were; cuts a chunk in two where need be.
        after_messages: once so many response messages were sent.
    """

    after_chunks: int | None = None
    after_bytes: int | None = None
    after_messages: int | None = None

    def __post_init__(self) -> None:
        given = [count for count in (self.after_chunks, self.after_bytes, self.after_messages) if count is not None]
        if len(given) != 1:
            raise ScenarioError(
                "a client leaves at one moment: write Disconnect(after_chunks=1), Disconnect(after_bytes=10) or "
                "Disconnect(after_messages=2)"
            )
        if given[0] < 0 or self.after_messages == 0:
            raise ScenarioError(f"nothing happens after {given[0]} of them; count from 1 (0 chunks or bytes: at once)")


@dataclass(frozen=True, slots=True)
class SendFails:
    """Sending a response message raises, as it does once the connection is broken; the client is gone from then on.

    Args:
        at: the number of the message.
        error: the class to raise, an `OSError`.
    """

    at: int
    error: type[OSError] = ConnectionResetError

    def __post_init__(self) -> None:
        check_number(self, self.at)
        if not issubclass(self.error, OSError):
            raise ScenarioError(f"a server's send() fails with an OSError (ASGI spec 2.4), not {self.error.__name__}")


@dataclass(frozen=True, slots=True)
class SendBlocks:
    """The client stops reading, so that a response message is not taken for a while.

    Args:
        at: the number of the message.
        seconds: how long, in the scenario's own time, which passes at once; None: until it leaves.
    """

    at: int
    seconds: float | None = None

    def __post_init__(self) -> None:
        check_number(self, self.at)
        check_duration(self.seconds or 0)


@dataclass(frozen=True, slots=True)
class Pause:
    """The client waits before it sends a chunk of the request body.

    Args:
        before_chunk: the index of the chunk.
        seconds: how long, in the scenario's own time, which passes at once.
    """

    before_chunk: int
    seconds: float

    def __post_init__(self) -> None:
        check_duration(self.seconds)


PeerEvent: TypeAlias = Disconnect | SendFails | SendBlocks | Pause


def check_number(event: SendFails | SendBlocks, at: int) -> None:
    if at < 1:
        raise ScenarioError(f"{event!r}: response messages are counted from 1, which is the head")


def check_duration(seconds: float) -> None:
    if not 0 <= seconds < 1e9:
        raise ScenarioError(f"a pause lasts 0 seconds or more, not {seconds!r}")

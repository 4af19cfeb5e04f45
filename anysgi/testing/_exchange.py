"""`Exchange`: what happened when an app was run on a scenario, message by message."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    from ..types import Convention
    from ._scenario import Scenario

Party = Literal["app", "server"]
_LONG = 80  # characters of a message that are shown


class Event(NamedTuple):
    """One message.

    Attributes:
        by: who sent it, `"app"` or `"server"`.
        message: an ASGI message; under WSGI, one made in its likeness, of type `start_response`, `write`, `chunk`,
            `read` or `close`.
        at: seconds since the start, pauses of the peer included.
    """

    by: Party
    message: dict[str, Any]
    at: float

    def __str__(self) -> str:
        rest = ", ".join(f"{key}={_short(value)}" for key, value in self.message.items() if key != "type")
        arrow = "app -> server" if self.by == "app" else "server -> app"
        return f"{self.at:8.3f}  {arrow}  {self.message.get('type')}  {rest}".rstrip()


@dataclass(frozen=True, slots=True)
class Leak:
    """Something the exchange left behind.

    Attributes:
        kind: `"task"`, `"thread"` or `"generator"`.
        what: its name, and where it stands in the code.
    """

    kind: Literal["task", "thread", "generator"]
    what: str

    def __str__(self) -> str:
        return f"{self.kind} {self.what}"


@dataclass(slots=True)
class Exchange:
    """One request and what became of it.

    Attributes:
        scenario: what was run.
        convention: how the app was called, `"wsgi"` or `"asgi"`.
        request: the environ or the scope the app was given.
        status: the response's code, None if there was none.
        reason: the reason phrase, which only WSGI apps have.
        headers: (name, value) pairs of bytes, exactly as the app gave them.
        chunks: the response body with its boundaries, as it was sent; the empty ones are left out.
        complete: whether the response came to a clean end, and its body is no shorter than its `content-length` says:
            a server cuts the connection of one that is (RFC 9112 section 6.3).
        messages: every message in order, whoever sent it.
        exception: what the app raised, or None.
        close_calls: how often `close()` of the returned iterable was called; WSGI only.
        leaks: tasks, threads and generators that outlive the exchange.
        duration: seconds it took, the peer's pauses included.
    """

    scenario: Scenario
    convention: Convention
    request: dict[str, Any] = field(repr=False)
    status: int | None = None
    reason: str = ""
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    chunks: list[bytes] = field(default_factory=list)
    complete: bool = False
    messages: list[Event] = field(default_factory=list, repr=False)
    exception: BaseException | None = None
    close_calls: int = 0
    leaks: list[Leak] = field(default_factory=list)
    duration: float = 0.0

    @property
    def body(self) -> bytes:
        """The response body, whole."""
        return b"".join(self.chunks)

    def header(self, name: bytes | str) -> bytes | None:
        """The first value of a header, whatever the case of its name, or None."""
        wanted = (name.encode("latin-1") if isinstance(name, str) else name).lower()
        for key, value in self.headers:
            if key.lower() == wanted:
                return value
        return None

    def raise_for_exception(self) -> Exchange:
        """Raise what the app raised, if it did; return the exchange otherwise."""
        if self.exception is not None:
            raise self.exception
        return self

    def transcript(self) -> str:
        """The messages, a line each, for people."""
        return "\n".join(map(str, self.messages)) or "(no message)"


def _short(value: object) -> str:
    if isinstance(value, (bytes, bytearray, str)) and len(value) > _LONG:
        return f"{value[:_LONG]!r}… ({len(value):,} {'characters' if isinstance(value, str) else 'bytes'})"
    text = repr(value)
    return text if len(text) <= 100 else f"{text[:80]}… ({len(text)} characters)"

"""`Program`: what an app does, said once, and compiled to a WSGI app, an ASGI app, and the exchange to expect.

A program proposes its head first and then performs its steps.  The head goes out with the first non-empty piece of
body, or at the end, in both conventions.  How the pieces travel is its `style`:

    whole     collected, and sent as one             return [body]           one message
    stream    each when it is said                   a generator             a message each
    write     the same, by the callable of PEP 3333  write(piece)            a message each
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

if TYPE_CHECKING:
    from ._exchange import Exchange
    from ._program_apps import AsgiProgram, WsgiProgram
    from ._scenario import Headers, Scenario

Style = Literal["whole", "stream", "write"]


@dataclass(frozen=True, slots=True)
class Read:
    """Read up to `size` bytes of the request body; None: all there is."""

    size: int | None = None


@dataclass(frozen=True, slots=True)
class ReadLine:
    """Read the request body to the end of a line."""


@dataclass(frozen=True, slots=True)
class Say:
    """Send a piece of body, which may be empty."""

    piece: bytes


@dataclass(frozen=True, slots=True)
class Echo:
    """Send what was read since the last echo."""


@dataclass(frozen=True, slots=True)
class Restart:
    """Replace the head, as error handlers do: with `exc_info` in WSGI.  Once the head is out, the error is raised."""

    status: int = 500


@dataclass(frozen=True, slots=True)
class Raise:
    """Raise a `ProgramError`."""


class ProgramError(Exception):
    """What a program raises."""


Step: TypeAlias = Read | ReadLine | Say | Echo | Restart | Raise


class Effect:
    """What a step asks of a convention: to read so much, to say a piece, to restart with a status.

    Attributes:
        kind: `"read"`, `"readline"`, `"say"` or `"restart"`.
        value: the size, None, the piece, or the status.
        answer: what was read; whoever performs the effect sets it.
    """

    __slots__ = ("answer", "kind", "value")

    def __init__(self, kind: str, value: Any = None) -> None:
        self.kind, self.value, self.answer = kind, value, b""


@dataclass(frozen=True, slots=True)
class Program:
    """An app in neither convention.

    Args:
        steps: what it does, in order: `Read`, `ReadLine`, `Say`, `Echo`, `Restart`, `Raise`.
        status: the response's code.
        headers: (name, value) pairs of bytes, names in lower case.
        style: how the pieces of body travel: `"whole"`, `"stream"` or `"write"`.
    """

    steps: tuple[Step, ...] = ()
    status: int = 200
    headers: Headers = ()
    style: Style = "stream"

    @property
    def wsgi(self) -> WsgiProgram:
        """A WSGI app; a new one each time."""
        from ._program_apps import WsgiProgram

        return WsgiProgram(self)

    @property
    def asgi(self) -> AsgiProgram:
        """An ASGI app; a new one each time."""
        from ._program_apps import AsgiProgram

        return AsgiProgram(self)

    def expected(self, scenario: Scenario) -> Exchange:
        """What comes of it, by the specifications, as an exchange without messages."""
        from ._model import expected

        return expected(self, scenario)

    def effects(self) -> Iterator[Effect]:
        """Perform the steps; whoever iterates does the reading and the sending."""
        unsaid = b""
        for step in self.steps:
            match step:
                case Read() | ReadLine():
                    reads = Effect("read", step.size) if isinstance(step, Read) else Effect("readline")
                    yield reads
                    unsaid += reads.answer
                case Say(piece):
                    yield Effect("say", piece)
                case Echo():
                    yield Effect("say", unsaid)
                    unsaid = b""
                case Restart(status):
                    yield Effect("restart", status)
                case Raise():
                    raise ProgramError("as the program says")

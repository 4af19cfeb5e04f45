"""What a client sees of a program, worked out from the specifications, without a server and without a convention."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from ._exchange import Exchange
from ._framing import is_whole
from ._peer_events import Disconnect, SendBlocks, SendFails
from ._programs import ProgramError

if TYPE_CHECKING:
    from ._programs import Program
    from ._scenario import Scenario


class _Left(Exception):
    """The client is gone."""


class _Model:
    """A client and a server without any convention: what they see of a program."""

    def __init__(self, program: Program, scenario: Scenario, exchange: Exchange) -> None:
        self._program, self._scenario, self._exchange = program, scenario, exchange
        self._upload = io.BytesIO(b"".join(scenario.upload))
        self._status = program.status
        self._sent = 0
        self._kept = b""

    def perform(self) -> None:
        for effect in self._program.effects():
            if effect.kind in ("read", "readline"):
                effect.answer = self._read(effect.kind, effect.value)
            elif effect.kind == "restart":
                self._restart(effect.value)
            elif self._program.style == "whole":
                self._kept += effect.value
            else:
                self._say(effect.value)
        self._say(self._kept)
        if not self._sent:
            self._head()
        self._exchange.complete = not self._gone() and is_whole(self._exchange)

    def _read(self, kind: str, size: int | None) -> bytes:
        got = self._upload.readline() if kind == "readline" else self._upload.read(size)
        enough = got.endswith(b"\n") if kind == "readline" else size is not None and len(got) == size
        if not enough and not self._scenario.upload_complete:
            raise ConnectionAbortedError("the client left before its upload was complete")
        return got

    def _restart(self, status: int) -> None:
        if self._sent:
            raise ProgramError("replaced the head")
        self._status = status

    def _say(self, piece: bytes) -> None:
        if piece:
            if not self._sent:
                self._head()
            self._send()
            self._exchange.chunks.append(piece)

    def _head(self) -> None:
        self._send()
        self._exchange.status, self._exchange.headers = self._status, list(self._program.headers)

    def _send(self) -> None:
        number = self._sent + 1
        blocks = self._scenario.event(SendBlocks, at=number)
        if self._gone() or (blocks is not None and blocks.seconds is None):
            raise _Left
        self._sent = number

    def _gone(self) -> bool:
        leaves, fails = self._scenario.event(Disconnect), self._scenario.event(SendFails)
        left = leaves is not None and leaves.after_messages is not None and leaves.after_messages <= self._sent
        return left or (fails is not None and fails.at <= self._sent + 1)


def expected(program: Program, scenario: Scenario) -> Exchange:
    """What comes of a program, as an exchange without messages."""
    exchange = Exchange(scenario, "asgi", {})
    try:
        _Model(program, scenario, exchange).perform()
    except _Left:
        pass
    except (ProgramError, ConnectionError) as error:
        exchange.exception = error
    return exchange

"""A program compiled: to a WSGI app, and to an ASGI app."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from ._programs import Program, ProgramError

if TYPE_CHECKING:
    from ..types import Receive, Scope, Send


class WsgiProgram:
    """A program as a WSGI app.

    Attributes:
        calls: how often it was called.
        close_calls: how often `close()` of what it returned was called; a list, of style `"whole"`, has none.
    """

    def __init__(self, program: Program) -> None:
        self.program = program
        self.calls = self.close_calls = 0

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        self.calls += 1
        call = _WsgiProgramCall(self.program, environ["wsgi.input"], start_response)
        if self.program.style == "stream":
            return _Closable(self, call.pieces())
        body = b"".join(call.pieces())
        return [body] if body else []

    def __repr__(self) -> str:
        return f"{self.program!r}.wsgi"


class _WsgiProgramCall:
    def __init__(self, program: Program, body: Any, start_response: Any) -> None:
        self._program, self._body, self._start_response = program, body, start_response
        self._write = self._start(program.status)

    def _start(self, status: int, exc_info: Any = None) -> Any:
        headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in self._program.headers]
        return self._start_response(_line(status), headers, *([exc_info] if exc_info else []))

    def pieces(self) -> Iterator[bytes]:
        """Perform the steps; what is not written by `write()` is yielded."""
        for effect in self._program.effects():
            if effect.kind == "read":
                effect.answer = self._body.read() if effect.value is None else self._body.read(effect.value)
            elif effect.kind == "readline":
                effect.answer = self._body.readline()
            elif effect.kind == "restart":
                error = ProgramError("replaced the head")
                self._start(effect.value, (ProgramError, error, error.__traceback__))
            elif self._program.style != "write":
                yield effect.value
            elif effect.value:
                self._write(effect.value)


class _Closable:
    """What a WSGI program returns: counts its `close()`."""

    def __init__(self, app: WsgiProgram, pieces: Iterator[bytes]) -> None:
        self._app, self._pieces = app, pieces

    def __iter__(self) -> Iterator[bytes]:
        return self._pieces

    def close(self) -> None:
        self._app.close_calls += 1
        getattr(self._pieces, "close", int)()


class AsgiProgram:
    """A program as an ASGI app; it takes part in no lifespan.

    Attributes:
        calls: how often it was called.
    """

    def __init__(self, program: Program) -> None:
        self.program = program
        self.calls = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise ValueError(f"a program serves http, not {scope['type']!r}")
        self.calls += 1
        call = _AsgiProgramCall(self.program, _Reader(receive), send)
        await call.perform()

    def __repr__(self) -> str:
        return f"{self.program!r}.asgi"


class _Gone(Exception):
    """`send()` said that the client left: no more is sent, and nothing is wrong."""


class _AsgiProgramCall:
    def __init__(self, program: Program, body: _Reader, send: Send) -> None:
        self._program, self._body, self._send_message = program, body, send
        self._status = program.status
        self._started = False
        self._kept: list[bytes] = []

    async def perform(self) -> None:
        try:
            await self._perform()
            await self._finish()
        except _Gone:
            pass

    async def _perform(self) -> None:
        for effect in self._program.effects():
            if effect.kind == "read":
                effect.answer = await self._body.read(effect.value)
            elif effect.kind == "readline":
                effect.answer = await self._body.readline()
            elif effect.kind == "restart":
                self._restart(effect.value)
            elif self._program.style == "whole":
                self._kept.append(effect.value)
            elif effect.value:
                await self._say(effect.value, more=True)

    def _restart(self, status: int) -> None:
        if self._started:
            raise ProgramError("replaced the head")
        self._status = status

    async def _finish(self) -> None:
        await self._say(b"".join(self._kept), more=False)

    async def _say(self, piece: bytes, more: bool) -> None:
        if not self._started:
            self._started = True
            await self._send(
                {"type": "http.response.start", "status": self._status, "headers": [*self._program.headers]}
            )
        await self._send({"type": "http.response.body", "body": piece, "more_body": more})

    async def _send(self, message: dict[str, Any]) -> None:
        try:
            await self._send_message(message)
        except OSError as error:
            raise _Gone from error


class _Reader:
    """A request body read like a file."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._buffer = b""
        self._ended = False

    async def read(self, size: int | None) -> bytes:
        while not self._ended and (size is None or len(self._buffer) < size):
            await self._more()
        return self._take(len(self._buffer) if size is None else size)

    async def readline(self) -> bytes:
        while not self._ended and b"\n" not in self._buffer:
            await self._more()
        return self._take(self._buffer.find(b"\n") + 1 or len(self._buffer))

    async def _more(self) -> None:
        message = await self._receive()
        if message["type"] == "http.disconnect":
            raise ConnectionAbortedError("the client left before its upload was complete")
        self._buffer += message.get("body", b"")
        self._ended = not message.get("more_body", False)

    def _take(self, size: int) -> bytes:
        taken, self._buffer = self._buffer[:size], self._buffer[size:]
        return taken


def _line(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return f"{status} Unknown"

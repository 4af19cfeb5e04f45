"""The entries of a HAR file, read as they come: browsers write files larger than memory, as one JSON object."""

from __future__ import annotations

import codecs
import json
import re
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

_PIECE = 256 * 1024  # bytes read at once, at least
_LONGEST = 64 * 1024 * 1024  # characters of an entry, or of what stands before the first
_START = re.compile(r'"log"\s*:\s*\{.*?"entries"\s*:\s*\[', re.DOTALL)
_BETWEEN = re.compile(r"[\s,]*")
_DECODER = json.JSONDecoder()


class NotHar(Exception):
    """It is no HAR file; the message is to stand behind the file's name."""


def entries_of(file: IO[bytes]) -> Iterator[tuple[int, Any]]:
    """Yield each entry of the log, and the line it begins at, counted from 1.

    Raises:
        NotHar: it is none, or breaks off; what came before was yielded.
        UnicodeDecodeError: it is not UTF-8.
    """
    window = _Window(file)
    while (start := _START.search(window.text)) is None:
        if not window.grow():
            raise _no_log(window.text)
    window.go_to(start.end())
    while (next_ := window.next_character()) != "]":
        if not next_:
            raise NotHar(f":{window.line}: neither a recording nor a HAR file: it ends among the entries")
        line = window.line
        yield line, window.value()


def _no_log(text: str) -> NotHar:
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        return NotHar(f":{error.lineno}: neither a recording nor a HAR file: {error.msg}")
    return NotHar(": a HAR file has 'log' and in it 'entries'; this one has not")


class _Window:
    """The stretch of a text that is looked at.

    Attributes:
        text: what was read, and not thrown away yet.
        at: where in it to go on.
        line: of that place, counted from 1.
    """

    __slots__ = ("_decode", "_file", "at", "line", "text")

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._decode = codecs.getincrementaldecoder("utf-8-sig")().decode
        self.text = ""
        self.at = 0
        self.line = 1

    def grow(self) -> bool:
        """Throw away what is done with, and read as much again as is left; False if there is no more to be had."""
        self.text, self.at = self.text[self.at :], 0
        if len(self.text) >= _LONGEST:
            return False
        piece = self._file.read(max(_PIECE, len(self.text)))
        self.text += self._decode(piece, final=not piece)
        return bool(piece)

    def go_to(self, at: int) -> None:
        self.line += self.text.count("\n", self.at, at)
        self.at = at

    def next_character(self) -> str:
        """Go on to what is neither space nor comma; empty at the end."""
        while True:
            between = _BETWEEN.match(self.text, self.at)
            self.go_to(between.end() if between else self.at)
            if self.at < len(self.text) or not self.grow():
                return self.text[self.at : self.at + 1]

    def value(self) -> Any:
        """Read one JSON value."""
        while True:
            try:
                value, end = _DECODER.raw_decode(self.text, self.at)
            except json.JSONDecodeError as error:
                line = self.line + self.text.count("\n", self.at, error.pos)
                if not self.grow():
                    raise NotHar(f":{line}: neither a recording nor a HAR file: {error.msg}") from None
            else:
                self.go_to(end)
                return value

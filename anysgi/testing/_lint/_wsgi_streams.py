"""`wsgi.input` and `wsgi.errors` as the app sees them: every call is passed on, and judged on both sides."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._values import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ...types import Environ
    from ._rule import Party

    Find = Callable[[str, str, Party], None]


class LintInput:
    """The request body.

    Args:
        raw: the server's stream.
        environ: the request's; CONTENT_LENGTH says how much there is.
        find: takes a rule's id, what happened, and whose mistake it is.
    """

    def __init__(self, raw: Any, environ: Environ, find: Find) -> None:
        self._raw, self._find = raw, find
        length = environ.get("CONTENT_LENGTH")
        self._length = int(length) if isinstance(length, str) and length.isascii() and length.isdigit() else None
        self._terminated = environ.get("wsgi.input_terminated") is True
        self._taken = 0  # bytes the app got
        self._ended: str | None = None  # the call that gave the end, if one did

    def read(self, *size: Any) -> Any:
        """Read, with or without a size."""
        wanted = size[0] if size and isinstance(size[0], int) and size[0] >= 0 else None
        left = None if self._length is None else self._length - self._taken
        if wanted is not None and left is not None and wanted > left and not self._terminated:
            self._find("W029", f"read({wanted}) with {left} bytes left of CONTENT_LENGTH", "app")
        data = self._called("W024", self._raw.read, size)
        if not isinstance(data, bytes) or (wanted is not None and len(data) > wanted):
            self._find("W024", f"read({wanted or ''}) gave {shown(data)}", "server")
        return self._took(data, "read", asked=wanted != 0)

    def readline(self, *size: Any) -> Any:
        """Read a line, or its beginning."""
        line = self._called("W026", self._raw.readline, size)
        longer = (
            bool(size) and isinstance(size[0], int) and size[0] >= 0 and isinstance(line, bytes) and len(line) > size[0]
        )
        if longer or not _is_line(line, or_end=True):
            self._find("W026", f"readline({', '.join(map(str, size))}) gave {shown(line)}", "server")
        return self._took(line, "readline", asked=not size or size[0] != 0)

    def readlines(self, *hint: Any) -> Any:
        """Read lines, about as many bytes as the hint says."""
        lines = self._called("W027", self._raw.readlines, hint)
        good = isinstance(lines, list) and all(_is_line(line) for line in lines)
        if not good or any(not line.endswith(b"\n") for line in lines[:-1]):
            self._find("W027", f"readlines({', '.join(map(str, hint))}) gave {shown(lines)}", "server")
        elif lines:
            self._took(b"".join(lines), "readlines")
        return lines

    def __iter__(self) -> Iterator[Any]:
        for line in self._raw:
            if not _is_line(line):
                self._find("W028", f"iterating over wsgi.input gave {shown(line)}", "server")
            yield self._took(line, "iterating", asked=bool(line))

    def close(self) -> None:
        """Close the server's stream, which is the app's mistake."""
        self._find("W030", "the app closed wsgi.input", "app")
        self._raw.close()

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._raw, name)
        if not callable(value) or name.startswith("__"):
            return value

        if name in ("readinto", "read1"):  # io's classes and adapters read so from any stream that can
            return self._readinto if name == "readinto" else self._read1

        def other(*args: Any, **kwargs: Any) -> Any:
            self._find("W031", f"the app called {name}() of wsgi.input", "app")
            return value(*args, **kwargs)

        return other

    def _read1(self, *size: Any) -> Any:
        return self._took(self._raw.read1(*size), "read1", asked=not size or size[0] != 0)

    def _readinto(self, buffer: Any) -> Any:
        size = self._raw.readinto(buffer)
        self._took(bytes(size or 0), "readinto", asked=len(buffer) > 0)
        return size

    def finish(self) -> None:
        """Look whether the end came too early; called when the request is over."""
        if self._ended and self._length is not None and self._taken < self._length:
            got = f"{self._taken} of {self._length} bytes"
            self._find("W032", f"{self._ended}() gave the end after {got}", "server")

    def _called(self, id: str, method: Callable[..., Any], args: tuple[Any, ...]) -> Any:
        try:
            return method(*args)
        except OSError:
            raise
        except Exception as error:
            self._find(id, f"{method.__name__}({', '.join(map(str, args))}) raised {shown(error)}", "server")
            raise

    def _took(self, data: Any, how: str, *, asked: bool = True) -> Any:
        if not isinstance(data, bytes):
            return data
        if data and self._ended:
            id = {"readline": "W026"}.get(self._ended, "W033" if self._terminated else "W025")
            self._find(id, f"{how}() gave {len(data)} bytes after {self._ended}() had given the end", "server")
        self._taken += len(data)
        if self._length is not None and self._taken > self._length:
            self._find("W025", f"wsgi.input gave {self._taken} bytes, CONTENT_LENGTH is {self._length}", "server")
        self._ended = how if asked and not data else self._ended
        return data


def _is_line(line: Any, *, or_end: bool = False) -> bool:
    """Whether it is bytes with at most one line break, at its end."""
    return isinstance(line, bytes) and (bool(line) or or_end) and b"\n" not in line[:-1]


class LintErrors:
    """The error stream.

    Args:
        raw: the server's stream.
        find: takes a rule's id, what happened, and whose mistake it is.
    """

    def __init__(self, raw: Any, find: Find) -> None:
        self._raw, self._find = raw, find

    def write(self, text: Any) -> Any:
        """Write text."""
        if not isinstance(text, str):
            self._find("W034", f"wsgi.errors.write({shown(text)})", "app")
        return self._raw.write(text)

    def writelines(self, lines: Any) -> None:
        """Write several pieces of text."""
        for line in lines:
            self.write(line)

    def close(self) -> None:
        """Close the server's stream, which is the app's mistake."""
        self._find("W034", "the app closed wsgi.errors", "app")
        self._raw.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._raw, name)

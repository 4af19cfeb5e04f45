"""Files, both ways: what a server can do better than read and write.

    WSGI app -> ASGI server   `wsgi.file_wrapper` -> `http.response.pathsend`, `http.response.zerocopysend`, or blocks
                              worth a message each
    ASGI app -> WSGI server   `http.response.pathsend` -> the server's own `wsgi.file_wrapper`

Sources: PEP 3333, "Optional Platform-Specific File Handling"; ASGI spec, the extensions "Path Send" and "Zero Copy
Send".
"""

from __future__ import annotations

import io
import logging
import os
import stat
from abc import abstractmethod
from typing import TYPE_CHECKING, Any, BinaryIO

from .._core._asgi_messages import ZEROCOPYSEND
from .._core._lost_files import PATHSEND
from ..exceptions import AppProtocolError

if TYPE_CHECKING:
    from collections.abc import Container, Iterator

    from .._core._asgi_messages import ResponseMessages
    from ..types import Message, Scope

log = logging.getLogger("anysgi")

BLOCK = 65_536  # bytes: frameworks ask for 4 to 8 KiB, made for a socket of the app's own
_OPENED = (io.BufferedReader, io.FileIO)  # what `open` gives: nothing between the file and what would be read


class FileWrapper:
    """Iterate over a file-like object.

    Args:
        filelike: has `read(size)`, and maybe `close()`.
        block_size: bytes per block; smaller ones are read as 64 KiB.
    """

    def __init__(self, filelike: Any, block_size: int = BLOCK) -> None:
        self.filelike = filelike
        self.block_size = max(block_size, BLOCK)
        if hasattr(filelike, "close"):
            self.close = filelike.close

    def __iter__(self) -> Iterator[bytes]:
        return iter(lambda: self.filelike.read(self.block_size), b"")


class OfferedFile(FileWrapper):
    """The same for a server that can send a file by itself."""

    @abstractmethod
    def offer(self) -> tuple[Message, int] | None:
        """Return the message that has the server send it, and how many bytes these are; None if it has to be blocks."""


class PathWrapper(OfferedFile):
    """For `http.response.pathsend`: all of the file is to be sent, and a server that opens its path finds this file.

    Temporary files are none: they may be gone once they are closed.
    """

    def offer(self) -> tuple[Message, int] | None:
        file = self.filelike
        if type(file) not in _OPENED or not isinstance(file.name, str):
            return None
        path = os.path.abspath(file.name)
        try:
            here = os.fstat(file.fileno())
            whole = stat.S_ISREG(here.st_mode) and file.tell() == 0 and os.path.samestat(here, os.stat(path))
        except (OSError, ValueError):  # closed, or moved away
            return None
        return ({"type": PATHSEND, "path": path}, here.st_size) if whole else None


class DescriptorWrapper(OfferedFile):
    """For `http.response.zerocopysend`: the rest of an open file, which stays open until it was sent."""

    def offer(self) -> tuple[Message, int] | None:
        file = self.filelike
        if type(file) not in _OPENED:
            return None
        try:
            about, offset = os.fstat(file.fileno()), file.tell()
        except (OSError, ValueError):  # closed, or nothing one can be at a place of
            return None
        count = about.st_size - offset
        message = {"type": ZEROCOPYSEND, "file": file, "offset": offset, "count": count}
        return (message, count) if stat.S_ISREG(about.st_mode) and count > 0 else None


def wrapper_for(extensions: Container[str]) -> type[FileWrapper]:
    """Return the `wsgi.file_wrapper` for a server that offers these extensions."""
    if PATHSEND in extensions:
        return PathWrapper
    return DescriptorWrapper if ZEROCOPYSEND in extensions else FileWrapper


def open_file(messages: ResponseMessages) -> BinaryIO | None:
    """Open the file an app named as its body, and see to it that the head tells its size; None if no body may be sent.

    Raises:
        OSError: it cannot be opened.
        AppProtocolError: it is not as large as the app's Content-Length says, or no file.
    """
    if messages.silent:
        return None
    file = open(messages.path, "rb")  # noqa: SIM115 - the server closes it
    try:
        about = os.fstat(file.fileno())
        if not stat.S_ISREG(about.st_mode):
            raise AppProtocolError(f"{messages.path!r} is not a regular file")
        if messages.declared is None:
            messages.headers.append(("content-length", str(about.st_size)))
        elif messages.declared != about.st_size:
            raise AppProtocolError(
                f"the app declared Content-Length: {messages.declared} for {messages.path!r}, "
                f"which has {about.st_size} bytes"
            )
    except BaseException:
        file.close()
        raise
    return file


def tell_of_lost_file(scope: Scope) -> None:
    """Warn that middleware lost the file of a request, and what is done about it."""
    log.warning(
        "%s %r ended without a response after the app was offered %s. Some middleware drops that message, brotli-asgi "
        "does, so the app is asked again, and gets no such offer from now on: files go out as blocks. To have it so "
        "from the start, see docs/how-to/files.md",
        *(scope["method"], scope["path"], PATHSEND),
    )

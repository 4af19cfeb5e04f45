"""`wsgi.file_wrapper` (PEP 3333, "Optional Platform-Specific File Handling"): a file in blocks worth a message each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

_BLOCK = 65_536  # bytes: frameworks ask for 4 to 8 KiB, made for a socket of the app's own


class FileWrapper:
    """Iterate over a file-like object.

    Args:
        filelike: has `read(size)`, and maybe `close()`.
        block_size: bytes per block; smaller ones are read as 64 KiB.
    """

    def __init__(self, filelike: Any, block_size: int = _BLOCK) -> None:
        self.filelike = filelike
        self.block_size = max(block_size, _BLOCK)
        if hasattr(filelike, "close"):
            self.close = filelike.close

    def __iter__(self) -> Iterator[bytes]:
        return iter(lambda: self.filelike.read(self.block_size), b"")

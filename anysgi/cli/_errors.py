"""What the commands say when something is wrong, and with which exit code: 1 for the app, 2 for the command line.

A mistake of the user's is one paragraph without a traceback.  A mistake inside the user's code is their traceback,
starting at their first line, and then one paragraph.
"""

from __future__ import annotations

import traceback
from typing import IO, TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from types import TracebackType

_NOT_THEIRS = ("<frozen importlib", "/importlib/__init__.py", "/anysgi/cli/")


class AppProblem(click.ClickException):
    """The app cannot be found, imported, or used.  Exit code 1."""

    exit_code = 1


class BrokenApp(AppProblem):
    """The user's own code raised: shown with the part of the traceback that is theirs, which says what it raised."""

    def __init__(self, message: str, error: BaseException) -> None:
        super().__init__(message)
        self.error = error

    def show(self, file: IO[Any] | None = None) -> None:
        """Print the traceback, then the message."""
        lines = traceback.format_exception(type(self.error), self.error, their_frames(self.error))
        click.echo("".join(lines), file=file, err=True)
        super().show(file)


def their_frames(error: BaseException) -> TracebackType | None:
    """Return an exception's traceback from the first frame on that is neither ours nor the import system's."""
    frame = error.__traceback__
    while frame is not None and _is_ours(frame):
        frame = frame.tb_next
    return frame


def _is_ours(frame: TracebackType) -> bool:
    name = frame.tb_frame.f_code.co_filename.replace("\\", "/")
    return any(part in name for part in _NOT_THEIRS)


def installed_version(distribution: str) -> str | None:
    """Return the version of an installed distribution, or None."""
    import importlib.metadata  # slow to import, and `serve` does not need it

    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None

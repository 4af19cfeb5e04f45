"""The file of `--requests`: commands read it more than once, so a pipe is kept in a file while they run."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from shutil import copyfileobj
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click

from ..exceptions import RecordingError
from ..migration._compare._recordings import read_recording
from ._errors import AppProblem

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import IO

    from ..migration._compare._exchanges import Recorded


@dataclass(frozen=True, slots=True)
class Recording:
    """A recording or a HAR file.

    Attributes:
        name: as people gave it.
        path: where it can be read from, as often as it is asked for.
    """

    name: str
    path: Path

    def __str__(self) -> str:
        return self.name

    def requests(self) -> Iterator[Recorded]:
        """Read it; what is wrong with it is said in one paragraph."""
        try:
            yield from read_recording(self.path, self.name)
        except RecordingError as error:
            raise AppProblem(str(error)) from None
        except OSError as error:
            raise click.UsageError(f"{self} cannot be read: {error.strerror or error}") from None


def open_recording(name: str) -> Recording:
    """Find what `--requests` names.

    Args:
        name: a file, a named pipe, or `-` for stdin.

    Raises:
        click.UsageError: a pipe cannot be read.
    """
    path = Path(name)
    if name == "-":
        return Recording("stdin", _kept(sys.stdin.buffer))
    if not path.is_fifo():
        return Recording(name, path)
    try:
        with path.open("rb") as pipe:
            return Recording(name, _kept(pipe))
    except OSError as error:
        raise click.UsageError(f"{name} cannot be read: {error.strerror or error}") from None


def _kept(pipe: IO[bytes]) -> Path:
    folder = click.get_current_context().with_resource(TemporaryDirectory(prefix="anysgi-"))
    path = Path(folder, "requests")
    with path.open("wb") as file:
        copyfileobj(pipe, file)
    return path

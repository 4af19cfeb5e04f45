"""What an app raised, on its way to those who share a thread or a loop with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..exceptions import AppProtocolError

if TYPE_CHECKING:
    from collections.abc import Callable


def contained(error: BaseException) -> Exception:
    """Return `error` itself if it is an `Exception`, else one that names it and has it as its cause.

    SystemExit, KeyboardInterrupt and GeneratorExit of an app would end a thread or a loop that others share.
    """
    if isinstance(error, Exception):
        return error
    wrapped = AppProtocolError(f"the app raised {type(error).__name__}, which would end the server; raise an Exception")
    wrapped.__cause__ = error
    return wrapped


def raising(error: Exception) -> Callable[[], Exception]:
    """Return what a flow is to be broken with, so that the other side raises this very error."""
    return lambda: error

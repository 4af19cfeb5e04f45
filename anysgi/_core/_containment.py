"""SystemExit, KeyboardInterrupt and GeneratorExit of an app: they would end a thread or a loop that others share."""

from __future__ import annotations

from ..exceptions import AppProtocolError


def contained(error: BaseException) -> Exception:
    """Return `error` itself if it is an `Exception`, else one that names it and has it as its cause."""
    if isinstance(error, Exception):
        return error
    wrapped = AppProtocolError(f"the app raised {type(error).__name__}, which would end the server; raise an Exception")
    wrapped.__cause__ = error
    return wrapped

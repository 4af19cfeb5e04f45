"""What a request line may say (RFC 9112 section 3), for both adapters, since not every server looks.

A target in absolute form (section 3.2.2) that a server did not take apart is refused, not resolved: the guards in front
of the adapter, for a path or a host, have read the scope as it is, and the app must not be asked for something else.
"""

from __future__ import annotations

from ..exceptions import BadRequest
from ._headers import is_token

# What nearly every request has: the rest is looked at character by character.
_USUAL = frozenset(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])


def check_request_line(method: str, path: str) -> None:
    """Refuse a method that is no token, and a target that is no path.

    Args:
        method: as the app will see it.
        path: decoded, below the app's root.

    Raises:
        BadRequest: with what it is instead.
    """
    if method in _USUAL and path[:1] == "/":
        return
    if not _is_method(method):
        raise BadRequest(f"the request method is no token: {method[:40]!r}")
    # `admin` is `/admin` to Werkzeug, and to no guard in front of it.
    if not path.startswith("/") and path and (path != "*" or method != "OPTIONS"):
        raise BadRequest(f"the request target is no path: {path[:40]!r}")


def loggable(method: str) -> str:
    """A method for a line of a log: one that is no token, which may hold what a terminal obeys, as a literal."""
    return method if _is_method(method) else ascii(method)


def _is_method(text: str) -> bool:
    return text in _USUAL or is_token(text.encode("utf-8", "replace"))

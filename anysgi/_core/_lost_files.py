"""A file that an app named with `http.response.pathsend`, and that middleware around the app dropped: it does with
messages it does not know, and then the app returns without a response.

Whoever sees that cannot tell it from an app that forgot to respond.  A safe request can be made once more without the
offer, and will tell.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..exceptions import AppProtocolError

if TYPE_CHECKING:
    from ..types import Environ

PATHSEND = "http.response.pathsend"

LOST = (
    "; or it sent http.response.pathsend, which the server offered, and middleware around the app dropped it: have a "
    "layer made with @middleware(needs_bytes=True) around both (docs/how-to/files.md)"
)


class LostFile(AppProtocolError):
    """The app was offered to name a file, and returned before any of a body came."""


def is_repeatable(environ: Environ) -> bool:
    """Whether a request can be made once more without harm.

    It can if its method is safe (RFC 9110 section 9.2.1) and it has no body that might have been read.
    """
    bodiless = environ.get("CONTENT_LENGTH") in (None, "", "0") and "HTTP_TRANSFER_ENCODING" not in environ
    return bodiless and environ["REQUEST_METHOD"].upper() in ("GET", "HEAD")

"""Request bodies of unknown length for frameworks that must be told one: read first, then set CONTENT_LENGTH."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..types import Environ

_IN_MEMORY = 262_144  # bytes; beyond, the body goes to a temporary file


@contextmanager
def spool_body(environ: Environ) -> Iterator[None]:
    """Replace `wsgi.input` with the complete body and set CONTENT_LENGTH, for as long as the block runs.

    Raises:
        ClientDisconnected: the client left before the body was complete.
    """
    with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as body:
        shutil.copyfileobj(environ["wsgi.input"], body, 65_536)
        environ["CONTENT_LENGTH"] = str(body.tell())
        body.seek(0)
        environ["wsgi.input"] = body
        yield

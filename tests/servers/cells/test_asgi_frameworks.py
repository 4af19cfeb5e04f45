"""Every ASGI framework on every WSGI server, through `AsgiToWsgi`."""

from __future__ import annotations

from pathlib import Path

from .._cells import Cell
from ._matrix import each
from ._run import hold


@each("a2w")
def test_an_asgi_framework_is_itself_on_a_wsgi_server(cell: Cell, tmp_path: Path) -> None:
    hold(cell, tmp_path)

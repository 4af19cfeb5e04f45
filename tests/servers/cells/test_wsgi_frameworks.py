"""Every WSGI framework on every ASGI server, through `WsgiToAsgi`."""

from __future__ import annotations

from pathlib import Path

from .._cells import Cell
from ._matrix import each
from ._run import hold


@each("w2a")
def test_a_wsgi_framework_is_itself_on_an_asgi_server(cell: Cell, tmp_path: Path) -> None:
    hold(cell, tmp_path)

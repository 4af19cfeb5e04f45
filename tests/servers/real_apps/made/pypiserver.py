"""pypiserver with an empty folder, open to uploads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pypiserver


def make() -> Any:
    packages = Path("packages").absolute()
    packages.mkdir(exist_ok=True)
    return pypiserver.app(roots=[packages], authenticate=[], password_file=".", disable_fallback=True)

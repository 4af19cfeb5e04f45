"""WsgiDAV with one shared folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from wsgidav.wsgidav_app import WsgiDAVApp


def make() -> Any:
    shared = Path("shared").absolute()
    shared.mkdir(exist_ok=True)
    return WsgiDAVApp(
        {
            "provider_mapping": {"/": str(shared)},
            "simple_dc": {"user_mapping": {"*": True}},  # anybody may do anything
            "logging": {"enable": False},
        }
    )

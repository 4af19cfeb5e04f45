"""Radicale, with calendars in a folder, and one person who may have some."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from radicale import config
from radicale.app import Application

AUTH = {"type": "htpasswd", "htpasswd_filename": "users", "htpasswd_encryption": "plain", "delay": "0"}


def make() -> Any:
    Path("users").write_text("me:secret\n", encoding="utf-8")
    settings = config.load()
    settings.update({"storage": {"filesystem_folder": "calendars"}, "auth": AUTH}, "test")
    return Application(settings)

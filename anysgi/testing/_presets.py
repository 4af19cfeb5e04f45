"""Server presets: what real servers put into a scope or an environ, recorded from them.

`_presets.json` is written by `tests/testing/record_presets.py`, which runs the servers; nothing in it is from memory.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..exceptions import ScenarioError

if TYPE_CHECKING:
    from ..types import Convention


@dataclass(frozen=True, slots=True, eq=False)
class Habits:
    """How one server serves one convention.

    Attributes:
        keys: what a scope or environ has, besides request headers.
        fixed: the values that do not depend on the request.
        upload: what the app sees of a client that leaves amid its upload: `"http.disconnect"`, `"eof"`, `"OSError"`, or
            `"buffered"` where the app is never called.
        send: what `send()` does once the client is gone: `"OSError"` or `"silent"`.
    """

    keys: frozenset[str]
    fixed: dict[str, Any]
    upload: str
    send: str = "OSError"


@dataclass(frozen=True, slots=True)
class Preset:
    """One server, at the version it was recorded from; None for a convention it does not serve."""

    name: str
    version: str
    wsgi: Habits | None
    asgi: Habits | None

    def habits(self, convention: Convention) -> Habits:
        """How it serves a convention.

        Raises:
            ScenarioError: it does not.
        """
        found = self.wsgi if convention == "wsgi" else self.asgi
        if found is None:
            able = [name for name, other in presets().items() if getattr(other, convention) is not None]
            raise ScenarioError(f"{self.name} serves no {convention.upper()} apps; like= can be {', '.join(able)}")
        return found


@cache
def presets() -> dict[str, Preset]:
    """The servers that can be imitated, by name."""
    recorded = json.loads(Path(__file__).with_name("_presets.json").read_text(encoding="utf-8"))
    return {
        name: Preset(name, entry["version"], _habits(entry.get("wsgi")), _habits(entry.get("asgi")))
        for name, entry in recorded.items()
    }


def preset(name: str) -> Preset:
    """One server.

    Raises:
        ScenarioError: nobody recorded it.
    """
    found = presets().get(name)
    if found is None:
        raise ScenarioError(f"no server {name!r} was recorded; like= can be {', '.join(presets())}")
    return found


def _habits(entry: dict[str, Any] | None) -> Habits | None:
    if entry is None:
        return None
    return Habits(frozenset(entry["keys"]), entry["fixed"], entry["upload"], entry.get("send", "OSError"))

"""Say what a gunicorn configuration becomes on another server: no setting is ever dropped in silence.

`_gunicorn` reads the file, `_rule` says what a rule is, `_everywhere` has the rules that hold for every ASGI server,
and `_uvicorn`, `_hypercorn` and `_granian` have their own.  A new server is one more table.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ._everywhere import DEFAULTS, EVERYWHERE, environment
from ._granian import GRANIAN
from ._gunicorn import Setting, read_settings
from ._hypercorn import HYPERCORN
from ._rule import kept, option_with
from ._uvicorn import UVICORN

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ._rule import Outcome, Rule, Rules

__all__ = ["TARGETS", "Row", "Setting", "Translation", "read_settings", "rule_for", "translate"]


@dataclass(frozen=True, slots=True)
class Target:
    """A server to translate for: its command, its option for the root path, and what differs from `EVERYWHERE`."""

    command: tuple[str, ...]
    root_path: str
    rules: Rules


TARGETS = {
    "uvicorn": Target(("uvicorn",), "--root-path", UVICORN),
    "hypercorn": Target(("hypercorn",), "--root-path", HYPERCORN),
    "granian": Target(("granian", "--interface", "asgi"), "--url-path-prefix", GRANIAN),
}


@dataclass(frozen=True, slots=True)
class Row:
    """One setting and what becomes of it; its line is 0 for a default of gunicorn's that was not written."""

    setting: Setting
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Translation:
    """A command line, and what became of every setting."""

    command: str
    rows: tuple[Row, ...]

    @property
    def faithful(self) -> bool:
        """Whether every setting that was written keeps its meaning."""
        return all(row.outcome.verdict == "translated" for row in self.rows if row.setting.line)


def translate(settings: Sequence[Setting], server: str, app: str = "MODULE:APP") -> Translation:
    """Translate gunicorn settings.

    Args:
        settings: what `read_settings` returned.
        server: one of `TARGETS`.
        app: what the server is to run, where the settings do not say.

    Returns:
        The command line and one row for each setting, then one for each default of gunicorn's that the server does not
        share.
    """
    target = TARGETS[server]
    written = {setting.name for setting in settings}
    defaults = [Setting(name, value, 0) for name, value in DEFAULTS.items() if name not in written]
    rows = tuple(Row(setting, rule_for(setting.name, server)(setting.value)) for setting in (*settings, *defaults))
    own_app = next((str(setting.value) for setting in settings if setting.name == "wsgi_app" and setting.value), app)
    variables = environment(settings)
    prefix = option_with(target.root_path)(variables.pop("SCRIPT_NAME", ""))
    words = [*target.command, *_words(rows), *prefix, own_app]
    assignments = (f"{name}={shlex.quote(value)}" for name, value in variables.items())
    return Translation(" ".join([*assignments, shlex.join(words)]), rows)


def rule_for(name: str, server: str) -> Rule:
    """Return the rule for a setting: the server's own, or else the one for every ASGI server."""
    helper = kept("gunicorn has no such setting; it is a helper of this file")
    return TARGETS[server].rules.get(name) or EVERYWHERE.get(name) or helper


def _words(rows: Iterable[Row]) -> list[str]:
    """The words of all rows, with those that keep a default of gunicorn's."""
    return [word for row in rows for word in row.outcome.words]

"""gunicorn's settings that change their meaning, or are lost, on an ASGI server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._translate import rule_for
from ._finding import Evidence, Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._finding import Patient

_SERVER = "uvicorn"


def changed_settings(patient: Patient) -> Iterator[Finding]:
    """Every setting of the file that does not mean the same on uvicorn."""
    for setting in patient.gunicorn:
        outcome = rule_for(setting.name, _SERVER)(setting.value)
        if outcome.verdict != "translated":
            shown = "…" if callable(setting.value) else repr(setting.value)
            yield Finding(
                "gunicorn",
                "warning" if outcome.verdict == "changed" else "note",
                f"{setting.name} is {outcome.verdict} on {_SERVER}: {outcome.reason}",
                (Evidence(f"{setting.name} = {shown}", patient.gunicorn_file, setting.line),),
                " ".join(outcome.words) or "see anysgi config translate",
            )

"""What a server imports: an app inside the validators, with one of our adapters between two of them.

ANYSGI_TEST_APP names the app, one of tests/servers or of `_frameworks`; ANYSGI_LINT_WAY says `native`, `w2a` or `a2w`.
Findings go to ANYSGI_LINT_FILE, one a line, and the server's own as well as the app's.
"""

from __future__ import annotations

import os
from typing import Any

from anysgi import AsgiToWsgi, WsgiToAsgi
from anysgi.testing import Finding, LintASGI, LintWSGI

from . import _frameworks


def write(finding: Finding, at: str) -> None:
    with open(os.environ["ANYSGI_LINT_FILE"], "a", encoding="utf-8") as file:
        file.write(f"{finding.rule.id} {at}: {finding}\n")


def outer(finding: Finding) -> None:
    write(finding, "server")


def inner(finding: Finding) -> None:
    write(finding, "adapter")


def _of_tests_servers(name: str) -> Any:
    from apps.wrapped import load  # type: ignore[import-not-found]  # on the server's path; importing it loads an app

    return load(name)


def build() -> Any:
    name = os.environ["ANYSGI_TEST_APP"]
    app = getattr(_frameworks, name)() if name in _frameworks.ASGI + _frameworks.WSGI else _of_tests_servers(name)
    match os.environ["ANYSGI_LINT_WAY"]:
        case "w2a":
            return LintASGI(WsgiToAsgi(LintWSGI(app, on=inner)), on=outer)
        case "a2w":
            return LintWSGI(AsgiToWsgi(LintASGI(app, on=inner)), on=outer)
    return (LintASGI if name in ("starlette", "fastapi", *_frameworks.ASGI) else LintWSGI)(app, on=outer)


application = build()

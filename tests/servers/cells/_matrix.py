"""Which servers, which frameworks: the names of `.._cells` with what the README calls them."""

from __future__ import annotations

import importlib.util
import os
import subprocess
from dataclasses import dataclass
from functools import cache

import pytest

from .._cells import Cell


@dataclass(frozen=True)
class Row:
    """One row; the version in its label is that of `package`."""

    cell: str
    label: str
    package: str
    options: str = "{}"


ASGI_SERVERS = (
    Row("uvicorn-httptools", "uvicorn {version}", "uvicorn"),
    Row("hypercorn", "hypercorn {version}, asyncio worker", "hypercorn"),
    Row("hypercorn-trio", "hypercorn {version}, trio worker", "hypercorn"),
    Row("daphne", "daphne {version}", "daphne"),
    Row("granian", "granian {version}", "granian"),
    Row("gunicorn-asgi", "gunicorn {version}, asgi worker", "gunicorn"),
)
WSGI_SERVERS = (
    Row("gunicorn-sync", "gunicorn {version}, sync worker", "gunicorn"),
    Row("gunicorn-gthread", "gunicorn {version}, gthread worker", "gunicorn"),
    Row("gunicorn-gevent", "gunicorn {version}, gevent worker", "gunicorn"),
    Row("gunicorn-preload", "gunicorn {version} `--preload`", "gunicorn"),
    Row("waitress", "waitress {version}", "waitress"),
    Row("uwsgi-threads", "uWSGI {version} `--threads 4`", "pyuwsgi"),
    Row("uwsgi", 'uWSGI {version}, no threads, `mode="inline"`', "pyuwsgi", '{"mode": "inline"}'),
    Row("mod_wsgi", "Apache with mod_wsgi {version}", "mod_wsgi"),
    Row("cheroot", "cheroot {version}", "cheroot"),
    Row("granian-wsgi", "granian {version} `--interface wsgi`", "granian"),
    Row("werkzeug", "werkzeug {version}, development server", "werkzeug"),
    Row("wsgiref", "wsgiref of Python {version}", "python"),
)
WSGI_FRAMEWORKS = {
    "django": "Django",
    "flask": "Flask",
    "pyramid": "Pyramid",
    "bottle": "Bottle",
    "falcon": "Falcon",
}
ASGI_FRAMEWORKS = {
    "fastapi": "FastAPI",
    "starlette": "Starlette",
    "quart": "Quart",
    "litestar": "Litestar",
    "django_async": "Django async",
    "falcon_async": "Falcon async",
}
HALVES = {"w2a": (ASGI_SERVERS, WSGI_FRAMEWORKS), "a2w": (WSGI_SERVERS, ASGI_FRAMEWORKS)}


def cells(way: str) -> list[Cell]:
    servers, frameworks = HALVES[way]
    return [Cell(server.cell, app, way, options=server.options) for server in servers for app in frameworks]


def each(way: str) -> pytest.MarkDecorator:
    """Run the test on each cell of one direction."""
    return pytest.mark.parametrize("cell", [pytest.param(cell, id=cell.name, marks=marks(cell)) for cell in cells(way)])


def marks(cell: Cell) -> list[pytest.MarkDecorator]:
    missing = without_mod_wsgi() if cell.server == "mod_wsgi" else ""
    return [pytest.mark.server, pytest.mark.slow, *([pytest.mark.skip(reason=missing)] if missing else [])]


@cache
def without_mod_wsgi() -> str:
    """Why Apache cannot be run here."""
    if importlib.util.find_spec("mod_wsgi") is None:
        return "pip install mod_wsgi, which wants Apache's headers (Debian: apache2-dev)"
    if os.geteuid() == 0 and subprocess.run(["unshare", "--user", "true"], capture_output=True).returncode:
        return "Apache does not serve as root, and root may not make a user namespace here"
    return ""

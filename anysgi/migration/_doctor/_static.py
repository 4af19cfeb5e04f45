"""Who serves the static files, and below which prefix an app makes its URLs: read from settings, nothing is asked.

`_pages` asks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ._django import settings_files, settings_of
from ._finding import Evidence, Finding, line_of
from ._sides import layers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._finding import Patient, Side

_SERVERS = ("whitenoise", "servestatic", "staticfileshandler")
_SETTINGS = {
    "Django": "FORCE_SCRIPT_NAME",
    "FastAPI": "root_path",
    "Flask": "APPLICATION_ROOT",
    "Quart": "APPLICATION_ROOT",
}
"""Where a framework is told its prefix."""


def static_urls(patient: Patient) -> Iterator[Finding]:
    """Django's static files: `runserver` serves them by itself, no other server does.  --run asks for every file."""
    names = [side.name for side in patient.sides if side.framework == "Django"]
    settings = settings_of(*patient.sides)  # of the process, whichever side has them
    if settings is None or "django.contrib.staticfiles" not in settings.INSTALLED_APPS:
        return
    url = urlsplit(settings.STATIC_URL or "")
    if url.path and not url.netloc and not any(_serves(side, url.path, settings) for side in patient.sides):
        root = settings.STATIC_ROOT
        yield Finding(
            "static-urls",
            "note" if root else "warning",
            f"nothing in {' or '.join(names)} serves {url.path}: runserver does it by itself, an ASGI server does not"
            + (", so a proxy has to" if root else "; and without STATIC_ROOT no proxy can"),
            (line_of(settings_files(patient), "STATIC_URL", settings.STATIC_URL), Evidence(f"STATIC_ROOT = {root!r}")),
            '"whitenoise.middleware.WhiteNoiseMiddleware" second in MIDDLEWARE, STATIC_ROOT, and collectstatic',
        )


def _serves(side: Side, prefix: str, settings: Any) -> bool:
    """Whether middleware, something around the app, or a route takes the static URLs."""
    around = [f"{type(layer).__module__}.{type(layer).__qualname__}" for layer in (side.app, *layers(side))]
    named = " ".join([*around, *settings.MIDDLEWARE]).lower()
    routed = any(route.path.startswith(prefix) for route in side.inventory.routes)
    return routed or any(server in named for server in _SERVERS)


def prefixes(patient: Patient) -> Iterator[Finding]:
    """The prefix that both sides put before the URLs they make.  --run looks at the links in pages."""
    if patient.new is None or patient.new.framework not in _SETTINGS:
        return
    (old, seen), (new, also_seen) = _prefix(patient.app), _prefix(patient.new)
    if old != new:
        yield Finding(
            "prefix",
            "warning",
            f"{patient.app.name} makes URLs below {old or '/'}, {patient.new.name} below {new or '/'}: where a route "
            "moves, its links and redirects lead elsewhere",
            (seen, also_seen),
            "no prefix in either, and the server's: --root-path, or SCRIPT_NAME for gunicorn",
        )


def _prefix(side: Side) -> tuple[str, Evidence]:
    name = _SETTINGS.get(side.framework or "", "")
    holder = settings_of(side) or getattr(side.inner, "config", side.inner)
    value = holder.get(name) if isinstance(holder, dict) else getattr(holder, name, None)
    found = line_of(side.files, name, value or "") if name else Evidence("")
    return (value or "").rstrip("/"), Evidence(f"{side.name}: {found.seen}", found.file, found.line)

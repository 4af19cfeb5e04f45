"""The URLs of an app's static files, from the folders its framework serves them from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from os import walk
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

if TYPE_CHECKING:
    from ._finding import Side


def static_files(side: Side) -> Iterator[str]:
    """Yield the path of each file, percent-encoded; of frameworks that are not known here, none."""
    for prefix, names in _READERS.get(side.framework or "", _nowhere)(side):
        yield from (quote(f"{prefix}{name}") for name in names)


def prefixed_once(side: Side) -> tuple[str, ...]:
    """The URLs that Django puts the prefix of its first request before, and keeps: later ones tell nothing."""
    if side.framework != "Django":
        return ()
    from django.conf import settings

    written = {name: getattr(settings._wrapped, name, None) or "/" for name in ("STATIC_URL", "MEDIA_URL")}
    return tuple(getattr(settings, name) for name, url in written.items() if not url.startswith(("/", "http")))


Served = Iterator[tuple[str, Iterator[str]]]
"""Prefixes, and the names of the files below each."""


def _flask(side: Side) -> Served:
    owners = {f"{name}.static": owner for name, owner in side.inner.blueprints.items()} | {"static": side.inner}
    for rule in side.inner.url_map.iter_rules():
        if rule.endpoint in owners and not (rule.host or rule.subdomain):
            yield rule.rule.partition("<")[0], _below(owners[rule.endpoint].static_folder)


def _starlette(side: Side) -> Served:
    for route in side.inventory.routes:
        prefix, variable, _ = route.path.partition("<path:rest>")
        if variable and "<" not in prefix and not route.host:
            for folder in getattr(route.runs[0], "all_directories", ()):
                yield prefix, _below(folder)


def _django(_side: Side) -> Served:
    from django.conf import settings

    url = urlsplit(settings.STATIC_URL or "")
    if url.path and not url.netloc and "django.contrib.staticfiles" in settings.INSTALLED_APPS:
        from django.contrib.staticfiles.finders import get_finders

        for finder in get_finders():
            yield url.path, (name.replace("\\", "/") for name, _ in finder.list([]))


def _below(folder: Any) -> Iterator[str]:
    root = Path(folder)
    for inside, _, names in walk(root):
        yield from ((Path(inside) / name).relative_to(root).as_posix() for name in sorted(names))


def _nowhere(_side: Side) -> Served:
    return iter(())


_READERS: dict[str, Callable[[Side], Served]] = {
    "Django": _django,
    "FastAPI": _starlette,
    "Flask": _flask,
    "Quart": _flask,
    "Starlette": _starlette,
}

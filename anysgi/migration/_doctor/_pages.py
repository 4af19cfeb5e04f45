"""Ask an app for its pages and its static files: is everything there, on both sides, and below a prefix?"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass
from html.parser import HTMLParser
from itertools import islice
from posixpath import commonpath
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from ...exceptions import ExchangeTimeout
from ...testing import Scenario, arun
from .._lifespan import started
from ._finding import Evidence, Finding
from ._static_files import prefixed_once, static_files

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from ...testing import Exchange
    from ._finding import Patient, Side

_PREFIX = "/below-a-prefix"
_HOST = "localhost"  # apps that look at it allow this one
_BOUND = 10.0  # seconds for a request
_PAGES = 50
_FILES = 1_000  # that are asked for: Django's admin alone has 150
_FOLLOWED = frozenset(["icon", "manifest", "modulepreload", "preload", "stylesheet"])  # by a browser, of itself


@dataclass(frozen=True, slots=True)
class Answer:
    """What an app said: its status (0 for none), the paths that are linked, and those a browser needs for the page."""

    status: int
    links: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()


def look_at_pages(patient: Patient, paths: list[str]) -> Iterator[Finding]:
    """Ask for pages and for all static files, on both sides, and for the pages below a prefix.

    Args:
        patient: the apps.  They are really called.
        paths: of pages of the old app.

    Yields:
        Findings of `static-urls` and `prefix`.
    """
    yield from asyncio.run(_look(patient, paths[:_PAGES]))


async def _look(patient: Patient, paths: list[str]) -> list[Finding]:
    async with AsyncExitStack() as stack:
        ask, *others = [await _asker(side, stack) for side in patient.sides]
        wanted = dict.fromkeys(islice(static_files(patient.app), _FILES), "a file of its static folder")
        for path in paths:
            wanted |= dict.fromkeys((await ask("GET", path)).needs, f"for {path}")
        seen = {url: (await ask("HEAD", url)).status for url in wanted}
        found = [*_missing(patient.app, seen, wanted)]
        for side, ask_it in zip(patient.sides[1:], others, strict=True):
            there = [url for url, status in seen.items() if _is_there(status)]
            found += _not_moved(patient.app, side, {url: (await ask_it("HEAD", url)).status for url in there})
        astray = [(link, path) for path in paths for link in (await ask("GET", path, _PREFIX)).links]
    return [*found, *_astray(patient.app, astray)]


async def _asker(side: Side, stack: AsyncExitStack) -> Callable[..., Awaitable[Answer]]:
    state = await stack.enter_async_context(started(side.app, side.convention))

    async def ask(method: str, path: str, root_path: str = "") -> Answer:
        scenario = Scenario(method, root_path + path, root_path=root_path, server=(_HOST, 80))
        try:
            exchange = await arun(side.app, scenario, convention=side.convention, bound=_BOUND, state=state)
        except ExchangeTimeout:
            return Answer(0)
        return _read(scenario, exchange)

    return ask


def _read(scenario: Scenario, exchange: Exchange) -> Answer:
    here = scenario.target.decode("latin-1")
    headers = {name.lower(): value.decode("latin-1") for name, value in exchange.headers}
    page = _Page()
    if headers.get(b"content-type", "").startswith("text/html"):
        page.feed(exchange.body.decode("utf-8", "replace"))
    links = [*page.links, headers[b"location"]] if b"location" in headers else page.links
    return Answer(exchange.status or 0, tuple(_own(here, links)), tuple(_own(here, page.needs)))


def _own(here: str, links: list[str]) -> Iterator[str]:
    """The paths of links that lead to the app itself."""
    for link in links:
        try:
            url = urlsplit(urljoin(f"http://{_HOST}{here}", link.strip()))
        except ValueError:  # no URL
            continue
        if url.netloc == _HOST and url.path.startswith("/"):
            yield url.path


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.needs: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value for name, value in attrs if value}
        links = [given[name] for name in ("href", "src", "action") if name in given]
        self.links += links
        if "src" in given or (tag == "link" and _FOLLOWED & set(given.get("rel", "").lower().split())):
            self.needs += links


def _is_there(status: int) -> bool:
    return 0 < status < 400 or status == 405  # no HEAD, but it knows the URL


def _missing(side: Side, seen: dict[str, int], wanted: dict[str, str]) -> Iterator[Finding]:
    missing = [url for url, status in seen.items() if not _is_there(status)]
    if missing:
        yield Finding(
            "static-urls",
            "error",
            f"{len(missing)} of the {len(seen)} files that {side.name} or its pages name are not there",
            tuple(Evidence(f"{seen[url]} {url}, {wanted[url]}") for url in missing),
            "a layer around the app that serves them: WhiteNoise, StaticFiles; or the proxy, if it is to",
        )


def _not_moved(old: Side, new: Side, seen: dict[str, int]) -> Iterator[Finding]:
    missing = [url for url, status in seen.items() if not _is_there(status)]
    if missing:
        folder = commonpath([url.rpartition("/")[0] or "/" for url in missing])
        yield Finding(
            "static-urls",
            "warning",
            f"{len(missing)} of the {len(seen)} files that {old.name} serves are not there on {new.name}",
            tuple(Evidence(f"{seen[url]} {url}") for url in missing),
            f'app.mount("{folder}", StaticFiles(directory=…)) on the new side; or they stay with the old one: '
            f'path = "{folder.rstrip("/")}/<path:rest>", to = "legacy"',
        )


def _astray(side: Side, links: list[tuple[str, str]]) -> Iterator[Finding]:
    within = (f"{_PREFIX}/", *prefixed_once(side))
    astray = {link: page for link, page in links if not f"{link}/".startswith(within)}
    if astray:
        yield Finding(
            "prefix",
            "note",
            f"{len(astray)} link{'s' * (len(astray) != 1)} of {side.name} would leave the prefix it is mounted below",
            tuple(Evidence(f"{link}, on {page}") for link, page in astray.items()),
            "url_for or reverse instead of a path; Django's STATIC_URL without a slash in front",
        )

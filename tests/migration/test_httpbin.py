"""httpbin, which nobody here wrote, on both sides of a router: whichever side a route is on, the client sees the same.

The table is the one that `anysgi routes diff --write` makes for it.
"""

from __future__ import annotations

import gzip
import re
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from anysgi import WsgiToAsgi, testing
from anysgi.cli import main
from anysgi.migration import Overrides, Router, RouteTable
from tests.servers.test_httpbin import RANDOM, TABLE, Ask, in_order

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.slow

NOISE = {"date", "server", "content-length", "set-cookie"}  # lengths are checked against the bodies by the runner


class Share:
    """All routes at once."""

    percent = 0.0

    def read(self, table: RouteTable) -> Overrides:
        return Overrides(percents={route.name: self.percent for route in table.routes})


@pytest.fixture(scope="module")
def httpbin() -> Any:
    import httpbin

    return httpbin.app


@pytest.fixture(scope="module")
def share() -> Share:
    return Share()


@pytest.fixture(scope="module")
def router(httpbin: Any, share: Share, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Router]:
    file = tmp_path_factory.mktemp("table") / "routes.toml"
    written = CliRunner().invoke(main, ["routes", "diff", "httpbin:app", "httpbin:app", "--write", str(file)])
    assert written.exit_code == 0, written.output
    new = WsgiToAsgi(httpbin, chunked="spool")
    router = Router(httpbin, new, table=file, switches=[share], refresh=0)
    yield router
    router.close()
    new.drain()


def seen(app: Any, ask: Ask) -> Any:
    """What a client would notice."""
    headers = [tuple(part.strip() for part in line.split(":", 1)) for line in ask.headers]
    scenario = testing.Scenario(ask.method, ask.target, headers, ask.body or b"")  # type: ignore[arg-type]
    exchange = testing.run(app, scenario)
    assert exchange.exception is None
    kept = sorted(
        (name.lower().decode(), in_order(name.lower().decode(), value.decode("latin-1")))
        for name, value in exchange.headers
        if name.lower().decode() not in NOISE.union(ask.random)
    )
    body = gzip.decompress(exchange.body) if ("content-encoding", "gzip") in kept else exchange.body
    return exchange.status, kept, RANDOM.sub("", body.decode("utf-8", "surrogateescape"))


@pytest.mark.parametrize("server", ["wsgi", "asgi"])
@pytest.mark.parametrize("ask", TABLE, ids=lambda ask: ask.name)
def test_whichever_side_a_route_is_on_the_client_sees_the_same(
    httpbin: Any, router: Router, share: Share, server: str, ask: Ask
) -> None:
    front = getattr(router, server)
    share.percent = 0.0
    before = seen(front, ask)
    share.percent = 100.0
    after = seen(front, ask)
    assert before == after
    if server == "wsgi":
        assert before == seen(httpbin, ask)
    path = re.sub(r"\?.*", "", ask.target)
    if (route := router.table.find(ask.method, path)) is not None:
        served = router.stats.tally(route.name, "new")
        assert served.requests + served.handed_on + served.rescued > 0

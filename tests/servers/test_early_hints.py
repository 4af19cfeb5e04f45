"""`103 Early Hints` on servers that send them: the client has the hint before the app has made the page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import h2.events
import pytest

from ._cells import GUNICORN, WRAPPED
from ._doorman import Doorman
from ._http_2 import over_http_2
from ._process import running

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.server, pytest.mark.slow]

LINK = "</style.css>; rel=preload; as=style"  # what the apps say
SPARED = ["-W", "error", "-W", "ignore:unclosed <socket:ResourceWarning"]


@pytest.mark.parametrize("worker", [["sync"], ["gthread", "--threads", "4"]], ids=["sync", "gthread"])
def test_hints_of_an_asgi_app_leave_by_gunicorn(tmp_path: Path, doorman: Doorman, worker: list[str]) -> None:
    words = [word.replace(WRAPPED, "apps.hints_app:application") for word in GUNICORN]
    with (
        running("gunicorn-hints", [*SPARED, *words, "--worker-class", *worker], {}, tmp_path) as server,
        server.client() as client,
    ):
        client.request("GET", f"/styled?{doorman.query}")
        app = doorman.greet()
        hint = client.any_head()
        assert (hint.status, hint.header("link")) == (103, LINK)
        app.let_on()
        assert client.reply().body == b"the page"


def test_hints_of_a_wsgi_app_leave_by_hypercorn(tmp_path: Path, doorman: Doorman) -> None:
    command = ["-W", "error", "-m", "hypercorn", "apps.hints_app:asgi_application", "--bind", "fd://{fd}"]
    with running("hypercorn-hints", [*command, "--workers", "0"], {}, tmp_path) as server:
        events = over_http_2(server.port, f"/styled?{doorman.query}")
        hint = next(event for event in events if isinstance(event, h2.events.InformationalResponseReceived))
        assert (b":status", b"103") in hint.headers
        assert (b"link", LINK.encode()) in hint.headers
        doorman.greet().let_on()
        assert b"".join(event.data for event in events if isinstance(event, h2.events.DataReceived)) == b"the page"

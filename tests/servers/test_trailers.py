"""Fields of layers after the body, on the one server that sends them: hypercorn, over HTTP/2."""

from __future__ import annotations

from typing import TYPE_CHECKING

import h2.events
import pytest

from ..middleware.test_digests import OF_HELLO
from ._http_2 import over_http_2
from ._process import running

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.server, pytest.mark.slow]


def test_digest_and_timings_of_a_stream_follow_it(tmp_path: Path) -> None:
    command = ["-W", "error", "-m", "hypercorn", "apps.trailers_app:application", "--bind", "fd://{fd}"]
    with running("hypercorn-trailers", [*command, "--workers", "0"], {}, tmp_path) as server:
        events = list(over_http_2(server.port, "/stream", ("te", "trailers")))
        unasked = list(over_http_2(server.port, "/stream"))
    [end] = [dict(event.headers) for event in events if isinstance(event, h2.events.TrailersReceived)]
    assert end[b"content-digest"] == OF_HELLO.encode()
    assert end[b"server-timing"].startswith(b"total;dur=")
    assert not [event for event in unasked if isinstance(event, h2.events.TrailersReceived)]

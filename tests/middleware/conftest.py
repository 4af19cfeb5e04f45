"""Every test that takes `drive` or `convention` runs in both conventions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ._driving import Drive
from ._redis import redis_server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from anysgi.types import Convention


@pytest.fixture(params=["wsgi", "asgi"])
def convention(request: pytest.FixtureRequest) -> Convention:
    chosen: Convention = request.param
    return chosen


@pytest.fixture
def drive(convention: Convention) -> Drive:
    return Drive(convention)


@pytest.fixture(scope="session")
def redis_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A Redis server for the whole run; empty it with `empty`."""
    with redis_server(tmp_path_factory.mktemp("redis")) as port:
        yield port

"""Every test that takes `drive` or `convention` runs in both conventions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ._driving import Drive

if TYPE_CHECKING:
    from anysgi.types import Convention


@pytest.fixture(params=["wsgi", "asgi"])
def convention(request: pytest.FixtureRequest) -> Convention:
    chosen: Convention = request.param
    return chosen


@pytest.fixture
def drive(convention: Convention) -> Drive:
    return Drive(convention)

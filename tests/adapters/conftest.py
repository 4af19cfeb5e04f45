"""What all adapter tests share: asyncio must have nothing to complain about."""

from __future__ import annotations

import gc
import logging
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def _no_complaints_from_asyncio(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Fail a test that left a task pending, or an exception that nobody looked at: asyncio only logs these."""
    yield
    gc.collect()
    records = [*caplog.get_records("setup"), *caplog.get_records("call"), *caplog.records]
    complaints = [r.getMessage() for r in records if r.name == "asyncio" and r.levelno >= logging.ERROR]
    assert not complaints

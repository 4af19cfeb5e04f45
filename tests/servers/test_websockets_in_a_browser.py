"""A real browser (Debian's chromium, headless) on a WebSocket, in both directions."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import pytest

from ._sockets import FAST, Cell, serving

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [
    pytest.mark.slow,
    pytest.mark.server,
    pytest.mark.skipif(shutil.which("chromedriver") is None, reason="needs apt-get install chromium chromium-driver"),
]


@pytest.mark.parametrize("cell", [cell.param() for cell in FAST])
def test_a_browser_talks_sends_a_mebibyte_and_is_closed(cell: Cell, browser: Any, tmp_path: Path) -> None:
    from selenium.webdriver.support.ui import WebDriverWait

    with serving(cell, tmp_path) as server:
        browser.get(f"http://127.0.0.1:{server.port}/page")
        WebDriverWait(browser, 20, 0.05).until(lambda driver: driver.title == "done")
        heard = [item.text for item in browser.find_elements("css selector", "li")]
        assert heard == ["open chat", "text grüß dich", "binary 1048576 true", "closed 4001 bye true"]
        assert browser.get_log("browser") == []

        browser.execute_script("window.other = new WebSocket(`ws://${location.host}/ws`)")
        WebDriverWait(browser, 20, 0.05).until(lambda driver: driver.execute_script("return other.readyState") == 1)
        browser.execute_script("other.close(4003, 'leaving')")
        server.logged("[app] closed with 4003")
        browser.get("about:blank")

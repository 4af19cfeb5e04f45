"""The HTML report of a comparison in a real browser: what is filtered, what stands side by side, what is drawn."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import pytest

from anysgi.migration._compare._exchanges import Answered, Asked
from anysgi.migration._compare._finding import Finding
from anysgi.migration._compare._report import html_report
from anysgi.migration._compare._running import Compared
from anysgi.migration._compare._summary import Summary

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("chromedriver") is None, reason="needs apt-get install chromium chromium-driver"),
]


def compared(route: str, *findings: Finding, seconds: float = 0.01) -> Compared:
    answer = Answered(200, seconds=seconds)
    return Compared(Asked("GET", route.partition(" ")[2], at="t.jsonl:1"), route, answer, answer, findings)


@pytest.fixture
def page(browser: Any, tmp_path: Path) -> Any:
    summary = Summary()
    for one in (
        compared("GET /alike", seconds=0.02),
        compared("GET /price", Finding("json", "$.price", "20 coins", "30 coins")),
        compared("GET /gone", Finding("status", "status", "200", "404"), Finding("header", "etag", "a", "b")),
        Compared(Asked("POST", "/buy"), "POST /buy", skipped="POST may change data"),
    ):
        summary.add(one)
    file = tmp_path / "report.html"
    file.write_text(html_report(summary, old="old:app", new="new:app", noise={}, when="now"), encoding="utf-8")
    browser.get(file.as_uri())
    yield browser
    assert browser.get_log("browser") == []  # it needs nothing else, and nothing fails


def routes(page: Any) -> list[str]:
    """The routes that can be seen."""
    return [row.text for row in page.find_elements("css selector", "summary code") if row.is_displayed()]


def test_routes_are_filtered_by_text_kind_and_difference(page: Any) -> None:
    from selenium.webdriver.support.ui import Select

    everything = ["GET /gone", "GET /price", "GET /alike", "POST /buy"]
    assert routes(page) == everything
    text, kind, only = (page.find_element("id", name) for name in ("text", "kind", "only"))
    text.send_keys("30 COINS")  # what stands in a difference, too
    assert routes(page) == ["GET /price"]
    text.send_keys("\b" * 8)
    assert routes(page) == everything
    Select(kind).select_by_visible_text("header")
    assert routes(page) == ["GET /gone"]
    Select(kind).select_by_visible_text("every kind")
    only.click()
    assert routes(page) == ["GET /gone", "GET /price"]
    assert only.get_attribute("aria-pressed") == "true"
    only.click()
    assert routes(page) == everything


def test_both_values_stand_side_by_side_and_what_differs_is_marked(page: Any) -> None:
    [row] = [row for row in page.find_elements("css selector", "tbody tr") if "$.price" in row.text]
    gone, came = (row.find_element("css selector", cell) for cell in ("td.gone", "td.came"))
    assert (gone.text, came.text) == ("20 coins", "30 coins")
    assert [cell.find_element("css selector", "mark").text for cell in (gone, came)] == ["20", "30"]
    assert gone.rect["y"] == came.rect["y"]
    assert gone.rect["x"] + gone.rect["width"] <= came.rect["x"] + 1


def test_figures_and_charts_count_what_was_compared(page: Any) -> None:
    tiles = [tile.text.replace("\n", " ") for tile in page.find_elements("css selector", ".tile")]
    assert tiles == ["1 the same", "2 different", "1 not compared", "1 / 3 routes agree"]
    charts = page.find_elements("css selector", "summary svg")
    assert len(charts) == 3
    widths = [chart.find_element("css selector", "rect").rect["width"] for chart in charts]
    assert widths[2] == pytest.approx(2 * widths[0], rel=0.05)  # twice the time

"""The dashboard in a real browser (Debian's chromium, headless), on a server of each convention."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import pytest

from tests.servers._process import running

from .test_servers import GUNICORN, HERE, UVICORN

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = [
    pytest.mark.slow,
    pytest.mark.server,
    pytest.mark.skipif(shutil.which("chromedriver") is None, reason="needs apt-get install chromium chromium-driver"),
]

TABLE = """
[[route]]
path = "/hello"
to = "new"
owner = "<img src=x onerror=document.title=1>"

[[route]]
path = "/echo"
to = "legacy"
name = "echo"
"""


class Page:
    """What a person sees and does."""

    def __init__(self, driver: Any, port: int) -> None:
        self.driver = driver
        driver.get(f"http://127.0.0.1:{port}/_migration")

    def find(self, selector: str) -> Any:
        return self.driver.find_element("css selector", selector)

    def text(self, selector: str) -> str:
        return str(self.find(selector).text)

    def wait(self, true: Callable[[], object]) -> None:
        from selenium.common.exceptions import NoSuchElementException, StaleElementReferenceException
        from selenium.webdriver.support.ui import WebDriverWait

        redrawn = (NoSuchElementException, StaleElementReferenceException)
        WebDriverWait(self.driver, 15, 0.05, ignored_exceptions=redrawn).until(lambda _: true())

    def log_in(self, token: str) -> None:
        self.find("#token").send_keys(token)
        self.find("form button").click()


@pytest.mark.parametrize(
    ("words", "live"),
    [
        pytest.param([*UVICORN, f"{HERE}:asgi_app"], "live", id="uvicorn"),
        pytest.param([*GUNICORN, "--threads", "8", f"{HERE}:application"], "live", id="gunicorn-threads"),
        pytest.param([*GUNICORN, f"{HERE}:application"], "every 3 s", id="gunicorn-sync"),
    ],
)
def test_a_person_sees_how_far_it_is_and_can_stop_it(words: list[str], live: str, browser: Any, tmp_path: Path) -> None:
    (tmp_path / "routes.toml").write_text(TABLE)
    environ = {"ANYSGI_TEST_TABLE": str(tmp_path / "routes.toml"), "ANYSGI_TEST_TOKEN": "the token of the test"}
    with running("router", words, environ, tmp_path) as server:
        page = Page(browser, server.port)
        page.log_in("a wrong one")
        page.wait(lambda: page.text(".problem") == "This is not the token.")
        page.log_in("the token of the test")
        page.wait(lambda: page.text("#percent") == "50%")
        page.wait(lambda: page.text("#live") == live)
        assert page.text("#routes") == "1 of 2"
        assert "<img src=x onerror=document.title=1>" in page.text("#rows")  # shown, not run

        page.find("#kill").click()
        page.wait(lambda: page.text("#question") == "Send everything to legacy?")
        page.find("#yes").click()
        page.wait(lambda: "The kill switch is on" in page.text("#notices"))
        assert server.get("/hello").body == b"legacy"
        page.find("#kill").click()
        page.find("#yes").click()
        page.wait(lambda: page.text("#notices") == "")
        assert server.get("/hello").body == b"new"

        page.find("select[data-route=echo] option[value='50']").click()
        page.wait(lambda: page.text("#percent") == "75%")
        (tmp_path / "routes.toml").write_text(TABLE + "\n[[route]]\n")
        page.wait(lambda: "this route has no `path`" in page.text("#notices"))

        page.find("#logout").click()
        page.wait(lambda: page.find("#token"))
        assert browser.title == "Migration · log in"
        problems = [entry for entry in browser.get_log("browser") if "401" not in entry["message"]]
        assert problems == []
        browser.get("about:blank")  # a stream would keep the server from stopping

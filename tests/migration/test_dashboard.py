"""The dashboard, on both kinds of servers: who gets in, what it shows, what its buttons do."""

from __future__ import annotations

import asyncio
import json
import re
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from anysgi.migration import Difference, Route, Router, RouteTable
from anysgi.migration._dashboard_access import Access
from tests.adapters._calling import WsgiPeer
from tests.adapters._driving import AsgiPeer, http_scope

from ._apps import NewWsgi, ask, legacy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

TOKEN = "a token of sufficient length"
BEARER = {"authorization": f"Bearer {TOKEN}"}
TABLE = RouteTable(
    (Route("/<path:p>", "new", name="all", owner="a team"), Route("/old", name="old")), file="routes.toml"
)


class Shadow:
    def begin(self, request: Any) -> None:
        return None

    def latest(self) -> list[Difference]:
        return [Difference(1.0, "all", "GET /x", "status: 200 in legacy, 404 in new")]


def make(table: Any = TABLE, **options: Any) -> Router:
    options = {"dashboard": "/_migration", "dashboard_token": TOKEN, "switches": (), **options}
    return Router(legacy, NewWsgi(), table=table, **options)


class Browser:
    """Cookies, and either convention."""

    def __init__(self, router: Router, convention: str) -> None:
        self.router, self.convention, self.cookies = router, convention, httpx.Cookies()

    def ask(self, method: str, where: str = "", **request: Any) -> httpx.Response:
        if self.convention == "wsgi":
            with httpx.Client(transport=httpx.WSGITransport(self.router.wsgi), **self._options) as client:
                answer = client.request(method, f"/_migration{where}", **request)
        else:
            answer = asyncio.run(self._ask(method, where, request))
        self.cookies.extract_cookies(answer)
        return answer

    async def _ask(self, method: str, where: str, request: Any) -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(self.router.asgi), **self._options) as client:
            return await client.request(method, f"/_migration{where}", **request)

    @property
    def _options(self) -> Any:
        return {"base_url": "http://shop", "cookies": self.cookies}

    def log_in(self) -> str:
        """Returns what the page knows and other pages do not."""
        assert self.ask("POST", "/login", data={"token": TOKEN}).status_code == 303
        found = re.search(r'data-token="(\w+)"', self.ask("GET").text)
        assert found is not None
        return found[1]


@pytest.fixture(params=["wsgi", "asgi"])
def convention(request: pytest.FixtureRequest) -> Any:
    return request.param


@pytest.fixture
def router() -> Iterator[Router]:
    router = make(shadow=Shadow())
    yield router
    router.close()


@pytest.fixture
def browser(router: Router, convention: str) -> Browser:
    return Browser(router, convention)


# --- who gets in


def test_it_is_off_unless_asked_for(convention: str) -> None:
    router = make(dashboard=None)
    assert ask(router, convention, "/_migration", "PUT").side == "new"


def test_only_its_own_paths_are_its_own(router: Router, convention: str) -> None:
    assert ask(router, convention, "/_migrations").side == "new"
    assert ask(router, convention, "/_migration/nowhere").status == 404


@pytest.mark.parametrize(
    ("options", "says"),
    [({"dashboard_token": "short"}, "at least 16"), ({"dashboard": "x"}, "'x'"), ({"dashboard": "/"}, "of its own")],
)
def test_a_door_without_a_lock_is_refused(options: Any, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        make(**options)


def test_a_stranger_sees_the_login_form_and_nothing_else(browser: Browser) -> None:
    page = browser.ask("GET")
    assert (page.status_code, 'type="password"' in page.text) == (200, True)
    assert [browser.ask("GET", where).status_code for where in ("/state", "/events")] == [401, 401]
    assert browser.ask("POST", "/switch", json={"kill": True}).status_code == 401
    assert browser.ask("POST", "/logout").status_code == 401
    assert browser.ask("POST", "/login", data={"token": "wrong"}).status_code == 401
    assert browser.ask("POST", "/login", data={}).status_code == 401
    assert not browser.cookies


def test_the_token_opens_it_and_logging_out_closes_it(browser: Browser) -> None:
    answer = browser.ask("POST", "/login", data={"token": TOKEN})
    assert answer.headers["location"] == "/_migration"
    assert answer.headers["set-cookie"].endswith("; Path=/_migration; HttpOnly; SameSite=Strict")
    page = browser.ask("GET")
    assert 'id="percent"' in page.text
    (nonce,) = set(re.findall(r'nonce="([\w-]+)"', page.text))
    policy = page.headers["content-security-policy"]
    assert f"script-src 'nonce-{nonce}'" in policy
    assert "default-src 'none'" in policy
    assert "{{" not in page.text
    assert page.headers["cache-control"] == "no-store"
    assert browser.ask("HEAD").content == b""
    browser.ask("POST", "/logout", headers={"x-page-token": browser.log_in()})
    assert browser.ask("GET", "/state").status_code == 401


def test_a_form_too_big_is_not_read(browser: Browser) -> None:
    assert browser.ask("POST", "/login", content=b"x" * 5000).status_code == 413


def test_cookies_are_secure_where_the_server_is() -> None:
    assert Access(TOKEN).new_cookie("/_migration", True).endswith("; Secure")


def test_a_forged_or_expired_cookie_is_refused(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    access = Access(TOKEN)
    value = access.new_cookie("/", False).partition(";")[0].partition("=")[2]
    assert access.is_cookie(value)
    assert not Access("another token, long enough").is_cookie(value)
    for forged in ("", "x", "9999999999.nonce.00", "9" + value, value[:-1], value + "é", "²." + value):
        assert not access.is_cookie(forged)
    monkeypatch.setattr("anysgi.migration._dashboard_access.time", lambda: 4e9)
    assert not access.is_cookie(value)
    browser.cookies.set("anysgi_dashboard", value)
    assert browser.ask("GET").status_code == 401


# --- what it shows


def test_it_shows_routes_shares_and_figures(browser: Browser, router: Router, convention: str) -> None:
    for path in ("/ok", "/ok", "/missing", "/old"):
        ask(router, convention, path)
    state = browser.ask("GET", "/state", headers=BEARER).json()
    assert state["progress"] == {
        "percent": 50.0, "moved": 1, "moving": 0, "total": 2, "new": 2, "legacy": 2, "served": 50.0
    }  # fmt: skip
    first, second = state["routes"]
    assert (first["name"], first["owner"], first["share"], first["written"]) == ("all", "a team", 100.0, 100.0)
    assert (first["new"]["requests"], first["new"]["handedOn"], first["legacy"]["requests"]) == (2, 1, 1)
    assert first["new"]["p95"] > 0
    assert second["new"]["p95"] is None
    assert state["differences"][0]["what"] == "status: 200 in legacy, 404 in new"
    assert (state["killed"], state["down"], state["problems"]) == (False, "", [])


def test_an_empty_table_is_shown_too() -> None:
    router = make(RouteTable())
    assert Browser(router, "asgi").ask("GET", "/state", headers=BEARER).json()["progress"]["percent"] == 0
    router.close()


# --- its buttons


def test_the_page_may_kill_and_restore(browser: Browser, router: Router, convention: str) -> None:
    mine = {"x-page-token": browser.log_in(), "sec-fetch-site": "same-origin"}
    assert browser.ask("POST", "/switch", json={"kill": True}, headers=mine).json()["killed"] is True
    assert ask(router, convention, "/ok").side == "legacy"
    assert browser.ask("POST", "/switch", json={"kill": False}, headers=mine).json()["killed"] is False
    assert ask(router, convention, "/ok").side == "new"


def test_a_share_is_changed_by_whoever_has_the_token(browser: Browser, router: Router) -> None:
    for percent, share in ((25, 25.0), (None, 100.0)):
        answer = browser.ask("POST", "/switch", json={"route": "all", "percent": percent}, headers=BEARER)
        assert answer.json()["routes"][0]["share"] == share


@pytest.mark.parametrize(
    "headers", [{}, {"x-page-token": "wrong"}, {"x-page-token": "MINE", "sec-fetch-site": "cross-site"}]
)
def test_another_page_cannot_press_a_button(browser: Browser, router: Router, headers: dict[str, str]) -> None:
    mine = browser.log_in()
    headers = {name: mine if value == "MINE" else value for name, value in headers.items()}
    assert browser.ask("POST", "/switch", json={"kill": True}, headers=headers).status_code == 403
    assert not router._core.live.plan().killed


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"[" * 4000,
        b"{}",
        b'{"kill": 1}',
        b'{"route": "none", "percent": 5}',
        b'{"route": "all", "percent": "x"}',
    ],
)
def test_a_command_that_makes_no_sense_is_refused(browser: Browser, body: bytes) -> None:
    answer = browser.ask("POST", "/switch", content=body, headers=BEARER)
    assert (answer.status_code, answer.text[:20]) == (400, "This is no command: ")


def test_switches_that_cannot_be_written_are_said(tmp_path: Path, convention: str) -> None:
    router = make(switches_file=tmp_path / "gone" / "switches.json")
    answer = Browser(router, convention).ask("POST", "/switch", json={"kill": True}, headers=BEARER)
    assert (answer.status_code, "cannot be written" in answer.text) == (409, True)
    router.close()


def test_a_client_that_leaves_in_the_middle_of_a_command_changes_nothing(router: Router) -> None:
    async def main() -> int:
        peer = AsgiPeer({"type": "http.disconnect"})
        headers = [(b"authorization", BEARER["authorization"].encode())]
        await router.asgi(http_scope("POST", "/_migration/switch", headers), peer.receive, peer.send)
        return peer.status

    assert asyncio.run(main()) == 400


# --- events


def events(body: bytes) -> list[Any]:
    return [json.loads(event.removeprefix(b"data: ")) for event in body.split(b"\n\n") if event.startswith(b"data: ")]


def test_viewers_are_told_when_something_changes_and_leave_when_they_like() -> None:
    router = make()
    router._core.dashboard._interval = 0.01  # type: ignore[union-attr]

    async def main() -> None:
        kills = iter([router.kill, router.restore])

        async def on_send(message: Any) -> None:
            if message.get("body"):
                action: Callable[[], None] = next(kills, peer.leave)
                action()

        peer = AsgiPeer(on_send=lambda message: on_send(message))
        peer.loop = asyncio.get_running_loop()
        headers = [(b"authorization", BEARER["authorization"].encode())]
        async with asyncio.timeout(10):
            await router.asgi(http_scope(path="/_migration/events", headers=headers), peer.receive, peer.send)
        assert [event["killed"] for event in events(peer.body)] == [False, True, False]
        assert dict(peer.headers)[b"content-type"] == b"text/event-stream"

    asyncio.run(main())
    assert router._core.dashboard._viewers == 0  # type: ignore[union-attr]


def test_a_quiet_stream_says_that_it_is_still_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("anysgi.migration._dashboard._SILENCE", 0.01)
    router = make()
    router._core.dashboard._interval = 0.01  # type: ignore[union-attr]

    async def main() -> bytes:
        def on_send(message: Any) -> None:
            if b": still here" in message.get("body", b""):
                peer.leave()

        peer = AsgiPeer(on_send=on_send)
        peer.loop = asyncio.get_running_loop()
        headers = [(b"authorization", BEARER["authorization"].encode())]
        async with asyncio.timeout(10):
            await router.asgi(http_scope(path="/_migration/events", headers=headers), peer.receive, peer.send)
        return peer.body

    body = asyncio.run(main())
    assert body.endswith(b": still here\n\n")
    assert len(events(body)) == 1


def watch_wsgi(router: Router, **more: Any) -> WsgiPeer:
    return WsgiPeer(router.wsgi, path="/_migration/events", HTTP_AUTHORIZATION=BEARER["authorization"], **more)


def test_a_wsgi_server_with_threads_lends_one_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("anysgi.migration._dashboard._STREAM", 0.02)
    router = make()
    router._core.dashboard._interval = 0.01  # type: ignore[union-attr]
    peer = watch_wsgi(router).finish()
    assert peer.status == "200 OK"
    assert len(events(peer.body)) == 1
    router.close()


def test_a_wsgi_server_without_threads_is_not_held_up(router: Router) -> None:
    assert watch_wsgi(router, **{"wsgi_multithread": False}).finish().status == "204 No Content"


def test_viewers_are_few(router: Router, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("anysgi.migration._dashboard._MOST_VIEWERS", 0)
    assert Browser(router, "asgi").ask("GET", "/events", headers=BEARER).status_code == 204

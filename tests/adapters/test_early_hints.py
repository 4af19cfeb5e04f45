"""`103 Early Hints`, both ways: from WSGI's `wsgi.early_hints` to ASGI's `http.response.early_hint`, and back."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from anysgi import AsgiToWsgi, WsgiToAsgi
from anysgi._core._asgi_messages import EARLY_HINT
from anysgi.exceptions import AppValueError
from tests.conftest import BOUND

from ._calling import asgi_app, body, fetch, head
from ._driving import AsgiPeer, serve

OFFERED: dict[str, Any] = {EARLY_HINT: {}}


def hint(*links: Any) -> dict[str, Any]:
    return {"type": EARLY_HINT, "links": list(links)}


# A WSGI app on an ASGI server


def hinting(*hints: list[tuple[str, str]]) -> Any:
    def app(environ: Any, start_response: Any) -> Any:
        for headers in hints:
            environ["wsgi.early_hints"](headers)
        start_response("200 OK", [])
        yield b"x"

    return app


@pytest.mark.anyio
async def test_hints_leave_in_order_and_before_the_response() -> None:
    app = hinting([("Link", "<a>"), ("X-Other", "1"), ("link", "<b>")], [("X-Other", "1")], [("Link", "<c>")])
    peer = await serve(WsgiToAsgi(app), extensions=OFFERED)
    assert [message["type"] for message in peer.sent][:3] == [EARLY_HINT, EARLY_HINT, "http.response.start"]
    assert [message.get("links") for message in peer.sent][:2] == [[b"<a>", b"<b>"], [b"<c>"]]


@pytest.mark.anyio
async def test_a_hint_that_comes_after_the_head_left_is_nothing() -> None:
    begun = threading.Event()

    def app(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [])
        yield b"x"
        assert begun.wait(BOUND)
        environ["wsgi.early_hints"]([("Link", "<late>")])

    peer = AsgiPeer(on_send=lambda message: begun.set() if message.get("body") else None)
    await serve(WsgiToAsgi(app), peer, extensions=OFFERED)
    assert [message["type"] for message in peer.sent if message["type"] == EARLY_HINT] == []


@pytest.mark.anyio
async def test_a_hint_leaves_while_the_app_still_works() -> None:
    left = threading.Event()

    def app(environ: Any, start_response: Any) -> Any:
        environ["wsgi.early_hints"]([("Link", "<a>")])
        assert left.wait(BOUND)
        start_response("200 OK", [])
        return [b"x"]

    peer = AsgiPeer(on_send=lambda message: left.set() if message["type"] == EARLY_HINT else None)
    assert (await serve(WsgiToAsgi(app), peer, extensions=OFFERED)).body == b"x"


@pytest.mark.anyio
async def test_a_server_that_fails_to_send_a_hint_still_gets_the_response() -> None:
    failed = threading.Event()

    def refuse(message: Any) -> None:
        if message["type"] == EARLY_HINT:
            failed.set()
            raise RuntimeError("not now")

    def app(environ: Any, start_response: Any) -> Any:
        environ["wsgi.early_hints"]([("Link", "<a>")])
        assert failed.wait(BOUND)
        start_response("200 OK", [])
        return [b"x"]

    assert (await serve(WsgiToAsgi(app), AsgiPeer(on_send=refuse), extensions=OFFERED)).body == b"x"


@pytest.mark.anyio
async def test_a_flood_of_hints_is_bounded() -> None:
    app = hinting(*([("Link", f"<{n}>")] for n in range(10_000)))
    peer = await serve(WsgiToAsgi(app), extensions=OFFERED)
    assert peer.complete


@pytest.mark.anyio
async def test_without_the_extension_there_is_nothing_to_call() -> None:
    with pytest.raises(KeyError, match=r"wsgi\.early_hints"):
        await serve(WsgiToAsgi(hinting([("Link", "<a>")])))


@pytest.mark.anyio
async def test_a_hint_that_would_split_the_response_raises_in_the_app() -> None:
    with pytest.raises(AppValueError):
        await serve(WsgiToAsgi(hinting([("Link", "<a>\r\nX: 1")])), extensions=OFFERED)


# An ASGI app on a WSGI server


def test_hints_of_an_asgi_app_are_given_on_the_servers_thread_before_the_head() -> None:
    order: list[Any] = []

    def early(headers: Any) -> None:
        order.append((headers, threading.current_thread(), list(heads)))

    app = AsgiToWsgi(asgi_app(hint(b"<a>", b"<b>"), hint(b"<c>"), head(), body(b"x")), lifespan="off")
    heads: list[str] = []
    environ = {"wsgi.early_hints": early}
    peer = fetch(app, **environ)
    assert peer.body == b"x"
    given = [link for headers, _, _ in order for link in headers]
    assert given == [("Link", "<a>"), ("Link", "<b>"), ("Link", "<c>")]
    assert {thread for _, thread, _ in order} == {threading.current_thread()}


def test_a_hint_is_passed_on_while_the_app_waits() -> None:
    passed = threading.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        import asyncio

        await send(hint(b"<a>"))
        assert await asyncio.to_thread(passed.wait, BOUND)
        await send(head())
        await send(body(b"x"))

    wrapped = AsgiToWsgi(app, lifespan="off")
    assert fetch(wrapped, **{"wsgi.early_hints": lambda headers: passed.set()}).body == b"x"


@pytest.mark.parametrize(
    ("messages", "offered", "said"),
    [
        ((hint(b"<a>"),), False, "does not offer"),
        ((head(), hint(b"<a>")), True, "after 'http.response.start'"),
        ((hint(b"<a>\r\nx: 1"),), True, "line break"),
        ((hint("<a>"),), True, "pair of bytes"),
        (({"type": EARLY_HINT, "links": b"<a>"},), True, "must be a list"),
    ],
)
def test_a_mistake_is_one_in_the_apps_send(messages: Any, offered: bool, said: str) -> None:
    more: dict[str, Any] = {"wsgi.early_hints": lambda headers: None} if offered else {}
    peer = fetch(AsgiToWsgi(asgi_app(*messages), lifespan="off"), **more)
    assert peer.status.startswith("500")
    assert said in peer.errors


@pytest.mark.anyio
async def test_hints_pass_through_both_adapters() -> None:
    app = asgi_app(hint(b"<a>"), head(), body(b"x"))
    peer = await serve(WsgiToAsgi(AsgiToWsgi(app, lifespan="off")), extensions=OFFERED)
    assert peer.sent[0] == {"type": EARLY_HINT, "links": [b"<a>"]}
    assert peer.body == b"x"

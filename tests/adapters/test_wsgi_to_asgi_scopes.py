"""WsgiToAsgi: what it refuses to wrap, and what it does with scopes that are not HTTP."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from anysgi import WsgiToAsgi
from anysgi.exceptions import ConventionError, ServerProtocolError
from anysgi.testing import arun

from ._driving import AsgiPeer, serve, wsgi_app


async def asgi3(scope: Any, receive: Any, send: Any) -> None: ...


def asgi2(scope: Any) -> Any: ...


@pytest.mark.parametrize("app", [None, 3, "shop:app", asgi3, asgi2], ids=["None", "3", "name", "asgi3", "asgi2"])
def test_what_is_no_wsgi_app_is_refused_when_it_is_wrapped(app: Any) -> None:
    with pytest.raises(ConventionError, match=r"WSGI|to_asgi"):
        WsgiToAsgi(app)


def test_an_app_that_does_not_tell_is_taken_at_its_word() -> None:
    assert "WsgiToAsgi(" in repr(WsgiToAsgi(lambda *args: []))


@pytest.mark.parametrize(
    "options",
    [
        {"window": 0},
        {"timeout": -1},
        {"queue_timeout": 0},
        {"prebuffer": -1},
        {"chunked": "maybe"},
        {"underscore_headers": "swallow"},
        {"threads": 0},
        {"max_body_size": "10MB"},
    ],
    ids=repr,
)
def test_options_out_of_range_are_refused(options: Any) -> None:
    with pytest.raises(ValueError, match=next(iter(options))):
        WsgiToAsgi(wsgi_app(b"x"), **options)


@pytest.mark.anyio
@pytest.mark.parametrize("app", [lambda environ, start: asgi3(None, None, None), lambda *args: asgi3(*args, None)])
async def test_an_asgi_app_in_disguise_is_told_what_to_do(app: Any) -> None:
    with pytest.raises(TypeError, match=r"to_asgi\(\)"):
        await serve(WsgiToAsgi(app))


CONNECT = {"type": "websocket.connect"}


@pytest.mark.anyio
async def test_without_wsproto_a_websocket_is_closed_before_it_is_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    hide_wsproto(monkeypatch)
    peer = AsgiPeer(CONNECT)
    await WsgiToAsgi(wsgi_app(b"x"))({"type": "websocket"}, peer.receive, peer.send)
    assert peer.sent == [{"type": "websocket.close", "code": 1000}]


@pytest.mark.anyio
async def test_without_wsproto_a_websocket_is_answered_501_where_the_server_can_send_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hide_wsproto(monkeypatch)
    peer = AsgiPeer(CONNECT)
    scope = {"type": "websocket", "extensions": {"websocket.http.response": {}}}
    await WsgiToAsgi(wsgi_app(b"x"))(scope, peer.receive, peer.send)
    assert [message["type"] for message in peer.sent] == [
        "websocket.http.response.start",
        "websocket.http.response.body",
    ]
    assert peer.sent[0]["status"] == 501
    assert b'pip install "anysgi[websocket]"' in peer.sent[1]["body"]


def hide_wsproto(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "anysgi.adapters._websocket_to_wsgi", None)


@pytest.mark.anyio
async def test_a_websocket_that_does_not_begin_with_connect_is_the_servers_mistake() -> None:
    peer = AsgiPeer({"type": "websocket.receive"})
    with pytest.raises(ServerProtocolError, match=r"websocket\.connect"):
        await WsgiToAsgi(wsgi_app(b"x"))({"type": "websocket"}, peer.receive, peer.send)


@pytest.mark.anyio
async def test_an_unknown_scope_type_is_an_error() -> None:
    async def foo(scope: Any, receive: Any, send: Any) -> None:
        await WsgiToAsgi(wsgi_app(b"x"))({"type": "foo"}, receive, send)

    found = await arun(foo)
    with pytest.raises(ValueError, match="'foo'"):
        found.raise_for_exception()
    assert found.messages == []


def test_awaiting_it_outside_an_event_loop_says_what_is_missing() -> None:
    peer = AsgiPeer()
    work = WsgiToAsgi(wsgi_app(b"x"))(
        {"type": "http", "method": "GET", "path": "/", "headers": []}, peer.receive, peer.send
    )
    with pytest.raises(RuntimeError, match="no running event loop"):
        work.send(None)  # type: ignore[attr-defined]

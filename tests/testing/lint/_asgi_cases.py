"""For each ASGI rule that a wrapper decides: a case that breaks it, and a legal one that comes close."""

from __future__ import annotations

import asyncio
import os
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from ._asgi_driver import (
    ACCEPT,
    CLOSE,
    CONNECT,
    DOWN,
    DOWN_OK,
    GONE,
    GOOD,
    LEFT,
    REQUEST,
    SAY,
    TEXT,
    UP,
    UP_OK,
    WS_LEFT,
    Server,
    body,
    http,
    life,
    offers,
    plays,
    scope_of,
    start,
    ws,
)

if TYPE_CHECKING:
    from ._asgi_driver import Case
from ._asgi_special import (
    FutureServer,
    NoAwait,
    Opened,
    Slow,
    _ends,
    around,
    calls_with_a_proxy,
    cancelled_while_stopping,
    gives_up,
    many,
    one_after_the_other,
    overlapping,
    plain_function,
    prefixing,
    reads,
    receives_afterwards,
    returns_something,
    sends_a_buffer,
    sends_a_file,
    sends_afterwards,
    sends_from_a_task,
    stubborn,
    while_running,
    with_get,
    with_lifespan,
    without_receive,
)

PEM = "-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----\n"
TLS = {"server_cert": PEM, "tls_version": 0x0304, "cipher_suite": 0x1301}


def tls(scheme: str = "https", **changes: Any) -> Case:
    merged = {key: value for key, value in (TLS | changes).items() if value is not GONE}
    return http(scheme=scheme, extensions={"tls": merged})


PUZZLING = [UP, {"type": "lifespan.nobody_knows"}, DOWN]
PUSH = {"type": "http.response.push", "path": "/style.css", "headers": []}
HINT = {"type": "http.response.early_hint", "links": [b"</style.css>; rel=preload"]}
TRAILERS = {"type": "http.response.trailers", "headers": [(b"server-timing", b"db;dur=1")]}
DEBUG = {"type": "http.response.debug", "info": {"template": "cart.html"}}
PATH = {"type": "http.response.pathsend", "path": os.path.abspath(os.devnull)}
DENIAL, DENIAL_BODY = {**start(403), "type": "websocket.http.response.start"}, {"type": "websocket.http.response.body"}
OFFER = {name: offers(f"http.response.{name}") for name in ("push", "early_hint", "trailers", "debug", "pathsend")}
ZEROCOPY = offers("http.response.zerocopysend")
DENIES = offers("websocket.http.response")
FILE_HEADERS = ((b"content-type", b"text/plain"), (b"content-length", b"0"))
NOTED = (b"trailer", b"server-timing")
COOKIES = [(b"cookie", b"a=1"), (b"cookie", b"b=2")]
V24 = {"asgi": {"version": "3.0", "spec_version": "2.4"}}
V20 = {"asgi": {"version": "3.0", "spec_version": "2.0"}}
LONG = {"headers": [(b"content-length", b"10")]}
SHARED = {"headers": [(b"host", b"shop")]}
CHUNKED = {"headers": [(b"transfer-encoding", b"chunked")]}

PAIRS: dict[str, tuple[Case, Case]] = {
    "A001": (calls_with_a_proxy, http()),
    "A002": (http(type=b"http"), http()),
    "A003": (http(asgi=GONE), http(asgi={"version": "2.0"})),
    "A004": (http(asgi={"version": "3.0", "spec_version": 2.3}), http(asgi={"version": "3.0"})),
    "A005": (http(events=[{b"body": b"", **REQUEST}, LEFT]), http(x_unknown=1)),
    "A006": (http(extensions={"http.response.push": True}), http(extensions=None)),
    "A007": (
        while_running(lambda app, scope, ends: app(scope, *ends)),
        while_running(lambda app, scope, ends: app(scope_of("http"), *_ends())),
    ),
    "A008": (http(peer=partial(NoAwait, [REQUEST, LEFT])), http(peer=partial(FutureServer, [REQUEST, LEFT]))),
    "A009": (http(app=plain_function), http(app=partial(GOOD["http"]))),
    "A010": (http(app=returns_something), http()),
    "A011": (life(app=plays()), life(ValueError("no lifespan here"))),
    "A013": (around(prefixing(copy=False)), around(prefixing(copy=True))),
    "A014": (around(prefixing(copy=True, late=True)), around(lambda app: app)),
    "A015": (
        one_after_the_other(scope_of("http", **SHARED), scope_of("http", **SHARED)),
        one_after_the_other(scope_of("http"), scope_of("http")),
    ),
    "A016": (
        while_running(lambda app, scope, ends: app(scope, *_ends())),
        while_running(lambda app, scope, ends: app(scope_of("http"), *_ends())),
    ),
    "A017": (http(start(), {"body": b"hello"}, body()), http(start(), {"type": "http.response.body"})),
    "A018": (http(start(), body(x=float("nan"))), http(start(), body(x=[1, 2.5, None, {"a": (True, b"b")}]))),
    "A019": (http(start(), body(), SAY), http(start(), body(), {"type": "x.flush"}, **offers("x.flush"))),
    "A020": (
        http(start(), {"type": "http.respons.body"}, body()),
        http(start("200"), peer=partial(Server, [REQUEST], 0, TypeError)),
    ),
    "A021": (
        http(1, start(), body(), events=[{"type": "http.requset"}, LEFT]),
        http(1, ValueError("no such event"), events=[{"type": "http.requset"}, LEFT]),
    ),
    "A024": (
        http(1, start(500), peer=partial(Server, [LEFT], 0, RuntimeError)),
        http(1, start(500), peer=partial(Server, [LEFT], 0, ConnectionResetError)),
    ),
    "A025": (
        http(overlapping("receive"), start(), body(), peer=partial(Slow, [REQUEST, LEFT])),
        http(2, start(500), body()),
    ),
    "A026": (
        http(start(), overlapping("send"), body(), peer=partial(Slow, [REQUEST, LEFT])),
        http(start(), body(b"a", True), body(b"b"), peer=partial(Slow, [REQUEST, LEFT])),
    ),
    "A027": (sends_afterwards, http(app=sends_from_a_task)),
    "A028": (http(app=sends_a_buffer(change=True)), http(app=sends_a_buffer(change=False))),
    "A029": (http(type="HTTP", app=plays(1)), http()),
    "A030": (http(http_version="HTTP/1.1"), http(http_version="2")),
    "A031": (http(method="get"), http(method="M-SEARCH")),
    "A032": (http(scheme=""), http(scheme=GONE)),
    "A033": (http(path="/caf%C3%A9", raw_path=b"/caf%C3%A9"), http(path="/café", raw_path=b"/caf%C3%A9")),
    "A034": (http(path="items", raw_path=GONE), http(path="*", raw_path=b"*", method="OPTIONS")),
    "A035": (http(raw_path=b"/cart?a=1"), http(raw_path=None)),
    "A036": (http(path="/a+b", raw_path=b"/a%20b"), http(path="/caf\udce9", raw_path=b"/caf%E9")),
    "A037": (http(query_string=b"?a=1"), ws(query_string=None)),
    "A038": (http(root_path=None), http(root_path=GONE)),
    "A039": (http(root_path="/shop"), http(root_path="/shop", path="/shop/cart", raw_path=b"/shop/cart")),
    "A040": (http(root_path="/car"), http(root_path="/cart")),
    "A041": (http(headers=[("host", "shop")]), http(headers=[[b"host", b"shop"]])),
    "A043": (http(headers=[(b"Host", b"shop")]), http(headers=((b"host", b"Shop"),))),
    "A044": (http(headers=[(b":path", b"/")]), http(headers=[(b"host", b"shop")], http_version="2")),
    "A045": (http(headers=iter([(b"host", b"shop")])), http(headers=((b"host", b"shop"),))),
    "A046": (http(client="127.0.0.1:80"), http(client=None)),
    "A047": (http(server=("example.org", None)), http(server=("/run/shop.sock", None))),
    "A048": (http(state=None), http(state={"db": object()})),
    "A049": (
        http(1, start(), body(), events=many(b"5\r\nhello\r\n"), **CHUNKED),
        http(1, start(), body(), events=many(b"5\nhello\n"), **CHUNKED),
    ),
    "A050": (
        http(2, start(), body(), events=many(b"abc"), **LONG),
        http(2, start(500), body(), events=many(b"abc", end=False), **LONG),
    ),
    "A051": (http(events=[{"type": "http.body", "body": b""}, LEFT]), http(events=[LEFT], app=plays(1))),
    "A052": (
        http(events=[{**REQUEST, "body": "text"}, LEFT]),
        http(app=with_get("body", b""), events=[{"type": "http.request"}]),
    ),
    "A053": (
        http(events=[{**REQUEST, "more_body": 1}, REQUEST]),
        http(events=[{"type": "http.request", "body": b"x"}]),
    ),
    "A054": (
        http(2, start(), body(), events=[REQUEST, {**REQUEST, "body": b"x"}]),
        http(2, start(), body(), events=many(b"a")),
    ),
    "A055": (http(2, start(), body(), events=[REQUEST]), http(1, start(), body(), 1)),
    "A056": (http(2, events=[LEFT, REQUEST]), http(3, events=[REQUEST, LEFT, LEFT])),
    "A058": (
        http(2, start(200), body(), events=many(b"abc", end=False)),
        http(2, start(400), body(), events=many(b"a", end=False)),
    ),
    "A061": (http(body(b"hello")), http(start(), body())),
    "A062": (http(start(), start(500), body()), http(start(500), body())),
    "A063": (http(start("200"), body()), http(start(HTTPStatus.NOT_FOUND), body())),
    "A064": (http(start(200, ("a", "b")), body()), http(start(200, [b"a", b"b"]), body())),
    "A065": (http(start(200, (b"Set-Cookie", b"a=1")), body()), http(start(200, (b"set-cookie", b"A=1")), body())),
    "A066": (http(start(200, (b":status", b"200")), body()), http(start(200, (b"x-status", b":200")), body())),
    "A067": (http(start(200, (b"x-a", b"x\r\nevil: 1")), body()), http(start(200, (b"x-a", b"caf\xe9")), body())),
    "A068": (
        http(start(200, (b"transfer-encoding", b"chunked")), body()),
        http(start(200, (b"te", b"trailers")), body()),
    ),
    "A070": (http(start(trailers=True), body(), TRAILERS), http(start(trailers=False), body())),
    "A071": (http(start()), http(start(), body())),
    "A072": (http(start(), body("text")), http(start(), {"type": "http.response.body"})),
    "A073": (http(start(), body(b"a", 1), body()), http(start(), body(b"a", True), body())),
    "A074": (http(start(), body(b"a", True)), http(1, start(500), body(b"a", True), events=[LEFT])),
    "A075": (http(start(), body(), body(b"more")), http(start(), body(b"a", True), body())),
    "A078": (http(start(204), body(b"x")), http(start(200), body(b"x"), method="HEAD")),
    "A079": (
        http(start(200, (b"content-length", b"5")), body(b"abc")),
        http(start(200, (b"content-length", b"5")), body(), method="HEAD"),
    ),
    "A080": (
        http(start(200, (b"content-type", b"a/b"), (b"Content-Type", b"c/d")), body()),
        http(start(200, (b"set-cookie", b"a=1"), (b"set-cookie", b"b=2")), body()),
    ),
    "A081": (
        http(start(200, (b"set-cookie", b"a=1, b=2")), body()),
        http(start(200, (b"set-cookie", b"a=1; expires=Wed, 21 Oct 2026 07:28:00 GMT")), body()),
    ),
    "A082": (http(headers=COOKIES), http(headers=COOKIES, http_version="2")),
    "A083": (http(1, start(500), body(), events=[LEFT], **V24), http(1, start(500), body(), events=[LEFT])),
    "A084": (
        http(start(), stubborn, peer=partial(Server, [REQUEST], 1)),
        http(start(), gives_up, peer=partial(Server, [REQUEST], 1)),
    ),
    "A086": (http(start(), 1, body(b"x", True), events=[LEFT]), http(start(), body(), 1, events=[LEFT])),
    "A087": (ws(http_version="1.0"), ws(http_version=GONE, scheme=GONE)),
    "A088": (ws(headers=GONE), ws(headers=[])),
    "A089": (ws(subprotocols=[""]), ws(subprotocols=GONE)),
    "A090": (ws(1, events=[TEXT, CONNECT]), ws(1, CLOSE)),
    "A091": (ws(1, SAY), ws(1, CLOSE)),
    "A092": (ws(2, ACCEPT, CLOSE), ws(1, ACCEPT, 1, CLOSE)),
    "A093": (ws(1, {**ACCEPT, "subprotocol": "v2"}, CLOSE), ws(1, {**ACCEPT, "subprotocol": "v1"}, CLOSE)),
    "A094": (
        ws(1, {**ACCEPT, "headers": [(b"sec-websocket-protocol", b"v1")]}, CLOSE),
        ws(1, {**ACCEPT, "headers": [(b"x-a", b"1")]}, CLOSE),
    ),
    "A095": (
        ws(events=[CONNECT, {**TEXT, "bytes": b"x"}, WS_LEFT]),
        ws(events=[CONNECT, {**TEXT, "bytes": None}, WS_LEFT]),
    ),
    "A096": (
        ws(1, ACCEPT, {"type": "websocket.send", "text": None, "bytes": None}, CLOSE),
        ws(1, ACCEPT, {"type": "websocket.send", "bytes": b""}, CLOSE),
    ),
    "A098": (
        ws(1, ACCEPT, 1, events=[CONNECT, {"type": "websocket.disconnect"}]),
        ws(1, ACCEPT, 1, events=[CONNECT, WS_LEFT]),
    ),
    "A099": (
        ws(1, ACCEPT, 1, events=[CONNECT, {**WS_LEFT, "reason": b"bye"}]),
        ws(1, ACCEPT, 1, events=[CONNECT, {**WS_LEFT, "reason": None}]),
    ),
    "A100": (ws(1, ACCEPT, {**CLOSE, "code": "1000"}), ws(1, ACCEPT, {"type": "websocket.close", "reason": "bye"})),
    "A102": (ws(1, ACCEPT, CLOSE, CLOSE), ws(1, ACCEPT, CLOSE, 1, events=[CONNECT, WS_LEFT])),
    "A103": (ws(1, ACCEPT, 2, events=[CONNECT, WS_LEFT, TEXT]), ws(1, ACCEPT, 2, events=[CONNECT, TEXT, WS_LEFT])),
    "A104": (ws(1, ACCEPT), ws(1, ACCEPT, 1, events=[CONNECT, WS_LEFT])),
    "A105": (ws(1, start(404), CLOSE), ws(1, DENIAL, DENIAL_BODY, **DENIES)),
    "A106": (life(state={"db": 1}), life(state=GONE)),
    "A107": (life(1, UP_OK, 1, events=[UP, UP]), with_lifespan()),
    "A108": (life(1, UP_OK, {**UP_OK, "type": "lifespan.startup.failed"}, 1, DOWN_OK), life()),
    "A109": (life(UP_OK, 2, DOWN_OK), life()),
    "A110": (
        life(1, {"type": "lifespan.startup.failed", "message": ValueError()}),
        life(1, {"type": "lifespan.startup.failed", "message": "no database"}),
    ),
    "A111": (with_lifespan(1, {"type": "lifespan.startup.failed", "message": ""}), with_lifespan()),
    "A113": (life(2, DOWN_OK, events=[DOWN, DOWN]), life()),
    "A114": (life(1, UP_OK, 1), life(1, UP_OK, 1, {"type": "lifespan.shutdown.failed", "message": "x"})),
    "A115": (cancelled_while_stopping, life()),
    "A116": (with_lifespan(loops=2), with_lifespan()),
    "A117": (with_lifespan(request={"state": "shared"}), with_lifespan()),
    "A118": (life(1, UP_OK, 1, DOWN_OK, events=PUZZLING), life(1, UP_OK, 2, DOWN_OK, events=PUZZLING)),
    "A119": (http(start(), PUSH, body()), http(start(), PUSH, body(), **OFFER["push"])),
    "A120": (ws(1, ACCEPT, DENIAL, DENIAL_BODY, **DENIES), ws(1, DENIAL, DENIAL_BODY, **DENIES)),
    "A121": (http(PUSH, start(), body(), **OFFER["push"]), http(start(), PUSH, PUSH, body(), **OFFER["push"])),
    "A123": (
        http(start(), {"type": "http.response.zerocopysend", "file": b"data"}, **ZEROCOPY),
        http(app=sends_a_file(close=True, offset=0, count=0), **ZEROCOPY),
    ),
    "A124": (http(app=sends_a_file(close=False), **ZEROCOPY), http(app=sends_a_file(close=True), **ZEROCOPY)),
    "A125": (
        http(
            start(),
            {"type": "http.response.zerocopysend", "file": Opened(), "more_body": True},
            **ZEROCOPY,
        ),
        http(app=sends_a_file(close=True, more_body=True), **ZEROCOPY),
    ),
    "A126": (
        http(start(200, *FILE_HEADERS), {**PATH, "path": "shop.css"}, **OFFER["pathsend"]),
        http(start(200, *FILE_HEADERS), PATH, **OFFER["pathsend"]),
    ),
    "A127": (http(start(), PATH, **OFFER["pathsend"]), http(start(200, *FILE_HEADERS), PATH, **OFFER["pathsend"])),
    "A128": (
        http(start(), {**HINT, "links": "</style.css>"}, body(), **OFFER["early_hint"]),
        http(start(), HINT, HINT, body(), **OFFER["early_hint"]),
    ),
    "A129": (http(HINT, start(), body(), **OFFER["early_hint"]), http(start(), HINT, body(), **OFFER["early_hint"])),
    "A130": (
        http(start(200, NOTED, trailers=True), body(), **OFFER["trailers"]),
        http(
            start(200, NOTED, trailers=True), body(), {**TRAILERS, "more_trailers": True}, TRAILERS, **OFFER["trailers"]
        ),
    ),
    "A131": (
        http(start(trailers=True), body(), TRAILERS, **OFFER["trailers"]),
        http(start(200, NOTED, trailers=True), body(), TRAILERS, **OFFER["trailers"]),
    ),
    "A132": (http(start(), DEBUG, body(), **OFFER["debug"]), http(DEBUG, start(), body(), **OFFER["debug"])),
    "A133": (tls(scheme="http"), tls()),
    "A134": (tls(cipher_suite=GONE), tls(cipher_suite=None, tls_version=None, server_cert=None)),
    "A135": (
        tls(client_cert_chain=[b"der"], client_cert_name="CN=ann"),
        tls(client_cert_chain=[PEM], client_cert_name="CN=ann"),
    ),
    "A136": (tls(client_cert_chain=[PEM]), tls(client_cert_chain=[], client_cert_name=None)),
    "A137": (tls(client_cert_error=""), tls(client_cert_error=None)),
    "A138": (tls(scheme="gopher"), tls()),
    "A139": (
        http(start(), {"type": "http.response.flush"}, body()),
        http(start(), {"type": "http.response.flush"}, body(), **offers("x")),
    ),
}

MORE_BROKEN: list[tuple[str, Case]] = [
    # further ways to break a rule whose pair shows one
    ("A006", http(extensions=[])),
    ("A006", http(scheme="https", extensions={"tls": True})),
    ("A008", without_receive),
    ("A017", http(events=[None, REQUEST])),
    ("A027", receives_afterwards),
    ("A018", http(start(), body(n=2**63))),
    ("A018", http(start(), body(n={"a": [object()]}))),
    ("A030", http(http_version="3")),
    ("A033", http(path=b"/cart")),
    ("A033", http(path="/cart?a=1")),
    ("A033", http(path="/a%", raw_path=b"/a%2525")),
    ("A040", http(root_path="/cart/")),
    ("A041", http(headers={"host": "shop"})),
    ("A047", http(server=["127.0.0.1", "8000"])),
    ("A052", http(app=reads("body"), events=[{"type": "http.request"}])),
    ("A053", http(app=reads("more_body"), events=[{"type": "http.request"}])),
    ("A095", ws(app=reads("text", 2), events=[CONNECT, {"type": "websocket.receive", "bytes": b"x"}])),
    ("A061", http(app=plays())),
    ("A063", http(start(99), body())),
    ("A064", http({**start(), "headers": {"a": "b"}}, body())),
    ("A067", http(start(200, (b"x a", b"1")), body())),
    ("A070", http(start(trailers=1), body(), **OFFER["trailers"])),
    ("A072", http(start(), body(bytearray(b"x")))),
    ("A087", ws(http_version="3")),
    ("A089", ws(subprotocols="v1")),
    ("A091", ws(app=plays(1))),
    ("A093", ws(1, {**ACCEPT, "subprotocol": 1}, CLOSE)),
    ("A094", ws(1, {**ACCEPT, "headers": [(b"a", b"b")]}, CLOSE, **V20)),
    ("A096", ws(1, ACCEPT, {"type": "websocket.send", "text": b"x"}, CLOSE)),
    ("A100", ws(1, ACCEPT, {**CLOSE, "code": 1006})),
    ("A100", ws(1, ACCEPT, {**CLOSE, "reason": "bye"}, asgi={"version": "3.0", "spec_version": "2.1"})),
    ("A107", with_lifespan(lambda scope, receive, send: asyncio.sleep(0), 2, UP_OK, DOWN_OK)),
    ("A114", life(1, UP_OK)),
    (
        "A123",
        http(start(), {"type": "http.response.zerocopysend", "file": Opened(), "count": "1"}, **ZEROCOPY),
    ),
    ("A126", http(start(200, *FILE_HEADERS), PATH, body(), **OFFER["pathsend"])),
    ("A130", http(start(), body(), TRAILERS, **OFFER["trailers"])),
    ("A134", tls(cipher_suite=0x10000)),
    ("A135", tls(client_cert_chain="pem")),
    ("A136", tls(client_cert_name="ann")),
    ("A136", tls(client_cert_name="CN=ann")),
]

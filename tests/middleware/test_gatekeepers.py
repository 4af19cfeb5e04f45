"""`trusted_hosts`, `https_redirect` and `proxy_headers`: who asks for what, over what, and who says so."""

from __future__ import annotations

from typing import Any

import pytest

from anysgi.exceptions import StackError
from anysgi.middleware import Flow, Request, Stack, csrf, https_redirect, middleware, proxy_headers, trusted_hosts

from ._driving import App, Drive, Fields
from .test_websockets import ACCEPT, CLOSE, app, connect


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("example.com", 200),
        ("EXAMPLE.COM:8000", 200),
        ("example.com.", 200),
        ("shop.example.org", 200),
        ("[::1]:8000", 200),
        ("example.org", 421),
        ("evil.com", 421),
        ("example.com.evil.com", 421),
        ("", 400),
        ("evil.com/example.com", 400),
        ("example.com@evil.com", 400),
        ("::1", 400),
    ],
)
def test_only_named_hosts_are_answered(drive: Drive, host: str, status: int) -> None:
    app = App(b"hello")
    stack = trusted_hosts(hosts=["example.com", "*.example.org", "[::1]"])
    assert drive(stack, app, headers={"Host": host}).status == status
    assert app.calls == (status == 200)


def test_of_two_hosts_neither_is_believed(drive: Drive) -> None:
    app = App(b"hello")
    fields = [("Host", "example.com"), ("Host", "evil.com")]
    assert drive(trusted_hosts(hosts=["example.com"]), app, headers=fields).status == 400
    assert app.calls == 0


def test_hosts_that_are_none_are_an_error_when_the_stack_is_built() -> None:
    with pytest.raises(ValueError, match="is no host"):
        trusted_hosts(hosts=["https://example.com"])


@pytest.mark.parametrize(
    ("options", "path", "query", "location"),
    [
        ({}, "/a", "", "https://testserver/a"),
        ({}, "/a", "x=1&y=%20", "https://testserver/a?x=1&y=%20"),
        ({"host": "example.com"}, "/", "", "https://example.com/"),
        ({"port": 8443}, "/", "", "https://testserver:8443/"),
    ],
)
def test_http_is_sent_to_https(drive: Drive, options: Any, path: str, query: str, location: str) -> None:
    answer = drive(https_redirect(**options), path=path, query=query, method="POST")
    assert (answer.status, answer.header("location")) == (308, location)


def test_the_path_is_sent_back_as_it_came(drive: Drive) -> None:
    raw = {"REQUEST_URI": "/a%2Fb%20c"} if drive.convention == "wsgi" else {"raw_path": b"/a%2Fb%20c"}
    answer = drive(https_redirect(), path="/a/b c", **raw)
    assert answer.header("location") == "https://testserver/a%2Fb%20c"


@pytest.mark.parametrize("stack", [https_redirect(), trusted_hosts(hosts=["www.testserver"], www=True)], ids=repr)
@pytest.mark.parametrize("query", ["a=\xe9", "a=\r\n\0", "a=%20b"])
def test_bytes_that_no_url_may_hold_are_encoded_on_the_way_back(drive: Drive, stack: Stack, query: str) -> None:
    """Some servers let them pass: those of WSGI raw UTF-8 and NUL, those of HTTP/2 anything."""
    path = b"/\xc3\xa9\0"
    raw = {"REQUEST_URI": path.decode("latin-1")} if drive.convention == "wsgi" else {"raw_path": path}
    name = {"QUERY_STRING": query} if drive.convention == "wsgi" else {"query_string": query.encode("latin-1")}
    answer = drive(stack, path="/\xe9\0", **raw, **name)
    assert answer.error is None
    [(_, after)] = [(answer.header("location") or "").split("testserver")]
    assert after == "/%C3%A9%00?" + {"a=\xe9": "a=%E9", "a=\r\n\0": "a=%0D%0A%00"}.get(query, query)


def test_https_passes_and_a_host_that_is_none_goes_nowhere(drive: Drive) -> None:
    assert drive(https_redirect(), scheme="https").body == b"hello"
    answer = drive(https_redirect(), headers={"Host": "evil.com\\@x"})
    assert (answer.status, answer.header("location")) == (400, None)


@pytest.mark.parametrize("target", ["@evil.com/", ".evil.com/", "http://evil.com/"])
def test_a_target_that_is_no_path_cannot_become_a_part_of_the_host(drive: Drive, target: str) -> None:
    raw = {"REQUEST_URI": target} if drive.convention == "wsgi" else {"raw_path": target.encode()}
    answer = drive(https_redirect(), path=target, **raw)
    assert (answer.status, answer.header("location")) == (400, None)


def test_the_port_of_http_is_not_taken_along(drive: Drive) -> None:
    answer = drive(https_redirect(status=307), headers={"Host": "example.com:8080"})
    assert (answer.status, answer.header("location")) == (307, "https://example.com/")


@pytest.mark.parametrize("options", [{"host": "https://x"}, {"status": 200}])
def test_redirects_to_nowhere_are_an_error_when_the_stack_is_built(options: Any) -> None:
    with pytest.raises(ValueError, match="https_redirect"):
        https_redirect(**options)


def seen(drive: Drive, stack: Any, headers: Fields, **native: Any) -> dict[str, Any]:
    """What an inner layer sees of the request, and the app of its path."""
    found: dict[str, Any] = {}

    @middleware
    def look(request: Request) -> Flow:
        yield from ()
        found.update(client=request.client, scheme=request.scheme, host=request.host, root_path=request.root_path)
        found["path"] = request.path

    drive(Stack(stack, look()), App(b"x"), path="/list", headers=headers, **native)
    return found


FORWARDED = {
    "X-Forwarded-For": "192.0.2.1",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "shop.example.com",
    "X-Forwarded-Prefix": "/shop/",
}


ALL = ("for", "proto", "host", "prefix")


def test_a_trusted_proxy_is_believed(drive: Drive) -> None:
    assert seen(drive, proxy_headers(believe=ALL), FORWARDED) == {
        "client": "192.0.2.1",
        "scheme": "https",
        "host": "shop.example.com",
        "root_path": "/shop",
        "path": "/shop/list",
    }


def test_what_few_proxies_set_is_believed_only_when_named(drive: Drive) -> None:
    found = seen(drive, proxy_headers(), FORWARDED)
    assert (found["client"], found["scheme"]) == ("192.0.2.1", "https")
    assert (found["host"], found["root_path"], found["path"]) == ("testserver", "", "/list")
    assert seen(drive, proxy_headers(believe=["host"]), FORWARDED)["client"] == "127.0.0.1"


def test_a_client_cannot_choose_the_path_that_skip_goes_by(drive: Drive) -> None:
    stack = Stack(proxy_headers(), csrf(skip="/static/*"))
    headers = {"Origin": "https://evil.com", "X-Forwarded-Prefix": "/static"}
    assert drive(stack, method="POST", path="/transfer", headers=headers).status == 403


@pytest.mark.parametrize(
    ("family", "name", "forged", "true"),
    [
        ("x-forwarded", "X-Forwarded-For", "6.6.6.6", "192.0.2.1"),
        ("forwarded", "Forwarded", "for=6.6.6.6", "for=192.0.2.1"),
    ],
)
def test_a_proxy_may_add_a_line_of_its_own(drive: Drive, family: Any, name: str, forged: str, true: str) -> None:
    found = seen(drive, proxy_headers(family=family), [(name, forged), (name, true)])
    assert found["client"] == "192.0.2.1"


def test_a_stranger_is_not(drive: Drive) -> None:
    found = seen(drive, proxy_headers(believe=ALL), FORWARDED, client="203.0.113.9")
    assert (found["client"], found["scheme"], found["host"], found["root_path"]) == (
        "203.0.113.9",
        "http",
        "testserver",
        "",
    )


def test_a_peer_without_an_address_is_trusted_only_by_name(drive: Drive) -> None:
    assert seen(drive, proxy_headers(trusted=["unix"]), FORWARDED, client=None)["client"] == "192.0.2.1"
    assert seen(drive, proxy_headers(), FORWARDED, client=None)["client"] is None


def test_forwarded_is_read_instead_and_never_both(drive: Drive) -> None:
    headers = {**FORWARDED, "Forwarded": 'for="[2001:db8::1]:4711";proto=HTTPS;host=a.example.com'}
    found = seen(drive, proxy_headers(family="forwarded", believe=ALL), headers)
    assert (found["client"], found["scheme"], found["host"]) == ("2001:db8::1", "https", "a.example.com")
    assert found["root_path"] == ""
    assert seen(drive, proxy_headers(), headers)["client"] == "192.0.2.1"


@pytest.mark.parametrize(
    ("chain", "hops", "client"),
    [
        ("192.0.2.1", 1, "192.0.2.1"),
        ("6.6.6.6, 192.0.2.1", 1, "192.0.2.1"),  # the client forged the first
        ("192.0.2.1, 10.0.0.1", 2, "192.0.2.1"),
        ("192.0.2.1", 2, "127.0.0.1"),  # it did not pass both
        ("", 1, "127.0.0.1"),
    ],
)
def test_proxies_can_be_counted(drive: Drive, chain: str, hops: int, client: str) -> None:
    headers = {"X-Forwarded-For": chain} if chain else {}
    assert seen(drive, proxy_headers(hops=hops), headers)["client"] == client


@pytest.mark.parametrize(
    "forged",
    [
        {"X-Forwarded-Proto": "javascript"},
        {"X-Forwarded-Host": "evil.com/x?"},
        {"X-Forwarded-Prefix": "//evil.com"},
        {"X-Forwarded-Prefix": "no-slash"},
        {"X-Forwarded-For": "<script>"},
        {"X-Forwarded-For": "unknown"},
    ],
)
def test_what_is_no_address_scheme_host_or_path_is_not_believed(drive: Drive, forged: dict[str, str]) -> None:
    assert seen(drive, proxy_headers(believe=ALL), forged) == {
        "client": "127.0.0.1",
        "scheme": "http",
        "host": "testserver",
        "root_path": "",
        "path": "/list",
    }


@pytest.mark.parametrize(
    "options", [{"family": "x-real-ip"}, {"hops": 0}, {"trusted": ["proxy.local"]}, {"believe": ["path"]}]
)
def test_proxies_nobody_can_find_are_an_error_when_the_stack_is_built(options: Any) -> None:
    with pytest.raises(ValueError, match=r"proxy_headers|proxy\.local"):
        proxy_headers(**options)


def test_the_order_of_those_that_build_on_each_other_is_checked() -> None:
    with pytest.raises(StackError, match="proxy_headers must stand outside https_redirect"):
        Stack(https_redirect(), proxy_headers())
    with pytest.raises(StackError, match="trusted_hosts must stand outside https_redirect"):
        Stack(https_redirect(), trusted_hosts(hosts="*"))
    Stack(proxy_headers(), trusted_hosts(hosts="*"), https_redirect())


def test_a_slash_that_was_encoded_stays_so_under_a_prefix(drive: Drive) -> None:
    raw = {"REQUEST_URI": "/a%2Fb"} if drive.convention == "wsgi" else {"raw_path": b"/a%2Fb"}
    app = App(b"x")
    drive(proxy_headers(believe=ALL), app, path="/a/b", headers={"X-Forwarded-Prefix": "/shop"}, **raw)
    if drive.convention == "asgi":
        assert app.request["raw_path"] == b"/shop/a%2Fb"
    else:
        assert (app.request["SCRIPT_NAME"], app.request["PATH_INFO"]) == ("/shop", "/a/b")


SCOPE = {"scheme": "ws", "client": ("127.0.0.1", 5000), "extensions": {"websocket.http.response": {}}}


@pytest.mark.parametrize(
    ("stack", "headers", "status"),
    [
        (trusted_hosts(hosts="example.com"), {"host": "example.com"}, 101),
        (trusted_hosts(hosts="example.com"), {"host": "evil.com"}, 421),
        (https_redirect(), {"host": "example.com"}, 308),
        (csrf(), {"host": "example.com", "origin": "https://example.com"}, 101),
        (csrf(), {"host": "example.com", "origin": "https://evil.com"}, 403),  # hijacking needs no POST
        (csrf(), {"host": "example.com"}, 101),
    ],
)
def test_handshakes_pass_the_same_gates(stack: Any, headers: dict[str, str], status: int) -> None:
    fields = [(name.encode(), value.encode()) for name, value in headers.items()]
    sent, error = connect(stack, app(ACCEPT, CLOSE), **{**SCOPE, "headers": fields})
    assert error is None
    assert sent[0].get("status", 101 if sent[0]["type"] == "websocket.accept" else 0) == status


def test_what_a_proxy_says_of_a_handshake_is_believed_too() -> None:
    found: dict[str, Any] = {}

    @middleware(websocket=True)
    def look(request: Request) -> Flow:
        yield from ()
        found.update(client=request.client, scheme=request.scheme)

    fields = [(b"host", b"x"), (b"x-forwarded-for", b"192.0.2.1"), (b"x-forwarded-proto", b"https")]
    connect(Stack(proxy_headers(), look()), app(ACCEPT, CLOSE), **{**SCOPE, "headers": fields})
    assert found == {"client": "192.0.2.1", "scheme": "wss"}


def test_what_the_server_itself_saw_is_kept(drive: Drive) -> None:
    app = App(b"x")
    drive(proxy_headers(believe=ALL), app, headers=FORWARDED)
    direct = {"client": "127.0.0.1", "scheme": "http", "host": "testserver", "root_path": ""}
    assert app.request["anysgi.direct"] == direct


@pytest.mark.parametrize(
    ("host", "status", "location"),
    [
        ("example.com", 308, "http://www.example.com/a?x=1"),
        ("EXAMPLE.com:8000", 308, "http://www.example.com:8000/a?x=1"),
        ("www.example.com", 200, None),
        ("evil.com", 421, None),
        ("[::1]", 421, None),
    ],
)
def test_a_bare_domain_is_sent_to_its_www(drive: Drive, host: str, status: int, location: str | None) -> None:
    stack = trusted_hosts(hosts=["www.example.com"], www=True)
    answer = drive(stack, path="/a", query="x=1", headers={"Host": host})
    assert (answer.status, answer.header("location")) == (status, location)
    assert drive(trusted_hosts(hosts=["www.example.com"]), headers={"Host": "example.com"}).status == 421


def test_a_handshake_is_sent_nowhere() -> None:
    fields = [(b"host", b"example.com")]
    sent, _ = connect(trusted_hosts(hosts="www.example.com", www=True), app(ACCEPT), **{**SCOPE, "headers": fields})
    assert sent[0]["status"] == 421

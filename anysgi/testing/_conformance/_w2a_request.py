"""What a WSGI app sees of a request."""

from __future__ import annotations

import asyncio
import io
import threading
from typing import Any
from wsgiref import validate

from .._peer_events import Disconnect
from .._run import run
from .._scenario import Scenario
from ._check import BOUND, Checks, Make, equal, expect, made
from ._w2a_probing import answered, exchange
from ._wsgi_probes import Probe

REQUEST = Checks()
check = REQUEST.add


# The request


@check
def the_environ_is_legal(make: Make) -> None:
    """All values have the types of PEP 3333 ("environ Variables"), as wsgiref.validate checks them."""
    app = Probe()
    answered(make, app, Scenario("POST", b"/a?b=1", {"Content-Type": "text/plain"}, b"abc"))
    validate.check_environ(app.environ)  # type: ignore[attr-defined]  # typeshed hides it; it is documented by use
    equal(app.environ["wsgi.version"], (1, 0), "wsgi.version")


@check
def every_cgi_value_is_a_string(make: Make) -> None:
    """SERVER_PORT included (PEP 3333, "environ Variables")."""
    app = Probe()
    answered(make, app)
    wrong = {key: value for key, value in app.environ.items() if key.isupper() and not isinstance(value, str)}
    expect(not wrong, f"{wrong!r} are no strings")


@check
def a_server_without_an_address_is_understood(make: Make) -> None:
    """`server` may be None (ASGI spec, "HTTP Connection Scope")."""
    app = Probe()
    answered(make, app, Scenario(server=None))
    expect(app.environ["SERVER_NAME"] and app.environ["SERVER_PORT"].isdigit(), "SERVER_NAME or SERVER_PORT is empty")


@check
def a_unix_socket_has_a_port_all_the_same(make: Make) -> None:
    """`server` may be (path, None) (ASGI spec, "HTTP Connection Scope"); SERVER_PORT is a number."""
    app = Probe()
    answered(make, app, Scenario(server=("/run/sock", None)))
    expect(str(app.environ["SERVER_PORT"]).isdigit(), f"SERVER_PORT is {app.environ['SERVER_PORT']!r}")


@check
def a_mount_ends_at_a_segment(make: Make) -> None:
    """/apix is not inside of /api (ASGI spec, "WSGI Compatibility")."""
    app = Probe()
    answered(make, app, Scenario(target=b"/apix", root_path="/api"))
    expect(app.environ["PATH_INFO"].startswith("/"), f"PATH_INFO is {app.environ['PATH_INFO']!r}")


@check
def a_mount_is_split_off(make: Make) -> None:
    """SCRIPT_NAME is root_path, PATH_INFO the rest (ASGI spec, "WSGI Compatibility")."""
    app = Probe()
    answered(make, app, Scenario(target=b"/api/x", root_path="/api"))
    equal(
        (app.environ["SCRIPT_NAME"], app.environ["PATH_INFO"]), ("/api", "/x"), "the pair of SCRIPT_NAME and PATH_INFO"
    )


@check
def paths_keep_their_bytes(make: Make) -> None:
    """PATH_INFO carries the decoded bytes as latin-1 (PEP 3333, "Unicode Issues")."""
    app = Probe()
    answered(make, app, Scenario(target=b"/caf%C3%A9%2F%25"))
    equal(app.environ["PATH_INFO"], "/caf\xc3\xa9/%", "PATH_INFO")


@check
def a_query_may_hold_any_byte(make: Make) -> None:
    """Clients send bytes beyond ASCII in queries; they are no reason to fail (PEP 3333, "Unicode Issues")."""
    app = Probe()
    answered(make, app, Scenario(target=b"/?q=\xe9"))
    equal(app.environ["QUERY_STRING"], "q=\xe9", "QUERY_STRING")


@check
def split_cookies_are_joined_by_semicolons(make: Make) -> None:
    """HTTP/2 sends them apart (RFC 9113 section 8.2.3)."""
    app = Probe()
    answered(make, app, Scenario(headers=[(b"cookie", b"a=1"), (b"cookie", b"b=2")], http_version="2"))
    equal(app.environ["HTTP_COOKIE"], "a=1; b=2", "HTTP_COOKIE")


@check
def header_names_are_compared_without_case(make: Make) -> None:
    """Servers should lowercase them, not must (ASGI spec, "HTTP Connection Scope")."""
    inner = Probe(read=lambda body: body.read())

    async def app(scope: Any, receive: Any, send: Any) -> None:
        scope["headers"] = [(b"Host", b"x"), (b"Content-Length", b"3"), (b"Content-Type", b"text/plain")]
        await adapter(scope, receive, send)

    with made(make, inner) as adapter:
        run(app, Scenario("POST", body=b"abc"), bound=BOUND).raise_for_exception()
    found = {key: inner.environ.get(key) for key in ("CONTENT_LENGTH", "CONTENT_TYPE", "HTTP_CONTENT_LENGTH")}
    equal(found, {"CONTENT_LENGTH": "3", "CONTENT_TYPE": "text/plain", "HTTP_CONTENT_LENGTH": None}, "the environ")


@check
def an_underscore_does_not_forge_a_header(make: Make) -> None:
    """`X_Real_Ip` would become HTTP_X_REAL_IP as well (CVE-2015-0219)."""
    app = Probe()
    answered(make, app, Scenario(headers=[(b"x-real-ip", b"proxy"), (b"x_real_ip", b"forged")]))
    equal(app.environ["HTTP_X_REAL_IP"], "proxy", "HTTP_X_REAL_IP")


# The request body


TEXT = b"one\ntwo\n\nthree"
READS: dict[str, Any] = {
    "read()": lambda body: body.read(),
    "read(4)": lambda body: [body.read(4), body.read(4), body.read(100), body.read(1)],
    "read(-1)": lambda body: body.read(-1),
    "readline()": lambda body: [body.readline(), body.readline()],
    "readline(2)": lambda body: [body.readline(2), body.readline(2), body.readline(2)],
    "readlines()": lambda body: body.readlines(),
    "readlines(5)": lambda body: body.readlines(5),
    "iteration": lambda body: list(body),
    "read(None)": lambda body: body.read(None),
}


@check
def the_body_reads_like_a_file(make: Make) -> None:
    """Every method of wsgi.input gives what io.BytesIO gives (PEP 3333, "Input and Error Streams")."""
    for name, read in READS.items():
        for content in (TEXT, b""):
            app = Probe(read=read)
            error = exchange(make, app, Scenario("POST", body=[content[:5], content[5:]])).exception
            expect(error is None, f"{name} of {content!r} raises {error!r}")
            equal(app.got, read(io.BytesIO(content)), f"{name} of {content!r}")


@check
def an_upload_that_breaks_off_is_no_end(make: Make) -> None:
    """A truncated body must not look whole (ASGI spec, "Disconnect"; research rule 32)."""
    app = Probe(read=lambda body: body.read())
    exchange(make, app, Scenario("POST", body=b"abcdef", peer=[Disconnect(after_bytes=3)]))
    expect(app.got is None, f"the app got {app.got!r} as if it were all")


@check
def a_client_that_leaves_amid_an_upload_is_no_error(make: Make) -> None:
    """Servers log what an app raises, but for the OSError of a lost client (ASGI spec, "Disconnected Client")."""
    app = Probe(read=lambda body: body.read())
    found = exchange(make, app, Scenario("POST", body=b"abcdef", peer=[Disconnect(after_bytes=3)], like="uvicorn"))
    expect(found.exception is None or isinstance(found.exception, OSError), f"raises {found.exception!r}")


@check
def a_cancelled_upload_ends_for_the_app(make: Make) -> None:
    """Where the server gives a request up, who still reads its body gets an error, and leaves its thread."""
    reads, over = threading.Event(), threading.Event()

    def read(body: Any) -> None:
        try:
            reads.set()
            body.read()
        finally:
            over.set()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        never = asyncio.Event()
        request = asyncio.create_task(adapter(scope, never.wait, send))
        await asyncio.to_thread(reads.wait, BOUND / 2)
        request.cancel()
        await asyncio.wait([request], timeout=BOUND / 2)

    with made(make, Probe(read=read)) as adapter:
        run(app, Scenario("POST", body=b"abc"), bound=2 * BOUND).raise_for_exception()
        expect(not reads.is_set() or over.wait(BOUND / 2), "the app still reads")


@check
def an_upload_streams(make: Make) -> None:
    """The app reads the first chunk while the client still sends: uploads need not fit into memory."""
    first = threading.Event()

    def read(body: Any) -> bytes:
        got: bytes = body.read(3)
        first.set()
        return got + bytes(body.read())

    async def app(scope: Any, receive: Any, send: Any) -> None:
        taken = 0

        async def lazily() -> Any:
            nonlocal taken
            taken += 1
            if taken == 2:
                expect(await asyncio.to_thread(first.wait, BOUND / 2), "the app is not run before the upload is over")
            return await receive()

        await adapter(scope, lazily, send)

    inner = Probe(read=read)
    with made(make, inner) as adapter:
        run(app, Scenario("POST", body=[b"abc", b"def"]), bound=BOUND).raise_for_exception()
    equal(inner.got, b"abcdef", "the body")

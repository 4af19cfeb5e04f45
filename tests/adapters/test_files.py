"""A file as a body, both ways: handed over whole where the other side can take it, read in blocks where not."""

from __future__ import annotations

import asyncio
import io
import os
import tempfile
from pathlib import Path
from typing import Any

import pytest
from starlette.responses import FileResponse

from anysgi import AsgiToWsgi, WsgiToAsgi
from anysgi._core._asgi_messages import ZEROCOPYSEND
from anysgi._core._lost_files import PATHSEND
from anysgi.exceptions import AppProtocolError
from anysgi.middleware import Flow, Request, Response, middleware
from anysgi.testing import run

from ._calling import WsgiPeer, asgi_app, body, fetch, head, make_environ
from ._driving import AsgiPeer, serve

CONTENT = bytes(range(256)) * 1000


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "file.bin"
    path.write_bytes(CONTENT)
    return path


class Wrapper:
    """A WSGI server's own file_wrapper."""

    def __init__(self, filelike: Any, block_size: int = 8192) -> None:
        self.filelike, self.block_size = filelike, block_size
        self.close = filelike.close

    def __iter__(self) -> Any:
        return iter(lambda: self.filelike.read(self.block_size), b"")


# An ASGI app on a WSGI server


def wrap(app: Any) -> AsgiToWsgi:
    return AsgiToWsgi(app, lifespan="off")


def pathsend(path: object) -> dict[str, Any]:
    return {"type": PATHSEND, "path": path}


def test_starlettes_file_response_is_the_servers_own_file_wrapper(path: Path) -> None:
    peer = WsgiPeer(wrap(FileResponse(path)), wsgi_file_wrapper=Wrapper)
    assert type(peer.iterable) is Wrapper  # servers ask for exactly this
    assert Path(peer.iterable.filelike.name) == path
    assert peer.iterable.block_size == 65_536
    assert peer.finish().body == CONTENT
    assert peer.iterable.filelike.closed


def test_without_a_file_wrapper_it_is_not_offered_and_the_blocks_are_sent(path: Path) -> None:
    assert fetch(wrap(FileResponse(path))).body == CONTENT
    peer = fetch(wrap(asgi_app(head(), pathsend(str(path)))))
    assert peer.status.startswith("500")
    assert "does not offer" in peer.errors


def test_a_file_of_unstated_length_gets_one(path: Path) -> None:
    peer = fetch(wrap(asgi_app(head(), pathsend(str(path)))), wsgi_file_wrapper=Wrapper)
    assert ("content-length", str(len(CONTENT))) in peer.headers


def test_a_part_of_a_file_is_sent_as_blocks(path: Path) -> None:
    peer = fetch(wrap(FileResponse(path)), HTTP_RANGE="bytes=3-5", wsgi_file_wrapper=Wrapper)
    assert (peer.status, peer.body) == ("206 Partial Content", CONTENT[3:6])


def test_a_head_request_opens_no_file(path: Path) -> None:
    app = wrap(asgi_app(head(200, (b"content-length", b"256000")), pathsend(str(path))))
    peer = WsgiPeer(app, "HEAD", wsgi_file_wrapper=Wrapper)
    assert not isinstance(peer.iterable, Wrapper)
    assert (peer.finish().body, dict(peer.headers)["content-length"]) == (b"", "256000")


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda tmp: (head(), pathsend(str(tmp / "none"))), "FileNotFoundError"),
        (lambda tmp: (head(), pathsend("/dev/null")), "not a regular file"),
        (lambda tmp: (head(200, (b"content-length", b"5")), pathsend(str(tmp / "file.bin"))), "which has 256000 bytes"),
        (lambda tmp: (head(), pathsend("file.bin")), "absolute path"),
        (lambda tmp: (head(), pathsend(b"/file.bin")), "absolute path"),
        (lambda tmp: (head(), body(b"x", more=True), pathsend(str(tmp / "file.bin"))), "while the body is being sent"),
        (lambda tmp: (pathsend(str(tmp / "file.bin")),), "before 'http.response.start'"),
    ],
)
def test_a_file_that_cannot_be_sent_is_an_error_before_the_head(path: Path, make: Any, said: str) -> None:
    app = wrap(asgi_app(*make(path.parent)))

    def offered(environ: Any, start_response: Any) -> Any:
        return app({**environ, "wsgi.file_wrapper": Wrapper}, start_response)

    found = run(offered)
    if found.status == 200:  # a chunk was out already: the stream breaks
        with pytest.raises(AppProtocolError, match=said):
            found.raise_for_exception()
    else:
        assert found.status == 500
        assert said in found.request["wsgi.errors"].getvalue()


def test_an_error_with_a_file_is_raised_on_request(path: Path) -> None:
    app = AsgiToWsgi(asgi_app(head(), pathsend("/none")), lifespan="off", raise_app_errors=True)
    with pytest.raises(FileNotFoundError):
        fetch(app, wsgi_file_wrapper=Wrapper)


class OnlyBodies:
    """Middleware as brotli-asgi is: it waits for the body with the head, and drops what it does not know."""

    def __init__(self, app: Any, *, holds_head: bool) -> None:
        self.app, self.holds_head = app, holds_head

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        held: list[Any] = []

        async def known(message: Any) -> None:
            if message["type"] == "http.response.start" and self.holds_head:
                held.append(message)
            elif message["type"] != PATHSEND:
                for earlier in [*held, message]:
                    await send(earlier)
                held.clear()

        await self.app(scope, receive, known)


@middleware
def tell(request: Request) -> Flow:
    """Answer the app's failures, as `errors` does."""
    try:
        yield request
    except AppProtocolError as error:
        return Response(502, str(error))


def test_layers_leave_it_to_the_adapter_to_ask_for_a_lost_file_again(path: Path) -> None:
    adapter = wrap(tell(OnlyBodies(FileResponse(path), holds_head=True)))
    assert fetch(adapter, wsgi_file_wrapper=Wrapper).body == CONTENT
    posted = fetch(
        wrap(tell(OnlyBodies(FileResponse(path), holds_head=True))), method="POST", wsgi_file_wrapper=Wrapper
    )
    assert posted.status.startswith("502")
    assert b"docs/how-to/files.md" in posted.body
    forgot = fetch(wrap(tell(asgi_app())), wsgi_file_wrapper=Wrapper)
    assert (forgot.status[:3], forgot.body) == ("502", b"the app returned without sending a response")


LOSSES = pytest.mark.parametrize("holds_head", [True, False], ids=["with its head", "after its head"])


@LOSSES
@pytest.mark.parametrize("mode", ["thread", "inline"])
def test_a_file_lost_in_middleware_is_asked_for_once_more_as_bytes(
    path: Path, holds_head: bool, mode: Any, caplog: Any
) -> None:
    asked: list[bool] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        asked.append(PATHSEND in scope["extensions"])
        await FileResponse(path)(scope, receive, send)

    adapter = AsgiToWsgi(OnlyBodies(app, holds_head=holds_head), lifespan="off", mode=mode)
    for _ in range(2):
        peer = fetch(adapter, wsgi_file_wrapper=Wrapper)
        assert (peer.status, peer.body) == ("200 OK", CONTENT)
    assert asked == [True, False, False]
    assert [record.message.split(" ended")[0] for record in caplog.records] == ["GET '/'"]
    assert "docs/how-to/files.md" in caplog.text
    adapter.close()


@LOSSES
@pytest.mark.parametrize("request_is", ["no safe method", "a body", "chunks"])
def test_a_file_lost_where_the_request_cannot_be_repeated_is_an_error_that_names_the_way_out(
    path: Path, holds_head: bool, request_is: str
) -> None:
    method = "POST" if request_is == "no safe method" else "GET"
    extra = {"a body": {"CONTENT_LENGTH": "2"}, "chunks": {"HTTP_TRANSFER_ENCODING": "chunked"}}.get(request_is, {})
    app = OnlyBodies(FileResponse(path), holds_head=holds_head)
    peer = fetch(wrap(app), body=b"ab" if extra else b"", method=method, wsgi_file_wrapper=Wrapper, **extra)
    assert peer.status.startswith("500")
    for said in (PATHSEND, "middleware", "@middleware(needs_bytes=True)", "docs/how-to/files.md"):
        assert said in peer.errors
    as_bytes = middleware(needs_bytes=True)(lambda request: None)
    assert fetch(wrap(as_bytes(app)), wsgi_file_wrapper=Wrapper).body == CONTENT


def test_an_app_that_forgets_to_respond_is_told_so_after_it_was_asked_again() -> None:
    peer = fetch(wrap(asgi_app()), wsgi_file_wrapper=Wrapper)
    assert peer.status.startswith("500")
    assert "the app returned without a response" in peer.errors
    assert PATHSEND not in peer.errors


def test_a_missing_response_says_nothing_of_files_where_none_was_offered() -> None:
    assert PATHSEND not in fetch(wrap(asgi_app(head()))).errors


# A WSGI app on an ASGI server


def sends(file: Any, *headers: tuple[str, str]) -> Any:
    def app(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", list(headers))
        return environ["wsgi.file_wrapper"](file, 4096)

    return app


async def get(app: Any, method: str = "GET", **extensions: Any) -> AsgiPeer:
    return await serve(WsgiToAsgi(app), None, method, extensions=extensions or {PATHSEND: {}})


@pytest.mark.anyio
async def test_a_whole_file_is_left_to_a_server_that_can_send_it(path: Path) -> None:
    file = path.open("rb")
    peer = await get(sends(file))
    assert peer.sent[1:] == [{"type": PATHSEND, "path": str(path)}]
    assert peer.header(b"content-length") == b"256000"
    assert file.closed
    unbuffered = path.open("rb", buffering=0)
    peer = await get(sends(unbuffered, ("Content-Length", "256000")))
    assert peer.sent[1:] == [{"type": PATHSEND, "path": str(path)}]


async def copied(app: Any, method: str = "GET", fails: bool = False) -> tuple[bytes, list[str]]:
    """Ask an app as a server does that copies from open files; what it got, and the kinds of messages it came in."""
    body, kinds = bytearray(), []

    async def receive() -> Any:
        await asyncio.Event().wait()

    async def send(message: Any) -> None:
        kinds.append(message["type"].removeprefix("http.response."))
        if message["type"] == ZEROCOPYSEND:
            await asyncio.sleep(0)  # the app's thread could close its file now
            if fails:
                raise OSError("the client left")
            body.extend(os.pread(message["file"].fileno(), message["count"], message["offset"]))
        else:
            body.extend(message.get("body", b""))

    scope = {"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "path": "/"}
    scope |= {"raw_path": b"/", "query_string": b"", "headers": [], "extensions": {ZEROCOPYSEND: {}}}
    await WsgiToAsgi(app)(scope, receive, send)
    return bytes(body), kinds


@pytest.mark.anyio
@pytest.mark.parametrize("skipped", [0, 10])
async def test_an_open_file_is_left_to_a_server_that_copies_from_it(path: Path, skipped: int) -> None:
    file = path.open("rb")
    file.read(skipped)
    assert await copied(sends(file)) == (CONTENT[skipped:], ["start", "zerocopysend"])
    assert file.closed


@pytest.mark.anyio
async def test_what_a_server_cannot_copy_is_sent_as_blocks(path: Path) -> None:
    read, write = os.pipe()
    os.write(write, b"piped")
    os.close(write)
    (path.parent / "empty").touch()
    for content, asked in [
        (b"in memory", copied(sends(io.BytesIO(b"in memory")))),
        (b"piped", copied(sends(open(read, "rb")))),  # noqa: SIM115 - the adapter closes it
        (b"", copied(sends((path.parent / "empty").open("rb")))),
        (CONTENT[:5], copied(sends(path.open("rb"), ("Content-Length", "5")))),
        (b"", copied(sends(path.open("rb"), ("Content-Length", "256000")), "HEAD")),
    ]:
        body, kinds = await asked
        assert (body, set(kinds)) == (content, {"start", "body"})


@pytest.mark.anyio
async def test_a_file_that_is_copied_is_closed_when_the_copying_fails(path: Path) -> None:
    file = path.open("rb")
    with pytest.raises(OSError, match="the client left"):
        await copied(sends(file), fails=True)
    assert file.closed


@pytest.mark.anyio
async def test_a_server_that_cannot_gets_blocks(path: Path) -> None:
    peer = await get(sends(path.open("rb")), **{"http.response.push": {}})
    assert peer.body == CONTENT
    assert len(peer.sent) <= len(CONTENT) / 65_536 + 3


def part_of(path: Path) -> Any:
    file = path.open("rb")
    file.seek(10)
    return file


def moved(path: Path) -> Any:
    file = path.open("rb")
    path.rename(path.with_suffix(".moved"))
    return file


def replaced(path: Path) -> Any:
    file = moved(path)
    path.write_bytes(b"another")
    return file


def temporary(path: Path) -> Any:
    file = tempfile.NamedTemporaryFile(dir=path.parent)  # noqa: SIM115 - the adapter closes it
    file.write(CONTENT)
    file.seek(0)
    return file


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("make", "content"),
    [
        (lambda path: io.BytesIO(CONTENT), CONTENT),
        (part_of, CONTENT[10:]),
        (moved, CONTENT),
        (replaced, CONTENT),
        (temporary, CONTENT),
    ],
    ids=["in memory", "part", "moved", "replaced", "temporary"],
)
async def test_what_is_no_whole_file_with_a_name_that_lasts_is_sent_as_blocks(
    path: Path, make: Any, content: bytes
) -> None:
    assert (await get(sends(make(path)))).body == content


@pytest.mark.anyio
async def test_a_file_whose_name_is_a_number_is_sent_as_blocks(path: Path) -> None:
    with path.open("rb") as file:
        assert (await get(sends(open(file.fileno(), "rb", closefd=False)))).body == CONTENT  # noqa: SIM115


@pytest.mark.anyio
async def test_a_length_of_its_own_and_a_head_request_are_kept(path: Path) -> None:
    peer = await get(sends(path.open("rb"), ("Content-Length", "5")))
    assert peer.body == CONTENT[:5]
    peer = await get(sends(path.open("rb"), ("Content-Length", "256000")), "HEAD")
    assert (peer.body, peer.header(b"content-length")) == (b"", b"256000")


@pytest.mark.anyio
async def test_what_was_written_before_goes_before_the_file(path: Path) -> None:
    def app(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [])(b"first ")
        return environ["wsgi.file_wrapper"](path.open("rb"))

    assert (await get(app)).body == b"first " + CONTENT


@pytest.mark.anyio
async def test_a_file_passes_through_both_adapters_whole(path: Path) -> None:
    nested = WsgiToAsgi(AsgiToWsgi(FileResponse(path), lifespan="off"))
    peer = await serve(nested, extensions={PATHSEND: {}})
    assert peer.sent[1:] == [{"type": PATHSEND, "path": str(path)}]


def test_a_file_is_closed_when_the_server_refuses_the_head(path: Path) -> None:
    def refuse(status: str, headers: Any) -> Any:
        raise ValueError("no such header")

    environ = make_environ(wsgi_file_wrapper=Wrapper)
    with pytest.raises(ValueError, match="no such header"):  # an open file would warn, which is an error
        wrap(FileResponse(path))(environ, refuse)

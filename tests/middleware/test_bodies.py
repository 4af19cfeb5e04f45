"""Bodies on their way: whose object reaches the server, what stages see, which lengths are true."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any

import flask
import pytest

from anysgi.exceptions import ClientDisconnected, FlowError
from anysgi.middleware import Flow, Outcome, Request, Response, Stack, conditional, middleware

from ._driving import Answer, App, Ask, Drive


class Recorder:
    """A transform that tells what was called."""

    def __init__(self, log: list[Any], *, mark: bytes = b"", fails: bool = False) -> None:
        self.log, self.mark, self.fails = log, mark, fails

    def feed(self, data: bytes) -> bytes:
        if self.fails:
            raise LookupError("in feed")
        self.log.append(data)
        return data + self.mark

    def flush(self) -> bytes:
        self.log.append("flush")
        return b""

    def finish(self) -> bytes:
        self.log.append("finish")
        return b"."


@middleware
def record(request: Request, *, log: list[Any], mark: bytes = b"", fails: bool = False) -> Flow:
    response: Response = yield request
    response.body.transform(Recorder(log, mark=mark, fails=fails))


@middleware
def observe(request: Request, *, log: list[Any]) -> Flow:
    request.body.observe(lambda data: log.append(("in", data)))
    response: Response = yield request
    response.body.observe(lambda data: log.append(("out", data)))


@middleware
def look(request: Request) -> Flow:
    response: Response = yield request
    assert response.status


@middleware
def outcome(request: Request, *, log: list[Any]) -> Flow:
    response: Response = yield request
    ended: Outcome = yield response
    log.append((ended.kind, ended.bytes_sent))


tenant: ContextVar[str] = ContextVar("tenant")


@middleware
def bound(request: Request, *, value: str) -> Flow:
    request.bind(tenant, value)
    yield request


@middleware
def status(request: Request, *, code: int) -> Flow:
    response: Response = yield request
    response.status = code


# Whose object the server gets


class FileWrapper:
    """What servers put into `wsgi.file_wrapper`; iterable as gunicorn's is."""

    def __init__(self, filelike: Any, size: int = 8192) -> None:
        self.filelike, self.size = filelike, size
        self.close = filelike.close

    def __getitem__(self, key: int) -> bytes:
        data: bytes = self.filelike.read(self.size)
        if not data:
            raise IndexError
        return data


def file_app(environ: Any, start_response: Any) -> Any:
    start_response("200 OK", [("Content-Length", "5")])
    file_app.file = io.BytesIO(b"hello")  # type: ignore[attr-defined]
    return environ["wsgi.file_wrapper"](file_app.file)  # type: ignore[attr-defined]


def send_file(stack: Any) -> Answer:
    drive = Drive("wsgi")
    return drive.serve(drive.wrap(stack, file_app), Ask(native={"wsgi.file_wrapper": FileWrapper}))


def test_untouched_the_apps_own_object_reaches_the_server() -> None:
    returned: list[Any] = []

    def app(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [])
        returned.append([b"a"])
        return returned[-1]

    assert Drive("wsgi")(Stack(look(), look()), app).raw is returned[-1]
    assert isinstance(send_file(look()).raw, FileWrapper)


def test_a_file_stays_the_servers_where_only_its_outcome_is_wanted() -> None:
    log: list[Any] = []
    answer = send_file(Stack(bound(value="inside"), outcome(log=log)))
    assert isinstance(answer.raw, FileWrapper)
    assert answer.body == b"hello"
    assert file_app.file.closed  # type: ignore[attr-defined]
    assert log == [("complete", 5)]
    assert isinstance(send_file(bound(value="inside")).raw, FileWrapper)


@pytest.mark.parametrize("kind", [OSError, ValueError])
def test_a_file_that_could_not_be_sent_was_aborted(kind: type[Exception]) -> None:
    log: list[Any] = []
    environ = Ask(native={"wsgi.file_wrapper": FileWrapper}).environ()
    file = outcome(file_app, log=log)(environ, lambda *head: None)

    def serve() -> None:
        try:
            raise kind
        finally:
            file.close()  # type: ignore[attr-defined]
            file.close()  # type: ignore[attr-defined]

    with pytest.raises(kind):
        serve()
    assert log == [("aborted", 0)]


def test_a_file_that_cannot_be_closed_fails() -> None:
    class Stuck:  # no io.BytesIO: since Python 3.13 that tells of a `close` that failed as it is collected
        def read(self, size: int = -1) -> bytes:
            return b""

        def close(self) -> None:
            raise LookupError

    def app(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [])
        return environ["wsgi.file_wrapper"](Stuck())

    log: list[Any] = []
    drive = Drive("wsgi")
    ask = Ask(native={"wsgi.file_wrapper": FileWrapper})
    assert isinstance(drive.serve(drive.wrap(outcome(log=log), app), ask).error, LookupError)
    assert log == [("error", 0)]


@pytest.mark.parametrize("binds", [False, True])
def test_a_wrapper_that_cannot_be_changed_is_iterated(binds: bool) -> None:
    class Sealed:
        __slots__ = ("_file",)

        def __init__(self, file: Any) -> None:
            self._file = file

        def __iter__(self) -> Any:
            return iter(self._file)

        def close(self) -> None:
            self._file.close()

    log: list[Any] = []
    drive = Drive("wsgi")
    ask = Ask(native={"wsgi.file_wrapper": Sealed})
    answer = drive.serve(drive.wrap(bound(value="inside") if binds else outcome(log=log), file_app), ask)
    assert (answer.body, isinstance(answer.raw, Sealed)) == (b"hello", False)
    assert file_app.file.closed  # type: ignore[attr-defined]
    assert log == ([] if binds else [("complete", 5)])


def test_a_file_without_close_is_watched_as_well() -> None:
    class Bare:
        def __init__(self, file: Any) -> None:
            self._file = file

        def __iter__(self) -> Any:
            return iter(self._file)

    log: list[Any] = []
    drive = Drive("wsgi")
    answer = drive.serve(drive.wrap(outcome(log=log), file_app), Ask(native={"wsgi.file_wrapper": Bare}))
    assert (answer.body, log) == (b"hello", [("complete", 5)])


def test_a_file_that_must_be_bytes_flows_through_and_is_closed() -> None:
    log: list[Any] = []
    answer = send_file(record(log=log))
    assert answer.body == b"hello."
    assert answer.header("content-length") is None
    assert log == [b"hello", "flush", "finish"]
    assert file_app.file.closed  # type: ignore[attr-defined]


def test_a_layer_that_needs_bytes_gets_no_file_of_the_server() -> None:
    @middleware(needs_bytes=True)
    def needy(request: Request) -> Flow:
        yield request

    assert not isinstance(send_file(needy()).raw, FileWrapper)
    assert send_file(needy()).body == b"hello"


def test_messages_reach_the_server_as_they_are() -> None:
    messages = [
        {"type": "http.response.debug", "info": {}},
        {"type": "http.response.early_hint", "links": []},
        {"type": "http.response.start", "status": 200, "headers": []},
        {"type": "http.response.body", "body": b"a", "more_body": True},
        {"type": "http.response.body", "body": b"b"},
        {"type": "http.response.trailers", "headers": []},
    ]

    async def app(scope: Any, receive: Any, send: Any) -> None:
        for message in messages:
            await send(message)

    sent: list[Any] = []
    assert _sent_by(Stack(look()).asgi(app), sent) is None
    assert all(mine is theirs for mine, theirs in zip(sent, messages, strict=True))
    log: list[Any] = []
    assert _sent_by(Stack(outcome(log=log), record(log=log)).asgi(app), sent) is None
    assert [message["type"] for message in sent] == [message["type"] for message in messages]
    assert log[-1] == ("complete", 3)


def _sent_by(app: Any, sent: list[Any], **scope: Any) -> BaseException | None:
    import asyncio

    sent.clear()

    async def send(message: Any) -> None:
        sent.append(message)

    try:
        asyncio.run(app({**Ask().scope(), **scope}, None, send))
    except Exception as error:
        return error
    return None


PATHSEND = {"type": "http.response.pathsend", "path": "/etc/hostname"}


async def pathsend_app(scope: Any, receive: Any, send: Any) -> None:
    headers = [(b"content-length", b"9")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    if "http.response.pathsend" in scope["extensions"]:
        await send(PATHSEND)
    else:
        await send({"type": "http.response.body", "body": b"nine byte"})


OFFER = {"http.response.pathsend": {}, "other": {}}


def test_a_file_the_server_sends_is_forwarded_and_counted() -> None:
    sent: list[Any] = []
    log: list[Any] = []
    assert _sent_by(Stack(look()).asgi(pathsend_app), sent, extensions=OFFER) is None
    assert sent[-1] is PATHSEND
    assert _sent_by(Stack(outcome(log=log)).asgi(pathsend_app), sent, extensions=OFFER) is None
    assert sent[-1] is PATHSEND
    assert log == [("complete", 9)]


def test_a_transform_of_a_file_the_server_sends_is_a_mistake_with_a_remedy() -> None:
    sent: list[Any] = []
    error = _sent_by(Stack(record(log=[])).asgi(pathsend_app), sent, extensions=OFFER)
    assert isinstance(error, FlowError)
    assert "needs_bytes=True" in str(error)


def test_a_layer_that_needs_bytes_is_offered_no_path() -> None:
    @middleware(needs_bytes=True)
    def shout(request: Request) -> Flow:
        response: Response = yield request
        response.body.transform(Recorder([], mark=b"!"))

    sent: list[Any] = []
    assert _sent_by(Stack(shout()).asgi(pathsend_app), sent, extensions=OFFER) is None
    assert sent[-1]["body"] == b"nine byte!."
    assert _sent_by(Stack(shout()).asgi(pathsend_app), sent) is None


# What stages see


def test_a_body_in_one_piece_is_never_flushed(drive: Drive) -> None:
    log: list[Any] = []
    answer = drive(record(log=log), App(b"hello", headers={"Content-Length": "5"}))
    assert (answer.body, answer.header("content-length")) == (b"hello.", "6")
    assert log == [b"hello", "finish"]


def test_a_stream_is_flushed_after_every_chunk_but_the_last(drive: Drive) -> None:
    log: list[Any] = []
    answer = drive(record(log=log), App(b"a", b"", b"b", shape="stream", headers={"Content-Length": "2"}))
    assert (answer.chunks, answer.header("content-length")) == ([b"a", b"b", b"."], None)
    assert log == [b"a", "flush", b"b", "flush", "finish"]


def test_an_empty_body_is_finished_too(drive: Drive) -> None:
    log: list[Any] = []
    answer = drive(record(log=log), App())
    assert (answer.body, log) == (b".", ["finish"])


def test_inner_stages_come_first_and_observers_stand_in_the_row(drive: Drive) -> None:
    log: list[Any] = []
    stack = Stack(record(log=[], mark=b"2"), observe(log=log), record(log=[], mark=b"1"))
    assert drive(stack, App(b"x")).body == b"x1.2."
    assert log == [("out", b"x1.")]


def test_observers_see_both_directions_and_change_nothing(drive: Drive) -> None:
    log: list[Any] = []
    app = App(b"a", b"b", shape="stream", headers={"Content-Length": "2"}, reads=True)
    answer = drive(observe(log=log), app, method="POST", body=b"up")
    assert (answer.chunks, answer.header("content-length"), app.received) == ([b"a", b"b"], "2", b"up")
    assert log == [("in", b"up"), ("out", b"a"), ("out", b"b")]


@pytest.mark.parametrize(("method", "code"), [("HEAD", 200), ("GET", 204), ("GET", 304)])
def test_where_there_is_no_body_nothing_is_fed(drive: Drive, method: str, code: int) -> None:
    log: list[Any] = []
    ends: list[Any] = []
    app = App(b"hello", status=code, headers={"Content-Length": "5"})
    answer = drive(Stack(outcome(log=ends), record(log=log)), app, method=method)
    assert (answer.status, answer.body, answer.header("content-length"), log) == (code, b"", None, [])
    assert ends == [("complete", 0)]


@pytest.mark.parametrize("shape", ["list", "stream"])
@pytest.mark.parametrize("code", [204, 304])
def test_a_status_without_a_body_that_a_layer_chose_leaves_it_out(drive: Drive, code: int, shape: Any) -> None:
    app = App(b"hello", shape=shape)
    answer = drive(status(code=code), app)
    assert (answer.status, answer.body, answer.complete, answer.error) == (code, b"", True, None)
    assert app.closed == (1 if drive.convention == "wsgi" and shape == "stream" else 0)


def test_after_an_error_no_stage_is_finished(drive: Drive) -> None:
    log: list[Any] = []
    answer = drive(record(log=log), App(b"a", LookupError("x"), shape="stream"))
    assert (answer.body, answer.complete) == (b"a", False)
    assert "finish" not in log


def test_after_an_abort_no_stage_is_finished(drive: Drive) -> None:
    log: list[Any] = []
    drive(record(log=log), App(b"a", b"b", b"c", shape="stream"), leaves_after=1)
    assert "finish" not in log


@pytest.mark.parametrize("shape", ["list", "stream"])
def test_a_stage_that_fails_is_an_exception_and_never_a_clean_end(drive: Drive, shape: Any) -> None:
    ends: list[Any] = []
    app = App(b"a", shape=shape, headers={"Content-Length": "1"})
    answer = drive(Stack(outcome(log=ends), record(log=[], fails=True)), app)
    assert isinstance(answer.error, LookupError)
    assert not answer.complete
    assert [kind for kind, _ in ends] in (["error"], ["aborted"])


def test_the_same_bytes_keep_their_length(drive: Drive) -> None:
    @middleware
    def verify(request: Request) -> Flow:
        response: Response = yield request

        class Same(Recorder):
            def finish(self) -> bytes:
                return b""

        response.body.transform(Same([]), same=True)

    assert drive(verify(), App(b"a", b"b", shape="stream", headers={"Content-Length": "2"})).header(
        "content-length"
    ) == ("2")


# Layers that look before the head


@middleware(peek=True)
def peek(request: Request, *, log: list[Any]) -> Flow:
    response: Response = yield request
    log.append((response.body.whole, response.body.is_file, response.length))


def test_a_whole_body_is_known_before_the_head(drive: Drive) -> None:
    log: list[Any] = []
    drive(peek(log=log), App(b"hello"))
    drive(peek(log=log), App(b"he", b"llo", shape="stream", headers={"Content-Length": "5"}))
    drive(peek(log=log), App(headers={"Content-Length": "5"}), method="HEAD")
    assert log == [(b"hello", False, 5), (None, False, 5), (None, False, 5)]


def test_the_one_piece_of_an_iterator_is_known_before_the_head_and_closed_after_the_body() -> None:
    log: list[Any] = []
    drive = Drive("wsgi")
    app = App(b"hello", shape="stream", headers={"Content-Length": "5"})
    stacks = [
        (peek(log=log), b"hello"),
        (Stack(record(log=[]), peek(log=log)), b"hello."),
        (Stack(outcome(log=[]), peek(log=log)), b"hello"),
    ]
    for stack, body in stacks:
        closed = app.closed
        answer = drive(stack, app)
        assert (answer.body, answer.header("content-length"), answer.complete) == (body, str(len(body)), True)
        assert app.closed == closed + 1
    drive(peek(log=log), App(b"hell", b"o", shape="stream", headers={"Content-Length": "5"}))
    drive(peek(log=log), App(shape="stream", headers={"Content-Length": "0"}))
    assert log == [*[(b"hello", False, 5)] * 3, (None, False, 5), (b"", False, 0)]


def test_an_iterator_that_fails_before_its_first_piece_is_closed_and_has_no_head() -> None:
    class Broken:
        closed = 0

        def __iter__(self) -> Any:
            raise LookupError

        def close(self) -> None:
            self.closed += 1

    broken = Broken()

    def app(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [("Content-Length", "5")])
        return broken

    answer = Drive("wsgi")(peek(log=[]), app)
    assert (answer.status, type(answer.error), broken.closed) == (0, LookupError, 1)


def test_where_a_file_cannot_be_told_nothing_is_taken_from_the_apps_object() -> None:
    app = App(b"hello", shape="stream", headers={"Content-Length": "5"})
    answer = Drive("wsgi")(peek(log=[]), app, **{"wsgi.file_wrapper": lambda file, size=8192: file})
    assert type(answer.raw).__name__ == "_Iterable"


def test_an_iterator_that_fails_at_once_fails_before_the_head() -> None:
    answer = Drive("wsgi")(peek(log=[]), App(ValueError("no"), shape="stream", headers={"Content-Length": "5"}))
    assert (answer.status, type(answer.error)) == (0, ValueError)


def test_a_page_of_flask_is_whole() -> None:
    app = flask.Flask("shop")
    app.add_url_rule("/", view_func=lambda: "hello")
    assert Drive("wsgi")(conditional(), app).header("etag")


def test_a_file_is_known_before_the_head() -> None:
    log: list[Any] = []
    send_file(peek(log=log))
    assert _sent_by(Stack(peek(log=log)).asgi(pathsend_app), [], extensions=OFFER) is None
    assert log == [(None, True, 5), (None, True, 9)]


def test_the_head_of_an_event_stream_is_never_held() -> None:
    log: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        headers = [(b"content-type", b"text/event-stream")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        assert log
        await send({"type": "http.response.body", "body": b""})

    assert _sent_by(Stack(peek(log=log)).asgi(app), []) is None


def test_an_exception_behind_a_head_that_was_held_may_be_answered() -> None:
    @middleware(peek=True)
    def catch(request: Request) -> Flow:
        try:
            yield request
        except LookupError:
            return Response(500, "caught")

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise LookupError("x")

    sent: list[Any] = []
    assert _sent_by(Stack(catch()).asgi(app), sent) is None
    assert sent[0]["status"] == 500


def test_a_head_without_a_body_is_sent_at_the_end() -> None:
    log: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})

    sent: list[Any] = []
    assert _sent_by(Stack(outcome(log=log), peek(log=[])).asgi(app), sent) is None
    assert [message["type"] for message in sent] == ["http.response.start"]
    assert log == [("aborted", 0)]


# Request bodies


@middleware
def unpack(request: Request, *, log: list[Any]) -> Flow:
    request.body.transform(Recorder(log, mark=b"+"))
    request.body.measure()
    response: Response = yield request
    ended: Outcome = yield response
    log.append(ended.bytes_received)


@pytest.mark.parametrize("body", [b"hello", [b"hel", b"lo"], b"", [b""]])
def test_a_request_body_passes_the_stages(drive: Drive, body: Any) -> None:
    log: list[Any] = []
    app = App(b"ok", reads=True)
    drive(unpack(log=log), app, method="POST", body=body)
    assert app.received.replace(b"+", b"") == (body if isinstance(body, bytes) else b"".join(body)) + b"."
    assert log.count("finish") == 1
    assert log[-1] == len(b"".join(body) if isinstance(body, list) else body)
    if drive.convention == "wsgi":
        assert "CONTENT_LENGTH" not in app.request
        assert app.request["wsgi.input_terminated"]
    else:
        assert b"content-length" not in dict(app.request["headers"])


def test_wsgi_input_reads_like_a_file() -> None:
    reads: list[Any] = []

    def app(environ: Any, start_response: Any) -> Any:
        stream = environ["wsgi.input"]
        reads.extend([stream.readline(), stream.read(2), stream.readlines(), stream.read()])
        start_response("200 OK", [])
        return []

    Drive("wsgi")(observe(log=[]), app, method="POST", body=b"one\ntwo\nthree")
    assert reads == [b"one\n", b"tw", [b"o\n", b"three"], b""]


def test_more_than_announced_is_never_asked_of_the_server() -> None:
    class Blocking(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            assert size is not None
            assert 0 <= size <= 5 - self.tell(), "would block"
            return super().read(size)

    drive, app = Drive("wsgi"), App(b"ok", reads=True)
    native = {"wsgi.input": Blocking(b"hello, and what the next request begins with"), "wsgi.input_terminated": False}
    wrapped = drive.wrap(unpack(log=[]), app)
    drive.serve(wrapped, Ask(method="POST", headers=[("content-length", "5")], native=native))
    assert app.received == b"hello+."
    drive.serve(wrapped, Ask(method="POST", native=native))
    assert app.received == b"."


def test_a_client_that_leaves_half_way_never_looks_like_an_end(drive: Drive) -> None:
    log: list[Any] = []
    app = App(b"ok", reads=True)
    wrapped = drive.wrap(unpack(log=log), app)
    if drive.convention == "wsgi":
        answer = drive.serve(wrapped, Ask(method="POST", body=b"hel", headers=[("content-length", "5")]))
        assert isinstance(answer.error, ClientDisconnected)
    else:
        error = _leaves(wrapped)
        assert isinstance(error, OSError)
    assert "finish" not in log


def _leaves(app: Any) -> BaseException | None:
    import asyncio

    script: Iterator[Any] = iter(
        [{"type": "http.request", "body": b"hel", "more_body": True}, {"type": "http.disconnect"}]
    )

    async def receive() -> Any:
        return next(script)

    async def send(message: Any) -> None:
        raise AssertionError("nobody is there")

    try:
        asyncio.run(app(Ask(method="POST").scope(), receive, send))
    except OSError as error:
        return error
    return None


def test_what_a_request_stage_raises_surfaces_where_the_app_reads(drive: Drive) -> None:
    @middleware
    def refuse(request: Request) -> Flow:
        request.body.transform(Recorder([], fails=True))
        try:
            yield request
        except LookupError:
            return Response(413, "too much")

    answer = drive(refuse(), App(b"ok", reads=True), method="POST", body=b"x")
    assert (answer.status, answer.error) == (413, None)


Make = Callable[[Any, Any], Any]


def test_write_counts_as_body() -> None:
    log: list[Any] = []

    def app(environ: Any, start_response: Any) -> Any:
        write = start_response("200 OK", [("Content-Length", "4")])
        write(b"ab")
        return [b"cd"]

    answer = Drive("wsgi")(Stack(outcome(log=log), record(log=[], mark=b"+")), app)
    assert (answer.body, answer.header("content-length"), answer.complete) == (b"ab+cd+.", None, True)
    assert log == [("complete", 7)]


def test_an_exception_after_write_is_raised_and_not_answered() -> None:
    log: list[Any] = []

    def app(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [])(b"ab")
        raise LookupError("x")

    answer = Drive("wsgi")(outcome(log=log), app)
    assert (answer.body, answer.complete) == (b"ab", False)
    assert isinstance(answer.error, LookupError)
    assert log == [("error", 2)]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("answers", [False, True], ids=["app", "layer"])
@pytest.mark.parametrize("looks", [1, 2])
def test_an_outer_layer_sees_the_whole_as_inner_ones_changed_it(
    drive: Drive, answers: bool, looks: int, method: str
) -> None:
    @middleware
    def answer(request: Request) -> Flow:
        yield Response(200, "hello")

    wholes: list[Any] = []
    log: list[Any] = []
    changes = [record(log=log, mark=b"-"), record(log=log, mark=b"+"), *([answer()] if answers else [])]
    got = drive(Stack(*[peek(log=wholes)] * looks, *changes), App(b"hello"), method=method)
    if method == "GET":
        assert (got.body, got.header("content-length")) == (b"hello+.-.", "9")
        assert wholes == [(b"hello+.-.", False, 9)] * looks
        assert log == [b"hello", "finish", b"hello+.", "finish"]
    else:
        assert (got.body, got.header("content-length")) == (b"", None)


def test_the_one_piece_of_an_app_that_starts_late_is_known_too() -> None:
    log: list[Any] = []
    app = App(b"hello", shape="stream", head_first=False, headers={"Content-Length": "5"})
    answer = Drive("wsgi")(peek(log=log), app)
    assert (answer.body, answer.complete, app.closed) == (b"hello", True, 1)
    assert log == [(b"hello", False, 5)]

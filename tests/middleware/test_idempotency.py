"""`idempotency`: what was sent twice happened once."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import anyio
import pytest
import redis.asyncio

from anysgi.exceptions import StackError
from anysgi.middleware import Dual, Stack, compress, cors, idempotency, security_headers, server_timing
from anysgi.middleware._memory import AsyncMemory, Memory
from anysgi.testing import TestClient

from ._driving import BOUND, App, Ask, Drive
from ._redis import clients

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(params=["memory", "redis"])
def store(request: pytest.FixtureRequest) -> Iterator[Dual]:
    """Two sides of one memory, or two clients of a real server."""
    if request.param == "memory":
        memory = Memory()
        yield Dual(sync=memory, asynchronous=AsyncMemory(memory))
    else:
        with clients(request.getfixturevalue("redis_port")) as dual:
            yield dual


async def closed(store: Dual) -> None:
    if isinstance(store.asynchronous, redis.asyncio.Redis):
        await store.asynchronous.aclose()


def ask(key: str | None = "k1", **more: Any) -> Ask:
    headers = [] if key is None else [("Idempotency-Key", key)]
    return Ask(**{"method": "POST", "path": "/pay", **more, "headers": headers + more.get("headers", [])})


def test_a_repeated_request_gets_the_first_response(drive: Drive, store: Dual) -> None:
    app = App(b"pa", b"id", status=201, shape="stream", headers={"Location": "/pay/7", "Set-Cookie": "s=1"})
    first, second, third = drive.serve_all(
        drive.wrap(idempotency(store=store), app), [ask(), ask(), ask("k2")], lambda: closed(store)
    )
    assert app.calls == 2
    assert (first.status, first.body, first.header("idempotent-replayed")) == (201, b"paid", None)
    assert (second.status, second.body, second.header("idempotent-replayed")) == (201, b"paid", "true")
    assert second.header("location") == "/pay/7"
    assert second.header("set-cookie") is None
    assert third.header("idempotent-replayed") is None


def test_a_repeated_request_gets_the_first_response_on_trio_too(store: Dual) -> None:
    app, headers = App(b"paid", status=201), {"Idempotency-Key": "k1"}
    with TestClient(idempotency(app.asgi, store=store), backend="trio", lifespan="off") as client:
        first, second = (client.post("/pay", headers=headers) for _ in range(2))
    assert (first.status_code, second.status_code, second.text, app.calls) == (201, 201, "paid", 1)
    assert second.headers["idempotent-replayed"] == "true"


def test_a_repeated_response_is_framed_anew(drive: Drive) -> None:
    app = App(b"paid", headers={"Transfer-Encoding": "chunked", "Trailer": "x-sum", "Keep-Alive": "timeout=5"})
    _, second = drive.serve_all(drive.wrap(idempotency(), app), [ask(), ask()])
    assert sorted(second.headers) == [("content-length", "4"), ("idempotent-replayed", "true")]


def test_which_responses_are_kept_may_be_said(drive: Drive) -> None:
    app = App(b"no", status=402)
    drive.serve_all(drive.wrap(idempotency(is_final=lambda status: status < 300), app), [ask(), ask()])
    assert app.calls == 2


def test_a_path_of_any_bytes_has_a_fingerprint() -> None:
    wrapped = Drive("asgi").wrap(idempotency(), App(b"paid"))
    assert Drive("asgi").serve(wrapped, ask(native={"path": "/\udcff"})).status == 200


@pytest.mark.parametrize(
    ("other", "status"),
    [
        (ask(path="/refund"), 422),
        (ask(body=b"longer"), 422),
        (ask(method="PATCH"), 422),
        (ask(headers=[("Authorization", "of another")]), 200),  # a key of somebody else
        (ask(method="GET"), 200),
        (ask(None), 200),
    ],
)
def test_a_key_belongs_to_one_request_of_one_client(drive: Drive, other: Ask, status: int) -> None:
    answers = drive.serve_all(drive.wrap(idempotency(), App(b"paid")), [ask(), other])
    assert [answer.status for answer in answers] == [200, status]
    assert answers[1].header("idempotent-replayed") is None


@pytest.mark.parametrize("key", ["", "x" * 256])
def test_a_key_of_no_use_is_refused(drive: Drive, key: str) -> None:
    assert drive.serve(drive.wrap(idempotency(), App(b"paid")), ask(key)).status == 400


def test_a_key_may_be_required(drive: Drive) -> None:
    shared = drive.wrap(idempotency(required=True), App(b"paid"))
    assert [a.status for a in drive.serve_all(shared, [ask(None), ask(None, method="GET")])] == [400, 200]


@pytest.mark.parametrize(
    "app",
    [
        App(b"no", status=500),
        App(raises=ValueError("no")),
        App(b"one", OSError("disk"), shape="stream"),
        App(b"x" * 50, b"x" * 51),
    ],
)
def test_what_failed_or_is_too_large_may_be_tried_again(drive: Drive, store: Dual, app: App) -> None:
    app.calls = 0
    drive.serve_all(drive.wrap(idempotency(store=store, max_size=100), app), [ask(), ask()], lambda: closed(store))
    assert app.calls == 2


def test_a_client_that_left_may_try_again(drive: Drive) -> None:
    app = App(b"one", b"two", shape="stream")
    shared = drive.wrap(idempotency(), app)
    drive.serve(shared, ask(), 1)
    assert drive.serve(shared, ask()).body == b"onetwo"
    assert app.calls == 2


def test_a_client_that_left_before_a_whole_answer_came_finds_it_later(drive: Drive) -> None:
    app = App(b"paid")
    shared = drive.wrap(idempotency(), app)
    assert not drive.serve(shared, ask(), 0).complete
    again = drive.serve(shared, ask())
    assert (again.body, again.header("idempotent-replayed"), app.calls) == (b"paid", "true", 1)


@pytest.mark.parametrize("shape", ["list", "stream"])
def test_what_outer_layers_add_belongs_to_one_request(drive: Drive, shape: Any) -> None:
    stack = Stack(security_headers(csp="script-src 'nonce-{nonce}'"), server_timing(), idempotency())
    shared = drive.wrap(stack, App(b"paid", shape=shape))
    first, again = drive.serve_all(shared, [ask(), ask()])
    assert again.header("idempotent-replayed") == "true"
    assert again.header("server-timing")
    assert first.header("content-security-policy") != again.header("content-security-policy")


@pytest.mark.parametrize("status", [408, 409, 425, 429])
def test_an_answer_that_asks_to_come_again_is_not_the_last_word(drive: Drive, status: int) -> None:
    app = App(b"later", status=status)
    drive.serve_all(drive.wrap(idempotency(), app), [ask(), ask()])
    assert app.calls == 2


@pytest.mark.parametrize(
    "others",
    [
        [("X-API-Key", "bob")],
        [("Host", "other.example.com")],
        [("Cookie", "theme=dark"), ("Cookie", "sid=bob")],  # HTTP/2 sends one field a cookie
    ],
)
def test_nobody_gets_the_response_of_another(drive: Drive, others: list[tuple[str, str]]) -> None:
    mine = [
        (name, {"bob": "alice", "sid=bob": "sid=alice", "other.example.com": "a.example.com"}.get(value, value))
        for name, value in others
    ]
    app = App(b"mine")
    answers = drive.serve_all(drive.wrap(idempotency(), app), [ask(headers=mine), ask(headers=others)])
    assert [answer.header("idempotent-replayed") for answer in answers] == [None, None]
    assert app.calls == 2


class _FailsLater:
    """Takes the lock, and is down when the answer comes."""

    def set(self, *_args: Any, nx: bool = False, **_kwargs: Any) -> None:
        if not nx:
            raise ConnectionError("no connection")

    def delete(self, _name: str) -> None:
        raise ConnectionError("no connection")


class _AsyncFailsLater:
    async def set(self, *_args: Any, nx: bool = False, **_kwargs: Any) -> None:
        _FailsLater().set(nx=nx)

    async def delete(self, name: str) -> None:
        _FailsLater().delete(name)


def test_a_store_that_fails_later_changes_no_answer(drive: Drive, caplog: pytest.LogCaptureFixture) -> None:
    shared = drive.wrap(idempotency(store=Dual(sync=_FailsLater(), asynchronous=_AsyncFailsLater())), App(b"paid"))
    assert drive.serve(shared, ask()).body == b"paid"
    failing = drive.wrap(
        idempotency(store=Dual(sync=_FailsLater(), asynchronous=_AsyncFailsLater())), App(raises=ValueError("mine"))
    )
    assert isinstance(drive.serve(failing, ask()).error, ValueError)
    assert caplog.text.count("the store of idempotency failed") == 2


def test_while_the_first_runs_others_are_told_so(drive: Drive) -> None:
    statuses: list[int] = []

    def meanwhile() -> None:
        thread = threading.Thread(target=lambda: statuses.append(drive.serve(shared, ask()).status))
        thread.start()
        thread.join(10)

    shared = drive.wrap(idempotency(), App(b"one", meanwhile, shape="stream"))
    assert drive.serve(shared, ask()).body == b"one"
    assert statuses == [409]


class _Down:
    def set(self, *_args: Any, **_kwargs: Any) -> None:
        raise ConnectionError("no connection")

    delete = set


class _AsyncDown:
    async def set(self, *_args: Any, **_kwargs: Any) -> None:
        raise ConnectionError("no connection")

    delete = set


@pytest.mark.parametrize(("store_down", "status"), [("open", 200), ("closed", 503)])
def test_a_store_that_is_down_opens_or_closes_and_is_logged(
    drive: Drive, caplog: pytest.LogCaptureFixture, store_down: Any, status: int
) -> None:
    stack = idempotency(store=Dual(sync=_Down(), asynchronous=_AsyncDown()), store_down=store_down)
    assert drive.serve(drive.wrap(stack, App(b"paid")), ask()).status == status
    assert "no connection" in caplog.text


def test_memory_speaks_as_much_redis_as_is_used_of_it() -> None:
    memory = Memory()
    assert memory.set("a", b"1", ex=60, nx=True, get=True) is None
    assert memory.set("a", b"2", ex=60, nx=True, get=True) == b"1"
    assert memory.set("a", b"3", ex=60, nx=True) is False
    assert memory.set("a", b"4", ex=60) is True
    assert memory.set("a", b"5", ex=60, get=True) == b"4"
    assert (memory.delete("a"), memory.delete("a")) == (1, 0)
    assert memory.set("gone", b"1", ex=0) is True
    assert memory.set("gone", b"2", ex=60, nx=True, get=True) is None


def test_memory_is_bounded_in_bytes_too() -> None:
    memory = Memory(room=10)
    for value in (b"1" * 6, b"2" * 4, b"3" * 5):
        memory.set("a" if value[0] in b"12" else "b", value, ex=60)
    assert memory.set("a", b"", ex=60, nx=True, get=True) == b"2222"
    memory.set("c", b"4" * 2, ex=60)
    assert [memory.delete(name) for name in ("a", "b", "c")] == [0, 1, 1]


def test_memory_is_bounded() -> None:
    memory = Memory(size=2)
    for name in ("a", "b", "c"):
        memory.set(name, b"1", ex=60)
    assert [memory.delete(name) for name in ("a", "b", "c")] == [0, 1, 1]


@pytest.mark.parametrize("outer", [compress(), cors(origins=["https://a.test"])])
def test_what_depends_on_the_client_stands_outside_of_what_is_kept(outer: Stack) -> None:
    """Or the second client would get the coding, or the permission, of the first."""
    with pytest.raises(StackError, match="must stand outside idempotency"):
        Stack(idempotency(), outer)
    Stack(outer, idempotency())


OTHER = b'{"fingerprint": "of another"}'


@pytest.mark.parametrize("holder", ["nobody", "this request", "another"])
@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_request_that_is_cancelled_while_it_claims_its_key_gives_back_what_is_its_own(
    backend: str, holder: str
) -> None:
    memory, app, names = Memory(), App(b"paid"), []

    class Store(AsyncMemory):
        async def set(self, name: str, value: bytes, **options: Any) -> Any:
            await anyio.sleep(0)
            if not names:
                names.append(name)
                if holder != "nobody":
                    memory.set(name, value if holder == "this request" else OTHER, ex=60)
                cancelled.cancel()
                await anyio.sleep(BOUND)
            return memory.set(name, value, **options)

    async def serve() -> None:
        nonlocal cancelled
        with anyio.CancelScope() as cancelled:
            await wrapped(scope, None, None)

    cancelled: anyio.CancelScope
    scope = ask().scope()
    wrapped: Any = idempotency(store=Dual(sync=memory, asynchronous=Store(memory)))(app.asgi)
    anyio.run(serve, backend=backend)
    assert cancelled.cancelled_caught
    assert app.calls == 0
    assert memory.set(names[0], b"free", nx=True, get=True, ex=1) == (OTHER if holder == "another" else None)


def test_a_store_that_fails_while_a_claim_is_given_back_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    def interrupted(*_: Any, **__: Any) -> Any:
        if asked:
            raise OSError("down")
        asked.append(True)
        raise KeyboardInterrupt

    asked: list[bool] = []
    store = Dual(sync=SimpleNamespace(set=interrupted))
    served = Drive("wsgi").serve(Drive("wsgi").wrap(idempotency(store=store), App(b"paid")), ask())
    assert isinstance(served.error, KeyboardInterrupt)
    assert "the store of idempotency failed" in caplog.text

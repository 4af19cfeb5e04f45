"""`rate_limit`: who is told to come back later, and what everybody is told."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from anysgi.exceptions import StackError
from anysgi.middleware import Dual, rate_limit
from anysgi.testing import TestClient

from ._driving import Answer, App, Ask, Drive
from ._redis import empty

if TYPE_CHECKING:
    from anysgi.middleware import Request


@pytest.fixture(params=["memory", "redis"])
def store(request: pytest.FixtureRequest) -> str:
    if request.param == "memory":
        return "memory://"
    port = request.getfixturevalue("redis_port")
    empty(port)
    return f"redis://127.0.0.1:{port}"


def several(drive: Drive, stack: Any, count: int, app: App | None = None, **ask: Any) -> list[Answer]:
    """Answers of several requests through one wrapped app, on one loop."""
    shared = drive.wrap(stack, app or App(b"hello"))

    async def aclose() -> None:
        """`limits` leaves its connections open for good; a loop that ends would complain."""
        for dual in stack.layers[0].duals:
            bridge = getattr(getattr(dual.asynchronous, "storage", None), "bridge", None)
            if bridge is not None:
                await bridge.storage.aclose()

    return drive.serve_all(shared, [Ask(**ask) for _ in range(count)], aclose)


@pytest.mark.parametrize("strategy", ["fixed-window", "sliding-window-counter", "moving-window"])
def test_beyond_the_limit_a_client_is_told_to_wait(drive: Drive, store: str, strategy: Any) -> None:
    app = App(b"hello")
    answers = several(drive, rate_limit(limit="2/hour", store=store, strategy=strategy), 4, app)
    assert [answer.status for answer in answers] == [200, 200, 429, 429]
    assert app.calls == 2
    assert 0 < int(answers[2].header("retry-after") or 0) <= 7200
    assert "2 requests" in answers[2].text


@pytest.mark.parametrize("count", [None, lambda request, response: True])
def test_a_store_is_counted_in_on_trio_too(store: str, count: Any) -> None:
    """The clients of `limits` to await are asyncio's, its memory as well."""
    app = rate_limit(App(b"hello").asgi, limit="2/hour", store=store, count=count, store_down="closed")
    with TestClient(app, backend="trio", lifespan="off") as client:
        assert [client.get("/").status_code for _ in range(3)] == [200, 200, 429]


@pytest.mark.parametrize(
    ("one", "other", "statuses"),
    [
        ("2001:db8:0:1::1", "2001:db8:0:1:ffff::2", [200, 429]),  # one client has a whole network of them
        ("2001:db8:0:1::1", "2001:db8:0:2::1", [200, 200]),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.2", [200, 200]),
        ("::ffff:192.0.2.1", "192.0.2.1", [200, 429]),
        ("192.0.2.1", "192.0.2.2", [200, 200]),
        (None, None, [200, 429]),  # nobody is exempt for having no address
        ("a:b", "a:b", [200, 429]),
    ],
)
def test_a_client_is_its_address_or_its_network(
    drive: Drive, one: str | None, other: str | None, statuses: list[int]
) -> None:
    shared = drive.wrap(rate_limit(limit="1/hour"), App(b"hello"))
    answers = drive.serve_all(shared, [Ask(native={"client": one}), Ask(native={"client": other})])
    assert [answer.status for answer in answers] == statuses


def test_every_response_says_how_much_is_left(drive: Drive) -> None:
    answers = several(drive, rate_limit(limit="3/minute", name="free", strategy="fixed-window", legacy=True), 4)
    assert [answer.header("ratelimit-policy") for answer in answers] == ['"free";q=3;w=60'] * 4
    assert [(answer.header("ratelimit") or "").partition(";t=")[0] for answer in answers] == [
        '"free";r=2',
        '"free";r=1',
        '"free";r=0',
        '"free";r=0',
    ]
    assert [answer.header("x-ratelimit-remaining") for answer in answers] == ["2", "1", "0", "0"]
    assert answers[0].header("x-ratelimit-limit") == "3"
    assert int(answers[0].header("x-ratelimit-reset") or 0) > 1_700_000_000


def test_who_is_counted_and_for_how_much_may_depend_on_the_request(drive: Drive) -> None:
    def key(request: Request) -> str | None:
        return request.headers.get("x-key")

    def cost(request: Request) -> int:
        return 3 if request.path == "/expensive" else 1

    shared = drive.wrap(rate_limit(limit="3/hour", key=key, cost=cost), App(b"hello"))

    def ask(key: str, path: str = "/") -> Ask:
        return Ask(path=path, headers=[("X-Key", key)] if key else [])

    asks = [ask("a", "/expensive"), ask("a"), ask("b"), *[ask("")] * 5]
    assert [answer.status for answer in drive.serve_all(shared, asks)] == [200, 429, 200, *[200] * 5]


@pytest.mark.parametrize(("store_down", "status"), [("open", 200), ("closed", 503)])
def test_a_store_that_is_down_opens_or_closes_and_is_logged(
    drive: Drive, caplog: pytest.LogCaptureFixture, store_down: Any, status: int
) -> None:
    stack = rate_limit(limit="1/hour", store=Dual(sync=_Down(), asynchronous=_AsyncDown()), store_down=store_down)
    assert [answer.status for answer in several(drive, stack, 2)] == [status, status]
    assert "no connection" in caplog.text


class _Down:
    storage = None

    def hit(self, *_args: Any, **_kwargs: Any) -> bool:
        raise ConnectionError("no connection")

    get_window_stats = hit


class _AsyncDown:
    storage = None

    async def hit(self, *_args: Any, **_kwargs: Any) -> bool:
        raise ConnectionError("no connection")

    get_window_stats = hit


def test_two_limits_in_one_store_do_not_meet(drive: Drive, store: str) -> None:
    first, second = (rate_limit(limit="1/hour", store=store, name=name) for name in ("first", "second"))
    assert several(drive, first, 2)[1].status == 429
    assert several(drive, second, 1)[0].status == 200


@pytest.mark.parametrize(
    "options", [{"limit": "many"}, {"limit": "1/hour", "strategy": "hope"}, {"limit": "1/hour", "store": "hope://"}]
)
def test_a_limit_nobody_can_count_is_an_error_when_the_stack_is_built(options: Any) -> None:
    with pytest.raises(ValueError, match=r"many|hope"):
        rate_limit(**options)


def test_a_store_without_a_side_is_an_error_when_the_stack_is_built(drive: Drive) -> None:
    store = Dual(sync=_Down()) if drive.convention == "asgi" else Dual(asynchronous=_AsyncDown())
    with pytest.raises(StackError, match="rate_limit cannot run under"):
        drive.wrap(rate_limit(limit="1/hour", store=store), App())


@pytest.mark.parametrize("strategy", ["fixed-window", "sliding-window-counter", "moving-window"])
def test_only_some_responses_may_count(drive: Drive, store: str, strategy: Any) -> None:
    statuses = iter([200, 401, 200, 401, 200])

    class Login(App):
        def _called(self, request: Any) -> None:
            super()._called(request)
            self.status = next(statuses)

    failed = rate_limit(
        limit="2/hour", store=store, strategy=strategy, count=lambda request, response: response.status == 401
    )
    answers = several(drive, failed, 6, Login(b"x"))
    assert [answer.status for answer in answers] == [200, 401, 200, 401, 429, 429]
    assert [(answer.header("ratelimit") or "").split(";")[1] for answer in answers[:4]] == ["r=2", "r=1", "r=1", "r=0"]


def test_a_store_that_fails_after_the_response_takes_nothing_from_it(
    drive: Drive, caplog: pytest.LogCaptureFixture
) -> None:
    window = SimpleNamespace(remaining=1, reset_time=0)
    broken = SimpleNamespace(test=lambda *_, **__: True, get_window_stats=lambda *_: window, hit=lambda: None)

    async def atest(*_: Any, **__: Any) -> bool:
        return True

    async def astats(*_: Any) -> Any:
        return window

    abroken = SimpleNamespace(test=atest, get_window_stats=astats, hit=lambda: None)
    stack = rate_limit(limit="2/hour", store=Dual(sync=broken, asynchronous=abroken), count=lambda *_: True)
    answer = drive(stack)
    assert (answer.status, answer.header("ratelimit")) == (200, '"default";r=1;t=0')
    assert "the store of rate_limit 'default' failed" in caplog.text

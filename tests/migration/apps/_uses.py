"""Handlers that each use one thing, and helpers to reach it through; what they return does not matter."""

import functools
import sqlite3
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask import current_app, g, request, session

LOCK = threading.Lock()
LOCAL = threading.local()


class Store:
    def __init__(self) -> None:
        self.path = Path("store")

    def load(self) -> str:
        return self.path.read_text() if self.path else Path("store").read_text()

    @staticmethod
    def nap() -> None:
        time.sleep(1)

    @property
    def trap(self) -> None:
        raise AssertionError("reading the source must not run it")


STORE = Store()


def deep(level: int = 0) -> None:
    Store.nap()
    deep(level + 1)


def uses_session() -> str:
    return str(session.get("user"))


def uses_g() -> str:
    return str(g.user)


def uses_context() -> str:
    return str(current_app.name)


def uses_threadlocal() -> str:
    return str(LOCAL.value)


def uses_lock() -> None:
    with LOCK:
        pass


def acquires_lock() -> None:
    LOCK.acquire()


def uploads() -> None:
    request.files["x"].save("y")


def sleeps() -> None:
    time.sleep(0)


def sleeps_by_another_name() -> None:
    from time import sleep as rest

    rest(1)


def queries() -> None:
    connection = sqlite3.connect(":memory:")
    connection.execute("select 1")


def runs_a_process() -> None:
    subprocess.run(["true"], check=False)


def reads_a_file() -> None:
    with open("x") as file:
        file.read()


def loads() -> None:
    STORE.load()


def goes_deep() -> None:
    deep()


def takes_a_store(store: Store) -> None:
    store.nap()


def makes_a_store() -> None:
    Store().load()


def sleeps_in_a_closure() -> Callable[[], None]:
    def inner() -> None:
        sleeps()

    return inner


def decorated(function: Callable[[], Any]) -> Callable[[], Any]:
    @functools.wraps(function)
    def wrapper() -> Any:
        time.sleep(1)
        return function()

    return wrapper


@decorated
def behind_a_decorator() -> None: ...


async def sleeps_in_async() -> None:
    time.sleep(1)


class View:
    def __call__(self) -> None:
        self.helper()

    def helper(self) -> None:
        sleeps()


def touches_the_trap() -> None:
    STORE.trap  # noqa: B018


def calls_a_parameter(function: Callable[[], None]) -> None:
    function()


def shadows(time: Any) -> None:
    time.sleep(1)  # not the module


def reads_a_table() -> Any:
    import http.client

    return http.client.responses.get(200)  # a dictionary, no connection


def only_passes_it_on() -> Any:
    return functools.partial(time.sleep, 1)


def uses_an_annotation() -> None:
    store: Store = pick()
    store.load()


def uses_a_block() -> None:
    with Opened() as opened:
        opened.load()


def uses_a_hinted_result() -> None:
    pick().load()


def pick() -> Store:
    return STORE


class Opened(Store):
    def __enter__(self) -> "Opened":
        return self

    def __exit__(self, *_error: object) -> None: ...


class Kept(Opened):
    @classmethod
    def all(cls) -> None:
        sleeps()


def uses_a_class_method() -> None:
    Kept.all()


def imports_nearby() -> None:
    from ._uses import sleeps as rest

    rest()


def imports_under_a_name() -> None:
    import time as clock

    clock.sleep(0)


def assigned_two_things() -> None:
    value = STORE
    value = Opened()
    value.load()


def assigned_in_a_loop() -> None:
    value = STORE
    for value in (STORE,):
        value.load()


def assigned_twice() -> None:
    value = STORE
    if value:
        value = STORE
    value.load()


def assigned_none_first() -> None:
    value: Store | None = None
    if value is None:
        value = Store()
    value.load()


def raises_what_a_client_does() -> None:
    raise subprocess.CalledProcessError(1, sqlite3.IntegrityError("no such item").args)


def shadows_by_a_function() -> None:
    def sleeps() -> None: ...

    sleeps()


def not_yet() -> Callable[[], None]:
    def inner() -> None:
        later()

    if inner is None:
        later = inner
    return inner


class Lazy:
    """Says that it is something else, and would do work to find out what."""

    @property
    def __class__(self) -> type:  # type: ignore[override]
        raise AssertionError("a lazy object was woken up")


LAZY: Any = Lazy()


class Resource:
    """Has what it needs from outside, as Falcon's resources do."""

    def __init__(self, store: Any) -> None:
        self.store = store

    def load(self) -> None:
        self.store.load()

    def hooked(self) -> None:
        self.store.load()

    hooked = functools.wraps(hooked)(lambda self: None)


RESOURCE = Resource(STORE)


def uses_a_lazy_object() -> None:
    LAZY.run()
    LAZY()


def level(number: int) -> None:
    level_of[number]()


def nested_class() -> None:
    class Inner:
        time.sleep(1)

    total: int = 0
    later: int
    later = total
    assert Inner, later


level_of: list[Any] = []


class Client:
    """A client for both worlds whose methods are one, as redis has it."""

    def get(self) -> Any:
        return None


Client.get.__module__ = "redis.commands.core"
CLIENT = Client()


def asks_a_client() -> None:
    CLIENT.get()


async def awaits_a_client() -> None:
    await CLIENT.get()


class Queries:
    """Builds a query with each call, and asks when it is awaited or iterated over, as Django's querysets do."""

    def filter(self) -> Any:
        return self


Queries.filter.__module__ = "django.db.models.manager"
QUERIES = Queries()


async def awaits_the_end_of_a_chain() -> None:
    await QUERIES.filter().filter()


async def iterates_asynchronously() -> list[Any]:
    async for _ in QUERIES.filter().filter():
        pass
    return [one async for one in QUERIES.filter()]


async def iterates() -> list[Any]:
    return [(one, one) for one in QUERIES.filter()]


class Model:
    """A class whose `__init__` a library made, as SQLAlchemy's do."""

    exec(compile("def __init__(self): pass", "/library/orm.py", "exec"), {"__name__": "orm"}, locals())


def makes_a_model() -> None:
    Model()


def forwarding() -> Callable[[], None]:
    """A method that a library made in a function, as `scoped_session.add` is."""

    def do() -> None:
        pass

    do.__module__ = "sqlalchemy.orm.scoping"
    return do


class Session:
    add = staticmethod(forwarding())


SESSION = Session()


def adds_to_a_session() -> None:
    SESSION.add()

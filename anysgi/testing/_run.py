"""`run` and `arun`: an app of either convention, a scenario, an exchange."""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from functools import partial
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, WeakSet

import anyio.to_thread

from anysgi import guess_convention

from . import _hosts, _leaks
from ._app_task import AppTask, on_trio
from ._asgi_server import AsgiServer
from ._clocks import PatientClock
from ._hosts import LoopOfItsOwn, run_bounded
from ._let_go import let_go_of_daemons
from ._record import Record
from ._requests import habits_of
from ._scenario import Scenario
from ._wsgi_server import WsgiServer

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..types import Convention
    from ._clocks import SkippingClock
    from ._exchange import Exchange

_SETTLING = 3  # turns of the loop that what an app started may take to end


def run(
    app: Any,
    scenario: Scenario | None = None,
    *,
    convention: Convention | None = None,
    bound: float = 5.0,
    state: dict[str, Any] | None = None,
    inline: bool = False,
    skip_sleeps: bool = False,
) -> Exchange:
    """Run an app on a scenario, and tell what happened.

    The app runs on a helper thread, in a copy of the caller's context; an ASGI app on an event loop of its own.  What
    does not end is given up, unless it is C code that lets no other thread run.

    Args:
        app: a WSGI or an ASGI app.
        scenario: the request and what its client does; a plain GET / by default.
        convention: `"wsgi"` or `"asgi"`; guessed by default, see `guess_convention`.
        bound: seconds of real time the exchange may take.
        state: the lifespan's state, for the scope of an ASGI app.
        inline: run on the calling thread, for apps with thread-local fixtures such as Django's connections.  There the
            bound holds as far as it does for `arun`.
        skip_sleeps: skip an ASGI app's own sleeps as well as the pauses of the client.  For apps without threads.

    Returns:
        The exchange; an exception of the app is in it, see `Exchange.raise_for_exception`.

    Raises:
        ExchangeTimeout: the app did not end within the bound; the message shows what was said so far.
        ScenarioError: the server the scenario imitates serves no apps of this convention.
        ConventionError: the app's convention cannot be told.
    """
    scenario = scenario or _PLAIN
    record = Record(scenario, convention or _convention_of(app))
    habits = habits_of(scenario, record.exchange.convention)
    before = threading.enumerate()
    if record.exchange.convention == "wsgi":
        run_bounded(record, partial(WsgiServer(record, habits).serve, app), bound, inline)
    else:
        host = LoopOfItsOwn(skip_sleeps)
        serve = partial(_serve, app, record, partial(AsgiServer, record, habits, state=state))
        run_bounded(record, partial(host.run, serve, record), bound, inline, host)
    exchange = _finished(record)
    for pause in _leaks.look_for_threads(before, exchange.leaks):
        time.sleep(pause)
    if exchange.leaks:
        let_go_of_daemons()
    return exchange


async def arun(
    app: Any,
    scenario: Scenario | None = None,
    *,
    convention: Convention | None = None,
    bound: float = 5.0,
    state: dict[str, Any] | None = None,
) -> Exchange:
    """Run an app on a scenario, on the running loop of asyncio or trio; a WSGI app on a thread.

    Time is real here: a pause of the client lets everything that is ready run, and costs nothing, but no timer of the
    app fires early.

    An app that blocks the loop, be it in a system call or in Python, is thrown out of the call once the bound is over,
    if the loop runs on the main thread; on another, if it is in Python.  What cannot be ended from inside of a process
    is logged as an error of "anysgi.testing", with the stack and the messages so far: a call into C that goes on after
    a signal; on another thread than the main one any call into C, and Python that catches whatever comes; on CPython
    3.12, a loop of nothing but a `try` that does.  C code that lets no other thread run is not even logged.

    What an app leaves goes on, and is a leak of the exchange.  As the loop ends, tasks, async generators and jobs of
    its pool have a second to end, and are logged and left behind if they do not.  Seen to are neither threads of the
    app's own, for which Python waits as it ends unless they are daemons, nor system tasks of trio.  `loop.stop()` in an
    app stops the caller's loop.  `run` bounds all of these.

    Args:
        app, scenario, convention, bound, state: see `run`.

    Returns:
        The exchange.

    Raises:
        ExchangeTimeout: the app did not end within the bound; the message shows what was said so far.
        ScenarioError, ConventionError: see `run`.
    """
    scenario = scenario or _PLAIN
    convention = convention or _convention_of(app)
    if convention == "wsgi":
        return await anyio.to_thread.run_sync(partial(run, app, scenario, convention="wsgi", bound=bound))
    record = Record(scenario, convention)
    server = AsgiServer(record, habits_of(scenario, convention), PatientClock(record), state, anyio.Event())
    before = threading.enumerate()
    task = AppTask(partial(_call if on_trio() else _serve_on, app, record, server), record.so_far, bound)
    try:
        if not await task.ends(bound):
            await _stop(task, record, bound)
    except BaseException:  # the caller is cancelled, or it was stopped already
        await task.stop()
        raise
    exchange = _finished(record)
    for pause in _leaks.look_for_threads(before, exchange.leaks):
        await anyio.sleep(pause)
    return exchange


_PLAIN = Scenario()
_conventions: WeakKeyDictionary[Any, Convention] = WeakKeyDictionary()  # guessing takes longer than a small app


def _convention_of(app: Any) -> Convention:
    try:
        found = _conventions.get(app)
        if found is None:
            found = _conventions[app] = guess_convention(app)
    except TypeError:  # an app that takes no weak references, or cannot be hashed
        found = guess_convention(app)
    return found


async def _serve(app: Any, record: Record, make: Callable[..., AsgiServer], clock: SkippingClock) -> None:
    generators: WeakSet[Any] = WeakSet()
    hooks = sys.get_asyncgen_hooks()

    def first(generator: Any) -> None:
        generators.add(generator)
        if hooks.firstiter is not None:
            hooks.firstiter(generator)

    sys.set_asyncgen_hooks(firstiter=first)
    await _serve_on(app, record, make(clock=clock, over=asyncio.Event()))
    record.exchange.leaks += _leaks.async_generators(list(generators))


async def _call(app: Any, record: Record, server: AsgiServer) -> None:
    """Call the app; note what it raised."""
    try:
        await app(record.exchange.request, server.receive, server.send)
    except BaseException as error:
        record.exchange.exception = error
        _leaks.forget_locals(error)
        if isinstance(error, anyio.get_cancelled_exc_class()):
            raise


async def _serve_on(app: Any, record: Record, server: AsgiServer) -> None:
    """Call the app; note which tasks of asyncio outlive it."""
    before = asyncio.all_tasks()
    await _call(app, record, server)
    for _ in range(_SETTLING):
        if len(asyncio.all_tasks()) == len(before):
            break
        await asyncio.sleep(0)
    record.exchange.leaks += _leaks.tasks(asyncio.all_tasks() - before)


async def _stop(task: AppTask, record: Record, bound: float) -> None:
    where = task.stands_at()
    task.cancel()
    swallowed = ""
    if not await task.is_over(_hosts.STOPPING):
        swallowed = " and swallowed its cancellation"
        await task.give_up()
    raise record.timeout(f"the app did not end within {bound} s{swallowed}", f"It stood at {where}")


def _finished(record: Record) -> Exchange:
    exchange = record.exchange
    if record.endless:
        raise record.timeout("the app sent more than any response has", "Is there an end to what it streams?")
    exchange.duration = record.elapsed()
    return exchange

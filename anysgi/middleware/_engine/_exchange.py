"""`Exchange`: one request on its way through a row of layers, without I/O.

A layer that is a plain function is called, and is through.  One that is a generator is taken one step further by every
phase below:

                yields request   yields a response         yields a call   returns a response   returns
    entering    waits            answers, then outcome     goes on         answers              is through
    unwinding   -                keeps or replaces,        goes on         replaces             is through
                                 then outcome
    ending      -                -                         goes on         -                    is through

What is not in the table is a mistake of the layer, and looks like an exception it raised.  A phase returns the `Call`s
there are to make before it is over, so that the drivers are the only code that knows whether one calls or awaits:

    for call in exchange.unwind():  call.make()           # WSGI
    for call in exchange.unwind():  await call.amake()    # ASGI

Layers seldom do I/O, so a phase is a plain loop that returns `()`.  The first layer that yields a call makes it return
a generator instead, which goes on with that layer and then with the phase.
"""

from __future__ import annotations

import logging
from time import perf_counter
from types import GeneratorType
from typing import TYPE_CHECKING, Any

from ._dual import Call, amake_all
from ._mistakes import answer_of, stray, where
from ._outcome import Outcome
from ._response import Response

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

    from ._layer import Flow, Start
    from ._outcome import Kind
    from ._request import Request

    Calls = tuple[()] | Generator[Call, None, None]

log = logging.getLogger("anysgi.middleware")


class Exchange:
    """One request through the layers.

    Attributes:
        result: the response to send or the exception to raise, as far as it has come; None until there is one.
        waiting: layers that handed the request on, outermost first.
        ending: layers that wait for the outcome, innermost first.
        sent: bytes of body handed to the server.
    """

    __slots__ = ("_first_byte", "_started", "ending", "request", "result", "sent", "waiting")

    request: Request
    result: Response | BaseException | None
    waiting: list[Flow]
    ending: tuple[Flow, ...]
    sent: int
    _first_byte: float | None
    _started: float

    def begin(self, request: Request) -> None:
        """What `__init__` would be, if it were not called for every request (see `_header_views`)."""
        self.request = request
        self.result = self._first_byte = None
        self.waiting = []
        self.ending = ()
        self.sent = 0
        self._started = perf_counter()

    def enter(self, starts: Iterable[Start]) -> Calls:
        """Start the layers, outermost first, until one answers.  Without a result, the app is next."""
        request, waiting = self.request, self.waiting
        starts = iter(starts)
        for start in starts:
            try:
                flow: Any = start(request)
                if flow is None:
                    continue
                if type(flow) is not GeneratorType:
                    self.result = answer_of(start, flow)
                    break
                step = next(flow)
            except StopIteration as stop:
                if stop.value is None:
                    continue
                self.result = answer_of(flow, stop.value)
            except BaseException as error:
                self.result = error
            else:
                if step is request:
                    waiting.append(flow)
                    continue
                if type(step) is Call:
                    return self._go_on_entering(flow, step, starts)
                self.result = answer_of(flow, step)
                self._expect_outcome(flow)
            break
        return ()

    def _go_on_entering(self, flow: Flow, step: object, starts: Iterable[Start]) -> Generator[Call, None, None]:
        try:
            while type(step) is Call:
                yield step
                step = _resume(flow, step)
        except StopIteration as stop:
            if stop.value is not None:
                self.result = answer_of(flow, stop.value)
        except BaseException as error:
            self.result = error
        else:
            if step is self.request:
                self.waiting.append(flow)
            else:
                self.result = answer_of(flow, step)
                self._expect_outcome(flow)
        if self.result is None:
            yield from self.enter(starts)

    def unwind(self) -> Calls:
        """Hand the result to the waiting layers, innermost first; each may change it or put another in its place."""
        waiting, result = self.waiting, self.result
        raised = isinstance(result, BaseException)
        while waiting:
            flow = waiting.pop()
            try:
                step = flow.throw(result) if raised else flow.send(result)  # type: ignore[arg-type]  # raised tells
            except StopIteration as stop:
                replacement = stop.value
                if replacement is None or replacement is result:
                    continue
                return self._replace(answer_of(flow, replacement))
            except BaseException as error:
                return self._replace(error)
            if step is not result:
                return self._go_on_unwinding(flow, step)
            self.ending = (*self.ending, flow)
        return ()

    def _go_on_unwinding(self, flow: Flow, step: object) -> Generator[Call, None, None]:
        replacement, keeper = self.result, None
        assert replacement is not None
        try:
            while type(step) is Call:
                yield step
                step = _resume(flow, step)
        except StopIteration as stop:
            if stop.value is not None and stop.value is not replacement:
                replacement = answer_of(flow, stop.value)
        except BaseException as error:
            replacement = error
        else:
            keeper = flow
            if step is not replacement:
                replacement = answer_of(flow, step)
        yield from self._replace(replacement, keeper)

    def _replace(
        self, replacement: Response | BaseException, keeper: Flow | None = None
    ) -> Generator[Call, None, None]:
        """Put another result in place, which the inner layers see as an abort, then unwind further.

        Args:
            replacement: the new result, or the one that is there.
            keeper: the layer it is from, if that is not through with it.
        """
        cancelled = isinstance(self.result, BaseException) and not isinstance(self.result, Exception)
        if replacement is not self.result and not cancelled:  # nothing replaces a cancellation
            self.result = replacement
            if self.ending:
                yield from self.end("aborted", replacement if isinstance(replacement, BaseException) else None)
        if keeper is not None:
            self._expect_outcome(keeper)
        yield from self.unwind()

    def _expect_outcome(self, flow: Flow) -> None:
        if isinstance(self.result, Response):
            self.ending = (*self.ending, flow)
        else:
            flow.close()

    def end(self, kind: Kind, error: BaseException | None = None) -> Generator[Call, None, None]:
        """Tell the outcome, once, innermost first.  A layer's exception is logged and does not stop the others."""
        flows, self.ending = self.ending, ()
        outcome = self._outcome(kind, error)
        interruption: BaseException | None = None
        for flow in flows:
            try:
                step = flow.send(outcome)
                while type(step) is Call:
                    yield step
                    step = _resume(flow, step)
                raise stray(flow, step)
            except StopIteration as stop:
                if stop.value is not None:
                    log.error("%s", stray(flow, stop.value))
            except Exception:
                log.exception("%s failed after the response", where(flow))
            except BaseException as error:
                interruption = error
        if interruption is not None:
            raise interruption

    def finish(self, kind: Kind, error: BaseException | None = None) -> None:
        """Tell the outcome, unless it has been told; from a frame that calls."""
        if self.ending:
            for call in self.end(kind, error):
                call.make()

    async def afinish(self, kind: Kind, error: BaseException | None = None) -> None:
        """Tell the outcome, unless it has been told; from a frame that awaits."""
        if self.ending:
            await amake_all(self.end(kind, error), error)

    def _outcome(self, kind: Kind, error: BaseException | None) -> Outcome:
        body = self.request._body
        received = None if body is None else body.received
        return Outcome(kind, error, self.sent, received, self._first_byte, perf_counter() - self._started)

    def forwarded(self) -> None:
        """Note that the head is with the server."""
        self._first_byte = perf_counter() - self._started


def _resume(flow: Flow, call: Call) -> Any:
    """Give a call's result to the layer that asked for it."""
    if call.error is not None:
        return flow.throw(call.error)
    return flow.send(call.value)

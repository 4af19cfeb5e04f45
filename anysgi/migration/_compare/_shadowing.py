"""`ShadowCompare`: the router's two sides held against each other, on real traffic, behind the user's back.

A request that was answered is put into a bounded queue, and one worker at a time asks both sides again: on the server's
own loop under ASGI, where the apps live, on a thread under WSGI.  Where there is no room a request is not compared, and
counted.
"""

from __future__ import annotations

import asyncio
import logging
import random
import threading
import time
from collections import Counter, deque
from contextlib import contextmanager
from time import monotonic, process_time
from typing import TYPE_CHECKING

from anysgi.exceptions import ExchangeTimeout, ScenarioError
from anysgi.testing import arun, run

from .._shadow import Difference
from ._differences import find_differences
from ._exchanges import Answered, Asked
from ._noise import Noise
from ._observed import Observed
from ._running import SAFE
from ._targets import answered, scenario_of, unanswered

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from ...types import Convention
    from .._shadow import ShadowRequest
    from .._table import Side

    Asking = Generator[tuple[Side, Asked], Answered, None]


log = logging.getLogger("anysgi.migration")

_OFTEN = 3  # times that a route may hang: each may leave a thread behind


class ShadowCompare:
    """Compares what the two sides of a `Router` answer, for routes with `shadow = "compare"` in the table.

        router = Router(legacy, new, table="routes.toml", shadow=ShadowCompare())

    Only GET, HEAD and OPTIONS are asked again.  The answer a user got is one of the three that are compared: legacy is
    asked until it has answered twice, to learn what differs anyway, and the new side once.  So that users do not wait
    for it, comparing takes no more than `budget` of the process' time: after 2 ms of it, it rests for 98 ms and lets
    requests pass.  A route where a side did not end three times is not compared any more: nobody can stop what hangs.

    Args:
        sample: the share of requests to compare, 0 to 1.
        budget: the share of the process' CPU time that comparing may take, above 0, up to 1; 1: it never rests.
        queue_limit: requests that may wait; those beyond are not compared.
        max_body: bytes of a response that are kept; a larger one is not compared.
        timeout: seconds an answer may take.
        ignore: places to leave out, such as `"$.generated_at"` or `"etag"`.
        keep: how many differences `latest()` remembers.

    Attributes:
        compared: requests held against each other so far.
        dropped: requests that found the queue full.
        passed: requests that came while it rested, or for a route that hangs.

    Raises:
        ValueError: `sample` or `budget` is not between 0 and 1.
    """

    def __init__(
        self,
        *,
        sample: float = 1.0,
        budget: float = 0.02,
        queue_limit: int = 100,
        max_body: int = 1_048_576,
        timeout: float = 10.0,
        ignore: Sequence[str] = (),
        keep: int = 200,
    ) -> None:
        if not 0 <= sample <= 1:
            raise ValueError(f"ShadowCompare(sample={sample}): write a share between 0 and 1")
        if not 0 < budget <= 1:
            raise ValueError(f"ShadowCompare(budget={budget}): write a share above 0, up to 1")
        self._sample = sample
        self._rest = 1 / budget - 1  # seconds for each second of work
        self._rests_until = 0.0
        self._queue_limit = queue_limit
        self._max_body = max_body
        self._timeout = timeout
        self._noise = Noise(ignore)
        self._hung: Counter[str] = Counter()  # by route
        self._latest: deque[Difference] = deque(maxlen=keep)
        self._changing = threading.Lock()  # of the two that follow
        self._waiting: deque[Observed] = deque()
        self._worker: asyncio.Task[None] | threading.Thread | None = None
        self.compared = 0
        self.dropped = 0
        self.passed = 0

    def begin(self, request: ShadowRequest) -> Observed | None:
        """See `Shadow`."""
        if request.method not in SAFE or (self._sample < 1 and random.random() >= self._sample):
            return None
        if monotonic() < self._rests_until or self._hung[request.route.name] >= _OFTEN:
            self.passed += 1
            return None
        return Observed(request, self._max_body, self.submit)

    def latest(self) -> Sequence[Difference]:
        """See `Shadow`."""
        return list(reversed(self._latest))

    def submit(self, exchange: Observed) -> None:
        """Compare an exchange soon; called where the request was served, and returns at once."""
        with self._changing:
            if len(self._waiting) >= self._queue_limit:
                self.dropped += 1
                return
            self._waiting.append(exchange)
            if self._worker is None or not _is_alive(self._worker):
                self._worker = self._start(exchange.request.convention)

    def _start(self, convention: Convention) -> asyncio.Task[None] | threading.Thread:
        if convention == "asgi":
            return asyncio.get_running_loop().create_task(self._work_on_loop())
        thread = threading.Thread(target=self._work_on_thread, name="anysgi-shadow", daemon=True)
        thread.start()
        return thread

    def _job(self) -> Observed | None:
        """What waits longest; None if nothing does, and then the worker's day is over."""
        with self._changing:
            while self._waiting:
                exchange = self._waiting.popleft()
                if self._hung[exchange.request.route.name] < _OFTEN:
                    return exchange
                self.passed += 1
            self._worker = None
            return None

    def _work_on_thread(self) -> None:
        while (exchange := self._job()) is not None:
            while (rest := self._rests_until - monotonic()) > 0:
                time.sleep(rest)
            with self._accounted():
                asking, answer = self._compare(exchange), None
                while (step := _next(asking, answer)) is not None:
                    answer = self._ask(exchange.request, *step)

    async def _work_on_loop(self) -> None:
        while (exchange := self._job()) is not None:
            while (rest := self._rests_until - monotonic()) > 0:
                await asyncio.sleep(rest)
            with self._accounted():
                asking, answer = self._compare(exchange), None
                while (step := _next(asking, answer)) is not None:
                    answer = await self._aask(exchange.request, *step)

    @contextmanager
    def _accounted(self) -> Generator[None, None, None]:
        """One comparison: whatever becomes of it, the next one may come after a rest.

        What others did in the meantime counts as well: where the process is busy, comparing is in somebody's way.
        """
        began = process_time()
        try:
            yield
        except Exception:
            log.exception("a comparison failed; the shadow goes on with the next request")
        self._rests_until = monotonic() + (process_time() - began) * self._rest

    def _ask(self, served: ShadowRequest, side: Side, request: Asked) -> Answered:
        try:
            app, scenario = served.apps[side], scenario_of(request)
            return answered(run(app, scenario, convention=served.convention, bound=self._timeout))
        except (ExchangeTimeout, ScenarioError) as error:
            return self._unanswered(served.route.name, side, error)

    async def _aask(self, served: ShadowRequest, side: Side, request: Asked) -> Answered:
        try:
            app, scenario = served.apps[side], scenario_of(request)
            return answered(await arun(app, scenario, convention=served.convention, bound=self._timeout))
        except (ExchangeTimeout, ScenarioError) as error:
            return self._unanswered(served.route.name, side, error)

    def _unanswered(self, name: str, side: Side, error: ExchangeTimeout | ScenarioError) -> Answered:
        if isinstance(error, ExchangeTimeout):
            self._hung[name] += 1
            if self._hung[name] == _OFTEN:
                told = name, side, self._timeout, _OFTEN
                log.error("%s did not end on the %s side within %s s, %d times: it is not compared any more", *told)
        return unanswered(error, self._timeout)

    def _compare(self, exchange: Observed) -> Asking:
        """Yield whom to ask what, get the answer, and note how they differ."""
        request, served = exchange.asked(), exchange.answer()
        name = exchange.request.route.name
        if exchange.request.side == "legacy":
            old, again = served, (yield "legacy", request)
            new = yield "new", request
        else:
            old, again = (yield "legacy", request), (yield "legacy", request)
            new = served
        if old.status != again.status:  # legacy does not repeat itself, so there is nothing to hold against it
            return
        self._noise.learn(name, find_differences(request, old, again))
        for found in self._noise.without(name, find_differences(request, old, new)):
            if not found.informative:
                what = f"{found.kind} {found.place}: {found.old or 'nothing'} became {found.new or 'nothing'}"
                self._latest.append(Difference(time.time(), name, f"{request.method} {request.target}", what))
        self.compared += 1


def _is_alive(worker: asyncio.Task[None] | threading.Thread) -> bool:
    """A loop that ended takes its tasks along, a fork its threads."""
    if isinstance(worker, threading.Thread):
        return worker.is_alive()
    return not (worker.done() or worker.get_loop().is_closed())


def _next(asking: Asking, answer: Answered | None) -> tuple[Side, Asked] | None:
    try:
        return next(asking) if answer is None else asking.send(answer)
    except StopIteration:
        return None

"""The router as a WSGI app."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from time import perf_counter
from typing import TYPE_CHECKING, Any

from .._core._closing import Rest, close
from .._core._paths import path_in_environ
from .._core._refusals import Refusal
from .._core._scope import scope_from_environ
from ..exceptions import AppProtocolError, LifespanError
from ._attempt import CRASHED, STANDS, TRYING, Verdict
from ._clients import bucket_in_environ
from ._deadline import HeadTimeout
from ._wsgi_watching import Observed, WatchedInput

if TYPE_CHECKING:
    from ..types import Environ, ExcInfo, StartResponse, Write
    from ._core import Core
    from ._stats import Stats
    from ._ways import Choice

log = logging.getLogger("anysgi.migration")


class WsgiRouter:
    """`router.wsgi`: what a WSGI server imports.

    Args:
        core: what both conventions share.
    """

    def __init__(self, core: Core) -> None:
        self._core = core

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Serve one WSGI request by the table."""
        core = self._core
        path = path_in_environ(environ)
        if core.dashboard is not None and core.dashboard.owns(path):
            return core.dashboard.wsgi(environ, start_response)
        choice = core.choose(environ["REQUEST_METHOD"], path, environ, bucket_in_environ)
        serve = self._observed if choice.shadowed else self._serve
        return serve(choice, environ, start_response)

    def _observed(self, choice: Choice, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        method: str = environ["REQUEST_METHOD"]
        observer = self._core.observe(choice, method, "wsgi", lambda: scope_from_environ(environ))
        if observer is None:
            return self._serve(choice, environ, start_response)
        return Observed(observer, environ).run(lambda *call: self._serve(choice, *call), start_response)

    def _serve(self, choice: Choice, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        if choice.instead is not None:
            result = self._new(choice, environ, start_response)
            if result is not None:
                return result
            choice = choice.instead
        head = Head(self._core.stats, choice, start_response)
        try:
            return _counted(self._core.legacy.wsgi(environ, head.start_response), environ, head)
        except Exception:
            head.fail()
            raise

    def _new(self, choice: Choice, environ: Environ, start_response: StartResponse) -> Iterable[bytes] | None:
        """Have the new side try; None if legacy is to answer."""
        core = self._core
        head = Head(core.stats, choice, start_response, environ["REQUEST_METHOD"] in core.rescue)
        own = _watched(environ, head)
        result: Iterable[bytes] = ()
        error: Exception | None = None
        try:
            result = core.new.wsgi(own, head.start_response)
            if head.state is TRYING:
                result = _begun(result, head)
        except Exception as raised:
            error = raised
            if isinstance(raised, LifespanError):  # it will not start any more: do not ask again
                core.new.down = str(raised)
            head.crash(not_begun=isinstance(raised, LifespanError))
        if head.state is STANDS and error is None:
            return _counted(result, environ, head)
        if head.over():
            _dismiss(result, own["wsgi.input"], choice.name)
            core.left(choice, crashed=head.state is CRASHED, error=error, status=head.status)
            return None
        close(result)
        head.fail()
        return _failed(choice, error or AppProtocolError("the app returned without a response"), start_response)


def _dismiss(result: object, source: object, name: str) -> None:
    """Close a response that is not sent; the rest of the body, and the last word, are for legacy."""
    if isinstance(source, WatchedInput):
        source.detach()
    try:
        close(result)
    except Exception:
        log.exception("the new side failed as it was closed at %s; legacy answers", name)


def _watched(environ: Environ, verdict: Verdict) -> Environ:
    """The environ for the new side: its own, so that legacy finds its as the server made it."""
    own = environ.copy()
    if environ.get("CONTENT_LENGTH") not in (None, "", "0") or environ.get("wsgi.input_terminated"):
        own["wsgi.input"] = WatchedInput(environ["wsgi.input"], verdict.touch)
    return own


def _begun(result: Iterable[bytes], verdict: Verdict) -> Iterable[bytes]:
    """Run an app that is a generator up to its head."""
    chunks = iter(result)
    for chunk in chunks:
        if chunk or verdict.state is not TRYING:
            return Rest(result, chain([chunk] if chunk else (), chunks))
    if verdict.state is TRYING:
        close(result)
        raise AppProtocolError("the new side returned without calling start_response()")
    return Rest(result, chunks)


def _counted(result: Iterable[bytes], environ: Environ, head: Head) -> Iterable[bytes]:
    """Have an error half way counted; what a server may know by its length or its type reaches it as it is."""
    if hasattr(result, "__len__"):
        return result
    wrapper = environ.get("wsgi.file_wrapper")
    may_be_file = isinstance(result, wrapper) if isinstance(wrapper, type) else wrapper is not None
    return result if may_be_file else Counted(result, head)


def _failed(choice: Choice, error: Exception, start_response: StartResponse) -> Iterable[bytes]:
    if not isinstance(error, HeadTimeout):
        raise error
    log.error("the new side is late at %s, and legacy may not be asked: %s", choice.name, error)
    refusal = Refusal(504)
    start_response(refusal.status_line, refusal.headers, (type(error), error, error.__traceback__))
    return [refusal.body]


class Head(Verdict):
    """Passes on the head of an answer that stands, and counts it.

    Args:
        stats: count it.
        choice: whose answer it is.
        start_response: the server's.
        rescues: see `Verdict`.
    """

    __slots__ = ("_start_response", "_started", "_stats", "_tally")

    def __init__(self, stats: Stats, choice: Choice, start_response: StartResponse, rescues: bool = False) -> None:
        Verdict.__init__(self, choice.fallthrough, rescues)
        self._stats = stats
        self._tally = choice.tally
        self._start_response = start_response
        self._started = perf_counter()

    def start_response(self, status: str, headers: Any, exc_info: ExcInfo | None = None) -> Write:
        """PEP 3333, "The start_response() Callable"."""
        try:
            if self.state is TRYING:
                code = _code(status)
                if self.head(code):
                    self._stats.count(self._tally, perf_counter() - self._started, code >= 500)
            if self.state is not STANDS:
                return _sink
            if exc_info:
                return self._start_response(status, headers, exc_info)
            return self._start_response(status, headers)
        finally:
            exc_info = None  # PEP 3333: avoid a circular reference through the traceback's frames

    def fail(self) -> None:
        """Count an answer that failed: one without a head, or one whose head promised something else."""
        if self.state is TRYING:
            self._stats.count(self._tally, perf_counter() - self._started, True)
        elif self.status < 500:
            self._stats.fail(self._tally)


class Counted:
    """An answer that tells its head when it fails half way."""

    __slots__ = ("_head", "_result", "close")

    def __init__(self, result: Iterable[bytes], head: Head) -> None:
        self._result = result
        self._head = head
        self.close: Callable[[], object] = getattr(result, "close", bool)

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._result
        except Exception:
            self._head.fail()
            raise


def _sink(data: bytes) -> None:
    """What becomes of `write()` in a response that is not sent."""


def _code(status: str) -> int:
    try:
        return int(status[:3])
    except (ValueError, TypeError):
        return 0  # the server will complain

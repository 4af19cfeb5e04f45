"""One exchange under WSGI: one `start_response` for all layers.

The head is handed to the layers once the app returned and called `start_response`, whichever came last, and to the
server before we return: some servers look at it no later.  The app's own object goes to the server unless a layer wants
to see the bytes or the outcome.
"""

from __future__ import annotations

from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, NoReturn

from ..._core._closing import Rest, close
from ..._core._websocket_scope import asks_for_websocket
from ...exceptions import AppProtocolError, BadRequest
from ._answers import problem
from ._body import Body, at_hand, is_changed, is_used, pass_on
from ._exchange import Exchange
from ._framing import is_silent, set_length
from ._response import Response, WsgiResponse, content_length, is_file_of, wsgi_response
from ._wsgi_body import Page, WatchedBody, look_ahead, watch_file
from ._wsgi_input import replace_input

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..._core._header_views import TextList
    from ...types import Environ, ExcInfo, StartResponse, Write, WSGIApp
    from ._wsgi_request import WsgiRequest

TAKEN_OVER = (StopIteration, ConnectionError)
"""What Flask-Sock and Flask-SocketIO raise after a WebSocket, for gunicorn and for werkzeug: nothing is to be sent."""


class WsgiExchange(Exchange):
    """One WSGI request."""

    __slots__ = ("_iterable", "_respond", "_write")

    request: WsgiRequest
    _iterable: Iterable[bytes]
    _respond: StartResponse
    _write: Write | None  # the server's, once it has the head

    def open(self, request: WsgiRequest, start_response: StartResponse) -> None:
        """Begin."""
        self.begin(request)
        self._respond = start_response
        self._write = None
        self._iterable = ()

    def run(self, app: WSGIApp) -> Iterable[bytes]:
        """Call the app, unless a layer answered, and take its answer back through the layers."""
        request = self.request
        if self.result is None and request._body is not None:
            self._stage(request._body)
        if self.result is None:
            if not self.waiting and request.bindings is None and request.limits is None:
                return app(request.environ, self._respond)
            self._run_app(app)
        if self._write is None:
            self._settle()
        iterable, self._iterable = self._iterable, ()  # which may hold this exchange: no cycle
        return iterable

    def _stage(self, body: Body) -> None:
        """Put the stages before the app's input; a body whose length is no number has no end that could be told."""
        try:
            if is_used(body):
                replace_input(self.request.environ, body)
        except BadRequest as error:
            self.result = problem(self.request, error.status, error.reason)
        except BaseException as error:  # one that is collected is read here, and not by the app
            self.result = error

    def _run_app(self, app: WSGIApp) -> None:
        """Call the app; its head, or its exception, is the result so far."""
        iterable: Iterable[bytes] = ()
        try:
            iterable = app(self.request.environ, self.start_response)
            if self.result is None:
                iterable = self._primed(iterable)
            if self.request.limits is not None:
                self.request.limits.check_head(self._started)
        except BaseException as error:
            close(iterable)
            if self._write is not None:
                self._fail(error)
            if self.result is None and type(error) in TAKEN_OVER and asks_for_websocket(self.request.environ):
                self._switch()
                raise
            self.result = error
        else:
            response = self.result
            if self._write is None and isinstance(response, WsgiResponse):
                self._iterable = response._iterable = iterable
            else:
                self._take(iterable)

    def _switch(self) -> None:
        """The app has had a WebSocket on the server's connection: the layers see that as they do under ASGI."""
        self.result = wsgi_response("101 Switching Protocols", [], self.request)
        for call in self.unwind():
            call.make()
        result, self.result = self.result, None
        if isinstance(result, BaseException):
            raise result
        self.finish("complete")

    def _fail(self, error: BaseException) -> NoReturn:
        """Cut a response whose head is out."""
        self.result = None  # no cycle through the traceback
        self.finish("error", error)
        raise error

    def _take(self, iterable: Iterable[bytes]) -> None:
        """Note what an app returned whose `write()` has sent the head by now."""
        response = self.result
        if isinstance(response, BaseException) and self._write is not None:  # the app went on after a failed write()
            close(iterable)
            self._fail(response)
        elif not isinstance(response, WsgiResponse):  # replaced already
            close(iterable)
        else:
            silent = is_silent(self.request, response)
            self._iterable = WatchedBody(self, iterable, response._body, None, silent=silent)

    def start_response(self, status: str, headers: TextList, exc_info: ExcInfo | None = None) -> Write:
        """Note a head, for the layers to see once the app returned (PEP 3333, "The start_response() Callable")."""
        if self._write is not None:
            return self._respond(status, headers, exc_info)
        if self.result is not None and not exc_info:
            raise AppProtocolError("start_response() was called twice; to replace the head pass exc_info")
        self.result = wsgi_response(status, headers, self.request)
        return self.write

    def write(self, data: bytes) -> None:
        """Send a piece of body at once (PEP 3333, "The write() Callable"), unless a layer replaced the response."""
        try:
            chunk = self._written(data)
        except BaseException as error:
            self.result = error  # whatever the app makes of it, its response shall not look whole
            raise
        if chunk:
            assert self._write is not None
            self._write(chunk)
            self.sent += len(chunk)

    def _written(self, data: bytes) -> bytes:
        """What of a piece that was written may leave, after the head."""
        if self._write is None:
            self._iterable = iter(())  # the app has not returned yet: its body is a stream
            self._settle()
        response = self.result
        if not data or not isinstance(response, WsgiResponse) or is_silent(self.request, response):
            return b""
        return pass_on(response.body, data, last=False)

    def _primed(self, iterable: Iterable[bytes]) -> Iterable[bytes]:
        """Take from a generator app until it has called `start_response`."""
        iterator = iter(iterable)
        taken: list[bytes] = []
        for chunk in iterator:
            taken.append(chunk)
            if self.result is not None or chunk:
                break
        if self.result is None:
            raise AppProtocolError("the app did not call start_response() before the first byte of its body")
        return Rest(iterable, chain(taken, iterator))

    def _settle(self) -> None:
        """Hand the result to the layers, and what they made of it to the server."""
        own, request = self.result, self.request
        for call in self.unwind():
            call.make()
        response = self.result
        if response is not own:
            close(self._iterable)
        if not isinstance(response, Response):
            assert response is not None
            self.result = None  # no cycle through the traceback
            raise response
        try:
            if response._body is None and response._status is None and not self.ending:  # the app's, untouched
                if request.bindings is not None or request.limits is not None:
                    self._iterable = self._bound()
            else:
                self._iterable = self._framed(response)
            line, headers = response.start_arguments()
            respond = self._respond
            self._write = respond(line, headers)
        except BaseException as error:
            close(self._iterable)
            self.finish("aborted", error)
            raise
        if self.ending:
            self.forwarded()

    def _framed(self, response: Response) -> Iterable[bytes]:
        """Make Content-Length true, and return what the server shall iterate."""
        silent = is_silent(self.request, response)
        body = response.body
        iterable = self._iterable if isinstance(response, WsgiResponse) else at_hand(body)
        if type(iterable) in (list, tuple, Page):
            if is_changed(body) and not silent:
                whole = body.whole or b""
                iterable, body = Page(whole, iterable.close) if type(iterable) is Page else [whole], Body()
            length = None if silent and iterable is self._iterable else sum(map(len, iterable))
            set_length(response, length, silent=silent)
        else:
            set_length(response, None, silent=silent)
        if not (self.ending or is_used(body) or silent or self.request.limits is not None):
            self._iterable = iterable
            return self._bound()
        length = content_length(response.headers)
        if body.is_file and not (is_used(body) or silent) and watch_file(self, iterable, length):
            return iterable
        return WatchedBody(self, iterable, body, length, silent=silent)

    def _bound(self) -> Iterable[bytes]:
        """The app's own object, unless there is something to do while it is still being produced."""
        request, iterable = self.request, self._iterable
        if (request.bindings is None and request.limits is None) or type(iterable) in (list, tuple):
            return iterable
        if is_file_of(request.environ, iterable) and watch_file(self, iterable, None):
            return iterable
        return WatchedBody(self, iterable, None, None, silent=False)


class PeekingExchange(WsgiExchange):
    """One request through layers that want to know whether the body is at hand in one piece."""

    __slots__ = ()

    def _run_app(self, app: WSGIApp) -> None:
        """Call the app, and take the first piece of its body as if it had been called for that too."""
        super()._run_app(partial(self._call, app))

    def _call(self, app: WSGIApp, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        iterable = app(environ, start_response)
        try:
            return self._ahead(iterable)
        except BaseException:
            close(iterable)
            raise

    def _ahead(self, iterable: Iterable[bytes]) -> Iterable[bytes]:
        environ = self.request.environ
        wrapper = environ.get("wsgi.file_wrapper")
        # What uWSGI and mod_wsgi make of a file cannot be told from other objects, and must reach them as it is.
        is_file = is_file_of(environ, iterable) or (wrapper is not None and not isinstance(wrapper, type))
        if isinstance(iterable, (list, tuple)) or self.request.method == "HEAD" or is_file:
            return iterable
        if self.result is None:
            iterable = self._primed(iterable)
        response = self.result
        length = content_length(response.headers) if isinstance(response, WsgiResponse) else None
        return iterable if length is None or self._write is not None else look_ahead(iterable, length)

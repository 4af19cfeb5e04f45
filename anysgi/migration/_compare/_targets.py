"""Whom to ask: an app of either convention, in this process, or a server at a URL."""

from __future__ import annotations

import http.client
import ssl
from time import perf_counter
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

from anysgi import AsgiToWsgi, guess_convention
from anysgi.exceptions import ExchangeTimeout, ScenarioError
from anysgi.testing import Scenario, run

from ..._core._header_views import text_fields
from ..._core._headers import latin1
from ...middleware._capture import REDACTED
from ._exchanges import Answered, Asked

if TYPE_CHECKING:
    from types import TracebackType

    from anysgi.testing import Exchange

    from ._exchanges import Headers

_PIECE = 65_536  # bytes read at once
_LATER = 0.5  # seconds after which a request that was given up is cancelled as well, or `close` would wait for it
_SERVER = ("localhost", 80)  # Django allows this one, and not `testserver`, where ALLOWED_HOSTS is still empty
_MOST = 64 * 1024 * 1024  # bytes of an answer that are kept

# Of the connection the request was recorded on: the one it is sent on has its own.
OF_THE_CONNECTION = frozenset(
    ["connection", "content-length", "transfer-encoding", "keep-alive", "te", "upgrade", "expect"]
)


class Target(Protocol):
    """Somebody who answers."""

    def ask(self, request: Asked) -> Answered:
        """Send a request and wait for all of its answer; a failure is an answer with `error`."""

    def close(self) -> None:
        """Stop whatever was started."""


def headers_to_send(request: Asked) -> Headers:
    """Leave out what belongs to the connection it was recorded on, and values that the recording does not have."""
    return tuple(
        (name, value) for name, value in request.headers if name not in OF_THE_CONNECTION and value != REDACTED
    )


def scenario_of(request: Asked) -> Scenario:
    """The request as `anysgi.testing` runs it; to localhost, if it does not say to which host.

    Raises:
        ScenarioError: no client could send it.
    """
    body = [request.body] if request.body else ()
    return Scenario(request.method, request.target, headers_to_send(request), body, server=_SERVER)


def answered(exchange: Exchange) -> Answered:
    """What came of it."""
    fields = tuple(text_fields(exchange.headers))
    failed = "" if exchange.exception is None else repr(exchange.exception)
    failed = failed or ("" if exchange.complete else "the answer broke off")
    return Answered(exchange.status or 0, fields, exchange.body, len(exchange.chunks), exchange.duration, failed)


def unanswered(error: Exception, seconds: float) -> Answered:
    """An answer that did not come; the request is known."""
    return Answered(0, seconds=seconds, error=str(error).splitlines()[0].partition(": Scenario(")[0])


class AppTarget:
    """An app in this process; an ASGI app's lifespan runs from the first request on.

    Args:
        app: a WSGI or an ASGI app.
        timeout: seconds a request may take.

    Attributes:
        app: as it was given.
    """

    def __init__(self, app: Any, *, timeout: float = 30.0) -> None:
        self._adapter = AsgiToWsgi(app, timeout=timeout + _LATER) if guess_convention(app) == "asgi" else None
        self._called = self._adapter or app
        self.app = app
        self._timeout = timeout

    def ask(self, request: Asked) -> Answered:
        """See `Target`."""
        began = perf_counter()
        try:
            return answered(run(self._called, scenario_of(request), convention="wsgi", bound=self._timeout))
        except (ScenarioError, ExchangeTimeout) as error:
            return unanswered(error, perf_counter() - began)

    def close(self) -> None:
        """See `Target`."""
        if self._adapter is not None:
            self._adapter.close()

    def __enter__(self) -> AppTarget:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()


class UrlTarget:
    """A server.

    Args:
        url: where it is, such as `http://127.0.0.1:8000`; a path in it goes before every request's.
        timeout: seconds it may be silent.

    Raises:
        ValueError: the URL is not http or https.
    """

    def __init__(self, url: str, *, timeout: float = 30.0) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{url!r} is no URL of a server; write http://127.0.0.1:8000")
        self._prefix = parts.path.rstrip("/")
        self._connection: http.client.HTTPConnection
        if parts.scheme == "https":
            context = ssl.create_default_context()
            self._connection = http.client.HTTPSConnection(parts.netloc, timeout=timeout, context=context)
        else:
            self._connection = http.client.HTTPConnection(parts.netloc, timeout=timeout)

    def reach(self) -> None:
        """See whether anybody is there.

        Raises:
            OSError: nobody is, or one whose certificate is not trusted.
        """
        self._connection.connect()
        self._connection.close()  # the first request may be a while

    def ask(self, request: Asked) -> Answered:
        """See `Target`."""
        began = perf_counter()
        try:
            return self._ask(request, began)
        except (OSError, http.client.HTTPException, ValueError) as error:
            self._connection.close()  # the next request begins anew
            return Answered(0, seconds=perf_counter() - began, error=f"{type(error).__name__}: {error}")

    def _ask(self, request: Asked, began: float) -> Answered:
        connection = self._connection
        has_host = any(name == "host" for name, _ in request.headers)
        connection.putrequest(
            request.method, self._prefix + request.target, skip_host=has_host, skip_accept_encoding=True
        )
        for name, value in headers_to_send(request):
            connection.putheader(name, latin1(value))
        if request.body:
            connection.putheader("content-length", str(len(request.body)))
        connection.endheaders(request.body or None)
        response = connection.getresponse()
        body = bytearray()
        while piece := response.read1(_PIECE):
            body += piece
            if len(body) > _MOST:
                raise ValueError(f"the answer is larger than {_MOST} bytes")
        if response.length:  # `read1` takes the end of the connection for the end of the answer
            raise http.client.IncompleteRead(bytes(body), response.length)
        response.close()  # `read1` does not always, and then the connection refuses the next request
        fields = tuple((name.lower(), value) for name, value in response.getheaders())
        return Answered(response.status, fields, bytes(body), 0, perf_counter() - began)

    def close(self) -> None:
        """See `Target`."""
        self._connection.close()

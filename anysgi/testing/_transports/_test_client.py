"""`TestClient`: what Starlette's and FastAPI's test suites use, for an app of either convention."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal, Self, TypeVar

from asgiref.compatibility import guarantee_single_callable

try:
    import httpx2
except ImportError:  # pragma: no cover - it is in the test group
    raise ImportError("TestClient needs httpx2: pip install 'anysgi[testing]'") from None

from .._app_task import longest_end
from ._asgi_transport import ASGITransport
from ._websocket_errors import denied_by
from ._websocket_session import WebSocketSession, handshake
from ._wsgi_transport import WSGITransport

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ...types import Convention
    from ._loop_thread import LoopThread
    from ._websocket_session import Mode

T = TypeVar("T")
_single: Any = guarantee_single_callable  # asgiref gives it no types


class TestClient(httpx2.Client):
    """A sync client of an app, with the API of Starlette's and FastAPI's `TestClient`: swap the import.

        with TestClient(app) as client:         # runs the lifespan
            assert client.get("/").json() == {"hello": "world"}
            with client.websocket_connect("/chat") as websocket:
                websocket.send_text("hello")

    It also takes WSGI apps, streams both bodies, and waits for nothing longer than the client's timeout.

    Args:
        app: an ASGI or a WSGI app.
        base_url: of the requests.
        raise_server_exceptions: raise what the app raises; otherwise it becomes a 500.
        root_path: where the app is mounted.
        backend: of the loop an ASGI app runs on, `"asyncio"` or `"trio"`.
        backend_options: of that backend, such as `{"use_uvloop": True}`.
        client: (address, port) the app sees.
        convention: `"wsgi"` or `"asgi"`; guessed by default.
        like: a server whose environ or scope to imitate, see `presets`.
        lifespan: of an ASGI app, see `ASGITransport`.
        inline: of a WSGI app, see `WSGITransport`.
        cookies, headers, follow_redirects, options: as of `httpx2.Client`.

    Raises:
        ValueError: an ASGI app cannot run inline.
    """

    __test__ = False  # no tests for pytest to collect

    def __init__(
        self,
        app: Any,
        base_url: str = "http://testserver",
        raise_server_exceptions: bool = True,
        root_path: str = "",
        backend: Literal["asyncio", "trio"] = "asyncio",
        backend_options: dict[str, Any] | None = None,
        cookies: Any = None,
        headers: Mapping[str, str] | None = None,
        follow_redirects: bool = True,
        client: tuple[str, int] = ("testclient", 50000),
        *,
        convention: Convention | None = None,
        like: str | None = None,
        lifespan: Literal["auto", "on", "off"] = "on",
        inline: bool = False,
        **options: Any,
    ) -> None:
        from anysgi import guess_convention, to_asgi

        self.app = app
        asgi = (convention or guess_convention(app)) == "asgi"
        if asgi and inline:
            raise ValueError("inline=True is for WSGI apps; an ASGI app runs on a loop on a thread of its own")
        app = _single(app) if asgi and not hasattr(app, "__await__") else app
        common: dict[str, Any] = {
            "raise_app_exceptions": raise_server_exceptions,
            "root_path": root_path,
            "client": client,
        }
        self._asgi = ASGITransport(
            to_asgi(app, convention=convention),
            **common,
            like=like if asgi else None,
            lifespan=lifespan if asgi else "auto",
            backend=backend,
            backend_options=backend_options,
        )
        if not asgi:  # the ASGI transport is for WebSockets then
            plain = WSGITransport(app, **common, like=like, inline=inline)
            options["mounts"] = {"http://": plain, "https://": plain, **options.get("mounts", {})}
        super().__init__(
            transport=self._asgi,
            base_url=base_url,
            headers={"user-agent": "testclient", **(headers or {})},
            cookies=cookies,
            follow_redirects=follow_redirects,
            **options,
        )

    def __enter__(self) -> Self:
        self._asgi.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self._asgi.close()  # the client itself stays usable, without a lifespan

    @property
    def app_state(self) -> dict[str, Any]:
        """What an ASGI app put into its lifespan's state, while the client is entered."""
        return self._asgi.state

    def send(self, request: Any, **options: Any) -> Any:
        """As `httpx2.Client.send`; a template response has its `template` and `context`."""
        response = super().send(request, **options)
        debug = response.extensions.get("http.response.debug", {})
        for name in ("template", "context"):
            if name in debug:
                setattr(response, name, debug[name])
        return response

    @contextmanager
    def websocket_connect(
        self,
        url: str,
        subprotocols: Iterable[str] | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        timeout: float = 5.0,
        auth: Any = None,
        **options: Any,
    ) -> Iterator[TestWebSocket]:
        """Open a WebSocket.

        Args:
            url: with its query; relative to the base URL.
            subprotocols: what to offer.
            headers: more headers of the handshake.
            timeout: seconds any wait may take.
            auth: as of `get()`.
            options: more of them: `params`, `cookies`.

        Raises:
            WebSocketDenied: the app closed instead of accepting, or answered with a response.
            TimeoutError: the app took too long.
        """
        asked = handshake(self, url, subprotocols or (), headers, timeout=timeout, **options)
        response = self.send(asked, stream=True, **({} if auth is None else {"auth": auth}))
        try:
            call, loop = response.extensions["anysgi.websocket"], response.extensions["anysgi.loop"]
            if not call.accepted:
                response.read()
                raise denied_by(call.closed, response)
            yield TestWebSocket(WebSocketSession(call), loop, timeout)
            loop.run(call.finish, limit=longest_end())
        finally:
            response.close()


class TestWebSocket:
    """A `WebSocketSession` for code that does not await: the same methods, the same exceptions.

    Attributes:
        accepted_subprotocol: the one the app chose, or None.
        extra_headers: (name, value) pairs of bytes that came with the accept.
    """

    __test__ = False

    def __init__(self, session: WebSocketSession, loop: LoopThread, timeout: float) -> None:
        self._session, self._loop, self._timeout = session, loop, timeout
        self.accepted_subprotocol = session.subprotocol
        self.extra_headers = session.headers

    def _wait(self, function: Callable[..., Awaitable[T]], *args: Any) -> T:
        return self._loop.run(function, *args, limit=self._timeout)

    def send_text(self, data: str) -> None:
        """Send a text message."""
        self._wait(self._session.send_text, data)

    def send_bytes(self, data: bytes) -> None:
        """Send a binary message."""
        self._wait(self._session.send_bytes, data)

    def send_json(self, data: Any, mode: Mode = "text") -> None:
        """Send what JSON can say, as a text or a binary message."""
        self._wait(self._session.send_json, data, mode)

    def send(self, event: dict[str, Any]) -> None:
        """Hand the app an event as it is."""
        self._wait(self._session.send, event)

    def receive(self) -> dict[str, Any]:
        """The app's next event as it is, be it a `websocket.send` or its `websocket.close`."""
        return self._wait(self._session.receive)

    def receive_text(self) -> str:
        """The next message, which has to be text."""
        return self._wait(self._session.receive_text)

    def receive_bytes(self) -> bytes:
        """The next message, which has to be binary."""
        return self._wait(self._session.receive_bytes)

    def receive_json(self, mode: Mode = "text") -> Any:
        """The next message, read as JSON."""
        return self._wait(self._session.receive_json, mode)

    def close(self, code: int = 1000, reason: str = "") -> None:
        """Close from the client's side; the app receives `websocket.disconnect`."""
        self._wait(self._session.close, code, reason)

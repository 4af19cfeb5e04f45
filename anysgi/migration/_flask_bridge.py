"""Flask's session and Flask's contexts in ASGI apps, made by Flask itself: the same bytes, the same rules."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from io import BytesIO
from typing import TYPE_CHECKING, Any

from .._bridge._ports import to_thread
from .._core._environ import environ_from_scope
from .._core._headers import latin1
from .._core._paths import path_in_scope
from ._matching import Matcher
from ._sessions import WatchedSession, adding_headers
from ._table import Route
from ._usage import note_usage

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType

    from flask import Flask

    from ..types import ASGIApp, Environ, HeaderList, Receive, Scope, Send

_WATCHED = {"g": "g", "app": "current_app", "request": "request", "session": "session"}


class FlaskSession:
    """Gives an ASGI app Flask's session as `scope["session"]`, where Starlette and FastAPI look for `request.session`.

    The Flask app's own session interface reads and writes it: the signed cookie with its key, fallback keys, salt and
    lifetime, or whatever an extension has put there.  Flask reads what the ASGI app wrote, and the other way round.
    An interface that asks a server (Redis, a database) does so on the event loop.

    Args:
        app: the ASGI app.
        flask_app: whose sessions they are.
    """

    def __init__(self, app: ASGIApp, flask_app: Flask) -> None:
        self.app = app
        self._flask_app = flask_app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection; lifespan passes through."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        flask_app = self._flask_app
        with flask_app.app_context():
            session = _open_session(flask_app, _environ(scope))

        async def headers(status: int) -> HeaderList:
            with flask_app.app_context():
                return _session_headers(flask_app, session)

        watched = WatchedSession(session, "FlaskSession")
        await self.app({**scope, "session": watched}, receive, adding_headers(send, headers))


class FlaskContext:
    """Runs an ASGI app inside Flask's contexts, so that `g`, `current_app`, `request`, `session` and extensions work.

    Handlers keep calling helpers written for Flask while they move.  The request's body is not Flask's to read.
    Teardown functions run when the response is over, on the event loop.

    Args:
        app: the ASGI app.
        flask_app: whose contexts.
        only: path templates of the routes that need it; None for all.
        before_request: run the functions registered with `before_request` as well, on a thread, and let their answer,
            if they give one, stand.
    """

    def __init__(
        self, app: ASGIApp, flask_app: Flask, *, only: Iterable[str] | None = None, before_request: bool = False
    ) -> None:
        self.app = app
        self._flask_app = flask_app
        self._only = None if only is None else Matcher([Route(path) for path in only])
        self._before_request = before_request

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection; lifespan, and routes that are not among `only`, pass through."""
        if scope["type"] not in ("http", "websocket") or not self._wanted(scope):
            await self.app(scope, receive, send)
            return
        flask_app = self._flask_app
        with _Contexts(flask_app, _environ(scope)) as contexts:
            session = contexts.session

            async def headers(status: int) -> HeaderList:
                with contexts.unwatched():
                    return _session_headers(flask_app, session)

            send = adding_headers(send, headers)
            answer = await self._preprocessed() if self._before_request else None
            if answer is not None:
                await _send_answer(answer, send)
            else:
                await self.app(scope, receive, send)

    def _wanted(self, scope: Scope) -> bool:
        return self._only is None or self._only.find(scope.get("method", "GET"), path_in_scope(scope)) is not None

    async def _preprocessed(self) -> Any:
        """What the `before_request` functions answer, as a response; None if they let the request pass."""
        flask_app, answers = self._flask_app, []

        def preprocess() -> None:
            value = flask_app.preprocess_request()
            answers.append(None if value is None else flask_app.make_response(value))

        await to_thread(preprocess)
        return answers[0]


async def _send_answer(answer: Any, send: Send) -> None:
    headers = [(latin1(name).lower(), latin1(value)) for name, value in answer.headers]
    await send({"type": "http.response.start", "status": answer.status_code, "headers": headers})
    await send({"type": "http.response.body", "body": answer.get_data()})


class _Contexts:
    """An app context and a request context, pushed and popped together, that note who uses what of them.

    Args:
        flask_app: whose contexts.
        environ: the request.
    """

    def __init__(self, flask_app: Flask, environ: Environ) -> None:
        self._contexts = [_watched(flask_app.app_context()), _watched(flask_app.request_context(environ))]

    def __enter__(self) -> _Contexts:
        with ExitStack() as pushed:
            for context in self._contexts:
                pushed.push(context)  # before its push(): Flask, too, pops a context that failed half way
                context.push()
            self.session = self._contexts[-1].session
            self.session.accessed = False  # asking for it is not yet using it
            self._pushed = pushed.pop_all()
        self._watch(True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._watch(False)
        self._pushed.__exit__(kind, error, traceback)

    @contextmanager
    def unwatched(self) -> Iterator[None]:
        """What Flask does for the bridge itself is no use of it."""
        self._watch(False)
        yield
        self._watch(True)

    def _watch(self, on: bool) -> None:
        for context in self._contexts:
            vars(context)[_WATCHING] = on


_WATCHING = "_anysgi_watching"


def _watched(context: Any) -> Any:
    kind: Any = type(context)
    context.__class__ = _watched_class(kind)
    return context


@cache
def _watched_class(kind: Any) -> Any:
    """A subclass whose attributes tell when they are read: Flask's `g` and its like read them through a proxy."""

    def __getattribute__(self: Any, name: str) -> Any:
        value = kind.__getattribute__(self, name)
        if name in _WATCHED and vars(self).get(_WATCHING):
            note_usage("FlaskContext", _WATCHED[name])
        return value

    return type(kind.__name__, (kind,), {"__getattribute__": __getattribute__})


def _environ(scope: Scope) -> Environ:
    """The request as Flask sees it, without its body."""
    return {**environ_from_scope({"method": "GET", **scope}), "wsgi.input": BytesIO()}


def _open_session(flask_app: Flask, environ: Environ) -> Any:
    request = flask_app.request_class(environ)
    interface = flask_app.session_interface
    session = interface.open_session(flask_app, request)
    return interface.make_null_session(flask_app) if session is None else session


def _session_headers(flask_app: Flask, session: Any) -> HeaderList:
    """What Flask would add to a response: `Set-Cookie` if the session changed, `Vary` if it was looked at."""
    interface = flask_app.session_interface
    if interface.is_null_session(session):
        return []
    response = flask_app.response_class()
    interface.save_session(flask_app, session, response)
    wanted = ("set-cookie", "vary")
    return [(latin1(n).lower(), latin1(v)) for n, v in response.headers if n.lower() in wanted]

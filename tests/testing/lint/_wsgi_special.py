"""The cases that take more than one request, an odd server or an app with a will of its own."""

from __future__ import annotations

import io
import sys
import threading
from collections import UserDict
from typing import TYPE_CHECKING, Any

from ._wsgi_driver import TEXT, Body, Server, environ_of, hello

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ._wsgi_driver import App, Case, Wrap


class EnvironOfItsOwn(UserDict):  # type: ignore[type-arg]
    """A mapping that is no dict."""


def with_a_mapping(wrap: Wrap) -> None:
    Server().serve(wrap(hello), EnvironOfItsOwn(environ_of()))


def twice(shared: bool) -> Case:
    def case(wrap: Wrap) -> None:
        app, environ = wrap(hello), environ_of()
        for _ in range(2):
            Server().serve(app, environ if shared else environ_of())

    return case


def from_two_threads(**changes: Any) -> Case:
    """A request that arrives while another thread is in the app."""

    def case(wrap: Wrap) -> None:
        def app(environ: Any, start_response: Any) -> Any:
            if not others:
                others.append(threading.Thread(target=lambda: Server().serve(wrapped, environ_of(**changes))))
                others[0].start()
                others[0].join()
            return hello(environ, start_response)

        wrapped, others = wrap(app), []  # type: ignore[var-annotated]
        Server().serve(wrapped, environ_of(**changes))

    return case


# --- servers with habits


class Passes(Server):
    """Passes a third argument."""

    def serve(self, app: App, environ: Any) -> None:
        super().serve(lambda environ, start_response: app(environ, start_response, None), environ)


class NoWrite(Server):
    """Its start_response returns None."""

    def start_response(self, status: Any, headers: Any, exc_info: Any = None) -> Any:
        return None


class Forgetful(Server):
    """Takes exc_info for nothing."""

    def start_response(self, status: Any, headers: Any, exc_info: Any = None) -> Any:
        return self.sent.append


class NeverCloses(Server):
    def serve(self, app: App, environ: Any) -> None:
        self.sent += list(app(environ, self.start_response))


class ClosesTwice(Server):
    def serve(self, app: App, environ: Any) -> None:
        result = app(environ, self.start_response)
        self.sent += list(result)
        result.close()
        result.close()


class GoesOn(Server):
    """Iterates after close()."""

    def serve(self, app: App, environ: Any) -> None:
        result = app(environ, self.start_response)
        iterator = iter(result)
        next(iterator)
        result.close()
        next(iterator, None)


class StopsEarly(Server):
    """Its client leaves after the first chunk."""

    def serve(self, app: App, environ: Any) -> None:
        result = app(environ, self.start_response)
        next(iter(result), None)
        result.close()


class OtherThread(Server):
    """Iterates on another thread."""

    def serve(self, app: App, environ: Any) -> None:
        result = app(environ, self.start_response)
        thread = threading.Thread(target=lambda: self.sent.extend(result))
        thread.start()
        thread.join()
        result.close()


# --- middleware


class ClosesTheIterator:
    """A middleware that closes the iterator."""

    def __init__(self, app: App, environ: Any, start_response: Any) -> None:
        self.iterator = iter(app(environ, start_response))

    def __iter__(self) -> Iterator[bytes]:
        yield from self.iterator

    def close(self) -> None:
        if hasattr(self.iterator, "close"):
            self.iterator.close()


class ClosesTheIterable(ClosesTheIterator):
    """A middleware that closes the iterable."""

    def __init__(self, app: App, environ: Any, start_response: Any) -> None:
        self.iterable = app(environ, start_response)
        self.iterator = iter(self.iterable)

    def close(self) -> None:
        if hasattr(self.iterable, "close"):
            self.iterable.close()


class Collects(ClosesTheIterable):
    """A middleware that waits for all chunks."""

    def __iter__(self) -> Iterator[bytes]:
        yield b"".join(self.iterator)


def around(middleware: Callable[[App, Any, Any], Any], app: App = hello, **changes: Any) -> Case:
    """The validator on both sides of a middleware."""

    def case(wrap: Wrap) -> None:
        inner = wrap(app)
        outer = wrap(lambda environ, start_response: middleware(inner, environ, start_response))
        Server().serve(outer, environ_of(**changes))

    return case


def dispatches(keep: bool) -> Callable[[App, Any, Any], Any]:
    """A middleware that mounts its app at the first segment, and may lose it on the way."""

    def middleware(app: App, environ: Any, start_response: Any) -> Any:
        segment, _, rest = environ["PATH_INFO"].lstrip("/").partition("/")
        mounted = {**environ, "SCRIPT_NAME": f"/{segment}" if keep else "/app", "PATH_INFO": f"/{rest}" if rest else ""}
        return app(mounted, start_response)

    return middleware


# --- apps with a will of their own


def three(environ: Any, start_response: Any) -> Any:
    start_response("200 OK", [TEXT])
    yield from (b"a", b"b", b"c")


def starts_late(environ: Any, start_response: Any) -> Any:
    yield b"hello"
    start_response("200 OK", [TEXT])


def starts_in_time(environ: Any, start_response: Any) -> Any:
    start_response("200 OK", [TEXT])
    yield b""
    yield b"hello"


def starts_twice(*, exc_info: Any = None, real: bool = False) -> App:
    def app(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [TEXT])
        try:
            raise LookupError("no cart")
        except LookupError:
            info = sys.exc_info() if real else exc_info
            start_response("500 Error", [TEXT], *([info] if info else []))
        return [b"sorry"]

    return app


def fails_after_the_head(environ: Any, start_response: Any) -> Any:
    start_response("200 OK", [TEXT])
    yield b"hello"
    try:
        raise LookupError("no cart")
    except LookupError:
        start_response("500 Error", [TEXT], sys.exc_info())
        yield b"sorry"


def writes(*data: Any, inside: bool = False) -> App:
    def app(environ: Any, start_response: Any) -> Any:
        write = start_response("200 OK", [TEXT])
        if not inside:
            for piece in data:
                write(piece)
            return []
        return (write(piece) or b"" for piece in data)

    return app


def changes_its_headers(after: bool) -> App:
    def app(environ: Any, start_response: Any) -> Any:
        headers = [TEXT]
        if not after:
            headers.append(("X-Cart", "1"))
        start_response("200 OK", headers)
        if after:
            headers.append(("X-Cart", "1"))
        return [b"hello"]

    return app


def by_name(environ: Any, start_response: Any) -> Any:
    start_response(status="200 OK", headers=[TEXT])
    return [b"hello"]


def logs(text: Any, close: bool = False) -> App:
    def app(environ: Any, start_response: Any) -> Any:
        environ["wsgi.errors"].writelines([text])
        environ["wsgi.errors"].flush()
        if close:
            environ["wsgi.errors"].close()
        return hello(environ, start_response)

    return app


class ServerFile:
    """A server's file wrapper."""

    def __init__(self, file: Any, size: int = 8192) -> None:
        self.file = file

    def __iter__(self) -> Iterator[bytes]:
        return iter([self.file.read()])


def sends_a_file(environ: Any, start_response: Any) -> Any:
    start_response("200 OK", [TEXT])
    return environ["wsgi.file_wrapper"](Body(b"file"))


# --- streams with faults


class Binary(io.StringIO):
    """Says that it takes bytes."""

    mode = "wb"


class TooMuch(Body):
    def read(self, size: int | None = -1, /) -> bytes:
        return super().read()


class NoBareRead(Body):
    def read(self, size: int, /) -> bytes:  # type: ignore[override]
        return super().read(size)


class EndsTwice(Body):
    """Gives an end, and then more."""

    turns = 0

    def read(self, size: int | None = -1, /) -> bytes:
        self.turns += 1
        return b"" if self.turns == 1 else super().read(size)


class ShortReadline(EndsTwice):
    def readline(self, size: int | None = -1, /) -> bytes:
        return b""

    def read(self, size: int | None = -1, /) -> bytes:
        return Body.read(self, size)


class LongReadline(Body):
    def readline(self, size: int | None = -1, /) -> bytes:
        return super().readline()


class NoLines(Body):
    def readlines(self, hint: int | None = -1, /) -> list[bytes]:
        raise IndexError("list index out of range")


class OddLines(Body):
    def readlines(self, hint: int | None = -1, /) -> list[bytes]:
        return [self.read(2), self.read(2)]


class EmptyLine(Body):
    def __iter__(self) -> Iterator[bytes]:  # type: ignore[override]
        yield b""


class LeavesInTheMiddle(Body):
    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        if not data:
            raise ConnectionResetError("the client left")
        return data


def _reads_all(stream: Any) -> None:
    while stream.read(1):
        pass


READS_ALL: Callable[[Any], Any] = _reads_all

"""For each rule that `check_wsgi_server` decides: a server that breaks it, and a legal one that comes close.

They are wsgiref on a thread, which is mended where it breaks a rule itself, and then given a habit.
"""

from __future__ import annotations

import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import ServerHandler, WSGIRequestHandler, WSGIServer

from anysgi.testing import ServedApp

Serve = Callable[[Any], AbstractContextManager[ServedApp]]


class Response(ServerHandler):
    """Writes one response; the head waits for the first chunk that is not empty."""

    log: list[str]

    def write(self, data: bytes) -> None:
        if data:
            super().write(data)

    def log_exception(self, exc_info: Any) -> None:
        self.log.append("".join(traceback.format_exception(*exc_info)))


class Request(WSGIRequestHandler):
    """Reads one request, and drops what has an underscore in its name."""

    def handle(self) -> None:
        self.raw_requestline = self.rfile.readline(65537)
        if self.raw_requestline and self.parse_request():
            self.respond()

    def respond(self) -> None:
        for name in self.with_underscores():
            del self.headers[name]
        server: Any = self.server
        response = server.writes(self.rfile, self.wfile, self.get_stderr(), self.get_environ(), multithread=True)
        response.request_handler, response.log = self, server.log  # the first as wsgiref has it
        response.run(server.get_app())

    def with_underscores(self) -> list[str]:
        return [name for name in self.headers if "_" in name]

    def log_message(self, format: str, *args: Any) -> None:
        pass


class Threads(ThreadingMixIn, WSGIServer):
    """A thread for each connection."""


@contextmanager
def by_wsgiref(app: Any, writes: type[Response] = Response, reads: type[Request] = Request) -> Iterator[ServedApp]:
    server: Any = Threads(("127.0.0.1", 0), reads)
    server.set_app(app)
    server.writes, server.log = writes, []
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield ServedApp(server.server_port, log=lambda: "".join(server.log))
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


# --- habits


class TakesAllNames(Request):
    def with_underscores(self) -> list[str]:
        return []


class RefusesSuchNames(Request):
    """Answers 400 itself."""

    def respond(self) -> None:
        if self.with_underscores():
            self.wfile.write(b"HTTP/1.0 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        else:
            super().respond()


class HeadAtOnce(Response):
    """As wsgiref is: an empty chunk sends the head."""

    def write(self, data: bytes) -> None:
        ServerHandler.write(self, data)


class HeadInOnePacket(Response):
    """The head and the first chunk leave together."""

    head = b""

    def _write(self, data: bytes) -> None:
        if not self.head and data.startswith(b"HTTP/"):
            self.head = data
        elif self.head:
            self.head += data
            if b"\r\n\r\n" in self.head:
                super()._write(self.head)  # type: ignore[misc]  # typeshed leaves it out
                self.head = b""
        else:
            super()._write(data)  # type: ignore[misc]  # as above


class WriteLast(Response):
    """What was written comes after the iterable."""

    def start_response(self, status: str, headers: Any, exc_info: Any = None) -> Any:
        super().start_response(status, headers, exc_info)
        self.written: list[bytes] = []
        return self.written.append

    def finish_content(self) -> None:
        for data in self.written:
            self.write(data)
        super().finish_content()


class WriteWithTheFirstChunk(Response):
    """What was written is held until the iterable has a chunk, and comes before it."""

    def start_response(self, status: str, headers: Any, exc_info: Any = None) -> Any:
        super().start_response(status, headers, exc_info)
        self.written: list[bytes] = []
        return self.written.append

    def write(self, data: bytes) -> None:
        held, self.written = self.written, []
        super().write(b"".join([*held, data]))


class Collects(Response):
    def finish_response(self) -> None:
        self.result: Any = [b"".join(self.result)]
        super().finish_response()


class OneBehind(Response):
    """Goes on for an empty chunk only."""

    def finish_response(self) -> None:
        self.result = (piece for chunk in self.result for piece in (b"", chunk, b""))
        super().finish_response()


class NothingForNothing(Response):
    def finish_content(self) -> None:
        if self.headers_sent:
            super().finish_content()


class HeadersOfItsOwn(Response):
    def send_headers(self) -> None:
        self.headers.add_header("Via", "1.0 probe")  # type: ignore[union-attr]  # there is a head by now
        super().send_headers()


class TellsTwice(Response):
    def log_exception(self, exc_info: Any) -> None:
        for _ in range(2):
            super().log_exception(exc_info)


class TellsWhatCameOfIt(Response):
    """A line of its own beside the exception, which it tells once."""

    def log_exception(self, exc_info: Any) -> None:
        self.log.append("GET /fails: the app failed, 500 was sent\n")
        super().log_exception(exc_info)


class AsksOnce(Response):
    """The first chunk is all that is taken."""

    def finish_response(self) -> None:
        for data in self.result:
            self.write(data)
            return


class CutsOff(Response):
    """No error page."""

    def handle_error(self) -> None:
        self.log_exception(sys.exc_info())


def wsgiref_with(habit: type[Response]) -> Serve:
    return partial(by_wsgiref, writes=habit)


PAIRS: dict[str, tuple[Serve, Serve]] = {
    "W014": (partial(by_wsgiref, reads=TakesAllNames), partial(by_wsgiref, reads=RefusesSuchNames)),
    "W048": (wsgiref_with(HeadAtOnce), wsgiref_with(HeadInOnePacket)),
    "W051": (wsgiref_with(WriteLast), wsgiref_with(WriteWithTheFirstChunk)),
    "W058": (wsgiref_with(Collects), wsgiref_with(OneBehind)),
    "W063": (wsgiref_with(NothingForNothing), wsgiref_with(HeadersOfItsOwn)),
    "W066": (wsgiref_with(TellsTwice), wsgiref_with(TellsWhatCameOfIt)),
}

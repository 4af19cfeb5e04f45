"""`python -m tests.testing.lint.serve SERVER FD`: the servers whose command line takes no listening socket."""

from __future__ import annotations

import os
import signal
import socket
import sys
from typing import Any, NoReturn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer


def leave(number: int, frame: object) -> NoReturn:
    os._exit(0)  # wsgiref takes a SystemExit inside a request for a mistake of the app


def wsgiref(listener: socket.socket) -> None:
    from tests.testing.lint.served import application

    class Quiet(WSGIRequestHandler):
        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = WSGIServer(listener.getsockname(), Quiet, bind_and_activate=False)
    server.socket.close()
    server.socket = listener
    server.server_address = listener.getsockname()
    server.server_name, server.server_port = "127.0.0.1", listener.getsockname()[1]
    server.setup_environ()
    server.set_app(application)
    server.serve_forever()


def werkzeug(listener: socket.socket) -> None:
    from werkzeug.serving import make_server

    from tests.testing.lint.served import application

    host, port = listener.getsockname()
    make_server(host, port, application, threaded=True, fd=listener.detach()).serve_forever()


def granian(listener: socket.socket) -> None:
    from granian import Granian
    from granian.constants import Interfaces

    port = listener.getsockname()[1]
    listener.close()  # it binds for itself
    Granian("tests.testing.lint.served:application", port=port, interface=Interfaces.ASGI).serve()


def granian_wsgi(listener: socket.socket) -> None:
    from granian import Granian
    from granian.constants import Interfaces

    port = listener.getsockname()[1]
    listener.close()
    Granian("tests.testing.lint.served:application", port=port, interface=Interfaces.WSGI).serve()


def waitress(listener: socket.socket) -> None:
    import waitress

    from tests.testing.lint.served import application

    waitress.serve(application, sockets=[listener], _quiet=True)


if __name__ == "__main__":
    name, descriptor = sys.argv[1:]
    if not name.startswith("granian"):
        signal.signal(signal.SIGTERM, leave)
    globals()[name](socket.socket(fileno=int(descriptor)))

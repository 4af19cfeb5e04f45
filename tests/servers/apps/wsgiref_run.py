"""`python -m apps.wsgiref_run FD`: the standard library's server on an inherited socket; SIGTERM lets it finish."""

from __future__ import annotations

import socket
import sys
import threading
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from ._stop import on_sigterm
from .wrapped import application

server = WSGIServer(("127.0.0.1", 0), WSGIRequestHandler, bind_and_activate=False)
server.socket.close()
server.socket = socket.socket(fileno=int(sys.argv[1]))
server.server_name, server.server_port = server.socket.getsockname()
server.setup_environ()
server.set_app(application)
on_sigterm(threading.Thread(target=server.shutdown).start)
with server:
    server.serve_forever(poll_interval=0.05)

"""`python -m apps.cheroot_run PORT`: CherryPy's server; SIGTERM, which is its host's to handle, stops it."""

from __future__ import annotations

import sys

from cheroot.wsgi import Server

from ._stop import on_sigterm
from .wrapped import application

server = Server(("127.0.0.1", int(sys.argv[1])), application, numthreads=4)
on_sigterm(sys.exit)
server.safe_start()

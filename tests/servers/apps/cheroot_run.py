"""`python -m apps.cheroot_run PORT`: CherryPy's server; SIGTERM, which is its host's to handle, stops it."""

from __future__ import annotations

import signal
import sys

from cheroot.wsgi import Server

from .wrapped import application

server = Server(("127.0.0.1", int(sys.argv[1])), application, numthreads=4)
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
server.safe_start()

"""`python -m apps.waitress_run FD THREADS LOOKAHEAD`: waitress on a socket that the test has already bound.

Its own command line cannot take a descriptor.  SIGTERM, which waitress leaves to the default action, becomes a
SystemExit here, as every process manager's documentation advises: waitress then stops in good order.
"""

from __future__ import annotations

import logging
import socket
import sys

import waitress
from waitress import wasyncore

from ._stop import on_sigterm
from .wrapped import application

if __name__ == "__main__":
    descriptor, threads, lookahead = (int(word) for word in sys.argv[1:])
    on_sigterm(sys.exit)
    logging.basicConfig()
    everything: dict[int, object] = {}  # waitress' own list of what it has open
    server = waitress.create_server(
        application,
        map=everything,
        sockets=[socket.socket(fileno=descriptor)],
        threads=threads,
        channel_request_lookahead=lookahead,
        max_request_body_size=1 << 30,
        outbuf_high_watermark=1 << 20,  # 16 MiB by default, which would hide what the adapter holds
    )
    try:
        server.run()
    finally:
        server.close()
        wasyncore.close_all(everything, ignore_all=True)  # connections whose end it has not noticed yet

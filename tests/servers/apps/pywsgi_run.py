# ruff: noqa: E402 - what is imported before the patch is not patched
"""gevent's own WSGI server on an inherited socket: `python -m apps.pywsgi_run FD MODULE`."""

from gevent import monkey

monkey.patch_all()

import signal
import sys
from importlib import import_module

import gevent
from gevent import socket
from gevent.pywsgi import WSGIServer

descriptor, module = sys.argv[1:]
application = import_module(module).application
listener = socket.socket(fileno=int(descriptor))
server = WSGIServer(listener, application)
gevent.signal_handler(signal.SIGTERM, server.stop)
server.serve_forever()

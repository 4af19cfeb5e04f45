"""Werkzeug's development server on an inherited socket: `python -m apps.werkzeug_run FD MODULE`."""

from __future__ import annotations

import signal
import sys
from importlib import import_module

from werkzeug.serving import make_server

descriptor, module = sys.argv[1:]
application = import_module(module).application
server = make_server("127.0.0.1", 0, application, threaded=True, fd=int(descriptor))
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
server.serve_forever()

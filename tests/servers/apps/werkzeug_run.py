"""Werkzeug's development server on an inherited socket: `python -m apps.werkzeug_run FD MODULE`."""

from __future__ import annotations

import sys
from importlib import import_module

from werkzeug.serving import make_server

from ._stop import on_sigterm

descriptor, module = sys.argv[1:]
application = import_module(module).application
server = make_server("127.0.0.1", 0, application, threaded=True, fd=int(descriptor))
on_sigterm(sys.exit)
server.serve_forever()

"""`python -m tests.testing.lint.serve_app wsgiref|werkzeug MODULE:APP PORT`: servers of a library, as a command."""

from __future__ import annotations

import sys
from importlib import import_module

if __name__ == "__main__":
    server, target, port = sys.argv[1:]
    module, _, name = target.partition(":")
    app = getattr(import_module(module), name)
    if server == "wsgiref":
        from wsgiref.simple_server import make_server

        make_server("127.0.0.1", int(port), app).serve_forever()
    else:
        from werkzeug.serving import make_server as make_threaded

        make_threaded("127.0.0.1", int(port), app, threaded=True).serve_forever()

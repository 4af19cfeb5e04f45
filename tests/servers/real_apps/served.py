"""What a server imports: the app that REAL_APP names, for the REAL_WAY: `native`, `asgi-server` or `wsgi-server`.

`made/NAME.py` makes the app, in the server's working directory.
"""

from __future__ import annotations

import logging
import os
from importlib import import_module
from typing import Any

from anysgi import AsgiToWsgi, WsgiToAsgi, guess_convention


def bridged(app: Any, way: str) -> Any:
    """The app on the other side: once where the server speaks another convention, back again where it does not."""
    if guess_convention(app) == "wsgi":
        there = WsgiToAsgi(app)
        return there if way == "asgi-server" else AsgiToWsgi(there)
    back = AsgiToWsgi(app)
    return back if way == "wsgi-server" else WsgiToAsgi(back)


logging.basicConfig()
application = import_module(f"{__package__}.made.{os.environ['REAL_APP']}").make()
if os.environ["REAL_WAY"] != "native":
    application = bridged(application, os.environ["REAL_WAY"])

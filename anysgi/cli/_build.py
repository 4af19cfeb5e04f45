"""Put the right adapter, or none, between the user's app and the server, and say so in one line.

`anysgi serve` builds the app once in its own process; worker processes build theirs anew from the options in the
environment.  Both come through `build`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import AsgiToWsgi, WsgiToAsgi
from ..adapters._options import single_callable
from ._errors import BrokenApp
from ._load import load
from ._options import THREADS, Options
from ._servers import SERVERS, Server

if TYPE_CHECKING:
    from ._load import Loaded

_here: list[Loaded] = []  # what `serve` loaded in this very process, so that the app is not made twice


def remember(loaded: Loaded) -> None:
    """Keep an app that is already made for `app_for_this_process`."""
    _here.append(loaded)


def app_for_this_process() -> object:
    """Give the server its app: the one `serve` made here, or one made now, in a worker process.

    Raises:
        BaseException: what the user's own code raised; servers know some of it, as gunicorn does a SyntaxError.
    """
    options = Options.from_environment()
    server = SERVERS[options.server]
    try:
        loaded = _here[-1] if _here else load(options).on(server.speaks)
    except BrokenApp as broken:
        raise broken.error from None
    return build(loaded, server, options)


def build(loaded: Loaded, server: Server, options: Options) -> object:
    """Adapt an app to what a server speaks.

    Args:
        loaded: the user's app.
        server: the server it is for.
        options: `threads`, `window` (bytes), `workers` and `lifespan` go to the adapter.

    Returns:
        The app itself where nothing needs adapting.
    """
    app: Any = loaded.app
    window: dict[str, Any] = {} if options.window is None else {"window": options.window}
    if loaded.convention == server.speaks:
        return single_callable(app) if loaded.convention == "asgi" else app
    if server.speaks == "asgi":
        return WsgiToAsgi(app, threads=options.threads or THREADS, multiprocess=options.workers > 1, **window)
    adapter = AsgiToWsgi(app, lifespan=options.lifespan, **window)
    adapter.start()  # a startup that fails ends the worker now, not the first visitor's request
    return adapter


def describe_chain(loaded: Loaded, server: Server, options: Options) -> str:
    """Say what runs and how: `Flask app 'shop' (WSGI) -> WsgiToAsgi(threads=40) -> uvicorn`."""
    threads = {"threads": options.threads or THREADS}
    workers = {"workers": options.workers} if options.workers > 1 else {}
    steps = [str(loaded)]
    if loaded.convention != server.speaks:
        steps.append(_call("WsgiToAsgi", threads) if server.speaks == "asgi" else "AsgiToWsgi")
    steps.append(_call(server.name, workers | (threads if server.speaks == "wsgi" else {})))
    return " -> ".join(steps)


def _call(name: str, arguments: dict[str, int]) -> str:
    inside = ", ".join(f"{key}={value}" for key, value in arguments.items())
    return f"{name}({inside})" if inside else name

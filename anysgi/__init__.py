"""anysgi: any Python web app on any Python web server.

    from anysgi import WsgiToAsgi, AsgiToWsgi

    asgi_app = WsgiToAsgi(flask_app)      # on uvicorn, hypercorn, granian, daphne
    wsgi_app = AsgiToWsgi(fastapi_app)    # on gunicorn, waitress, mod_wsgi, uWSGI with threads

Names are imported when they are first asked for (PEP 562), so that a project pays for one direction only.
"""

TYPE_CHECKING = False  # what type checkers read as true; typing itself would be most of the cost of this import
if TYPE_CHECKING:
    from . import exceptions, types
    from ._bridge._pool import PoolStats, WorkerPool
    from ._core._detect import guess_convention
    from .adapters._asgi_to_wsgi import AsgiToWsgi
    from .adapters._borrow import as_asgi_middleware, as_wsgi_middleware
    from .adapters._convert import to_asgi, to_wsgi
    from .adapters._wsgi_to_asgi import WsgiToAsgi

__all__ = [
    # adapters
    "AsgiToWsgi",
    "WsgiToAsgi",
    "as_asgi_middleware",
    "as_wsgi_middleware",
    "guess_convention",
    "to_asgi",
    "to_wsgi",
    # threads
    "PoolStats",
    "WorkerPool",
    # modules
    "exceptions",
    "types",
]
__version__ = "0.1.0.dev0"

_HOMES = {
    "AsgiToWsgi": "adapters._asgi_to_wsgi",
    "WsgiToAsgi": "adapters._wsgi_to_asgi",
    "as_asgi_middleware": "adapters._borrow",
    "as_wsgi_middleware": "adapters._borrow",
    "guess_convention": "_core._detect",
    "to_asgi": "adapters._convert",
    "to_wsgi": "adapters._convert",
    "PoolStats": "_bridge._pool",
    "WorkerPool": "_bridge._pool",
    "exceptions": "",
    "types": "",
}


if not TYPE_CHECKING:  # a checker would take any name for granted

    def __getattr__(name: str) -> object:
        from importlib import import_module

        home = _HOMES.get(name)
        if home is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}; it has {', '.join(__all__)}")
        found: object = (
            getattr(import_module(f"{__name__}.{home}"), name) if home else import_module(f"{__name__}.{name}")
        )
        globals()[name] = found
        return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

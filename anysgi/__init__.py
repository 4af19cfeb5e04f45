"""anysgi: any Python web app on any Python web server.

from anysgi import WsgiToAsgi, AsgiToWsgi

asgi_app = WsgiToAsgi(flask_app)      # on uvicorn, hypercorn, granian, daphne
wsgi_app = AsgiToWsgi(fastapi_app)    # on gunicorn, waitress, mod_wsgi, uWSGI
"""

from . import exceptions, types
from ._bridge._pool import PoolStats, WorkerPool
from .adapters import AsgiToWsgi, WsgiToAsgi, guess_convention, to_asgi, to_wsgi

__all__ = [
    # adapters
    "AsgiToWsgi",
    "WsgiToAsgi",
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

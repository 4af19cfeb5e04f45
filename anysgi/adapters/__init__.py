"""The adapters, and how to tell which one an app needs."""

from ._asgi_to_wsgi import AsgiToWsgi
from ._convert import to_asgi, to_wsgi
from ._detect import guess_convention
from ._wsgi_to_asgi import WsgiToAsgi

__all__ = ["AsgiToWsgi", "WsgiToAsgi", "guess_convention", "to_asgi", "to_wsgi"]

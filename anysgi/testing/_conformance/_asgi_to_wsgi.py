"""What an adapter from ASGI to WSGI must do: it is an ASGI server to its app, and a WSGI app to a server."""

from __future__ import annotations

from ._a2w_around import AROUND
from ._a2w_request import REQUEST
from ._a2w_response import RESPONSE
from ._check import Checks

ASGI_TO_WSGI = Checks([*RESPONSE, *REQUEST, *AROUND])

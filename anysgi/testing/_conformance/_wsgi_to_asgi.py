"""What an adapter from WSGI to ASGI must do: it is the server of PEP 3333 to its app, and an app to an ASGI server."""

from __future__ import annotations

from ._check import Checks
from ._w2a_around import AROUND
from ._w2a_endings import ENDINGS
from ._w2a_request import REQUEST
from ._w2a_response import RESPONSE

WSGI_TO_ASGI = Checks([*RESPONSE, *ENDINGS, *REQUEST, *AROUND])

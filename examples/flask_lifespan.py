"""A Flask app with startup and shutdown.  Run it: uvicorn examples.flask_lifespan:app"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from flask import Flask, request

from anysgi import WsgiToAsgi

flask_app = Flask(__name__)


@flask_app.get("/")
def hello() -> str:
    """Use what the startup made."""
    return f"{request.environ['anysgi.state']['greeting']}\n"


@asynccontextmanager
async def lifespan(_adapter: object) -> AsyncIterator[dict[str, str]]:
    """Open things before the first request, and close them after the last."""
    yield {"greeting": "Hello from a Flask app with a lifespan"}


app = WsgiToAsgi(flask_app, lifespan=lifespan)

"""A Flask app on uvicorn.  Run it: uvicorn examples.flask_on_uvicorn:app"""

from flask import Flask

from anysgi import WsgiToAsgi

flask_app = Flask(__name__)


@flask_app.get("/")
def hello() -> str:
    """Greet."""
    return "Hello from Flask, on an ASGI server\n"


app = WsgiToAsgi(flask_app)

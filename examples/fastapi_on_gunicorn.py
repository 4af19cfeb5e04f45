"""A FastAPI app on gunicorn.  Run it: gunicorn --threads 8 examples.fastapi_on_gunicorn:application"""

from fastapi import FastAPI

from anysgi import AsgiToWsgi

fastapi_app = FastAPI()


@fastapi_app.get("/")
async def hello() -> str:
    """Greet."""
    return "Hello from FastAPI, on a WSGI server"


application = AsgiToWsgi(fastapi_app)

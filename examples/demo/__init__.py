"""One port, two shops: an unchanged Flask app and a FastAPI app side by side, and a page that shows both answering.

Run it with `make serve`, or `anysgi serve examples.demo:app`, and open http://127.0.0.1:8000.
"""

from pathlib import Path

from starlette.applications import Starlette
from starlette.responses import FileResponse
from starlette.routing import Mount, Route

from anysgi import WsgiToAsgi
from examples.demo import fastapi_shop, flask_shop


async def page(_request: object) -> FileResponse:
    """Serve the one page of the demo."""
    return FileResponse(Path(__file__).with_name("page.html"), media_type="text/html")


app = Starlette(
    routes=[
        Route("/", page),
        Mount("/flask", WsgiToAsgi(flask_shop.app)),
        Mount("/fastapi", fastapi_shop.app),
    ]
)

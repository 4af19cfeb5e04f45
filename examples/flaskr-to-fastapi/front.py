"""Both blogs on the same URLs.  BLOG_TABLE names the route table; `steps/` has one for each step of the way.

BLOG_TABLE=steps/2-reading.toml uvicorn front:asgi_app
BLOG_TABLE=steps/2-reading.toml gunicorn front:application --threads 8
"""

import os
from pathlib import Path

import blog_fastapi
import blog_flask

from anysgi.migration import Router

table = Path(os.environ.get("BLOG_TABLE", Path(__file__).with_name("steps") / "1-all-flask.toml"))
router = Router(
    legacy=blog_flask.app,
    new=blog_fastapi.app,
    table=table,
    refresh=0.2,
    dashboard="/_migration",
    dashboard_token=os.environ.get("BLOG_TOKEN", "for the example only"),
)
asgi_app = router.asgi
application = router.wsgi

"""Two shops behind a router, which is an app of either convention."""

import fastapi_shop
import flask_shop

from anysgi.migration import Route, Router, RouteTable

router = Router(flask_shop.app, fastapi_shop.app, table=RouteTable((Route("/pid", "new"),)), switches=())

"""The Django project behind a router, everything on its WSGI side and everything on its ASGI side.

Importing it makes somebody who may use the admin, and writes what they ask to $TRAFFIC.
"""

import json
import os
from pathlib import Path

from django_project import application, asgi  # isort: skip  # it sets Django up, and what follows wants that

from django.contrib.auth.models import User
from django.test import Client

from anysgi.migration import Router, RouteTable

PATHS = (
    "/admin/",
    "/admin/login/",
    "/admin/auth/user/",
    "/admin/auth/user/?q=ada&o=1",
    "/admin/auth/user/1/change/",
    "/admin/auth/user/9/change/",
    "/admin/auth/group/add/",
    "/admin/password_change/",
    "/admin/jsi18n/",
    "/admin/nowhere/",
    "/admin",
    "/users",
    "/later/",
    "/items/7/",
    "/items/x/",
    "/nowhere",
)

if not User.objects.exists():
    ada = User.objects.create_superuser("ada", password="secret")
    client = Client()
    client.force_login(ada)
    cookies = [("cookie", f"sessionid={client.cookies['sessionid'].value}")], []
    asked = [
        {"method": method, "target": path, "headers": [("host", "shop"), *cookie]}
        for path in PATHS
        for method in ("GET", "HEAD", "OPTIONS")
        for cookie in cookies
    ]
    Path(os.environ["TRAFFIC"]).write_text("".join(json.dumps({"request": each}) + "\n" for each in asked))

as_it_was = Router(application, asgi, table=RouteTable(default="legacy"), switches=())
moved = Router(application, asgi, table=RouteTable(default="new", fallthrough=frozenset()), switches=())

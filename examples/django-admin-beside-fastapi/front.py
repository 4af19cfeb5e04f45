"""Django keeps its admin, FastAPI gets the API; whoever is logged in to the admin is known to both.

uvicorn front:asgi_app
gunicorn front:application --threads 8

Log in at http://127.0.0.1:8000/admin/ as `ada` with the password `secret`, then look at /api/me and /api/items.
"""

import shop_django  # first: it sets Django up
from asgiref.sync import sync_to_async
from django.contrib.auth import get_user
from django.http import HttpRequest
from fastapi import FastAPI, HTTPException, Request

from anysgi.migration import DjangoSession, Route, Router, RouteTable

shop_django.prepare()
api = FastAPI()


async def person(request: Request) -> str | None:
    """The name of whoever is logged in to Django."""
    asked = HttpRequest()
    asked.session = request.session
    user = await sync_to_async(get_user)(asked)
    return user.get_username() or None


@api.get("/api/me")
async def me(request: Request) -> dict[str, str | None]:
    return {"name": await person(request), "by": "fastapi"}


@api.get("/api/items")
async def items(request: Request) -> list[dict[str, object]]:
    """The shop's items, from Django's models, for those who are logged in."""
    if await person(request) is None:
        raise HTTPException(401)
    return [{"name": item.name, "price": item.price} async for item in shop_django.Item.objects.all()]


table = RouteTable(
    (
        Route("/api/me", to="new", methods=("GET",), name="me"),
        Route("/api/items", to="new", methods=("GET",), name="items"),
    )
)
router = Router(legacy=shop_django.app, new=DjangoSession(api), table=table)
asgi_app = router.asgi
application = router.wsgi

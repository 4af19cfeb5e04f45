"""The shop as it will be: FastAPI; `ANYSGI_MUTATION` names one mistake to make."""

from __future__ import annotations

import os
from typing import Any

from fastapi import FastAPI
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response

from . import catalogue

MUTATIONS = (
    "date format",
    "404 -> 422",
    "missing header",
    "renamed key",
    "extra space",
    "number as text",
    "missing item",
    "null for absent",
    "page text",
    "page attribute",
    "line ending",
    "redirect target",
    "redirect status",
    "cookie attribute",
    "cookie missing",
    "media type",
    "crash",
)


def make(mutation: str = "") -> FastAPI:
    app = FastAPI(openapi_url=None)

    def wrong(name: str) -> bool:
        return mutation == name

    def shown(item: dict[str, Any]) -> dict[str, Any]:
        item = dict(item)
        if wrong("date format"):
            item["added"] = item["added"].replace("Z", "+00:00")
        if wrong("renamed key"):
            item["title"] = item.pop("name")
        if wrong("extra space"):
            item["name"] += " "
        if wrong("number as text"):
            item["price"] = str(item["price"])
        if wrong("null for absent"):
            item["discount"] = None
        return item

    @app.get("/items")
    async def items() -> Response:
        if wrong("crash"):
            raise RuntimeError("a mistake")
        every = [shown(item) for item in catalogue.ITEMS]
        headers = {} if wrong("missing header") else {"X-Total": str(len(every))}
        return JSONResponse(every[:1] if wrong("missing item") else every, headers=headers)

    @app.get("/items/{number}")
    async def item(number: str) -> Response:
        if number.isdigit() and 0 < int(number) <= len(catalogue.ITEMS):
            return JSONResponse(shown(catalogue.ITEMS[int(number) - 1]))
        return JSONResponse({"error": "no such item"}, 422 if wrong("404 -> 422") else 404)

    @app.get("/page")
    async def page() -> Response:
        text = catalogue.PAGE.replace("Tea", "tea") if wrong("page text") else catalogue.PAGE
        return HTMLResponse(text.replace("class='item'", "class='thing'") if wrong("page attribute") else text)

    @app.get("/plain")
    async def plain() -> Response:
        text = "one\r\ntwo\r\n" if wrong("line ending") else "one\ntwo\n"
        return PlainTextResponse(text, media_type="text/csv" if wrong("media type") else None)

    @app.get("/old-items")
    async def moved() -> Response:
        return RedirectResponse(
            "/item" if wrong("redirect target") else "/items", 301 if wrong("redirect status") else 302
        )

    @app.get("/login")
    async def login() -> Response:
        answer = JSONResponse({"ok": True})
        if not wrong("cookie missing"):
            answer.set_cookie("session", "abc", httponly=not wrong("cookie attribute"), samesite="lax")
        return answer

    @app.get("/now")
    async def now() -> dict[str, object]:
        return catalogue.noisy()

    return app


app = make(os.environ.get("ANYSGI_MUTATION", ""))

"""The shop as it was: Flask."""

from __future__ import annotations

from typing import Any

from flask import Flask, Response, jsonify, make_response, redirect
from werkzeug.wrappers import Response as WerkzeugResponse

from . import catalogue

app = Flask(__name__)


@app.get("/items")
def items() -> Response:
    answer = jsonify(catalogue.ITEMS)
    answer.headers["X-Total"] = str(len(catalogue.ITEMS))
    return answer


@app.get("/items/<int:number>")
def item(number: int) -> Any:
    found = catalogue.ITEMS[number - 1] if 0 < number <= len(catalogue.ITEMS) else None
    return (jsonify(found), 200) if found else (jsonify(error="no such item"), 404)


@app.get("/page")
def page() -> str:
    return catalogue.PAGE


@app.get("/plain")
def plain() -> Response:
    return Response("one\ntwo\n", mimetype="text/plain")


@app.get("/old-items")
def moved() -> WerkzeugResponse:
    return redirect("/items", 302)


@app.get("/login")
def login() -> Response:
    answer = make_response(jsonify(ok=True))
    answer.set_cookie("session", "abc", httponly=True, samesite="Lax")
    return answer


@app.get("/now")
def now() -> Response:
    return jsonify(catalogue.noisy())

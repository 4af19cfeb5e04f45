"""A Flask shop, and a FastAPI one that is meant to replace it and differs in everything the diff should see."""

from typing import Any

from fastapi import FastAPI
from flask import Flask

old = Flask(__name__, static_folder=None)
new = FastAPI(openapi_url=None)


def view(**_arguments: Any) -> str:
    return ""


old.add_url_rule("/", "home", view)
old.add_url_rule("/items/", "items", view)
old.add_url_rule("/items/<int:id>", "item", view, methods=["GET", "DELETE"])
old.add_url_rule("/items/<id>", "named", view)
old.add_url_rule("/items/new", "new", view, methods=["POST"])
old.add_url_rule("/same", "same", view, methods=["POST"], provide_automatic_options=False, strict_slashes=False)
old.add_url_rule("/files/<path:name>", "files", view)
old.add_url_rule("/gone", "gone", view)


@new.api_route("/", methods=["GET", "HEAD", "OPTIONS"])
def home() -> str:
    return ""


@new.api_route("/items", methods=["GET", "HEAD", "OPTIONS"])
def items() -> str:
    return ""


@new.post("/items/{id}")
@new.api_route("/items/{id}", methods=["GET", "HEAD", "OPTIONS"])
def item(id: int) -> str:
    return str(id)


@new.post("/items/new")
def create() -> str:
    return ""


@new.post("/same")
@new.post("/same/")
def same() -> str:
    return ""


@new.api_route("/files/{name:path}", methods=["GET", "HEAD", "OPTIONS", "PUT"])
def files(name: str) -> str:
    return name


@new.get("/extra")
def extra() -> str:
    return ""


def make() -> Flask:
    return old

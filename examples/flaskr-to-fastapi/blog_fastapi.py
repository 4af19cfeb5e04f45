"""The blog to be: the same pages by FastAPI, from the same templates, the same database and the same sessions."""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import parse_qs

import blog_flask
import store
from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jinja2 import Environment, FileSystemLoader

from anysgi.migration import FlaskSession

api = FastAPI(redirect_slashes=False)
templates = Environment(loader=FileSystemLoader(Path(__file__).with_name("templates")), autoescape=True)


def connected() -> Iterator[sqlite3.Connection]:
    """The request's connection."""
    connection = store.connect()
    try:
        yield connection
    finally:
        connection.close()


Database = Annotated[sqlite3.Connection, Depends(connected)]


def who(request: Request, database: Database) -> sqlite3.Row | None:
    """Who is logged in: whoever Flask says, as the session is Flask's."""
    return store.person(database, request.session.get("person"))


Person = Annotated[sqlite3.Row | None, Depends(who)]


async def form_fields(request: Request) -> dict[str, str]:
    """The fields of a form, read before the handler takes a thread."""
    return {name: values[0] for name, values in parse_qs((await request.body()).decode()).items()}


Form = Annotated[dict[str, str], Depends(form_fields)]


def own_post(key: int, database: Database, person: Person) -> sqlite3.Row:
    """A post that the person in front of us may change."""
    if person is None:
        raise HTTPException(401)
    post = store.post(database, key)
    if post is None:
        raise HTTPException(404)
    if post["author"] != person["id"]:
        raise HTTPException(403)
    return post


OwnPost = Annotated[sqlite3.Row, Depends(own_post)]


@api.middleware("http")
async def sign(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    response = await call_next(request)
    response.headers["x-answered-by"] = "fastapi"
    return response


def page(template: str, request: Request, person: sqlite3.Row | None, **values: Any) -> HTMLResponse:
    def get_flashed_messages() -> list[str]:  # Flask keeps them in the session
        return [text for _, text in request.session.pop("_flashes", [])]

    values |= {"person": person, "get_flashed_messages": get_flashed_messages}
    return HTMLResponse(templates.get_template(template).render(**values))


def redirect(path: str) -> RedirectResponse:
    return RedirectResponse(path, 302)


@api.api_route("/", methods=["GET", "HEAD"])
def index(request: Request, database: Database, person: Person) -> Response:
    return page("index.html", request, person, posts=store.posts(database))


@api.api_route("/posts/{key:int}", methods=["GET", "HEAD"])
def show(request: Request, key: int, database: Database, person: Person) -> Response:
    post = store.post(database, key)
    if post is None:
        raise HTTPException(404)
    return page("post.html", request, person, post=post)


@api.get("/write")
def write_form(request: Request, person: Person) -> Response:
    return redirect("/login") if person is None else page("write.html", request, person, post=None)


@api.post("/write")
def write(database: Database, person: Person, form: Form) -> Response:
    if person is None:
        return redirect("/login")
    store.save(database, person["id"], form["title"], form["body"])
    return redirect("/")


@api.get("/posts/{key:int}/edit")
def edit_form(request: Request, post: OwnPost, person: Person) -> Response:
    return page("write.html", request, person, post=post)


@api.post("/posts/{key:int}/edit")
def edit(key: int, database: Database, post: OwnPost, form: Form) -> Response:
    store.save(database, post["author"], form["title"], form["body"], key)
    return redirect(f"/posts/{key}")


@api.post("/posts/{key:int}/delete")
def delete(key: int, database: Database, _post: OwnPost) -> Response:
    store.delete(database, key)
    return redirect("/")


def flash(request: Request, text: str) -> None:
    request.session["_flashes"] = [*request.session.get("_flashes", []), ("message", text)]


@api.get("/register")
def register_form(request: Request, person: Person) -> Response:
    return page("login.html", request, person, title="Register")


@api.post("/register")
def register(request: Request, database: Database, person: Person, form: Form) -> Response:
    if store.register(database, form["name"], form["password"]):
        return redirect("/login")
    flash(request, "This name is taken.")
    return page("login.html", request, person, title="Register")


@api.get("/login")
def login_form(request: Request, person: Person) -> Response:
    return page("login.html", request, person, title="Log in")


@api.post("/login")
def login(request: Request, database: Database, person: Person, form: Form) -> Response:
    found = store.log_in(database, form["name"], form["password"])
    if found is None:
        flash(request, "Name and password do not fit.")
        return page("login.html", request, person, title="Log in")
    request.session.clear()
    request.session["person"] = found
    return redirect("/")


@api.post("/logout")
def logout(request: Request) -> Response:
    request.session.clear()
    return redirect("/")


app = FlaskSession(api, blog_flask.app)

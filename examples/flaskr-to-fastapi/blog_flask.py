"""The blog there is: Flask, sqlite, a signed session cookie, templates.  It knows nothing of what is coming."""

from __future__ import annotations

import os
import sqlite3

import store
from flask import Flask, Response, abort, flash, g, redirect, render_template, request, session
from werkzeug.wrappers import Response as AnyResponse

app = Flask(__name__)
app.config.update(
    SECRET_KEY=os.environ.get("BLOG_KEY", "for the example only"),
    SESSION_COOKIE_SAMESITE="Lax",
    SESSION_COOKIE_HTTPONLY=True,
)


def database() -> sqlite3.Connection:
    """The request's connection."""
    if "database" not in g:
        g.database = store.connect()
    connection: sqlite3.Connection = g.database
    return connection


@app.teardown_appcontext
def close(_error: BaseException | None) -> None:
    if "database" in g:
        g.pop("database").close()


@app.before_request
def load_person() -> None:
    g.person = store.person(database(), session.get("person"))


@app.after_request
def sign(response: Response) -> Response:
    response.headers["x-answered-by"] = "flask"
    return response


def page(template: str, **values: object) -> str:
    return render_template(template, person=g.person, **values)


def own_post(key: int) -> sqlite3.Row:
    """A post that the person in front of us may change."""
    if g.person is None:
        abort(401)
    post = store.post(database(), key) or abort(404)
    if post["author"] != g.person["id"]:
        abort(403)
    return post


@app.get("/")
def index() -> str:
    return page("index.html", posts=store.posts(database()))


@app.get("/posts/<int:key>")
def show(key: int) -> str:
    return page("post.html", post=store.post(database(), key) or abort(404))


@app.route("/write", methods=["GET", "POST"])
def write() -> str | AnyResponse:
    if g.person is None:
        return redirect("/login")
    if request.method == "GET":
        return page("write.html", post=None)
    store.save(database(), g.person["id"], request.form["title"], request.form["body"])
    return redirect("/")


@app.route("/posts/<int:key>/edit", methods=["GET", "POST"])
def edit(key: int) -> str | AnyResponse:
    post = own_post(key)
    if request.method == "GET":
        return page("write.html", post=post)
    store.save(database(), post["author"], request.form["title"], request.form["body"], key)
    return redirect(f"/posts/{key}")


@app.post("/posts/<int:key>/delete")
def delete(key: int) -> AnyResponse:
    own_post(key)
    store.delete(database(), key)
    return redirect("/")


@app.route("/register", methods=["GET", "POST"])
def register() -> str | AnyResponse:
    if request.method == "POST":
        if store.register(database(), request.form["name"], request.form["password"]):
            return redirect("/login")
        flash("This name is taken.")
    return page("login.html", title="Register")


@app.route("/login", methods=["GET", "POST"])
def login() -> str | AnyResponse:
    if request.method == "POST":
        person = store.log_in(database(), request.form["name"], request.form["password"])
        if person is not None:
            session.clear()
            session["person"] = person
            return redirect("/")
        flash("Name and password do not fit.")
    return page("login.html", title="Log in")


@app.post("/logout")
def logout() -> AnyResponse:
    session.clear()
    return redirect("/")

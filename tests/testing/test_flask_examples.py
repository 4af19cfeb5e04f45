"""Flask's documented tests, nearly word for word, with one line changed: the client.

Source: flask.palletsprojects.com/testing.  The examples that only speak HTTP also run against the same app written with
FastAPI, which is why there is a client of ours: a suite outlives the app it was written for.
"""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from typing import Any

import pytest
from fastapi import FastAPI, Request
from flask import Flask, g, redirect, request, session, url_for
from starlette.responses import HTMLResponse, RedirectResponse
from werkzeug.datastructures import MultiDict
from werkzeug.formparser import parse_form_data

from anysgi.testing import FlaskClient


def flask_app() -> Flask:
    app = Flask("flaskr")
    app.config.update({"TESTING": True, "SECRET_KEY": "dev"})

    @app.get("/posts")
    def posts() -> str:
        return "<h2>Hello, World!</h2>"

    @app.post("/user/<int:user_id>/edit")
    def edit(user_id: int) -> dict[str, Any]:
        picture = request.files["picture"].read().decode()
        return {"name": request.form["name"], "theme": request.form["theme"], "picture": picture}

    @app.post("/graphql")
    def graphql() -> dict[str, Any]:
        assert request.json is not None
        assert "query User" in request.json["query"]
        return {"data": {"user": {"name": request.json["variables"]["id"]}}}

    @app.get("/logout")
    def logout() -> Any:
        return redirect(url_for("index"))

    @app.get("/index")
    def index() -> str:
        return "index"

    @app.post("/auth/login")
    def login() -> str:
        session["user_id"] = 1
        g.user = request.form["username"]
        return "in"

    @app.get("/users/me")
    def me() -> dict[str, Any]:
        return {"username": "flask" if session["user_id"] == 1 else "nobody"}

    return app


def fastapi_app() -> FastAPI:
    app = FastAPI()

    @app.get("/posts")
    def posts() -> HTMLResponse:
        return HTMLResponse("<h2>Hello, World!</h2>")

    @app.post("/user/{user_id}/edit")
    async def edit(user_id: int, request: Request) -> dict[str, Any]:
        body = await request.body()
        environ = {"wsgi.input": BytesIO(body), "CONTENT_LENGTH": str(len(body))}
        _, form, files = parse_form_data({**environ, "CONTENT_TYPE": request.headers["content-type"]})
        with files["picture"].stream as picture:
            return {**MultiDict(form).to_dict(), "picture": picture.read().decode()}

    @app.post("/graphql")
    async def graphql(request: Request) -> dict[str, Any]:
        return {"data": {"user": {"name": (await request.json())["variables"]["id"]}}}

    @app.get("/logout")
    def logout() -> RedirectResponse:
        return RedirectResponse("/index", status_code=302)

    @app.get("/index")
    def index() -> HTMLResponse:
        return HTMLResponse("index")

    return app


@pytest.fixture
def app() -> Flask:
    return flask_app()


@pytest.fixture(params=[flask_app, fastapi_app], ids=["flask", "fastapi"])
def client(request: pytest.FixtureRequest) -> Iterator[FlaskClient]:
    client = FlaskClient(request.param())  # was: app.test_client()
    with client:
        yield client


def test_request_example(client: FlaskClient) -> None:
    response = client.get("/posts")
    assert b"<h2>Hello, World!</h2>" in response.data


def test_edit_user(client: FlaskClient) -> None:
    response = client.post(
        "/user/2/edit",
        data={
            "name": "Flask",
            "theme": "dark",
            "picture": (BytesIO(b"picture"), "picture.png"),
        },
    )
    assert response.status_code == 200
    assert response.json == {"name": "Flask", "theme": "dark", "picture": "picture"}


def test_json_data(client: FlaskClient) -> None:
    response = client.post(
        "/graphql",
        json={
            "query": """
            query User($id: String!) {
                user(id: $id) {
                    name
                    theme
                    picture_url
                }
            }
        """,
            "variables": {"id": 2},
        },
    )
    assert response.json is not None
    assert response.json["data"]["user"]["name"] == 2


def test_logout_redirect(client: FlaskClient) -> None:
    response = client.get("/logout", follow_redirects=True)
    # Check that there was one redirect response.
    assert len(response.history) == 1
    # Check that the second request was to the index page.
    assert response.request.path == "/index"


def test_access_session(app: Flask) -> None:
    client = FlaskClient(app)
    with client:
        client.post("/auth/login", data={"username": "flask"})
        # session is still accessible
        assert session["user_id"] == 1
        assert g.user == "flask"

    # session is no longer accessible
    with pytest.raises(RuntimeError, match="outside of"):
        session.get("user_id")


def test_modify_session(app: Flask) -> None:
    client = FlaskClient(app)
    with client.session_transaction() as session:
        # set a user id without going through the login route
        session["user_id"] = 1

    # session is saved now

    response = client.get("/users/me")
    assert response.json is not None
    assert response.json["username"] == "flask"


def test_flask_makes_our_client_itself(app: Flask) -> None:
    app.test_client_class = FlaskClient
    client = app.test_client()
    assert type(client) is FlaskClient
    assert client.get("/posts").text == "<h2>Hello, World!</h2>"


def test_another_app_that_reads_flasks_cookie_gets_a_session() -> None:
    def other(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [environ.get("HTTP_COOKIE", "").partition("=")[0].encode()]

    client = FlaskClient(other, secret_key="dev")
    assert client.get("/").data == b""
    with client.session_transaction() as session:
        session["user_id"] = 1
    assert client.get("/").data == b"session"

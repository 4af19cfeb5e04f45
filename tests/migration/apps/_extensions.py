"""Handlers that use what Flask's, Django's and SQLAlchemy's extensions keep for a request, a session or a thread."""

import threading
from contextvars import ContextVar

import flask_jwt_extended
import flask_login
import uvloop.loop
from django.contrib.auth.decorators import login_required
from sqlalchemy.orm import scoped_session, sessionmaker

REQUEST: ContextVar[int] = ContextVar("request")
BY_THREAD = scoped_session(sessionmaker())
BY_THREAD_ID = scoped_session(sessionmaker(), scopefunc=threading.get_ident)
BY_REQUEST = scoped_session(sessionmaker(), scopefunc=REQUEST.get)


def asks_who_is_logged_in() -> str:
    return str(flask_login.current_user)


def asks_whose_token_it_is() -> str:
    return str(flask_jwt_extended.current_user)


def logs_out() -> None:
    flask_login.logout_user()


@flask_login.login_required
def only_for_users() -> None:
    pass


@flask_jwt_extended.jwt_required()
def only_with_a_token() -> None:
    pass


@login_required
def only_for_djangos_users(_request: object) -> None:
    pass


def asks_by_thread() -> object:
    return BY_THREAD


def asks_by_the_id_of_its_thread() -> object:
    return BY_THREAD_ID


def asks_by_request() -> object:
    return BY_REQUEST


def asks_cython() -> object:
    return uvloop.loop.libuv_get_version()

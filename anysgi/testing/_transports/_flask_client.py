"""`FlaskClient`: what Flask's test suites use, for an app of either convention."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

try:
    from flask import Flask
    from flask.testing import FlaskClient as _FlaskClient
except ImportError:  # pragma: no cover - it is in the test group
    raise ImportError("FlaskClient is Flask's own client around other apps too: pip install flask") from None

if TYPE_CHECKING:
    from ...types import ASGIApp, WSGIApp


class FlaskClient(_FlaskClient):
    """Flask's own test client, around any app: a Flask suite can be run on the app that succeeds it.

        client = FlaskClient(new_app)           # was: old_app.test_client()
        assert client.post("/cart", data={"item": "1"}, follow_redirects=True).json["items"] == 1

    Around a Flask app it is Flask's client, contexts and sessions included.  Around another one `session_transaction`
    writes Flask's session cookie with `secret_key`, which helps where the new app reads that cookie.

    Args:
        app: a Flask, WSGI or ASGI app; the last one's lifespan begins with the first request and ends with the `with`
            block, or with the process.
        secret_key: of the sessions, for an app that is not Flask's.
        args, options: as of `flask.testing.FlaskClient`.
    """

    def __init__(
        self, app: Flask | WSGIApp | ASGIApp, *args: Any, secret_key: str | bytes | None = None, **options: Any
    ) -> None:
        super().__init__(app if isinstance(app, Flask) else _in_a_shell(app, secret_key), *args, **options)

    def __exit__(self, *error: Any) -> None:
        super().__exit__(*error)
        getattr(self.application.wsgi_app, "close", int)()


def _in_a_shell(app: Any, secret_key: str | bytes | None) -> Flask:
    """A Flask app that answers nothing itself; its client wants to know one."""
    from anysgi import to_wsgi

    shell = Flask("anysgi.testing", static_folder=None)
    shell.secret_key = secret_key
    shell.wsgi_app = to_wsgi(app)  # type: ignore[assignment, method-assign]  # as Flask documents it
    return shell

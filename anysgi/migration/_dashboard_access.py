"""Who may see the dashboard, and who may press its buttons.

One token opens it: as `Authorization: Bearer …`, or typed into the login form, which hands out a signed cookie.  A page
of another site can make a browser send neither the header nor (`SameSite=Strict`) the cookie; should the cookie come
all the same, the buttons want a second token as well, which only the page itself knows.
"""

from __future__ import annotations

import hmac
import secrets
from hashlib import sha256
from time import time

COOKIE = "anysgi_dashboard"
_LIFETIME = 8 * 3600  # seconds a login lasts
_SHORTEST = 16  # characters of a token


class Access:
    """Checks tokens and cookies; keeps nothing, so that any process knows another's cookies.

    Args:
        token: the secret, at least 16 characters.

    Raises:
        ValueError: it is too short to be a secret.
    """

    def __init__(self, token: str) -> None:
        if len(token) < _SHORTEST:
            raise ValueError(
                f"dashboard_token must have at least {_SHORTEST} characters; make one with "
                "python -c 'import secrets; print(secrets.token_urlsafe())'"
            )
        self._token = token.encode()

    def is_token(self, text: str) -> bool:
        """Compare in constant time."""
        return hmac.compare_digest(text.encode("utf-8", "surrogateescape"), self._token)

    def is_bearer(self, authorization: str) -> bool:
        """Whether an Authorization header carries the token (RFC 6750 section 2.1)."""
        kind, _, text = authorization.partition(" ")
        return kind.lower() == "bearer" and self.is_token(text.strip())

    def new_cookie(self, path: str, secure: bool) -> str:
        """A Set-Cookie header that stands for a login."""
        value = self._sealed(f"{int(time()) + _LIFETIME}.{secrets.token_urlsafe(12)}")
        return f"{COOKIE}={value}; Max-Age={_LIFETIME}; Path={path}; HttpOnly; SameSite=Strict{'; Secure' * secure}"

    def is_cookie(self, value: str) -> bool:
        """Whether a cookie is ours and has not expired."""
        said, _, _ = value.rpartition(".")
        expiry = said.partition(".")[0]
        return (
            expiry.isascii()
            and expiry.isdigit()
            and hmac.compare_digest(self._sealed(said).encode(), value.encode("utf-8", "surrogateescape"))
            and int(expiry) > time()
        )

    def page_token(self, cookie: str) -> str:
        """What the page sends with its buttons; of no use with another cookie."""
        return self._sign(f"page|{cookie}")

    def is_page_token(self, text: str, cookie: str) -> bool:
        """Compare in constant time."""
        return hmac.compare_digest(self.page_token(cookie).encode(), text.encode("utf-8", "surrogateescape"))

    def _sealed(self, text: str) -> str:
        return f"{text}.{self._sign(f'login|{text}')}"

    def _sign(self, text: str) -> str:
        return hmac.new(self._token, text.encode("utf-8", "surrogateescape"), sha256).hexdigest()

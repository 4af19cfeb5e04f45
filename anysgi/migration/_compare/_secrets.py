"""What stays out of a recording: the values of secret headers, and of secret keys in queries, forms and JSON.

A name is secret if one of the words is in it, whatever the case and however its parts are joined: `token` is in
`csrf-token`, `accessToken` and `id_token`.  A recording lives longer than a request, and more people read it: too much
left out is a nuisance, too little is a leak.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote_plus

from ...middleware._capture import REDACTED
from ...middleware._names import several

if TYPE_CHECKING:
    from collections.abc import Collection

    from ._exchanges import Headers

WORDS = frozenset(
    [
        *("password", "passwd", "passphrase", "pwd", "secret", "token", "jwt", "credential", "authorization", "cvv"),
        *("api_key", "access_key", "private_key", "session_id"),
    ]
)
"""What makes a name a secret one."""
_REMEMBERED, _LONGEST = 4096, 64  # names; clients make them up, and must not fill the memory
_JOINTS = str.maketrans("", "", "_-. ")
_IN_URL = re.compile(r"""([?&#])([^=&?#\s"<>]+)=([^&#\s"<>]*)""")


class Secrets:
    """Leaves out the values of secret names.

    Args:
        words: a name is secret if one of them is in it.
    """

    __slots__ = ("_known", "_words")

    def __init__(self, words: Collection[str]) -> None:
        self._words = tuple(map(_plain, several(words)))
        self._known: dict[str, bool] = {}  # the keys of a JSON list are the same again and again

    def is_secret(self, name: str) -> bool:
        """Whether the value of that name stays out."""
        known = self._known.get(name)
        if known is None:
            known = self._is_named_in(name)
            if len(self._known) < _REMEMBERED and len(name) <= _LONGEST:
                self._known[name] = known
        return known

    def _is_named_in(self, text: str) -> bool:
        plain = _plain(text)
        return any(word in plain for word in self._words)

    def headers(self, headers: Headers) -> Headers:
        """Leave out secret headers, and what URLs in the others say, such as those in Referer and Location."""
        return tuple(
            (name, REDACTED if self.is_secret(name) else _IN_URL.sub(self._in_url, value)) for name, value in headers
        )

    def query(self, query: str) -> str:
        """A query or a form without its secrets; every other byte stays as it was."""
        return "&".join(map(self._pair, query.split("&")))

    def body(self, body: bytes, headers: Headers) -> bytes:
        """A body without its secrets, where it is a form or JSON; others are kept as they are."""
        content_type = next((value for name, value in headers if name == "content-type"), "")
        kind = content_type.partition(";")[0].strip().lower()
        if kind == "application/x-www-form-urlencoded":
            return self.query(body.decode("latin-1")).encode("latin-1")
        if kind == "multipart/form-data":
            return self._multipart(body, content_type)
        if kind.endswith(("/json", "+json")) or body.lstrip()[:1] in (b"{", b"["):
            return self._json(body)
        return body

    def _pair(self, pair: str) -> str:
        name, equals, _ = pair.partition("=")
        return f"{name}={quote(REDACTED)}" if equals and self.is_secret(unquote_plus(name)) else pair

    def _in_url(self, found: re.Match[str]) -> str:
        return found[1] + self._pair(found[0][1:])

    def _multipart(self, body: bytes, content_type: str) -> bytes:
        from werkzeug.http import parse_options_header

        boundary = b"--" + parse_options_header(content_type)[1].get("boundary", "").encode("latin-1", "replace")
        return boundary.join(map(self._part, body.split(boundary))) if boundary != b"--" else body

    def _part(self, part: bytes) -> bytes:
        from werkzeug.http import parse_options_header

        head, blank, _ = part.partition(b"\r\n\r\n")
        for line in head.decode("utf-8", "replace").splitlines():
            field, _, value = line.partition(":")
            names = parse_options_header(value.strip())[1] if field.strip().lower() == "content-disposition" else {}
            if self.is_secret(names.get("name", "")):
                return head + blank + REDACTED.encode() + b"\r\n"
        return part

    def _json(self, body: bytes) -> bytes:
        """JSON without its secrets; what only looks like it, is not valid or too deep, goes if a word is in it."""
        named = self._is_named_in(body.decode("utf-8", "replace"))
        spelt_otherwise = b"\\u" in body or b"\0" in body  # escapes, UTF-16
        if not (named or spelt_otherwise):  # most are done here, without parsing
            return body
        try:
            found = json.loads(body)
            clean = self._redacted(found)
        except (ValueError, RecursionError):
            return REDACTED.encode() if named else body
        return body if clean == found else json.dumps(clean, ensure_ascii=False).encode("utf-8", "surrogatepass")

    def _redacted(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {k: REDACTED if self.is_secret(k) else self._redacted(inner) for k, inner in value.items()}
        return [self._redacted(inner) for inner in value] if isinstance(value, list) else value


def _plain(name: str) -> str:
    return name.lower().translate(_JOINTS)

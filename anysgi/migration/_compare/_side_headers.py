"""A header of each side's own, so that twins whose tokens or sessions differ answer a user whom each of them knows.

The values are credentials: they go out with the requests and are kept nowhere.  Where an answer repeats one, of either
side, it is left out before anything is compared: no report holds it, and to differ in it is no difference.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import quote

from ..._core._headers import check_name
from ...exceptions import AppValueError
from ...middleware._capture import REDACTED
from ._targets import OF_THE_CONNECTION

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ._exchanges import Answered, Asked, Headers
    from ._targets import Target

    Hide = Callable[[Answered], Answered]
    Put = Callable[[Asked, Headers], Asked]

_SHORTEST = 8  # characters of a word that is a credential; an answer has shorter ones for reasons of its own
_VALUE = re.compile(r"[\t -~\x80-\xff]*")
_BETWEEN_WORDS = re.compile(r'[\s;,"]+')


def parse_header(text: str) -> tuple[str, str]:
    """Read `Name: value`.

    Returns:
        The name in lower case, and the value.

    Raises:
        ValueError: it is no header that can be sent; the message does not repeat it, as it may be a credential.
    """
    name, colon, value = text.partition(":")
    name, value = name.lower(), value.strip(" \t")
    if not colon:
        raise ValueError("there is no colon between a name and a value")
    if not _is_name(name):
        raise ValueError("what stands before the colon is not a header name")
    if name in OF_THE_CONNECTION:
        raise ValueError(f"{name} belongs to the connection, which has its own")
    if not value:
        raise ValueError("there is no value after the colon")
    if not _VALUE.fullmatch(value):
        raise ValueError("the value has a line break, a control character, or a character outside latin-1")
    return name, value


def _is_name(name: str) -> bool:
    try:
        check_name(name.encode("latin-1", "replace"))
    except AppValueError:
        return False
    return True


def given(request: Asked, headers: Headers) -> Asked:
    """Put headers in place of those of the same names."""
    names = {name for name, _ in headers}
    return replace(request, headers=tuple(field for field in request.headers if field[0] not in names) + headers)


def renewed(request: Asked, headers: Headers) -> Asked:
    """Put headers in place of those of the same names, where there are any: who was a guest stays one."""
    names = {name for name, _ in request.headers}
    return given(request, tuple(field for field in headers if field[0] in names))


def hiding(headers: Sequence[tuple[str, str]]) -> Hide:
    """Make what leaves the values of headers out of an answer, where it repeats them.

    Args:
        headers: (name, value) pairs that were given to any side.
    """
    repeated = _any_of({value for _, value in headers})

    def without(text: str) -> str:
        return repeated.sub(REDACTED, text)

    def hide(answer: Answered) -> Answered:
        return replace(
            answer,
            headers=tuple((name, without(value)) for name, value in answer.headers),
            body=without(answer.body.decode("latin-1")).encode("latin-1"),
            error=without(answer.error),
        )

    return hide


class WithHeaders:
    """A target that is asked with some headers replaced, and in whose answers no credential is.

    Args:
        target: whom to ask; closed by whoever opened it.
        headers: (name, value) pairs, as `parse_header` returns them, in place of those of the same names.
        hide: takes the credentials of every side out of its answers.
        put: how the headers come into a request, `given` or `renewed`.
    """

    __slots__ = ("_headers", "_hide", "_put", "_target")

    def __init__(self, target: Target, headers: Headers, hide: Hide, put: Put = given) -> None:
        self._target = target
        self._headers = headers
        self._hide = hide
        self._put = put

    def ask(self, request: Asked) -> Answered:
        """See `Target`."""
        return self._hide(self._target.ask(self._put(request, self._headers)))

    def close(self) -> None:
        """See `Target`."""
        self._target.close()


def _any_of(values: set[str]) -> re.Pattern[str]:
    """What finds the values, and the words and cookies in them, as they are and in URLs; the longest first."""
    words = {word for value in values for word in _BETWEEN_WORDS.split(value)}
    cookies = {word.partition("=")[2] for word in words}
    secrets = {secret for secret in values | words | cookies if len(secret) >= _SHORTEST}
    spelt = secrets | {quote(secret, safe="", encoding="latin-1") for secret in secrets}
    return re.compile("|".join(map(re.escape, sorted(spelt, key=len, reverse=True))) or r"(?!)")

"""The rules about the values in messages of HTTP's extensions."""

from __future__ import annotations

import os.path
from typing import TYPE_CHECKING, Any

from ._rule import ASGI
from ._values import is_one_shot, not_a, shown

if TYPE_CHECKING:
    from ._asgi_look import Look

    Message = dict[str, Any]

_EXT = "ASGI Extensions"
PUSH, ZEROCOPY, PATHSEND = "http.response.push", "http.response.zerocopysend", "http.response.pathsend"
HINT, TRAILERS, DEBUG = "http.response.early_hint", "http.response.trailers", "http.response.debug"


@ASGI.check(
    "A121",
    "must",
    "app",
    on=[PUSH],
    spec=f"{_EXT}, HTTP/2 Server Push",
    write='{"type": "http.response.push", "path": "/style.css", "headers": []}',
)
def push_has_a_path(message: Message, look: Look) -> str | None:
    """a push has a `path`, a `str`, and comes after the start and before the final body"""
    return not_a(str, message.get("path"), "path", "a str")


@ASGI.check("A123", "must", "app", on=[ZEROCOPY], spec=f"{_EXT}, Zero Copy Send", write='"file": open(path, "rb")')
def zerocopy_has_a_file(message: Message, look: Look) -> str | None:
    """`file` has an OS file descriptor; `offset` and `count`, if given, are `int`"""
    try:
        usable = isinstance(message["file"].fileno(), int)
    except (KeyError, AttributeError, OSError, ValueError):
        usable = False
    if not usable:
        return f"file is {shown(message.get('file'))}, without a file descriptor"
    strange = [key for key in ("offset", "count") if not isinstance(message.get(key), (int, type(None)))]
    return f"{strange[0]} is {shown(message[strange[0]])}" if strange else None


@ASGI.check(
    "A126",
    "must",
    "app",
    on=[PATHSEND],
    spec=f"{_EXT}, Path Send",
    write='{"type": "http.response.pathsend", "path": str(path.absolute())}',
)
def path_is_absolute(message: Message, look: Look) -> str | None:
    """`path` is an absolute `str`, sent once, after the start, and never beside `http.response.body`"""
    path = message.get("path")
    return None if isinstance(path, str) and os.path.isabs(path) else f"path is {shown(path)}"


@ASGI.check(
    "A128", "must", "app", on=[HINT], spec=f"{_EXT}, Early Hints", write='"links": [b"</style.css>; rel=preload"]'
)
def links_are_bytes(message: Message, look: Look) -> str | None:
    """`links` is an iterable of bytes"""
    links = message.get("links")
    if isinstance(links, (str, bytes, dict)) or not hasattr(links, "__iter__"):
        return f"links is {shown(links)}"
    good = is_one_shot(links) or all(isinstance(link, bytes) for link in links or ())
    return None if good else f"links is {shown(links)}"


@ASGI.check(
    "A130",
    "must",
    "app",
    on=[TRAILERS],
    spec=f"{_EXT}, HTTP Trailers",
    write='{"type": "http.response.trailers", "headers": [...]}',
)
def more_trailers_is_bool(message: Message, look: Look) -> str | None:
    """trailers come where the start announced them, after the last body; `more_trailers` is a `bool`, the last False"""
    return not_a(bool, message.get("more_trailers", False), "more_trailers", "a bool")


@ASGI.check(
    "A131",
    "lint",
    "app",
    on=["http.response.start"],
    spec=f"{_EXT}, HTTP Trailers",
    write='(b"trailer", b"server-timing")',
)
def trailers_are_announced(message: Message, look: Look) -> str | None:
    """a response with trailers has a `trailer` header that names them"""
    blind = message.get("trailers") is True and b"trailer" not in look.fields.names
    return "trailers is True, and there is no trailer header" if blind else None


@ASGI.check(
    "A132", "must", "app", on=[DEBUG], spec=f"{_EXT}, Debug", write='{"type": "http.response.debug", "info": {}}'
)
def info_is_a_dict(message: Message, look: Look) -> str | None:
    """`info` of the debug message is a dict with `str` keys; the message comes once, before the start"""
    info = message.get("info")
    return None if isinstance(info, dict) and all(isinstance(key, str) for key in info) else f"info is {shown(info)}"

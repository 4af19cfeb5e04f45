"""Two apps of the smallest kind, which never agree."""

from typing import Any


def one(environ: Any, start_response: Any) -> list[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"one " * 500 + environ["PATH_INFO"].encode()]


def other(environ: Any, start_response: Any) -> list[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"other " * 500 + environ["PATH_INFO"].encode()]

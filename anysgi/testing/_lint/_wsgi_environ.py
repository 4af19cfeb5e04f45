"""The rules about the environ a server hands over: CGI variables first, then the `wsgi.` ones.

A judge takes the environ and those of its variables that look like CGI's: no dot in the name.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any

from ._rule import WSGI, Milder
from ._values import is_joined_cookie, is_wide, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ...types import Environ

ENVIRON = ["environ"]
_VARIABLES, _UNICODE = "PEP 3333, environ Variables", "PEP 3333, Unicode Issues"
_STREAMS = "PEP 3333, Input and Error Streams"


class Variables:
    """The variables of an environ that look like CGI's, sorted into the usual and the odd.

    Attributes:
        texts: those whose values are `str`.
        others: those whose values are not.
        odd: names with a `-`, or not in uppercase.
    """

    __slots__ = ("odd", "others", "texts")

    def __init__(self, environ: Environ) -> None:
        cgi = [item for item in environ.items() if isinstance(item[0], str) and "." not in item[0]]
        names = "".join([name for name, _ in cgi])
        self.texts = [item for item in cgi if isinstance(item[1], str)]
        self.others = [] if len(self.texts) == len(cgi) else [item for item in cgi if not isinstance(item[1], str)]
        usual = names.isupper() and "-" not in names
        self.odd = [] if usual else [item for item in cgi if not item[0].isupper() or "-" in item[0]]


def _first(variables: Iterable[tuple[str, Any]], is_odd: Callable[[str, Any], bool]) -> str | None:
    """The first odd one of these that was not copied from this process's environment, as wsgiref does."""
    for key, value in variables:  # most often there are none, and a generator costs more than that
        if is_odd(key, value) and os.environ.get(key, key) != value:
            return key
    return None


@WSGI.check("W003", "must", "server", on=ENVIRON, spec=_VARIABLES, write='environ["REQUEST_METHOD"] = "GET"')
def method_is_there(environ: Environ, variables: Variables) -> str | None:
    """`REQUEST_METHOD` is a non-empty `str`"""
    method = environ.get("REQUEST_METHOD")
    return None if isinstance(method, str) and method else f"REQUEST_METHOD is {shown(method)}"


@WSGI.check("W004", "must", "server", on=ENVIRON, spec=_VARIABLES, write='environ["SCRIPT_NAME"] = "/shop"')
def script_name_is_a_prefix(environ: Environ, variables: Variables) -> str | None:
    """`SCRIPT_NAME` is empty, or begins with `/` and does not end with one"""
    name = environ.get("SCRIPT_NAME", "")
    if name == "" or not isinstance(name, str):
        return None if name == "" else f"SCRIPT_NAME is {shown(name)}"
    if name == "/" or not name.startswith("/"):
        return f"SCRIPT_NAME is {name!r}"
    return Milder("lint", f"SCRIPT_NAME is {name!r}") if name.endswith("/") else None


@WSGI.check("W005", "must", "server", on=ENVIRON, spec=_VARIABLES, write='environ["PATH_INFO"] = "/cart"')
def path_info_begins_with_a_slash(environ: Environ, variables: Variables) -> str | None:
    """`PATH_INFO` is empty or begins with `/`, but for `OPTIONS *`"""
    path = environ.get("PATH_INFO", "")
    good = isinstance(path, str) and (path == "" or path.startswith("/"))
    return (
        None if good or (path == "*" and environ.get("REQUEST_METHOD") == "OPTIONS") else f"PATH_INFO is {shown(path)}"
    )


@WSGI.check("W006", "must", "server", on=ENVIRON, spec=_VARIABLES, write='environ["PATH_INFO"] = "/"')
def some_path_is_there(environ: Environ, variables: Variables) -> str | None:
    """`SCRIPT_NAME` and `PATH_INFO` are not both empty"""
    return None if environ.get("SCRIPT_NAME") or environ.get("PATH_INFO") else "SCRIPT_NAME and PATH_INFO are empty"


@WSGI.check("W007", "must", "server", on=ENVIRON, spec=_VARIABLES, write='environ["QUERY_STRING"] = "a=1"')
def query_string_is_text(environ: Environ, variables: Variables) -> str | None:
    """`QUERY_STRING`, if given, is a `str`"""
    query = environ.get("QUERY_STRING", "")
    return None if isinstance(query, str) else f"QUERY_STRING is {shown(query)}"


_CONTENT = (("CONTENT_TYPE", "HTTP_CONTENT_TYPE"), ("CONTENT_LENGTH", "HTTP_CONTENT_LENGTH"))


@WSGI.check("W008", "must", "server", on=ENVIRON, spec=_VARIABLES, write='environ["CONTENT_LENGTH"] = "5"')
def content_variables_have_no_prefix(environ: Environ, variables: Variables) -> str | None:
    """`CONTENT_TYPE` and `CONTENT_LENGTH` are `str` or absent, and never there as `HTTP_CONTENT_…`"""
    for name, prefixed in _CONTENT:
        if not isinstance(environ.get(name, ""), str):
            return f"{name} is {shown(environ[name])}"
        if prefixed in environ and name not in environ:
            return f"there is {prefixed}, and no {name}"
    return None


@WSGI.check("W009", "must", "server", on=ENVIRON, spec=_VARIABLES, write='environ["CONTENT_LENGTH"] = "5"')
def content_length_is_digits(environ: Environ, variables: Variables) -> str | None:
    """`CONTENT_LENGTH`, if not empty, is made of digits"""
    length = environ.get("CONTENT_LENGTH", "")
    good = not isinstance(length, str) or length == "" or (length.isascii() and length.isdigit())
    return None if good else f"CONTENT_LENGTH is {length!r}"


@WSGI.check("W010", "must", "server", on=ENVIRON, spec=_VARIABLES, write='environ["SERVER_PORT"] = "8000"')
def server_has_name_and_port(environ: Environ, variables: Variables) -> str | None:
    """`SERVER_NAME` and `SERVER_PORT` are non-empty `str`, the port a number"""
    for name in ("SERVER_NAME", "SERVER_PORT"):
        value = environ.get(name)
        if not isinstance(value, str) or not value or (name == "SERVER_PORT" and value == "None"):
            return f"{name} is {shown(value)}"
    return None


@WSGI.check("W011", "must", "server", on=ENVIRON, spec=_VARIABLES, write='environ["SERVER_PROTOCOL"] = "HTTP/1.1"')
def protocol_is_there(environ: Environ, variables: Variables) -> str | None:
    """`SERVER_PROTOCOL` is of the form `HTTP/1.1`"""
    protocol = environ.get("SERVER_PROTOCOL")
    usual = protocol in ("HTTP/1.1", "HTTP/1.0", "HTTP/2")
    good = usual or (isinstance(protocol, str) and re.fullmatch(r"HTTP/\d(\.\d)?", protocol))
    return None if good else f"SERVER_PROTOCOL is {shown(protocol)}"


@WSGI.check("W012", "must", "server", on=ENVIRON, spec=_UNICODE, write='environ[key] = raw.decode("latin-1")')
def text_is_native(environ: Environ, variables: Variables) -> str | None:
    """CGI variables are `str` in which each character stands for one byte: none above U+00FF"""
    if "".join([value for _, value in variables.texts]).isascii():
        return None
    wide = _first(variables.texts, lambda _, value: is_wide(value))
    return None if wide is None else f"{wide} is {shown(environ[wide])}"


@WSGI.check("W013", "must", "server", on=ENVIRON, spec=_VARIABLES, write='environ["HTTP_X_NAME"] = "value"')
def header_variables_are_uppercase(environ: Environ, variables: Variables) -> str | None:
    """`HTTP_` variables are uppercase with `_` for `-`; repeated headers are joined, cookies with "; \""""
    odd = _first(variables.odd, lambda key, _: key.startswith("HTTP"))
    if odd is not None:
        return f"there is a variable {odd!r}"
    cookie = environ.get("HTTP_COOKIE", "")
    joined = isinstance(cookie, str) and is_joined_cookie(cookie)
    return Milder("lint", f"HTTP_COOKIE is {shown(cookie)}, joined with commas") if joined else None


@WSGI.check("W015", "must", "server", on=ENVIRON, spec=_VARIABLES, write='environ["wsgi.version"] = (1, 0)')
def version_is_one(environ: Environ, variables: Variables) -> str | None:
    """`wsgi.version` is `(1, 0)`"""
    version = environ.get("wsgi.version")
    return None if version == (1, 0) and isinstance(version, tuple) else f"wsgi.version is {shown(version)}"


@WSGI.check("W016", "must", "server", on=ENVIRON, spec=_VARIABLES, write='environ["wsgi.url_scheme"] = "http"')
def scheme_is_http(environ: Environ, variables: Variables) -> str | None:
    """`wsgi.url_scheme` is "http" or "https\""""
    scheme = environ.get("wsgi.url_scheme")
    return None if scheme in ("http", "https") else f"wsgi.url_scheme is {shown(scheme)}"


@WSGI.check("W017", "must", "server", on=ENVIRON, spec=_STREAMS, write='environ["wsgi.input"] = io.BytesIO(body)')
def input_is_a_stream(environ: Environ, variables: Variables) -> str | None:
    """`wsgi.input` has `read`, `readline`, `readlines` and `__iter__`"""
    return _lacks(environ, "wsgi.input", ("read", "readline", "readlines", "__iter__"))


@WSGI.check("W018", "must", "server", on=ENVIRON, spec=_STREAMS, write='environ["wsgi.errors"] = sys.stderr')
def errors_is_a_text_stream(environ: Environ, variables: Variables) -> str | None:
    """`wsgi.errors` has `flush`, `write` and `writelines`, and takes text"""
    lack = _lacks(environ, "wsgi.errors", ("flush", "write", "writelines"))
    binary = "b" in str(getattr(environ.get("wsgi.errors"), "mode", ""))
    return "wsgi.errors is a binary stream" if lack is None and binary else lack


def _lacks(environ: Environ, name: str, methods: tuple[str, ...]) -> str | None:
    stream = environ.get(name)
    missing = [method for method in methods if not hasattr(stream, method)]
    return f"{name} ({shown(stream)}) has no {missing[0]}" if missing else None


@WSGI.check("W019", "must", "server", on=ENVIRON, spec=_VARIABLES, write='environ["wsgi.multithread"] = True')
def concurrency_is_told(environ: Environ, variables: Variables) -> str | None:
    """`wsgi.multithread`, `wsgi.multiprocess` and `wsgi.run_once` are there, and true to their word"""
    names = ("wsgi.multithread", "wsgi.multiprocess", "wsgi.run_once")
    missing = next((name for name in names if name not in environ), None)
    return None if missing is None else f"there is no {missing}"


@WSGI.check("W020", "must", "server", on=ENVIRON, spec=_VARIABLES, write="leave the variable out")
def absent_is_not_none(environ: Environ, variables: Variables) -> str | None:
    """a CGI variable that does not apply is absent, not None"""
    none = _first(variables.others, lambda _, value: value is None)
    return None if none is None else f"{none} is None"


_JUDGED = frozenset(  # these have rules of their own
    ["REQUEST_METHOD", "SCRIPT_NAME", "PATH_INFO", "QUERY_STRING", "CONTENT_TYPE", "CONTENT_LENGTH"]
) | {"SERVER_NAME", "SERVER_PORT", "SERVER_PROTOCOL"}


@WSGI.check("W021", "lint", "server", on=ENVIRON, spec=_VARIABLES, write='environ["shop.database"] = database')
def objects_have_dotted_names(environ: Environ, variables: Variables) -> str | None:
    """what is no `str` has a name with a dot"""
    odd = _first(variables.others, lambda key, value: value is not None and key not in _JUDGED)
    return None if odd is None else f"{odd} is {shown(environ[odd])}"


@WSGI.check("W022", "lint", "server", on=ENVIRON, spec=_VARIABLES, write='environ["shop.user"] = "ann"')
def own_variables_are_namespaced(environ: Environ, variables: Variables) -> str | None:
    """a server's own variables have lowercase names with a dot: `shop.user`"""
    lower = _first(variables.odd, lambda key, value: key != key.upper() and isinstance(value, str))
    return None if lower is None or lower.startswith("HTTP") else f"there is a variable {lower!r}"


@WSGI.check(
    "W023", "must", "server", on=ENVIRON, spec="PEP 3333, Optional Platform-Specific File Handling",
    write='environ["wsgi.file_wrapper"] = wsgiref.util.FileWrapper',
)  # fmt: skip
def file_wrapper_is_callable(environ: Environ, variables: Variables) -> str | None:
    """`wsgi.file_wrapper`, if given, is callable with a file and a block size"""
    wrapper = environ.get("wsgi.file_wrapper", open)
    return None if callable(wrapper) else f"wsgi.file_wrapper is {shown(wrapper)}"


@WSGI.check(
    "W033",
    "lint",
    "server",
    on=ENVIRON,
    spec="wsgi.input_terminated, as gunicorn and mod_wsgi define it",
    write='environ["wsgi.input_terminated"] = True',
)
def input_terminated_is_bool(environ: Environ, variables: Variables) -> str | None:
    """`wsgi.input_terminated`, if given, is a `bool`, and true only if `wsgi.input` has an end of its own"""
    said = environ.get("wsgi.input_terminated", True)
    return None if isinstance(said, bool) else f"wsgi.input_terminated is {shown(said)}"

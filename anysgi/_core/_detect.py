"""Which convention does an object speak?  Answered from its class, its signature and what it wraps; it is never called.

`guess_convention` takes the first clear answer: a framework's class, then parameter names, `async def`, and the number
of parameters.  A wrapper that takes `*args` says nothing, so what it wraps is asked next.  What stays unclear is
refused (`_strangers`).  Frameworks are told by the names of their classes: nothing here imports one.
"""

from __future__ import annotations

import contextlib
import functools
from types import FunctionType, MethodType, ModuleType
from typing import TYPE_CHECKING

from ..exceptions import ConventionError
from ._signature import Parameters, is_async, is_function, read_parameters
from ._strangers import class_names, explain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..types import Convention

_FRAMEWORKS: dict[str, tuple[str, Convention]] = {
    "bottle.Bottle": ("Bottle", "wsgi"),
    "channels.routing.ProtocolTypeRouter": ("Channels", "asgi"),
    "django.core.handlers.asgi.ASGIHandler": ("Django", "asgi"),
    "django.core.handlers.wsgi.WSGIHandler": ("Django", "wsgi"),
    "falcon.app.App": ("Falcon", "wsgi"),
    "falcon.asgi.app.App": ("Falcon", "asgi"),
    "fastapi.applications.FastAPI": ("FastAPI", "asgi"),
    "flask.app.Flask": ("Flask", "wsgi"),
    "litestar.app.Litestar": ("Litestar", "asgi"),
    "pyramid.router.Router": ("Pyramid", "wsgi"),
    "quart.app.Quart": ("Quart", "asgi"),
    "sanic.app.Sanic": ("Sanic", "asgi"),
    "starlette.applications.Starlette": ("Starlette", "asgi"),
    "webob.dec.wsgify": ("WebOb", "wsgi"),
}
_WSGI_DECORATORS = {"werkzeug.wrappers.request"}  # `@Request.application` makes a WSGI app that takes *args
_LOOK_THROUGH = (
    "__wrapped__",
    "app",
    "wsgi_app",
    "asgi_app",
    "application",
    "_app",
    "wsgi",
    "wsgi_application",
    "server",
)
"""What middleware calls the app in it: an attribute, or in a function a variable of the function around it.  Dash says
`server`."""
_DEEPEST = 16  # wrappers; ends the walk on objects that answer to every attribute, such as mocks


def guess_convention(app: object) -> Convention:
    """Tell which convention an app speaks, without calling it.

    Args:
        app: any object; usually a framework's app, a function, or middleware around one.

    Returns:
        `"wsgi"` or `"asgi"`; ASGI 2 double callables count as `"asgi"`.

    Raises:
        ConventionError: the object is no app, or nothing about it tells; the message says what to write instead.
    """
    for layer in layers_of(app):
        convention = _convention_of(layer)
        if convention is not None:
            return convention
        if not _says_nothing(layer):
            break
    raise ConventionError(explain(app))


def framework_of(app: object) -> str | None:
    """Name the framework an app is made with, looking through middleware and bound methods around it.

    Args:
        app: any object.

    Returns:
        `"Flask"`, `"Django"`, `"FastAPI"`…, or None when nothing known is found.
    """
    found = find_framework(app)
    return found[0] if found else None


def find_framework(app: object) -> tuple[str, object] | None:
    """Find the framework's own app inside an app.

    Args:
        app: any object.

    Returns:
        The framework's name and its app object, or None when nothing known is found.
    """
    for layer in layers_of(app):
        known = _known(layer)
        if known is not None:
            return known[0], layer
    return None


def is_asgi2(app: object) -> bool:
    """Tell whether an app is an ASGI 2 double callable: `app(scope)` gives what is awaited with `(receive, send)`.

    Args:
        app: any object.

    Returns:
        False for ASGI 3 apps, WSGI apps, and whatever is no app at all.
    """
    if not callable(app) or _known(app) is not None:
        return False
    # asgiref.compatibility takes every class and plain function for a double callable; we believe its marks only.
    return getattr(app, "_asgi_double_callable", None) is True or _takes_a_scope(app)


def looks_like_factory(value: object) -> bool:
    """Tell whether calling it without arguments may give an app: a function, or a class, that requires none.

    Args:
        value: any object.

    Returns:
        False for apps themselves, even when they can be called without arguments.
    """
    parameters = read_parameters(value) if is_function(value) or isinstance(value, type) else None
    return parameters is not None and parameters.required == 0 and not parameters.variadic


def takes(value: object, count: int) -> bool:
    """Tell whether it can be called with so many arguments, as far as its signature says.

    Args:
        value: something callable.
        count: arguments by position.

    Returns:
        True as well where the signature is hidden.
    """
    parameters = read_parameters(value)
    return parameters is None or parameters.variadic or parameters.required <= count <= len(parameters.names)


def layers_of(app: object) -> Iterator[object]:
    """Yield the object, then what it wraps, layer by layer."""
    layer: object | None = app
    for _ in range(_DEEPEST):
        if layer is None:
            return
        yield layer
        layer = _inside(layer)


def _inside(layer: object) -> object | None:
    if isinstance(layer, functools.partial):
        function: object = layer.func
        return function
    if isinstance(layer, MethodType):
        return layer.__self__
    if isinstance(layer, (type, ModuleType)):
        return None
    closed_over = dict(_closed_over(layer)) if isinstance(layer, FunctionType) else {}
    candidates = (getattr(layer, name, None) or closed_over.get(name) for name in _LOOK_THROUGH)
    return next((inner for inner in candidates if callable(inner)), None)


def _closed_over(function: FunctionType) -> Iterator[tuple[str, object]]:
    """The variables of the functions around one, as far as they are set."""
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=False):
        with contextlib.suppress(ValueError):  # not set yet
            yield name, cell.cell_contents


def _known(layer: object) -> tuple[str, Convention] | None:
    # Bottle is one file, which is often copied into a package.
    names = ("bottle.Bottle" if name.endswith(".bottle.Bottle") else name for name in class_names(layer))
    return next((_FRAMEWORKS[name] for name in names if name in _FRAMEWORKS), None)


def _convention_of(layer: object) -> Convention | None:
    """Answer for one layer; None when it does not tell, or tells that it is no app."""
    known = _known(layer)
    if known is not None:
        return known[1]
    if _is_made_by_werkzeug(layer):
        return "wsgi"
    parameters = read_parameters(layer)
    if isinstance(layer, type):
        return _convention_of_class(layer, parameters)
    if parameters is None or parameters.open:
        return "asgi" if is_async(layer) else None
    return _convention_of_call(layer, parameters)


def _says_nothing(layer: object) -> bool:
    """Whether a layer may wrap any kind of app: it takes whatever it is given."""
    parameters = read_parameters(layer)
    return callable(layer) and not isinstance(layer, type) and (parameters is None or parameters.open)


def _is_made_by_werkzeug(layer: object) -> bool:
    return getattr(layer, "__globals__", {}).get("__name__") in _WSGI_DECORATORS


def _convention_of_call(layer: object, parameters: Parameters) -> Convention | None:
    import inspect

    if inspect.isasyncgenfunction(layer):
        return None
    if _asks_for_asgi(parameters) or is_asgi2(layer):
        return "asgi"
    return "wsgi" if _asks_for_wsgi(parameters) and not is_async(layer) else None


def _convention_of_class(cls: type, parameters: Parameters | None) -> Convention | None:
    """Answer for a class whose instances are one exchange each: ASGI 2, Starlette's endpoints, PEP 3333's class."""
    if parameters is None:
        return None
    if is_asgi2(cls) or (_asks_for_asgi(parameters) and hasattr(cls, "__await__")):
        return "asgi"
    return "wsgi" if _asks_for_wsgi(parameters) and hasattr(cls, "__iter__") else None


def _asks_for_asgi(parameters: Parameters) -> bool:
    return parameters.names[:3] == ("scope", "receive", "send") or parameters.required == 3


def _asks_for_wsgi(parameters: Parameters) -> bool:
    first, second = (*parameters.names, "", "")[:2]
    named = first in ("environ", "env") or second == "start_response"
    return second != "" and (named or parameters.required == 2) and (first, second) != ("receive", "send")


def _takes_a_scope(app: object) -> bool:
    """Whether its one argument is a scope: by name, or because the instances of the class take `(receive, send)`."""
    parameters = read_parameters(app)
    if parameters is None or parameters.required != 1:
        return False
    if isinstance(app, type):
        call = read_parameters(app.__call__)
        return call is not None and call.names[-2:] == ("receive", "send")
    return parameters.names[0] == "scope" and not is_async(app)

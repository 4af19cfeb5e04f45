"""The words for an object that is no app: what was given, why it cannot be used, and the line to write instead.

Decides nothing: `_detect.guess_convention` asks here only after it has failed.
"""

from __future__ import annotations

from types import CoroutineType, ModuleType

from ._signature import Parameters, is_async, is_function, read_parameters

# Things that look like apps and are not, with what to do instead.
_STRANGERS = {
    "aiohttp.web_app.Application": "it speaks aiohttp's protocol, not WSGI or ASGI; run it with aiohttp.web.run_app()",
    "flask.blueprints.Blueprint": "it is a part of one; pass the app, after app.register_blueprint(blueprint)",
    "ninja.main.NinjaAPI": "it is a part of a Django project; pass django.core.asgi.get_asgi_application()",
    "tornado.web.Application": "it speaks Tornado's protocol, not WSGI or ASGI; run it with app.listen(port)",
    "tornado.wsgi.WSGIContainer": "it is Tornado's own bridge to a WSGI app; pass the WSGI app that is inside it",
}
_BOTH = "a WSGI app takes (environ, start_response), an ASGI app (scope, receive, send)"


def explain(app: object) -> str:
    """Say what is wrong with an object that is not an app, or not clearly one.

    Args:
        app: what was given where an app belongs.

    Returns:
        One or two sentences, starting with what was given.
    """
    reasons = (_why_strange(app), _why_not_callable(app), _why_class(app), _why_signature(app))
    return f"{describe(app)} {next(filter(None, reasons), _UNDECIDED)}."


def describe(value: object) -> str:
    """Name an object the way its owner knows it: `the function shop.create_app()`, `an instance of shop.Thing`."""
    if value is None or isinstance(value, (str, bytes)):
        return repr(value)
    if isinstance(value, (ModuleType, CoroutineType)):
        return f"the {type(value).__name__} '{value.__name__}'"
    name = getattr(value, "__qualname__", None)
    if isinstance(name, str):
        kind, call = ("class", "") if isinstance(value, type) else ("function", "()")
        return f"the {kind} {_module_of(value)}{name}{call}"
    return f"an instance of {_module_of(type(value))}{type(value).__qualname__}"


def class_names(value: object) -> list[str]:
    """List `module.Class` for each class of an object, most derived first."""
    return [f"{cls.__module__}.{cls.__qualname__}" for cls in type(value).__mro__]


def _module_of(value: object) -> str:
    module = getattr(value, "__module__", None)
    return "" if module in (None, "builtins") else f"{module}."


def _why_strange(app: object) -> str | None:
    known = next((_STRANGERS[name] for name in class_names(app) if name in _STRANGERS), None)
    return known and f"is not an app: {known}"


def _why_not_callable(app: object) -> str | None:
    if app is None:
        return "is not an app: a factory that ends without `return app` gives None"
    if isinstance(app, (str, bytes)):
        return "is not an app, at most the name of one: import it first, or run `anysgi serve MODULE:APP`"
    if isinstance(app, ModuleType):
        return f"is not an app: pass the app inside it, such as {app.__name__}.{_attribute_that_calls(app) or 'app'}"
    if isinstance(app, CoroutineType):
        return "is not an app: an async factory must be awaited, `app = await create_app()`"
    if callable(app):
        return None
    inside = _attribute_that_calls(app)
    return "is not callable, so it is not an app" + (f": pass its attribute `.{inside}` instead" if inside else "")


def _attribute_that_calls(value: object) -> str | None:
    names = ("app", "application", "wsgi_app", "asgi_app")
    return next((name for name in names if callable(getattr(value, name, None))), None)


def _why_class(app: object) -> str | None:
    if not isinstance(app, type):
        return None
    return f"is not an app, its instances may be: make one and pass that, `app = {app.__name__}(...)`"


def _why_signature(app: object) -> str | None:
    import inspect

    if inspect.isasyncgenfunction(app):
        return "is an async generator, not an app: an ASGI app awaits send(message) where this one yields"
    parameters = read_parameters(app)
    if parameters is None or parameters.open:
        return None
    if parameters.names[:2] == ("receive", "send"):
        return "is one exchange of an ASGI 2 app, not the app: pass the class, not an instance of it"
    return _why_count(app, parameters)


def _why_count(app: object, parameters: Parameters) -> str:
    given = f"takes ({', '.join(parameters.names)})"
    if parameters.required == 0 and is_function(app):
        call = f"{'await ' if is_async(app) else ''}{_name(app)}()"
        return f"needs no arguments, so it looks like a factory: call it and pass what it returns, `app = {call}`"
    if is_async(app):
        return f"{given} and is async, which no server can call: {_BOTH}, and only the latter is async"
    return f"{given}, so it is neither: {_BOTH}"


def _name(function: object) -> str:
    return str(getattr(function, "__name__", "create_app"))


_UNDECIDED = (
    "takes any arguments and wraps nothing known, so neither its class nor its signature tells WSGI from ASGI: "
    "say which it is with WsgiToAsgi(app) for a WSGI app or AsgiToWsgi(app) for an ASGI app"
)

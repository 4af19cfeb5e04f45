"""Import the user's app, and say precisely what is wrong when that fails.

The target is `MODULE:APP`; without `:APP` the usual names are tried.  A module that does not exist is told apart from
an import that fails *inside* a module that does.
"""

from __future__ import annotations

import contextlib
import difflib
import importlib
import pkgutil
import sys
from dataclasses import dataclass, replace
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING

import click

from .._core._detect import find_framework, guess_convention, looks_like_factory
from .._core._signature import is_async, read_parameters
from .._core._strangers import class_names, describe
from ..exceptions import ConventionError
from ._errors import AppProblem, BrokenApp, their_frames

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ..types import Convention
    from ._options import Options

_APP_NAMES = ("app", "application", "asgi_app", "wsgi_app", "asgi", "wsgi", "api")
_ROUTER = "anysgi.migration._router.Router"  # by name: importing it costs more than most apps need
_FACTORY_NAMES = ("create_app", "make_app", "app_factory", "create_application", "get_app")


@dataclass(frozen=True, slots=True)
class Loaded:
    """An app, where it was found, and what it speaks.

    Attributes:
        both: it is a `Router`, an app of either convention; `convention` is the one it is looked at in.
    """

    app: object
    module: str
    attribute: str
    convention: Convention
    framework: str | None
    both: bool = False

    def on(self, server: Convention) -> Loaded:
        """The app for a server: of a router, the side that the server speaks to."""
        if not self.both or self.convention == server:
            return self
        return replace(self, app=getattr(self.app, server), convention=server)

    def __str__(self) -> str:
        """Read as `Flask app 'shop' (WSGI)`."""
        name = self.module if self.attribute in _APP_NAMES + _FACTORY_NAMES else f"{self.module}:{self.attribute}"
        kind = f"{self.framework} app" if self.framework else "Router" if self.both else "App"
        return f"{kind} '{name}' ({self.convention.upper()})"


def load(options: Options) -> Loaded:
    """Import the target and find out what it is.

    Args:
        options: `target`, `app_dir`, `factory` and `convention` are used.

    Returns:
        The app as the user wrote it, not adapted.

    Raises:
        click.UsageError: the target is not written as MODULE:APP.
        AppProblem: there is no such module or attribute, or it is no app.
        BrokenApp: the user's module or factory raised.
    """
    module_name, attribute = _split(options.target)
    sys.path[:0] = [folder for folder in options.app_dir if folder not in sys.path]
    module = _import(module_name, options.app_dir)
    attribute = attribute or _search(module, options.factory)
    value = _attribute(module, attribute)
    app = _call(value, attribute, module) if options.factory else value
    convention = options.convention or _convention(app, f"{module_name}:{attribute}", options.factory)
    found = find_framework(app)
    both = options.convention is None and _ROUTER in class_names(app)
    return Loaded(app, module_name, attribute, convention, found[0] if found else None, both)


def _split(target: str) -> tuple[str, str]:
    module, _, attribute = target.partition(":")
    if module.endswith(".py") or "/" in module or "\\" in module:
        dotted = module.removesuffix(".py").replace("\\", "/").strip("./").replace("/", ".")
        raise click.UsageError(f"{target!r} is a path; name the module instead: {dotted}:{attribute or 'app'}")
    if attribute.endswith("()"):
        raise click.UsageError(f"{target!r} is a call; name the factory: --factory {target.removesuffix('()')}")
    if not all(part.isidentifier() for part in [*module.split("."), *filter(None, attribute.split("."))]):
        raise click.UsageError(f"{target!r} is not MODULE:APP, as in shop:app or shop.wsgi:application")
    return module, attribute


def _import(name: str, app_dir: Sequence[str]) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        ours = error.name is not None and f"{name}.".startswith(f"{error.name}.")
        if ours and their_frames(error) is None:
            raise AppProblem(_missing_module(str(error.name), app_dir)) from None
        raise BrokenApp(f"The module '{name}' exists, but an import inside it failed.", error) from None
    except (Exception, SystemExit) as error:
        raise BrokenApp(f"The module '{name}' failed while it was imported.", error) from None


def _missing_module(missing: str, app_dir: Sequence[str]) -> str:
    parent, _, name = missing.rpartition(".")
    if not parent:
        near = _did_you_mean(name, (module.name for module in pkgutil.iter_modules(app_dir)))
        folders = " or ".join(app_dir)
        return f"There is no module '{name}' in {folders} nor on sys.path.{near} Another folder: --app-dir FOLDER."
    package = sys.modules[parent]
    if not hasattr(package, "__path__"):
        return f"'{parent}' is a module, not a package, so there is no '{missing}'. For an app in it: {parent}:{name}."
    near = _did_you_mean(name, (module.name for module in pkgutil.iter_modules(package.__path__)), prefix=f"{parent}.")
    return f"The package '{parent}' has no module '{name}'.{near}"


def _did_you_mean(name: str, known: Iterable[str], prefix: str = "") -> str:
    near = difflib.get_close_matches(name, list(known), n=2)
    return f" Did you mean {' or '.join(repr(prefix + match) for match in near)}?" if near else ""


def _search(module: ModuleType, factory: bool) -> str:
    """Choose the app in a module when the target names none: a usual name, or the only app there is."""
    if factory:
        known = [name for name in _FACTORY_NAMES if callable(getattr(module, name, None))]
    else:
        usual = [name for name in _APP_NAMES if callable(getattr(module, name, None))]
        known = usual[:1] or apps_in(module)
    if len(known) == 1 or (factory and known):
        return known[0]
    what = "factory" if factory else "app"
    problem = f"finds several apps in '{module.__name__}'" if known else f"finds no {what} in '{module.__name__}'"
    raise AppProblem(f"anysgi {problem}; name one.{what_is_there(module)}")


def _attribute(module: ModuleType, path: str) -> object:
    value: object = module
    for name in path.split("."):
        try:
            value = getattr(value, name)
        except AttributeError:
            near = _did_you_mean(name, (known for known in vars(module) if not known.startswith("_")))
            where = f"{module.__name__}:{path}"
            raise AppProblem(
                f"There is no {where}: {describe(value)} has no '{name}'.{near}{what_is_there(module)}"
            ) from None
    return value


def apps_in(module: ModuleType) -> list[str]:
    """Name the apps a module holds: framework apps, and functions of its own that look like an app."""
    return [name for name, value in vars(module).items() if not name.startswith("_") and _is_app(value, module)]


def _is_app(value: object, module: ModuleType) -> bool:
    if isinstance(value, (type, ModuleType)) or (isinstance(value, FunctionType) and not _is_from(module, value)):
        return False
    with contextlib.suppress(Exception):  # proxies such as flask.request raise whatever one asks of them
        return bool(guess_convention(value)) if isinstance(value, FunctionType) else find_framework(value) is not None
    return False


def _is_from(module: ModuleType, function: FunctionType) -> bool:
    return function.__module__ == module.__name__


def what_is_there(module: ModuleType) -> str:
    """Name the apps and factories in a module, as a sentence; empty if there are none."""
    apps = [f"{module.__name__}:{name}" for name in apps_in(module)]
    named = [name for name in vars(module) if name in _FACTORY_NAMES and looks_like_factory(getattr(module, name))]
    found = apps + [f"--factory {module.__name__}:{name}" for name in named]
    return f" Found there: {', '.join(found)}." if found else ""


def _call(factory: object, name: str, module: ModuleType) -> object:
    where = f"{module.__name__}:{name}"
    parameters = read_parameters(factory)
    if not callable(factory) or (parameters is not None and parameters.required > 0):
        needs = f"needs {', '.join(parameters.names[: parameters.required])}" if parameters else "is no function"
        raise AppProblem(
            f"--factory calls a function without arguments to make the app, and {where} ({describe(factory)}) {needs}. "
            "If it is the app itself, leave --factory away."
        )
    if is_async(factory):
        raise AppProblem(f"The factory {where} is async; --factory takes a plain function that returns the app.")
    try:
        return factory()
    except (Exception, SystemExit) as error:
        raise BrokenApp(f"The factory {where} raised {type(error).__name__}.", error) from None


def _convention(app: object, where: str, from_factory: bool) -> Convention:
    try:
        return guess_convention(app)
    except ConventionError as error:
        if from_factory:
            raise AppProblem(f"What the factory {where} returned is not usable: {error}") from None
        if looks_like_factory(app) and not isinstance(app, type):
            raise AppProblem(
                f"{where} is no app: it takes no arguments. If it makes the app, it is a factory; write: "
                f"--factory {where}"
            ) from None
        hint = " Or say which: --convention wsgi|asgi." if "any arguments" in str(error) else ""
        raise AppProblem(f"{where} is not usable: {error}{hint}") from None

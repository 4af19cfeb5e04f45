"""What a name in a function's source stands for, found in the live module without running any of its code.

The app is imported, so `helpers.load` need not be guessed: it is looked up where the function would.  Attributes are
read statically: no property, proxy or `__getattr__` of the user's is ever called.
"""

from __future__ import annotations

import ast
import builtins
import inspect
import sys
from collections import Counter
from dataclasses import dataclass
from types import (
    BuiltinFunctionType,
    ClassMethodDescriptorType,
    FunctionType,
    MethodDescriptorType,
    MethodType,
    ModuleType,
    WrapperDescriptorType,
)
from typing import TYPE_CHECKING, Any, Final, TypeGuard, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._source import FunctionNode

T = TypeVar("T")

_NAMED = (type, FunctionType, BuiltinFunctionType)
_CYTHON = "cython_function_or_method"  # each Cython has a type of that name of its own
_NAMED_IN_C = (MethodDescriptorType, ClassMethodDescriptorType, WrapperDescriptorType)


@dataclass(frozen=True, slots=True)
class Unknown:
    """What is only known at run time."""


UNKNOWN: Final = Unknown()


@dataclass(frozen=True, slots=True)
class Instance:
    """Some object of a known class: `self`, a parameter with a type hint, what a constructor call gave."""

    cls: type


@dataclass(frozen=True, slots=True)
class Bound:
    """A method looked up on an object: on a live one, or on an `Instance`."""

    function: FunctionType
    me: object


class Names:
    """The names a function sees.

    Args:
        function: the function itself.
        node: its syntax tree.
        me: what `self` is, a live object or an `Instance`; `UNKNOWN` for what is no method.
    """

    def __init__(self, function: FunctionType, node: FunctionNode, me: object) -> None:
        self.globals = function.__globals__
        self.local: dict[str, object] = dict(_closure(function))
        self.local.update(self._parameters(function, node, me))
        inside = [item for item in ast.walk(node) if item is not node]
        assigned = Counter(name for item in inside for name in _names_bound(item))
        self.local.update(dict.fromkeys(assigned, UNKNOWN))
        found: dict[str, list[object]] = {}
        for item in inside:
            for name, value in self._bindings(item):
                values = found.setdefault(name, [])
                values.append(value)
                self.local[name] = _agreed(values) if len(values) == assigned[name] else UNKNOWN

    def find(self, node: ast.expr) -> object:
        """Return what an expression stands for, or `UNKNOWN`."""
        if isinstance(node, ast.Name):
            return self._name(node.id)
        if isinstance(node, ast.Attribute):
            return attribute(self.find(node.value), node.attr)
        return self._result(self.find(node.func)) if isinstance(node, ast.Call) else UNKNOWN

    def _name(self, name: str) -> object:
        if name in self.local:
            return self.local[name]
        return self.globals.get(name, vars(builtins).get(name, UNKNOWN))

    def _result(self, called: object) -> object:
        """What a call gives: an object of a class, as far as the class or a return hint says so."""
        if isinstance(called, type):
            return Instance(called)
        function = called.function if isinstance(called, Bound) else called
        return self._hinted(function.__annotations__.get("return")) if isinstance(function, FunctionType) else UNKNOWN

    def _hinted(self, hint: object) -> object:
        if isinstance(hint, str):  # from __future__ import annotations
            hint = self.globals.get(hint)
        return Instance(hint) if isinstance(hint, type) else UNKNOWN

    def _parameters(self, function: FunctionType, node: FunctionNode, me: object) -> Iterator[tuple[str, object]]:
        arguments = node.args
        written = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
        for position, item in enumerate(filter(None, written)):
            hinted = self._hinted(function.__annotations__.get(item.arg))
            yield item.arg, hinted if position or me is UNKNOWN else me

    def _bindings(self, node: ast.AST) -> Iterator[tuple[str, object]]:
        """What one statement binds names to, where that can be told."""
        if isinstance(node, ast.Import):
            for item in node.names:
                name = item.asname or item.name.partition(".")[0]
                yield name, sys.modules.get(item.name if item.asname else name, UNKNOWN)
        elif isinstance(node, ast.ImportFrom):
            module = sys.modules.get(self._absolute(node), UNKNOWN)
            yield from ((item.asname or item.name, attribute(module, item.name)) for item in node.names)
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            yield node.targets[0].id, self._value(node.value)
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            hint = self.find(node.annotation)
            yield node.target.id, Instance(hint) if isinstance(hint, type) else self._value(node.value)
        elif isinstance(node, ast.withitem) and isinstance(node.optional_vars, ast.Name):
            yield node.optional_vars.id, self.find(node.context_expr)

    def _value(self, node: ast.expr | None) -> object:
        """What is assigned; None where nothing is."""
        return None if node is None or (isinstance(node, ast.Constant) and node.value is None) else self.find(node)

    def _absolute(self, node: ast.ImportFrom) -> str:
        package = str(self.globals.get("__package__") or "").split(".")
        base = package[: len(package) - node.level + 1] if node.level else []
        return ".".join(filter(None, [*base, node.module]))


def _names_bound(node: ast.AST) -> Iterator[str]:
    """The names that one piece of syntax gives a value."""
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        yield node.id
    elif isinstance(node, ast.alias):
        yield node.asname or node.name.partition(".")[0]
    elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        yield node.name


def _agreed(values: list[object]) -> object:
    """What all assignments to a name agree about, None aside: it often stands first, and nothing is called on it."""
    first, *others = [value for value in values if value is not None] or [UNKNOWN]
    return first if all(_is_same(first, other) for other in others) else UNKNOWN


def _is_same(one: object, other: object) -> bool:
    """Ask neither of them: only our own `Instance` is compared by what is in it."""
    return one is other or (_is(one, Instance) and _is(other, Instance) and one.cls is other.cls)


def _closure(function: FunctionType) -> Iterator[tuple[str, object]]:
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            yield name, cell.cell_contents
        except ValueError:  # not assigned yet
            yield name, UNKNOWN


def _is(value: object, cls: type[T]) -> TypeGuard[T]:
    """Do what `isinstance` does without asking the value: a lazy object answers for what it would become."""
    return issubclass(type(value), cls)


def attribute(value: object, name: str) -> object:
    """Read an attribute without running code; `UNKNOWN` where that is impossible."""
    if value is UNKNOWN:
        return UNKNOWN
    if _is(value, ModuleType):
        return vars(value).get(name, UNKNOWN)
    owner = value.cls if _is(value, Instance) else value
    try:
        found: object = inspect.getattr_static(owner, name)
    except (AttributeError, TypeError):
        return UNKNOWN
    if _is(found, staticmethod) or _is(found, classmethod):
        return found.__func__
    if _is(found, FunctionType) and (_is(value, Instance) or not _is(value, type)):
        return Bound(found, value)
    return found


def called_function(value: object) -> tuple[FunctionType, object] | None:
    """Return the Python function that calling a value runs, and what `self` is in it; `UNKNOWN` if it has none."""
    if _is(value, Bound):
        return value.function, value.me
    if _is(value, MethodType):
        function = value.__func__
        return (function, value.__self__) if _is(function, FunctionType) else None
    if _is(value, type):
        made = inspect.getattr_static(value, "__init__", None)
        return (made, Instance(value)) if _is(made, FunctionType) else None
    return (value, UNKNOWN) if _is(value, FunctionType) else None


def dotted_name(value: object) -> str:
    """Name a value as its own module does, as in `requests.api.get`; an object of a class by that class."""
    if _is(value, ModuleType):
        return value.__name__
    if _is(value, Bound):
        value = value.function
    elif _is(value, Instance):
        value = value.cls
    named: Any = value
    if issubclass(type(named), _NAMED_IN_C):
        return f"{named.__objclass__.__module__}.{named.__qualname__}"
    names_itself = issubclass(type(named), _NAMED) or type(named).__name__ == _CYTHON
    named = named if names_itself else type(named)
    return f"{named.__module__}.{named.__qualname__}"


def is_error(value: object) -> bool:
    """Whether it is an exception's class: to make one waits for nothing, whatever else its module does."""
    return _is(value, type) and issubclass(value, BaseException)


def short_name(name: str) -> str:
    """The name people know: `_io.open` is `io.open`, `httpx._api.get` is `httpx.get`."""
    first, *middle, last = name.split(".")
    return ".".join([first.lstrip("_"), *(part for part in middle if part[0] != "_"), last.lstrip("_")])

"""What a handler uses: its own source, and that of the functions of the same project it calls, to a bounded depth.

Reading source cannot see everything.  What could not be followed is counted and said (`Handler.unknown`), so that
"no blocking call" is never more than "none was found".
"""

from __future__ import annotations

import ast
import inspect
import sys
from collections import Counter
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Literal

from ._names import UNKNOWN, Bound, Instance, Names, attribute, called_function, dotted_name, is_error, short_name
from ._route import Fact, Handler
from ._source import is_within, node_of, place_of, project_of, unwrap
from ._uses import LOCKS, PROXIES, REQUEST, THREAD_IDS, look_up

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._source import FunctionNode

_DEPTH = 8  # calls between a handler and what it uses
_FUNCTIONS = 300  # read for one handler
_NOT_WORTH_A_WORD = sys.stdlib_module_names | {
    *("bottle", "falcon", "fastapi", "flask", "litestar", "pyramid", "quart", "starlette", "webob", "werkzeug")
}
"""Packages whose functions every handler calls; what makes a thread wait among them is in the tables."""
_METHODS = ("get", "head", "post", "put", "patch", "delete", "options", "dispatch", "dispatch_request", "__call__")


def read_handler(runs: tuple[object, ...]) -> Handler:
    """Read the source of a route's handler and of what runs with it; functions of its own package are followed.

    Args:
        runs: the handler first.

    Returns:
        What is known; an empty `Handler` when there is none.
    """
    if not runs:
        return Handler(unknown=("no handler is registered for it",))
    innermost = _target(unwrap(runs[0])[-1])
    file, line = place_of(innermost)
    reading = _Reading(project_of(getattr(innermost, "__module__", None) or ""))
    for value in runs:
        for function, me in _entries(value):
            reading.facts.update(_wrapping(function, file, line))
            reading.read(function, me, ())
    return Handler(
        name=_name(innermost),
        file=file,
        line=line,
        kind=_kind(runs[0]),
        facts=tuple(sorted(reading.facts, key=lambda fact: (fact.kind, fact.file, fact.line))),
        unknown=tuple(reading.unknown()) if file else ("its source is not Python, or not here",),
    )


def _target(value: object) -> object:
    """The class behind a class-based view's function, or a method's own function."""
    cls = getattr(value, "view_class", None) or getattr(value, "cls", None)
    return cls or getattr(value, "__func__", value)


def _name(value: object) -> str:
    name = getattr(value, "__qualname__", None) or type(value).__qualname__
    return str(name).replace("<locals>.", "")


def _kind(value: object) -> Literal["sync", "async"]:
    functions = [function for function, _me in _entries(value)]
    marked = getattr(value, "_is_coroutine_marker", None) is not None  # Django's async class-based views
    is_async = marked or any(inspect.iscoroutinefunction(f) or inspect.isasyncgenfunction(f) for f in functions)
    return "async" if is_async else "sync"


def _entries(value: object) -> Iterator[tuple[FunctionType, object]]:
    """The functions with which a handler begins: each layer of its decorators, each method of its class."""
    for layer in unwrap(value):
        target = _target(layer)
        if isinstance(target, type):
            methods = (attribute(target, name) for name in _METHODS)
            yield from ((method, Instance(target)) for method in methods if isinstance(method, FunctionType))
            continue
        found = called_function(layer) or called_function(attribute(layer, "__call__"))
        if found is not None:
            yield found


def _wrapping(function: FunctionType, file: str | None, line: int | None) -> Iterator[Fact]:
    """What a layer around a handler shows; `functools.wraps` gave it the handler's name, but not its code's."""
    maker = f"{function.__globals__.get('__name__')}.{function.__code__.co_qualname}".partition(".<locals>")[0]
    kind = look_up(maker, "used")
    if kind and file and line:
        yield Fact(kind, maker, file, line, ())


class _Reading:
    """One handler's facts, gathered function by function."""

    def __init__(self, project: str | None) -> None:
        self.project = project
        self.facts: set[Fact] = set()
        self.read_already: set[FunctionType] = set()
        self.elsewhere: Counter[str] = Counter()
        self.dynamic = 0
        self.cut = False

    def read(self, function: FunctionType, me: object, via: tuple[str, ...]) -> None:
        """Read one function, then those of the project that it calls."""
        if function in self.read_already or not self._is_ours(function):
            return
        if len(via) > _DEPTH or len(self.read_already) >= _FUNCTIONS:
            self.cut = True
            return
        self.read_already.add(function)
        node = node_of(function)
        if node is None:
            self.dynamic += 1
            return
        body = _Body(Names(function, node, me), function.__code__.co_filename, via, set(_awaited(node)))
        for item in _without_annotations(node):
            self.facts.update(body.facts(item))
            if isinstance(item, ast.Call):
                self._follow(body.names.find(item.func), (*via, function.__qualname__))

    def unknown(self) -> Iterator[str]:
        """Say what was not followed."""
        if self.dynamic:
            yield f"{self.dynamic} calls on values that are only known at run time"
        if self.elsewhere:
            names = ", ".join(sorted(self.elsewhere))
            yield f"what happens inside {names}"
        if self.cut:
            yield f"what lies deeper than {_DEPTH} calls or {_FUNCTIONS} functions"

    def _is_ours(self, function: FunctionType) -> bool:
        return self.project is not None and is_within(function.__code__.co_filename, self.project)

    def _follow(self, called: object, via: tuple[str, ...]) -> None:
        if called is UNKNOWN:
            self.dynamic += 1
            return
        found = called_function(called)
        if found is not None and self._is_ours(found[0]):
            self.read(*found, via)
            return
        name = dotted_name(called)
        package = name.partition(".")[0]
        # A class without an `__init__` of its own, or with one that a library made.
        ours = (found is None or issubclass(type(called), type)) and project_of(name) == self.project
        if package not in _NOT_WORTH_A_WORD and not ours and look_up(name, "called") is None:
            self.elsewhere[package] += 1


class _Body:
    """One function's body: tells for each piece of syntax whether it is a fact."""

    def __init__(self, names: Names, file: str, via: tuple[str, ...], awaited: set[int]) -> None:
        self.names = names
        self.file = file
        self.via = via
        self.awaited = awaited

    def facts(self, node: ast.AST) -> Iterator[Fact]:
        """Yield what one node shows."""
        if isinstance(node, ast.Call):
            yield from () if id(node) in self.awaited else self._called(node.func)
        elif isinstance(node, (ast.With, ast.AsyncWith)):
            yield from (fact for item in node.items for fact in self._entered(item.context_expr))
        elif isinstance(node, (ast.Name, ast.Attribute)):
            yield from self._used(node)

    def _fact(self, kind: str, what: str, node: ast.expr) -> Fact:
        return Fact(kind, what, self.file, node.lineno, self.via)

    def _used(self, node: ast.Name | ast.Attribute) -> Iterator[Fact]:
        if isinstance(node, ast.Attribute) and node.attr in REQUEST and _last(node.value) == "request":
            yield self._fact(REQUEST[node.attr], f"request.{node.attr}", node)
        value = self.names.find(node)
        for (module, name), kind in PROXIES.items():
            if value is getattr(sys.modules.get(module), name, UNKNOWN) is not UNKNOWN:
                yield self._fact(kind, f"{module.partition('.')[0]}.{name}", node)
                return
        seen_already = type(value) in (Bound, ModuleType)  # its object; what is taken from it
        kind_of_it = None if seen_already else self._look_up(value, "used")
        if kind_of_it:
            kind_of_it = "context" if _has_a_scope(value) else kind_of_it
            yield self._fact(kind_of_it, short_name(dotted_name(value)), node)

    def _called(self, function: ast.expr) -> Iterator[Fact]:
        """A call is judged by the function, or else by the first known thing on the way to it: `Item.objects.get()`."""
        if isinstance(function, ast.Attribute) and function.attr == "acquire":
            yield from self._entered(function.value)
        value, node = self.names.find(function), function
        while value is UNKNOWN and isinstance(node, ast.Attribute):
            node = node.value
            value = self.names.find(node)
        waits_for = self._look_up(value, "called")
        if waits_for:
            name = dotted_name(value)
            if node is not function or "<locals>" in name:  # a name that nobody wrote
                name = ast.unparse(function)
            yield self._fact("blocking", f"{short_name(name)} ({waits_for})", function)

    def _entered(self, node: ast.expr) -> Iterator[Fact]:
        value = self.names.find(node)
        if value is not UNKNOWN and dotted_name(value).startswith(LOCKS):
            yield self._fact("lock", f"{ast.unparse(node)} ({short_name(dotted_name(value))})", node)

    def _look_up(self, value: object, table: str) -> str | None:
        return None if value is UNKNOWN or is_error(value) else look_up(dotted_name(value), table)


def _has_a_scope(value: object) -> bool:
    """Whether it is a `scoped_session` that is not kept by thread: Flask-SQLAlchemy's is by app context."""
    registry = attribute(value, "registry")
    if registry is UNKNOWN or dotted_name(registry) != "sqlalchemy.util._collections.ScopedRegistry":
        return False
    return dotted_name(getattr(registry, "scopefunc", UNKNOWN)) not in THREAD_IDS


def _awaited(node: ast.AST) -> Iterator[int]:
    """The ids of calls that are awaited or iterated over with `async for`, and of those that led there.

    In `await Item.objects.filter(…).afirst()` all but the last only make up the question.
    """
    for item in ast.walk(node):
        waiting = item.value if isinstance(item, ast.Await) else None
        if isinstance(item, ast.AsyncFor) or (isinstance(item, ast.comprehension) and item.is_async):
            waiting = item.iter
        while waiting is not None:
            if isinstance(waiting, ast.Call):
                yield id(waiting)
            waiting = getattr(waiting, "func", None) or getattr(waiting, "value", None)


def _without_annotations(node: FunctionNode) -> Iterator[ast.AST]:
    """Walk a function's body and defaults; decorators, hints and nested classes do not run with it."""
    todo: list[ast.AST] = [node.body] if isinstance(node, ast.Lambda) else [*node.body]
    while todo:
        item = todo.pop()
        yield item
        if isinstance(item, (ast.FunctionDef, ast.AsyncFunctionDef)):
            todo.extend(item.body)
        elif isinstance(item, ast.AnnAssign):
            todo.extend(filter(None, (item.value,)))
        elif not isinstance(item, ast.ClassDef):
            todo.extend(ast.iter_child_nodes(item))


def _last(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""

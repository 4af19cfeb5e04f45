"""From a function to its place and its syntax tree; files are read and parsed once."""

from __future__ import annotations

import ast
import functools
import inspect
import sys
from pathlib import Path
from types import FunctionType, MethodType

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


def unwrap(value: object) -> list[object]:
    """Return a callable and everything that decorators and partials put around, outermost first."""
    layers = [value]
    while len(layers) < 32:
        inner = _inside(layers[-1])
        if inner is None or any(inner is known for known in layers):
            break
        layers.append(inner)
    return layers


def _inside(layer: object) -> object:
    if isinstance(layer, functools.partial):
        function: object = layer.func
        return function
    if isinstance(layer, MethodType):  # of a decorated function: what is inside belongs to the same object
        inner = getattr(layer.__func__, "__wrapped__", None)
        return MethodType(inner, layer.__self__) if isinstance(inner, FunctionType) else inner
    return inspect.getattr_static(layer, "__wrapped__", None)


def place_of(value: object) -> tuple[str | None, int | None]:
    """Return the file of a function or class, and the line its definition starts on."""
    code = getattr(value, "__code__", None)
    if code is not None:
        node = tree_of(code.co_filename, code.co_firstlineno, code.co_name)
        return code.co_filename, node.lineno if node else code.co_firstlineno
    try:
        cls = value if isinstance(value, type) else type(value)
        file = inspect.getsourcefile(cls)
        return file, inspect.getsourcelines(cls)[1] if file else None
    except (OSError, TypeError):
        return None, None


def node_of(function: FunctionType) -> FunctionNode | None:
    """Return the syntax tree of a function; None when there is no source."""
    code = function.__code__
    return tree_of(code.co_filename, code.co_firstlineno, code.co_name)


def tree_of(file: str, line: int, name: str) -> FunctionNode | None:
    """Return the function that starts on a line, decorators included; of several lambdas the first."""
    return next((node for node in _functions(file).get(line, ()) if getattr(node, "name", "<lambda>") == name), None)


@functools.lru_cache(256)
def _functions(file: str) -> dict[int, list[FunctionNode]]:
    try:
        tree = ast.parse(Path(file).read_bytes())
    except (OSError, SyntaxError, ValueError):
        return {}
    found: dict[int, list[FunctionNode]] = {}
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            decorators = getattr(node, "decorator_list", [])
            found.setdefault(decorators[0].lineno if decorators else node.lineno, []).append(node)
    return found


def project_of(module: str) -> str | None:
    """Return the folder of a module's top-level package, or the file of a top-level module."""
    top = sys.modules.get(module.partition(".")[0])
    file = getattr(top, "__file__", None)
    if file is None:
        return None
    path = Path(file)
    return str(path.parent) if path.stem == "__init__" or not _is_library(path) else str(path)


def is_within(file: str, project: str) -> bool:
    """Whether a file belongs to a project: lies in its folder, but not among installed packages below it."""
    path, root = Path(file), Path(project)
    if path == root:
        return True
    return path.is_relative_to(root) and not _is_library(path.relative_to(root))


def _is_library(path: Path) -> bool:
    return bool({"site-packages", "dist-packages"} & set(path.parts))

"""Read how a callable wants to be called: which parameters, how many, and whether the answer is a coroutine.

Only its own signature counts here, not that of what it wraps: a decorator may well change the convention.
`inspect` is imported on use, so that `import anysgi` does not pay for it.
"""

from __future__ import annotations

import functools
from types import FunctionType, MethodType
from typing import NamedTuple


class Parameters(NamedTuple):
    """What can be passed by position: the names, how many of them are required, and whether `*args` takes more."""

    names: tuple[str, ...]
    required: int
    variadic: bool

    @property
    def open(self) -> bool:
        """Whether nothing can be learnt from it: any number of arguments will do."""
        return self.variadic and self.required < 2


def read_parameters(call: object) -> Parameters | None:
    """Read the positional parameters of a callable; None if it hides them (some are written in C)."""
    import inspect

    if not callable(call):
        return None
    try:
        signature = inspect.signature(call, follow_wrapped=False)
    except (TypeError, ValueError):
        return None
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    positional = [parameter for parameter in signature.parameters.values() if parameter.kind in kinds]
    required = sum(parameter.default is parameter.empty for parameter in positional)
    variadic = any(parameter.kind is parameter.VAR_POSITIONAL for parameter in signature.parameters.values())
    return Parameters(tuple(parameter.name for parameter in positional), required, variadic)


def is_async(call: object) -> bool:
    """Whether calling it gives a coroutine: `async def`, an object with `async def __call__`, or one marked as such."""
    import inspect

    # B004 would rather have `callable()`, but the method itself is asked.
    methods = (call,) if isinstance(call, type) else (call, getattr(type(call), "__call__", None))  # noqa: B004
    return any(inspect.iscoroutinefunction(method) or _marked_async(method) for method in methods)


def is_function(value: object) -> bool:
    """Whether it was written with `def` (and perhaps bound or partially applied), and is no object of a class."""
    return isinstance(value, (FunctionType, MethodType, functools.partial))


def _marked_async(call: object) -> bool:
    """Whether asgiref marked it.  Compared by type: a mock has every attribute, but not these values."""
    mark = getattr(call, "_is_coroutine", None)  # asgiref.sync.markcoroutinefunction, before Python 3.12
    return type(mark) is object or getattr(call, "_asgi_single_callable", None) is True

"""`@middleware`: a function of the request as something that goes around an app; `Layer`: it, with its options."""

from __future__ import annotations

import fnmatch
import functools
import inspect
import re
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import CellType
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, TypeAlias, TypeVar, overload

from ...exceptions import StackError
from ._dual import Call, Dual
from ._request import Request
from ._response import Response

if TYPE_CHECKING:
    from ._stack import Stack

P = ParamSpec("P")
A = TypeVar("A", bound=Callable[..., Any])

Flow: TypeAlias = Generator[Request | Response | Call, Any, Any]
"""What a layer's generator function returns: it yields requests, responses and calls, and returns a response or not.

That is `Any` here, since a checker would else want a `return None` at the end of nearly every layer.
"""

Start: TypeAlias = Callable[[Request], Flow | Response | None]
"""A layer for one request: a generator function, or a plain one that answers or does not."""

Skip: TypeAlias = "Callable[[Request], bool] | str | Iterable[str]"
"""Requests a layer has no part in: a predicate, or path patterns such as `"/health"` and `"/static/*"`."""


_NO_APPS = (int, float, str, bytes, list, tuple, set, frozenset, dict)
_EXTRAS = {"http_sf": "digest", "limits": "ratelimit", "opentelemetry": "tracing", "prometheus_client": "metrics"}


@dataclass(frozen=True, slots=True)
class Layer:
    """One middleware with its options, ready to run.

    Attributes:
        start: makes the generator for one request, or answers it, or has nothing to say.
        is_flow: it is a generator function.
        duals: every `Dual` it may call.
    """

    name: str
    start: Start
    is_flow: bool
    duals: tuple[Dual, ...]
    outside: frozenset[str]
    websocket: bool
    peek: bool
    needs_bytes: bool


class Middleware(Generic[P]):
    """What `@middleware` makes of a function.

    Called with options, it gives a `Stack` of one layer, which is put around apps; called with an app as well, it gives
    that app with the layer around it.
    """

    def __init__(self, function: Callable[..., Any], outside: Iterable[str], **declared: bool) -> None:
        functools.update_wrapper(self, function)
        self.name: str = function.__name__
        self._function = function
        self._takes_request = bool(_by_position(function))
        self._outside = frozenset(outside)
        self._declared = declared
        self._check()

    @overload
    def __call__(self, *args: P.args, **options: P.kwargs) -> Stack: ...
    @overload
    def __call__(self, app: A, *args: P.args, **options: P.kwargs) -> A: ...
    @overload
    def __call__(self, *, skip: Skip, **options: Any) -> Stack: ...
    @overload
    def __call__(self, app: A, *, skip: Skip, **options: Any) -> A: ...
    def __call__(self, app: Any = None, *no_more: Any, skip: Any = None, **options: Any) -> Any:
        from ._stack import Stack

        if no_more:
            raise StackError(f"{self.name} takes its options by name: {self.name}(app, {self._an_option()}=...)")
        if isinstance(app, _NO_APPS):
            write = f"{self.name}({self._an_option()}={app!r})"
            raise StackError(f"{app!r} is no app; {self.name} takes its options by name: {write}")
        stack = Stack(self._layer(skip, options))
        return stack if app is None else stack(app)

    def _layer(self, skip: Skip | None, options: dict[str, Any]) -> Layer:
        for function in filter(inspect.iscoroutinefunction, _spread([skip, *options.values()])):
            raise StackError(  # what it returns unawaited is true, whatever it would have said
                f"{self.name}: {function!r} is async, and nobody can await it here; write `def`, or a Dual for I/O"
            )
        closed_over: list[object] = []
        if self._takes_request:
            inspect.signature(self._function).bind(None, **options)  # a wrong option is an error here, not in a request
            start = functools.partial(self._function, **options) if options else self._function
        else:
            start = self._prepared(options)
            if not inspect.isfunction(start) or inspect.iscoroutinefunction(start) or _by_position(start) != 1:
                raise StackError(f"{self._where()} must return a function of the request, not {start!r}")
            closed_over = _closed_over(start)
        duals = tuple(found for found in _spread([*options.values(), *closed_over]) if isinstance(found, Dual))
        is_flow = inspect.isgeneratorfunction(start)
        return Layer(self.name, _unless(skip, start), is_flow, duals, self._outside, **self._declared)

    def _prepared(self, options: dict[str, Any]) -> Any:
        try:
            return self._function(**options)
        except ModuleNotFoundError as error:
            extra = _EXTRAS.get(str(error.name).partition(".")[0])
            if extra is None:
                raise
            raise ImportError(f"{self.name} needs {error.name}: pip install 'anysgi[{extra}]'") from None

    def _check(self) -> None:
        """Refuse what cannot work: options by position would be taken for the app."""
        if inspect.iscoroutinefunction(self._function) or inspect.isasyncgenfunction(self._function):
            raise StackError(
                f"{self._where()} is async; write `def`: I/O is `value = yield dual.method(...)`, see `Dual`"
            )
        if _by_position(self._function) != 1 and (self._takes_request or inspect.isgeneratorfunction(self._function)):
            raise StackError(
                f"{self._where()} must take the request and keyword-only options: "
                f"def {self.name}(request, *, option=...)"
            )

    def _an_option(self) -> str:
        named = (
            each.name
            for each in inspect.signature(self._function).parameters.values()
            if each.kind is each.KEYWORD_ONLY
        )
        return next(named, "option")

    def _where(self) -> str:
        code = getattr(self._function, "__code__", None)
        return f"{self.name} ({code.co_filename}:{code.co_firstlineno})" if code else self.name

    def __repr__(self) -> str:
        return f"<middleware {self.name}>"


@overload
def middleware(function: Callable[Concatenate[Request, P], Flow | Response | None], /) -> Middleware[P]: ...
@overload
def middleware(function: Callable[P, Start], /) -> Middleware[P]: ...
@overload
def middleware(
    *,
    outside: Iterable[str] = (),
    websocket: bool = False,
    peek: bool = False,
    needs_bytes: bool = False,
) -> _Decorator: ...
def middleware(
    function: Any = None,
    /,
    *,
    outside: Iterable[str] = (),
    websocket: bool = False,
    peek: bool = False,
    needs_bytes: bool = False,
) -> Any:
    """Make a middleware of a function.

    Args:
        function: `def name(request, *, options)`, a generator function, or a plain one that returns a `Response` to
            answer, and else None; or `def name(*, options)`, which is called once when a stack is built, prepares what
            can be prepared, and returns such a function of the request.
        outside: names of layers this one must stand outside of, checked when a `Stack` is built.
        websocket: run for WebSocket handshakes as well.
        peek: hold the head until the first piece of body is known, so that `response.body.whole` and `.is_file` are.
        needs_bytes: the server may not send files by itself: their bytes pass through the stack.

    Raises:
        StackError: the function cannot be a middleware.
    """

    def decorate(function: Callable[..., Any]) -> Middleware[Any]:
        return Middleware(function, outside, websocket=websocket, peek=peek, needs_bytes=needs_bytes)

    return decorate if function is None else decorate(function)


class _Decorator:
    """The type of `middleware(peek=True)`, for checkers."""

    @overload
    def __call__(self, function: Callable[Concatenate[Request, P], Flow | Response | None], /) -> Middleware[P]: ...
    @overload
    def __call__(self, function: Callable[P, Start], /) -> Middleware[P]: ...
    def __call__(self, function: Any, /) -> Any: ...


def decided(guard: Start, answer: Flow | Response) -> Start:
    """A plain function that was called for this request: it answers what it answered."""
    return functools.wraps(guard)(lambda request: answer)


def _by_position(function: Callable[..., Any]) -> int:
    """How many arguments a function takes by position."""
    parameters = inspect.signature(function).parameters.values()
    return sum(p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) for p in parameters)


def guards_and_rest(layers: Iterable[Layer]) -> tuple[tuple[Start, ...], tuple[Start, ...]]:
    """Divide a row of layers at the outermost generator."""
    rest = iter(layers)
    guards: list[Start] = []
    for layer in rest:
        if layer.is_flow:
            return tuple(guards), (layer.start, *(inner.start for inner in rest))
        guards.append(layer.start)
    return tuple(guards), ()


def _spread(values: Iterable[object]) -> Iterator[object]:
    """Yield options and variables, and what is in the collections they are."""
    for value in values:
        if isinstance(value, Mapping):
            yield from _spread(value.values())
        elif isinstance(value, (list, tuple, set, frozenset)):
            yield from _spread(value)
        else:
            yield value


def _closed_over(function: Any) -> list[object]:
    """The values of the variables that a function takes from the one around it, if they have one by now."""
    return [cell.cell_contents for cell in function.__closure__ or () if cell != CellType()]


def _unless(skip: Skip | None, start: Start) -> Start:
    """Start the layer, unless `skip=` is about the request."""
    if skip is None:
        return start
    skips = skip if callable(skip) else _matches([skip] if isinstance(skip, str) else skip)
    return functools.wraps(start)(lambda request: None if skips(request) else start(request))


_DOTS = re.compile(r"[/\\]\.\.?(?:[/\\]|$)")


def _matches(patterns: Iterable[str]) -> Callable[[Request], bool]:
    """Match paths, but none that an app may resolve to another one, such as `/public/../private`."""
    matches = re.compile("|".join(fnmatch.translate(pattern) for pattern in patterns)).match
    return lambda request: matches(request.path) is not None and _DOTS.search(request.path) is None

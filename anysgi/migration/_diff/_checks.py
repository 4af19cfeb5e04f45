"""Compare what two apps do with the requests of one shape: methods, trailing slashes, converters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._inventory import ANY
from ._difference import Difference, Kind
from ._fixes import fix_for
from ._pairing import template_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .._inventory import Inventory, Parameter, Route
    from ._pairing import Pair

_OPEN = ("string", "path")  # converters that refuse nothing


def compare(pair: Pair, new: Inventory) -> Iterator[Difference]:
    """Yield the differences within one pair.

    Args:
        pair: the routes of one shape.
        new: the whole new app, whose framework decides what to write.
    """
    if not pair.new:
        yield _difference("missing-route", pair, _answers(pair.old), "404", new, _named(pair.old))
    elif not pair.old:
        yield _difference("extra-route", pair, "404", _answers(pair.new), new, _named(pair.new))
    else:
        yield from _methods(pair, new)
        yield from _slashes(pair, new)
        yield from _converters(pair, new)


def _difference(kind: Kind, pair: Pair, old: str, new: str, app: Inventory, methods: Any = ()) -> Difference:
    route = (pair.old or pair.new)[0]
    every = sorted({method for route in (*pair.old, *pair.new) for method in route.answers} - set(ANY))
    fix = fix_for(kind, app.framework, route, every)
    return Difference(kind, route.path, tuple(methods), old, new, fix, _at(pair.old), _at(pair.new))


def _at(routes: tuple[Route, ...]) -> tuple[str, int] | None:
    found = (route.handler for route in routes)
    return next(((handler.file, handler.line) for handler in found if handler.file and handler.line), None)


def _named(routes: tuple[Route, ...]) -> list[str]:
    return sorted({method for route in routes for method in route.methods} - set(ANY))


def _answers(routes: tuple[Route, ...]) -> str:
    return " ".join(_named(routes)) or "every method"


def _methods(pair: Pair, app: Inventory) -> Iterator[Difference]:
    olds = frozenset[str]().union(*(route.answers for route in pair.old))
    news = frozenset[str]().union(*(route.answers for route in pair.new))
    if ANY[0] in news or ANY[0] in olds:
        yield from _any_method(pair, olds, news, app)
        return
    for method in sorted(olds - news):
        by_itself = not any(method in route.methods for route in pair.old)
        yield _difference("missing-method", pair, "by itself" if by_itself else "answers", "405", app, [method])
    for method in sorted(news - olds):
        yield _difference("extra-method", pair, "405", "answers", app, [method])


def _any_method(pair: Pair, olds: frozenset[str], news: frozenset[str], app: Inventory) -> Iterator[Difference]:
    """One side does not look at the method, so its handler may or may not: the other side's 405 is a difference."""
    if ANY[0] not in news:
        rest = f"405 but for {' '.join(sorted(news))}"
        yield _difference("missing-method", pair, "every method", rest, app)
    elif ANY[0] not in olds:
        rest = f"405 but for {' '.join(sorted(olds))}"
        yield _difference("extra-method", pair, rest, "every method", app)


def _slashes(pair: Pair, app: Inventory) -> Iterator[Difference]:
    old, new = _forms(pair.old), _forms(pair.new)
    if old and new and old != new:
        yield _difference("slash", pair, _written(old), _written(new), app)


def _forms(routes: tuple[Route, ...]) -> dict[str, str]:
    """What the path answers without and with a trailing slash; nothing where a `<path:…>` takes the slash too."""
    forms: dict[str, str] = {}
    for route in routes:
        template = template_of(route.path)
        if template is None or route.path == "/" or (template.segments[-1:] and _takes_slash(template.segments[-1])):
            return {}
        own, other = ("/", "") if route.path.endswith("/") else ("", "/")
        forms[own] = "200"
        if forms.get(other) != "200":
            forms[other] = "200" if route.slash == "same" else route.slash
    return forms


def _takes_slash(segment: Any) -> bool:
    return any(getattr(piece, "converter", "") == "path" for piece in segment)


def _written(forms: dict[str, str]) -> str:
    return f"without slash {forms['']}, with slash {forms['/']}"


def _converters(pair: Pair, app: Inventory) -> Iterator[Difference]:
    for old, new in zip(pair.old[0].parameters, pair.new[0].parameters, strict=False):
        if _takes(old) != _takes(new):
            yield _difference("converter", pair, _says(old), _says(new), app)


def _takes(parameter: Parameter) -> tuple[str, str, int]:
    closed = parameter.converter not in _OPEN
    return parameter.converter, parameter.pattern, parameter.rejects if closed else 0


def _says(parameter: Parameter) -> str:
    if parameter.converter in _OPEN:
        return f"{parameter.name} takes any text"
    kind = f"{parameter.converter} {parameter.pattern}".rstrip()
    return f"{parameter.name} takes {kind}, else {parameter.rejects}"

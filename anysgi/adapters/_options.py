"""What both adapters check when they wrap an app: its convention, and the range of their options."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._core._detect import guess_convention, is_asgi2, takes
from .._core._strangers import explain
from ..exceptions import ConventionError

if TYPE_CHECKING:
    from ..types import ASGIApp, Convention

_KIND: dict[Convention, str] = {"asgi": "an ASGI", "wsgi": "a WSGI"}
_ARGUMENTS: dict[Convention, int] = {"asgi": 3, "wsgi": 2}
NEEDS_WSPROTO = 'WebSockets need wsproto: pip install "anysgi[websocket]"'


def check_app(app: object, convention: Convention, adapter: str) -> None:
    """Refuse what cannot be called as such an app is, and what plainly speaks the other convention.

    Raises:
        ConventionError: with the line to write instead.
    """
    try:
        found = guess_convention(app)
    except ConventionError:
        if callable(app) and takes(app, _ARGUMENTS[convention]):
            return  # unclear: the user said what it is by wrapping it
        raise ConventionError(f"{adapter} takes {_KIND[convention]} app, and {explain(app)}") from None
    if found != convention:
        raise ConventionError(
            f"{adapter} takes {_KIND[convention]} app, and this is {found.upper()} already: {app!r}; "
            f"serve it as it is, or write to_{found}(app), which adapts only where needed"
        )


def check_choice(option: str, value: str, choices: tuple[str, ...]) -> None:
    """Raise `ValueError` unless `value` is one of `choices`."""
    if value not in choices:
        raise ValueError(f"{option} must be one of {', '.join(map(repr, choices))}, not {value!r}")


def check_positive(**options: float | None) -> None:
    """Raise `ValueError` for an option that is zero or less, or no number; None means no limit."""
    for option, value in options.items():
        if not isinstance(value, (int, float, type(None))):
            raise ValueError(f"{option} must be a number, not {value!r}")
        if value is not None and value <= 0:
            raise ValueError(f"{option} must be more than 0, not {value!r}")


def is_plain(adapter: type, given: dict[str, Any]) -> bool:
    """Whether the arguments of an adapter's `__init__` are its defaults, so that taking it off loses nothing."""
    defaults: dict[str, Any] = adapter.__init__.__kwdefaults__  # type: ignore[misc]  # mypy takes it for a bound method
    return all(given[name] == default for name, default in defaults.items())


def single_callable(app: Any) -> ASGIApp:
    """Return an ASGI 3 app; an ASGI 2 app is wrapped by asgiref (ASGI spec, "Legacy Applications")."""
    single: ASGIApp = app
    if is_asgi2(app):
        from asgiref.compatibility import double_to_single_callable

        single = double_to_single_callable(app)  # type: ignore[no-untyped-call]  # asgiref left it untyped
    return single

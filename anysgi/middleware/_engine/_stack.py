"""`Stack`: layers in order, outermost first, ready to be put around any number of apps of either convention."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from ..._core._detect import guess_convention
from ...exceptions import StackError
from ._asgi import AsgiStack
from ._layer import Layer, Middleware
from ._wsgi import WsgiStack

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...types import ASGIApp, WSGIApp

    A = TypeVar("A", bound=Callable[..., Any])


class Stack:
    """An immutable row of layers, outermost first: `app = stack(app)`.

    Args:
        layers: layers, other stacks (which are flattened), or middleware without options.

    Raises:
        StackError: something that is no layer, or a layer that must stand outside another and does not.
    """

    __slots__ = ("layers",)

    layers: tuple[Layer, ...]

    def __init__(self, *layers: Stack | Middleware[...] | Layer) -> None:
        self.layers = tuple(layer for given in layers for layer in _layers_of(given))
        _check_order(self.layers)

    def __call__(self, app: A) -> A:
        """Put the stack around an app; the answer is an app of the same convention.

        Args:
            app: a WSGI or an ASGI app; see `.wsgi()` and `.asgi()` for one whose convention cannot be told.

        Raises:
            ConventionError: it is no app, or its convention is unclear.
            StackError: a layer has no client for this convention.
        """
        wrap: Any = self.wsgi if guess_convention(app) == "wsgi" else self.asgi
        wrapped: A = wrap(app)
        return wrapped

    def wsgi(self, app: WSGIApp) -> WsgiStack:
        """Put the stack around a WSGI app."""
        self.check_duals("sync", "WSGI")
        if isinstance(app, WsgiStack):  # two stacks that touch are one
            return WsgiStack(app.app, (*self.layers, *app.layers))
        return WsgiStack(app, self.layers)

    def asgi(self, app: ASGIApp) -> AsgiStack:
        """Put the stack around an ASGI app."""
        self.check_duals("asynchronous", "ASGI")
        if isinstance(app, AsgiStack):
            return AsgiStack(app.app, (*self.layers, *app.layers))
        return AsgiStack(app, self.layers)

    def check_duals(self, side: str, convention: str) -> None:
        """Raise `StackError` if a layer has no client for a convention."""
        for layer in self.layers:
            if any(getattr(dual, side) is None for dual in layer.duals):
                raise StackError(
                    f"{layer.name} cannot run under {convention}: its Dual has no client for it; "
                    f"write Dual(sync=..., asynchronous=...)"
                )

    def __repr__(self) -> str:
        return f"Stack({', '.join(layer.name for layer in self.layers)})"


def _layers_of(given: object) -> tuple[Layer, ...]:
    if isinstance(given, Layer):
        return (given,)
    if isinstance(given, Middleware):
        given = given()
    if isinstance(given, Stack):
        return given.layers
    raise StackError(f"a Stack is made of layers, not of {given!r}; write Stack(request_id(), access_log())")


def _check_order(layers: tuple[Layer, ...]) -> None:
    for position, layer in enumerate(layers):
        for outer in layers[:position]:
            if outer.name in layer.outside:
                raise StackError(f"{layer.name} must stand outside {outer.name}; put it before it in the Stack")

"""What the two kinds of wrapped apps have in common; servers tell them apart by the `async def __call__` of one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ._layer import Layer


class Wrapped:
    """An app with layers around it; attributes it does not have are the inner app's.

    Attributes:
        app: the app inside.
        layers: the layers, outermost first.
    """

    __slots__ = ("_plan", "app", "layers")

    app: Any
    layers: tuple[Layer, ...]
    _plan: Any  # all that a request needs, in one attribute: reading one is slow where there is a `__getattr__`

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):  # marks on the inner app say nothing about this one
            raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")
        return getattr(self.app, name)

    def __repr__(self) -> str:
        return f"<{', '.join(layer.name for layer in self.layers)} around {self.app!r}>"

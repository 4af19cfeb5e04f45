"""From WSGI to ASGI one route at a time: the router, its table, and what helps to move.

Names are imported when they are first asked for, so that each tool costs only its own libraries.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ._table import Route, RouteTable, Side, Sticky

__all__ = [
    # the route table
    "Route",
    "RouteTable",
    "Side",
    "Sticky",
]

_HOMES = {
    "Route": "_table",
    "RouteTable": "_table",
    "Side": "_table",
    "Sticky": "_table",
}


if not TYPE_CHECKING:  # a checker would take any name for granted

    def __getattr__(name: str) -> object:
        from importlib import import_module

        home = _HOMES.get(name)
        if home is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}; it has {', '.join(__all__)}")
        found: object = getattr(import_module(f"{__name__}.{home}"), name)
        globals()[name] = found
        return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

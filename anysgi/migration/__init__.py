"""From WSGI to ASGI one route at a time: the router, its table, and what helps to move.

Names are imported when they are first asked for, so that each tool costs only its own libraries.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ._compare._har import write_har
    from ._compare._recorder import record
    from ._compare._recordings import read_recording
    from ._compare._shadowing import ShadowCompare
    from ._django_bridge import DjangoSession
    from ._flags import FlagSwitches
    from ._flask_bridge import FlaskContext, FlaskSession
    from ._router import Router
    from ._shadow import Difference, Observer, Shadow, ShadowRequest
    from ._stats import Stats, Tally
    from ._switches import EnvironmentSwitches, FileSwitches, Overrides, Switches
    from ._table import Route, RouteTable, Side, Sticky
    from ._usage import Usage, reset_usage, usage_report

__all__ = [
    # the router
    "Router",
    "Stats",
    "Tally",
    # what can be changed while it runs
    "EnvironmentSwitches",
    "FileSwitches",
    "FlagSwitches",
    "Overrides",
    "Switches",
    # recorded traffic
    "read_recording",
    "record",
    "write_har",
    # bridges
    "DjangoSession",
    "FlaskContext",
    "FlaskSession",
    "Usage",
    "reset_usage",
    "usage_report",
    # where a comparison plugs in, and the one there is
    "ShadowCompare",
    "Difference",
    "Observer",
    "Shadow",
    "ShadowRequest",
    # the route table
    "Route",
    "RouteTable",
    "Side",
    "Sticky",
]

_HOMES = {
    "Router": "_router",
    "Stats": "_stats",
    "Tally": "_stats",
    "EnvironmentSwitches": "_switches",
    "FileSwitches": "_switches",
    "FlagSwitches": "_flags",
    "Overrides": "_switches",
    "Switches": "_switches",
    "ShadowCompare": "_compare._shadowing",
    "read_recording": "_compare._recordings",
    "record": "_compare._recorder",
    "write_har": "_compare._har",
    "DjangoSession": "_django_bridge",
    "FlaskContext": "_flask_bridge",
    "FlaskSession": "_flask_bridge",
    "Usage": "_usage",
    "reset_usage": "_usage",
    "usage_report": "_usage",
    "Difference": "_shadow",
    "Observer": "_shadow",
    "Shadow": "_shadow",
    "ShadowRequest": "_shadow",
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

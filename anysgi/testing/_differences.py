"""`assert_same`: two apps, one scenario, and what a client could tell apart."""

from __future__ import annotations

from collections.abc import Callable, Collection
from inspect import isfunction
from pathlib import Path
from sys import modules
from typing import Any

from ._exchange import Exchange
from ._peer_events import Disconnect, SendBlocks, SendFails
from ._program_apps import AsgiProgram, WsgiProgram
from ._programs import Program
from ._run import run
from ._scenario import Scenario

LOSSY = ("reason", "chunks")
"""What ASGI cannot carry, or any server may change: the reason phrase, and the boundaries of body chunks."""


def assert_same(
    app_a: Any, app_b: Any, scenario: Scenario | None = None, ignore: Collection[str] = LOSSY, **options: Any
) -> None:
    """Run two apps on one scenario; a client must not be able to tell them apart.

    An exception before the head counts as a 500, which is what servers make of it.  Of a response that its client did
    not wait for, one body must begin with the other.

    Args:
        app_a, app_b: apps of either convention, or an exchange that already took place.
        scenario: the request; a plain GET / by default.
        ignore: facts that may differ: `"status"`, `"reason"`, `"headers"`, `"header:NAME"`, `"body"`, `"chunks"`,
            `"complete"`.
        options: for `run`.

    Raises:
        AssertionError: they differ; the message says in what, and holds a program to see it again.
    """
    scenario = scenario or Scenario()
    a, b = (it if isinstance(it, Exchange) else run(it, scenario, **options) for it in (app_a, app_b))
    found = [line for name, compare in _FACTS.items() if name not in ignore for line in compare(a, b, ignore)]
    if found:
        lines = "\n".join(f"  {line}" for line in found)
        raise AssertionError(f"the answers differ:\n{lines}\n\nTo see it again:\n\n{_again(app_a, app_b, scenario)}")


def _again(app_a: Any, app_b: Any, scenario: Scenario) -> str:
    """A program that can be pasted and run; apps that no module names, and whose repr is no code, stay as they are."""
    layers = [*_layers(app_a), *_layers(app_b)]
    program = next((app.program for app in layers if isinstance(app, (WsgiProgram, AsgiProgram))), None)
    imports = dict.fromkeys(["from anysgi.testing import *", *filter(None, map(_import, layers))])
    lines = [f"program = {program!r}"] if program is not None else []
    sides = [_side(app, program) for app in (app_a, app_b)]
    lines += [f"scenario = {scenario!r}", f"assert_same({sides[0]}, {sides[1]}, scenario)"]
    return "\n".join([*imports, *lines])


def _side(app: Any, program: Program | None) -> str:
    if isinstance(app, Exchange):
        return "program.expected(scenario)" if program else "exchange"
    written = repr(app)
    for layer in filter(_is_a_name, _layers(app)):
        written = written.replace(repr(layer), f"{_module_of(layer)}.{layer.__name__}")
    return written if program is None else written.replace(repr(program), "program")


def _layers(app: Any) -> list[Any]:
    """An app, and what it wraps."""
    found: list[Any] = []
    while app is not None and not isinstance(app, Exchange) and len(found) < 8:
        found.append(app)
        app = getattr(app, "app", None)
    return found


def _is_a_name(app: Any) -> bool:
    """Whether an app is a function of a module."""
    return isfunction(app) and app.__name__ == app.__qualname__


def _import(app: Any) -> str:
    """The line that brings the name of an app, or that of its class, into reach."""
    if _is_a_name(app):
        return f"import {_module_of(app)}"
    kind = type(app)
    package = kind.__module__.partition(".")[0]  # public names are of the package, as far as we can tell
    public = getattr(modules.get(package), kind.__name__, None) is kind
    return "" if isfunction(app) else f"from {package if public else _module_of(kind)} import {kind.__qualname__}"


def _module_of(named: Any) -> str:
    """The name to import a module by; a script has that of its file."""
    name: str = named.__module__
    main = modules["__main__"]
    if name != "__main__":
        return name
    if main.__spec__ is not None:  # python -m
        return main.__spec__.name.removesuffix(".__main__")
    return Path(getattr(main, "__file__", name)).stem


# The facts


def _status(a: Exchange, b: Exchange, ignore: Collection[str]) -> list[str]:
    if _client_left(a) and None in (a.status, b.status):
        return []
    return _unequal("status", _seen_status(a), _seen_status(b))


def _seen_status(exchange: Exchange) -> int | None:
    return 500 if exchange.status is None and exchange.exception is not None else exchange.status


def _reason(a: Exchange, b: Exchange, ignore: Collection[str]) -> list[str]:
    return _unequal("reason", a.reason, b.reason)


def _headers(a: Exchange, b: Exchange, ignore: Collection[str]) -> list[str]:
    if None in (a.status, b.status):
        return []
    one, other = _by_name(a), _by_name(b)
    wanted = sorted(name for name in {*one, *other} if f"header:{name.decode('latin-1')}" not in ignore)
    differ = [name for name in wanted if one.get(name) != other.get(name) and not _computed(name, one, other, a, b)]
    return [f"header {name.decode('latin-1')}: {one.get(name)} != {other.get(name)}" for name in differ]


def _by_name(exchange: Exchange) -> dict[bytes, list[bytes]]:
    found: dict[bytes, list[bytes]] = {}
    for name, value in exchange.headers:
        found.setdefault(name.lower(), []).append(value.strip(b" \t"))
    return found


def _computed(name: bytes, one: Any, other: Any, a: Exchange, b: Exchange) -> bool:
    """Whether it is a Content-Length that one side worked out and the other left to the server."""
    if name != b"content-length" or (name in one and name in other):
        return False
    given = one if name in one else other
    return _client_left(a) or given[name] in ([b"%d" % len(a.body)], [b"%d" % len(b.body)])


def _body(a: Exchange, b: Exchange, ignore: Collection[str]) -> list[str]:
    one, other = _seen_body(a), _seen_body(b)
    if _made_by_the_server(a, b):
        return []
    if _client_left(a) and (one.startswith(other) or other.startswith(one)):
        return []
    return _unequal("body", one, other)


def _seen_body(exchange: Exchange) -> bytes:
    return b"" if _silent(exchange) else exchange.body


def _silent(exchange: Exchange) -> bool:
    """Whether the response ends with its head (RFC 9110 sections 9.3.2, 15.3.5, 15.4.5)."""
    return exchange.scenario.method == "HEAD" or exchange.status in (204, 304)


def _chunks(a: Exchange, b: Exchange, ignore: Collection[str]) -> list[str]:
    return [] if _made_by_the_server(a, b) or _client_left(a) else _unequal("chunks", a.chunks, b.chunks)


def _complete(a: Exchange, b: Exchange, ignore: Collection[str]) -> list[str]:
    if _client_left(a) or _made_by_the_server(a, b) or _silent(a):
        return []
    return _unequal("complete", a.complete, b.complete)


def _made_by_the_server(a: Exchange, b: Exchange) -> bool:
    """Whether an app failed before its head, so that the response is the server's, or the adapter's."""
    return any(exchange.status is None and exchange.exception is not None for exchange in (a, b))


def _client_left(exchange: Exchange) -> bool:
    scenario = exchange.scenario
    never_reads = (event for event in scenario.peer if isinstance(event, SendBlocks) and event.seconds is None)
    return any(isinstance(event, (Disconnect, SendFails)) for event in scenario.peer) or any(never_reads)


def _unequal(name: str, one: object, other: object) -> list[str]:
    return [] if one == other else [f"{name}: {one!r} != {other!r}"]


_FACTS: dict[str, Callable[[Exchange, Exchange, Collection[str]], list[str]]] = {
    "status": _status,
    "reason": _reason,
    "headers": _headers,
    "body": _body,
    "chunks": _chunks,
    "complete": _complete,
}

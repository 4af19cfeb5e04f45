"""One route of an app, in words that fit every framework.

`path` is written the way `routes.toml` has it: `/items/<int:id>`.  A converter of the framework's own keeps its name in
`parameters` and is a plain `<name>` in the path.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal

ANY = ("*",)
"""The methods of a route that does not look at the method."""
Slash = Literal["301", "302", "307", "308", "404", "same"]
"""What the path answers with its trailing slash added or taken away: a redirect, nothing, or the same page."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A variable part of a path.

    Attributes:
        name: as the handler gets it.
        converter: what it takes: `string`, `path`, `int`, `float`, `uuid`, `slug`, `re`, `any`, or the name the app
            gave a converter of its own.
        pattern: the regular expression, for `re`.
        rejects: the status of a path whose text does not fit: 404, or 422 where the handler's type hint checks it.
    """

    name: str
    converter: str = "string"
    pattern: str = ""
    rejects: int = 404


@dataclass(frozen=True, slots=True)
class Fact:
    """Something a handler uses, with the place that shows it.

    Attributes:
        kind: `session`, `g`, `context`, `threadlocal`, `lock`, `blocking`, `stream`, `upload` or `websocket`.
        what: the name as Python knows it, as in `time.sleep`.
        file: path of the source file.
        line: where it is used, from 1.
        via: the functions between the handler and that place, outermost first.
    """

    kind: str
    what: str
    file: str
    line: int
    via: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Handler:
    """The function or class that answers, and what reading its source tells.

    Attributes:
        name: qualified name; empty when there is no handler.
        file: path of the source file; None for what is not written in Python.
        line: of its `def` or `class`, from 1.
        kind: `async` when it runs on the event loop, `sync` when it does not.
        facts: what it, its dependencies and the functions of the same project they call use.
        unknown: what reading the source could not tell.
    """

    name: str = ""
    file: str | None = None
    line: int | None = None
    kind: Literal["sync", "async"] | None = None
    facts: tuple[Fact, ...] = ()
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Route:
    """One route.

    Attributes:
        methods: those the app's author named, sorted; `ANY` when the method is not looked at.
        path: the template, as in `/items/<int:id>`.
        automatic: methods the framework answers by itself: HEAD, OPTIONS.
        parameters: the variable parts.
        slash: what happens to the path with its trailing slash added or taken away.
        host: the host or subdomain it is for; empty for all.
        runs: the handler, then whatever else runs with it (dependencies, before-request functions).
        handler: what is known of them.
    """

    methods: tuple[str, ...]
    path: str
    automatic: tuple[str, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    slash: Slash = "404"
    host: str = ""
    runs: tuple[object, ...] = field(default=(), repr=False, compare=False)
    handler: Handler = Handler()

    @property
    def answers(self) -> frozenset[str]:
        """Every method it answers."""
        return frozenset(self.methods) | frozenset(self.automatic)

    def as_json(self) -> dict[str, Any]:
        """Return everything but the functions themselves, as JSON types."""
        plain = {item.name: getattr(self, item.name) for item in fields(self) if item.name != "runs"}
        parameters = [asdict(parameter) for parameter in self.parameters]
        return plain | {"parameters": parameters, "handler": asdict(self.handler)}


@dataclass(frozen=True, slots=True)
class Mount:
    """Another app below a prefix, such as `/old` or `/<tenant>`, with the variables of the prefix."""

    prefix: str
    app: object
    parameters: tuple[Parameter, ...] = ()


Reader = Callable[[Any], Iterator[Route | Mount | str]]
"""Yields routes, mounted apps, and sentences about what it cannot tell."""


@dataclass(frozen=True, slots=True)
class Inventory:
    """Every route of an app.

    Attributes:
        framework: its name; None when it is unknown.
        routes: in the order the framework tries them.
        unknown: what the app hides, one sentence each.
    """

    framework: str | None
    routes: tuple[Route, ...]
    unknown: tuple[str, ...] = ()

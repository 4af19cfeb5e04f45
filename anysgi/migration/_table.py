"""The route table: which side answers which requests.  Read from `routes.toml`, checked as a whole, never half used.

default = "legacy"               # the side of every path that no route names
fallthrough = [404, 405]         # when the new side answers this, the legacy one is asked

[[route]]
methods = ["GET"]                # GET brings HEAD along; left out: every method
path = "/items/<int:id>"
to = "new"
percent = 5                      # of the clients; the others stay with legacy
sticky = "cookie:session"        # the same client, the same side
shadow = "compare"
owner = "team-a"
since = 2026-11-22
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal

from ..exceptions import RouteTableError
from ..middleware._names import several
from ._matching import Matcher
from ._templates import Template, parse_template

Side = Literal["legacy", "new"]
"""Which of the two apps."""


@dataclass(frozen=True, slots=True)
class Sticky:
    """What makes a client the same client: a cookie, a header, or its address."""

    kind: Literal["cookie", "header", "client"]
    name: str = ""

    @property
    def header(self) -> str:
        """The header that has it; empty for the address."""
        return "cookie" if self.kind == "cookie" else self.name

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}" if self.name else self.kind


@dataclass(frozen=True)
class Route:
    """One row of the table.

    Args:
        path: a path template, in any spelling `parse_template` reads.
        to: the side that answers.
        methods: in capitals; empty means every method.  GET brings HEAD along.
        percent: of the clients that go to `to = "new"`, 0 to 100; the others stay with legacy.
        sticky: how a client is recognised; None draws lots for each request.
        shadow: what the router's shadow is told about these requests; empty: it does not see them.
        owner: who answers questions about it.
        since: the day it was moved.
        name: what switches and flags call it; made of methods and path if not given.
        file: where it was read.
        line: the line of its `[[route]]`; 0 if it was not read from a file.

    Raises:
        TemplateError: `path` cannot be read.
    """

    path: str
    to: Side = "legacy"
    methods: tuple[str, ...] = ()
    percent: float = 100.0
    sticky: Sticky | None = None
    shadow: str = ""
    owner: str = ""
    since: str = ""
    name: str = ""
    file: str = field(default="", compare=False)
    line: int = field(default=0, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "methods", tuple(several(self.methods)))
        if not self.name:
            object.__setattr__(self, "name", f"{','.join(self.methods) or '*'} {self.path}")
        self.template  # noqa: B018  # a path that cannot be read is an error now

    @cached_property
    def template(self) -> Template:
        return parse_template(self.path)

    @property
    def share(self) -> float:
        """The percentage of its clients that the new side answers."""
        return self.percent if self.to == "new" else 0.0

    def takes(self, method: str) -> bool:
        """Whether it answers a method, which is written in capitals."""
        return not self.methods or method in self.answers

    @cached_property
    def answers(self) -> frozenset[str]:
        """The methods it answers, with the HEAD that GET brings along; empty means every method."""
        return frozenset((*self.methods, "HEAD")) if "GET" in self.methods else frozenset(self.methods)

    @property
    def where(self) -> str:
        """`file:line`, or its name."""
        return f"{self.file}:{self.line}" if self.line else self.name

    def __str__(self) -> str:
        return f"{','.join(self.methods) or '*'} {self.path}"


@dataclass(frozen=True)
class RouteTable:
    """All routes, checked against each other.

    Args:
        routes: in any order; the most specific one wins.
        default: the side of every path that no route names.
        fallthrough: status codes of the new side that hand a request on to the legacy one.
        kill: True sends everything to legacy.
        file: where it was read.

    Raises:
        RouteTableError: two routes claim the same requests.
    """

    routes: tuple[Route, ...] = ()
    default: Side = "legacy"
    fallthrough: frozenset[int] = frozenset((404, 405))
    kill: bool = False
    file: str = ""

    def __post_init__(self) -> None:
        problems = list(_conflicts(self))
        if problems:
            raise RouteTableError(problems)

    @classmethod
    def load(cls, path: str | Path) -> RouteTable:
        """Read a file.

        Raises:
            RouteTableError: it cannot be read, or something in it is wrong; the message has one line a problem.
        """
        try:
            text = Path(path).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            why = getattr(error, "strerror", None) or error  # an OSError would name the file once more
            raise RouteTableError([f"{path}: the route table cannot be read: {why}"]) from error
        return cls.parse(text, str(path))

    @classmethod
    def parse(cls, text: str, file: str = "routes.toml") -> RouteTable:
        """Read TOML.

        Args:
            text: the table.
            file: its name, for messages.

        Raises:
            RouteTableError: something in it is wrong; the message has one line a problem.
        """
        from ._parsing import parse_table

        return parse_table(text, file)

    @cached_property
    def _matcher(self) -> Matcher:
        return Matcher(self.routes)

    def find(self, method: str, path: str) -> Route | None:
        """Return the most specific route for a request, or None.

        Args:
            method: in capitals.
            path: decoded, below the app's root.
        """
        return self._matcher.find(method, path)

    def explain(self, method: str, path: str) -> str:
        """Say which side answers a request, and why; one line a reason.

        Args:
            method: in capitals.
            path: decoded, below the app's root.
        """
        from ._explaining import explain

        return "\n".join(explain(self, method, path))


def _conflicts(table: RouteTable) -> Iterator[str]:
    places = {id(route): place for place, route in enumerate(table.routes)}
    for pair in table._matcher.conflicts():
        first, second = sorted(pair[:2], key=lambda route: places[id(route)])
        if pair[2]:
            yield (
                f"{second.where}: {second} claims the same requests as {first.where}, {first}; keep one of them, "
                "or give them different methods"
            )
        else:
            yield (
                f"{second.where}: {second} and {first.where}, {first}, may both fit a path, and neither is more "
                "specific; make one converter narrower, or give them different methods"
            )
    names: dict[str, Route] = {}
    for route in table.routes:
        first = names.setdefault(route.name, route)
        if first is not route and first != route:
            yield f"{route.where}: {first.where} has the name {route.name!r} too; switches could not tell them apart"

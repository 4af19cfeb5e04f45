"""Path templates: the spellings people have, as one form that can be compared and matched.

    /users/<int:id>    Flask, Werkzeug, Quart, Django       /users/{id}        FastAPI, Starlette, Falcon, Pyramid
    /users/<id:int>    Bottle, Sanic                        /users/{id:int}    Starlette, Falcon, Litestar
    /files/<path:p>    Flask, Django                        /files/{p:path}    Starlette, Litestar
    /y/<re("[0-9]{4}"):year>                                /y/{year:[0-9]{4}}     Pyramid, aiohttp

A template chooses by *shape*: ranges (`int(min=1)`) are the handler's to check, and are refused here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

from ._variables import TemplateError, Variable, read_angle, read_brace

Piece = str | Variable
Segment = tuple[Piece, ...]


@dataclass(frozen=True)
class Template:
    """A parsed path template.

    Attributes:
        written: as in the file.
        segments: what stands between the slashes; a segment is text, a variable, or several of both.
    """

    written: str
    segments: tuple[Segment, ...]

    @cached_property
    def rule(self) -> str:
        """The template as Werkzeug writes it."""
        return "".join("/" + "".join(p if isinstance(p, str) else p.rule for p in s) for s in self.segments)

    @property
    def variables(self) -> list[Variable]:
        return [piece for segment in self.segments for piece in segment if isinstance(piece, Variable)]

    @cached_property
    def slash(self) -> bool:
        """Whether it ends with a slash."""
        return not self.segments[-1]

    @cached_property
    def bare(self) -> tuple[Segment, ...]:
        """The segments without the slash at the end, and without the names of variables."""
        segments = self.segments[:-1] if self.slash else self.segments
        return tuple(tuple(p if isinstance(p, str) else replace(p, name="") for p in each) for each in segments)

    @cached_property
    def depth(self) -> int:
        """How many segments a path that fits has; 0 for any number."""
        return 0 if any(variable.converter == "path" for variable in self.variables) else len(self.bare)


def parse_template(text: str) -> Template:
    """Read a path template.

    Args:
        text: in any of the spellings above.

    Raises:
        TemplateError: it is none of them, or no request can ever match it.
    """
    if not text.startswith("/"):
        raise TemplateError(f"a path begins with a slash: write {'/' + text!r}")
    segments: list[list[Piece]] = []
    for piece in _pieces(text):
        if isinstance(piece, Variable):
            segments[-1].append(piece)
            continue
        first, *rest = piece.split("/")
        if first:
            segments[-1].append(first)
        segments.extend([part] if part else [] for part in rest)
    template = Template(text, tuple(tuple(segment) for segment in segments))
    _check(template)
    return template


def _pieces(text: str) -> list[Piece]:
    """Split into literal text and variables."""
    pieces: list[Piece] = []
    at = 0
    while at < len(text):
        opening = text[at]
        if opening in "<{":
            end = _closing(text, at)
            inside = text[at + 1 : end]
            pieces.append(read_angle(inside) if opening == "<" else read_brace(inside))
            at = end + 1
        elif text.startswith("/*", at) and text[at + 2 :].isidentifier():  # Pyramid's remainder
            pieces += ["/", Variable(text[at + 2 :], "path")]
            break
        else:
            end = min((found for found in (text.find(c, at) for c in "<{") if found >= 0), default=len(text))
            star = text.find("/*", at + 1, end)
            end = star if star > 0 else end
            pieces.append(_literal(text[at:end], text))
            at = end
    return pieces


def _closing(text: str, start: int) -> int:
    """Where the bracket that opens at `start` closes; quotes hide brackets, and braces nest."""
    opening, closing = text[start], {"<": ">", "{": "}"}[text[start]]
    depth, quote = 0, ""
    for at in range(start, len(text)):
        char = text[at]
        if quote:
            quote = "" if char == quote else quote
        elif char in "\"'" and opening == "<":
            quote = char
        elif char == opening and (opening == "{" or at == start):
            depth += 1
        elif char == closing:
            depth -= 1
            if depth == 0:
                return at
    raise TemplateError(f"{text!r} opens {opening!r} at character {start + 1} and never closes it")


def _literal(literal: str, text: str) -> str:
    for char, why in (("?", "the query is no part of a path"), ("#", "a fragment is never sent")):
        if char in literal:
            raise TemplateError(f"{text!r} holds {char!r}: {why}; take it out")
    for char in ">}":
        if char in literal:
            raise TemplateError(f"{text!r} closes {char!r} without opening it")
    return literal


def _check(template: Template) -> None:
    if [variable.converter for variable in template.variables].count("path") > 1:
        raise TemplateError(f"{template.written!r} has two <path:…>; nobody knows where the one ends; keep one")
    names = [variable.name for variable in template.variables]
    for name in names:
        if names.count(name) > 1:
            raise TemplateError(f"{template.written!r} uses the name {name!r} twice; give each variable its own")
    for segment in template.segments[:-1]:
        if not segment:
            raise TemplateError(f"{template.written!r} holds '//', which servers and clients fold; write one slash")
    for segment in template.segments:
        if segment in ((".",), ("..",)):
            raise TemplateError(f"{template.written!r} holds {segment[0]!r}, which clients resolve before they ask")

"""Path templates: the spellings people have, as one form that can be compared and matched.

    /users/<int:id>    Flask, Werkzeug, Quart, Django       /users/{id}        FastAPI, Starlette, Falcon, Pyramid
    /users/<id:int>    Bottle, Sanic                        /users/{id:int}    Starlette, Falcon, Litestar
    /files/<path:p>    Flask, Django                        /files/{p:path}    Starlette, Litestar
    /y/<re("[0-9]{4}"):year>                                /y/{year:[0-9]{4}}     Pyramid, aiohttp

A template chooses by *shape*: ranges (`int(min=1)`) are the handler's to check, and are refused here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cached_property

# What a converter takes, and how specific it is: the smaller weight is asked first.
CONVERTERS = {
    "any": 40,
    "int": 50,
    "float": 55,
    "uuid": 60,
    "re": 80,
    "slug": 90,
    "string": 100,
    "path": 200,
}
_ALIASES = {"": "string", "default": "string", "str": "string", "regex": "re"}
_DISJOINT = (frozenset(("int", "uuid")), frozenset(("float", "uuid")))
_SHAPE_OPTIONS = {
    "int": ("fixed_digits", "signed"),
    "float": ("signed",),
    "string": ("length", "minlength", "maxlength"),
}

_NAME = r"[A-Za-z_][A-Za-z0-9_]*"
_CALL = re.compile(rf"({_NAME})(?:\((.*)\))?", re.DOTALL)


class TemplateError(ValueError):
    """A path template that cannot be read; the message says what to write instead."""


@dataclass(frozen=True, slots=True)
class Variable:
    """A part that differs from request to request: `<converter(arguments):name>`."""

    name: str
    converter: str = "string"
    arguments: str = ""

    @property
    def rule(self) -> str:
        arguments = f"({self.arguments})" if self.arguments else ""
        return f"<{self.converter}{arguments}:{self.name}>"

    def may_meet(self, other: Variable) -> bool:
        """Whether some text fits both; True when in doubt."""
        kinds = frozenset((self.converter, other.converter))
        if kinds in _DISJOINT:
            return False
        if kinds == {"any"}:
            return bool(_items(self.arguments) & _items(other.arguments))
        return True


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
            pieces.append(_angle(inside) if opening == "<" else _brace(inside))
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


def _angle(inside: str) -> Variable:
    """`name`, `converter:name` (Flask, Django) or `name:converter` (Bottle, Sanic)."""
    left, colon, right = inside.rpartition(":")
    if not colon:
        return _variable(inside, "", "")
    call = _CALL.fullmatch(left)
    if call and _known(call[1]):
        return _variable(right, call[1], call[2] or "")
    name, _, converter = inside.partition(":")
    if converter.startswith("re:"):
        return _variable(name, "re", _quoted(converter.removeprefix("re:")))
    call = _CALL.fullmatch(converter)
    if call and _known(call[1]):
        return _variable(name, call[1], call[2] or "")
    raise TemplateError(f"<{inside}>: there is no converter {left!r}; {_CHOICES}")


def _brace(inside: str) -> Variable:
    """`name`, `name:converter`, or `name:regular expression` (Pyramid)."""
    name, colon, converter = inside.partition(":")
    if not colon:
        return _variable(name, "", "")
    call = _CALL.fullmatch(converter.strip())
    if call and _known(call[1]):
        return _variable(name, call[1], call[2] or "")
    if call:
        raise TemplateError(f"{{{inside}}}: there is no converter {converter!r}; {_CHOICES}")
    return _variable(name, "re", _quoted(converter))


_CHOICES = f'use one of {", ".join(sorted(CONVERTERS))}, or <re("[a-z]+"):name> for any other shape'


def _known(name: str) -> bool:
    return name in CONVERTERS or name in _ALIASES


def _quoted(pattern: str) -> str:
    return '"' + pattern.replace('"', "\\x22") + '"'


def _variable(name: str, converter: str, arguments: str) -> Variable:
    name, converter = name.strip(), _ALIASES.get(converter, converter)
    if not re.fullmatch(_NAME, name):
        raise TemplateError(f"{name!r} is no name for a variable; write a Python identifier")
    if converter == "re":
        return Variable(name, converter, _pattern(arguments))
    if converter == "any" and not _items(arguments):
        raise TemplateError(f"<any:{name}> lists nothing; write <any(red, green):{name}>")
    if arguments and converter != "any":
        arguments = _shape(name, converter, arguments)
    return Variable(name, converter, arguments)


def _pattern(arguments: str) -> str:
    pattern = arguments.strip()[1:-1]
    if arguments.strip()[:1] not in ("'", '"') or not pattern:
        raise TemplateError('a pattern is written in quotes: <re("[a-z]+"):name>')
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise TemplateError(f"{pattern!r} is no regular expression: {error}") from None
    if compiled.groupindex or re.search(r"\\\d", pattern):
        raise TemplateError(f"{pattern!r} names groups or refers to them; write it without")
    return f'"{pattern}"'


def _shape(name: str, converter: str, arguments: str) -> str:
    for argument in arguments.split(","):
        option, _, value = (part.strip() for part in argument.partition("="))
        if option not in _SHAPE_OPTIONS.get(converter, ()) or not re.fullmatch(r"\d{1,9}|True|False", value):
            raise TemplateError(
                f"<{converter}({arguments}):{name}>: a route is chosen by shape, and {argument.strip()!r} is for the "
                f"handler to check; write <{converter}:{name}>"
            )
    return arguments


def _items(arguments: str) -> set[str]:
    return {item.strip().strip("\"'") for item in arguments.split(",") if item.strip()}


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

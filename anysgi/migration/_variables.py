"""One variable of a path template: what it takes, how specific it is, and how frameworks write it."""

from __future__ import annotations

import re
from dataclasses import dataclass

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


def read_angle(inside: str) -> Variable:
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


def read_brace(inside: str) -> Variable:
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

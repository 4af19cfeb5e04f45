"""Write a framework's path template as `routes.toml` has it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ._route import Parameter

_DIGITS = re.compile(r"(\\d|\[0-9\])(\+|\{\d+(,\d*)?\})")
_ONE_SEGMENT = re.compile(r"(\[\^/\][+*]?|\.\+\?|\\w\+|\[\\w-\]\+)")
_REST = re.compile(r"\.[*+]")


def write_variable(parameter: Parameter) -> str:
    """Write one variable part: `<id>`, `<int:id>`, `<re("[a-z]+"):name>`."""
    name, converter = parameter.name, parameter.converter
    if converter == "re":
        pattern = parameter.pattern.replace('"', "\\x22")
        return f'<re("{pattern}"):{name}>'
    if converter == "any":
        return f"<any({parameter.pattern}):{name}>"
    return f"<{converter}:{name}>" if converter in ("path", "int", "float", "uuid", "slug") else f"<{name}>"


def converter_of(pattern: str) -> str:
    """Name the converter a regular expression amounts to: `int`, `string`, `path`, or `re` for all others."""
    if _DIGITS.fullmatch(pattern):
        return "int"
    if _ONE_SEGMENT.fullmatch(pattern):
        return "string"
    return "path" if _REST.fullmatch(pattern) else "re"

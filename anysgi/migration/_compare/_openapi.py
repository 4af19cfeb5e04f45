"""Requests that an OpenAPI document names: every GET whose parameters have an example, a default or a plain type."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from ...exceptions import RecordingError
from ._exchanges import Asked, Recorded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._targets import Target

PLACES = ("/openapi.json", "/schema/openapi.json", "/swagger.json", "/api/openapi.json")
"""Where frameworks put the document."""
_PLAIN = {"integer": 1, "number": 1.5, "string": "a", "boolean": True}


def requests_from_openapi(*sides: Target) -> Iterator[Recorded]:
    """Ask the sides for their document, in order, and make requests of the first one found.

    Raises:
        RecordingError: none of them has one.
    """
    for side in sides:
        for place in PLACES:
            answer = side.ask(Asked("GET", place, (("host", "localhost"),)))
            if answer.status == 200:
                yield from _requests(json.loads(answer.body), place)
                return
    raise RecordingError(f"neither side has an OpenAPI document at {', '.join(PLACES)}; record traffic instead")


def _requests(document: dict[str, Any], place: str) -> Iterator[Recorded]:
    for template, item in (document.get("paths") or {}).items():
        operation = item.get("get")
        if operation is None:
            continue
        parameters = [*item.get("parameters", ()), *operation.get("parameters", ())]
        given = [_resolved(document, parameter) for parameter in parameters]
        path = template
        for one in given:
            if one["in"] == "path":
                path = path.replace(f"{{{one['name']}}}", quote(str(_example(document, one)), safe=""))
        query = urlencode(
            [(one["name"], _example(document, one)) for one in given if one["in"] == "query" and one.get("required")]
        )
        yield Recorded(Asked("GET", path + (f"?{query}" if query else ""), (("host", "localhost"),), at=place))


def _resolved(document: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    """Follow `$ref` inside the document."""
    reference = part.get("$ref", "")
    if not reference.startswith("#/"):
        return part
    found: Any = document
    for step in reference[2:].split("/"):
        found = found[step.replace("~1", "/").replace("~0", "~")]
    resolved: dict[str, Any] = found
    return resolved


def _example(document: dict[str, Any], parameter: dict[str, Any]) -> Any:
    schema = _resolved(document, parameter.get("schema") or {})
    for holder in (parameter, schema):
        for key in ("example", "default"):
            if key in holder:
                return holder[key]
    if schema.get("enum"):
        return schema["enum"][0]
    return _PLAIN.get(schema.get("type", ""), 1)

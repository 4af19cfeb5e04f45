"""Requests that an OpenAPI document names: one an operation, with an example, a default or a plain value for it.

What may change data is for the comparison to send or to leave out.
"""

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
_METHODS = ("get", "head", "options", "post", "put", "patch", "delete")
_PLAIN = {"integer": 1, "number": 1.5, "string": "a", "boolean": True, "array": [], "object": {}}
_FORMATS = {
    "date": "2026-01-02",
    "date-time": "2026-01-02T03:04:05Z",
    "email": "a@example.com",
    "uri": "https://example.com/",
    "uuid": "00000000-0000-4000-8000-000000000000",
}
_DEEPEST = 8  # schemas may contain themselves


def requests_from_openapi(*sides: Target) -> Iterator[Recorded]:
    """Ask the sides for their document, in order, and make requests of the first one found.

    Raises:
        RecordingError: none of them has one, or it cannot be read.
    """
    for side in sides:
        for place in PLACES:
            answer = side.ask(Asked("GET", place, (("host", "localhost"),)))
            if answer.status == 200:
                try:
                    requests = list(_requests(json.loads(answer.body), place))
                except (ValueError, KeyError, TypeError, AttributeError) as error:
                    raise RecordingError(f"{place} is no OpenAPI document: {error!r}") from None
                yield from requests
                return
    raise RecordingError(f"neither side has an OpenAPI document at {', '.join(PLACES)}; record traffic instead")


def _requests(document: dict[str, Any], place: str) -> Iterator[Recorded]:
    for template, item in (document.get("paths") or {}).items():
        for method in _METHODS:
            if method in item:
                parameters = [*item.get("parameters", ()), *item[method].get("parameters", ())]
                given = [_resolved(document, parameter) for parameter in parameters]
                yield Recorded(_request(document, method.upper(), template, given, item[method], place))


def _request(
    document: dict[str, Any], method: str, path: str, given: list[dict[str, Any]], operation: dict[str, Any], at: str
) -> Asked:
    values = {(one["in"], one["name"]): _parameter(document, one) for one in given if _needed(one)}
    for (where, name), value in values.items():
        if where == "path":
            path = path.replace(f"{{{name}}}", quote(str(value), safe=""))
    query = urlencode([(name, value) for (where, name), value in values.items() if where == "query"], doseq=True)
    headers = [("host", "localhost")]
    headers += [(name.lower(), str(value)) for (where, name), value in values.items() if where == "header"]
    kind, body = _body(document, operation)
    headers += [("content-type", kind)] if kind else []
    return Asked(method, path + (f"?{query}" if query else ""), tuple(headers), body, at)


def _needed(parameter: dict[str, Any]) -> bool:
    return parameter["in"] == "path" or bool(parameter.get("required"))


def _parameter(document: dict[str, Any], parameter: dict[str, Any]) -> Any:
    for key in ("example", "default"):
        if key in parameter:
            return parameter[key]
    return _example(document, parameter.get("schema") or {})


def _body(document: dict[str, Any], operation: dict[str, Any]) -> tuple[str, bytes]:
    """The media type and bytes of a body, JSON if the operation takes it, else a form; empty if it takes neither."""
    content = _resolved(document, operation.get("requestBody") or {}).get("content") or {}
    for kind, write in (("application/json", json.dumps), ("application/x-www-form-urlencoded", urlencode)):
        if kind in content:
            media = content[kind]
            value = media["example"] if "example" in media else _example(document, media.get("schema") or {})
            return kind, write(value).encode()
    return "", b""


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


def _example(document: dict[str, Any], schema: dict[str, Any], depth: int = 0) -> Any:
    """A value that a schema describes: its example, its default, or the plainest one."""
    schema = _resolved(document, schema)
    for key in ("example", "default", "const"):
        if key in schema:
            return schema[key]
    for key in ("examples", "enum"):
        if schema.get(key):
            return schema[key][0]
    if depth < _DEEPEST and (composed := _composed(document, schema, depth)) is not None:
        return composed
    return _FORMATS.get(schema.get("format", ""), _PLAIN.get(schema.get("type", ""), 1))


def _composed(document: dict[str, Any], schema: dict[str, Any], depth: int) -> Any:
    """A value of what has parts: all that an object requires, one of an array that must not be empty."""
    if "allOf" in schema:
        parts = [_example(document, part, depth + 1) for part in schema["allOf"]]
        return {key: value for part in parts if isinstance(part, dict) for key, value in part.items()} or parts[0]
    for key in ("anyOf", "oneOf"):
        if schema.get(key):
            return _example(document, schema[key][0], depth + 1)
    if "properties" in schema:
        wanted = schema.get("required", ())
        properties = {name: inner for name, inner in schema["properties"].items() if name in wanted}
        return {name: _example(document, inner, depth + 1) for name, inner in properties.items()}
    if schema.get("minItems"):
        return [_example(document, schema.get("items") or {}, depth + 1)] * schema["minItems"]
    return None

"""Falcon, WSGI and ASGI: one route for each responder of each resource.

`falcon.inspect` names responders but does not hand them out, so the nodes of the compiled router are read.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ._paths import write_variable
from ._route import Parameter, Route, Slash

if TYPE_CHECKING:
    from collections.abc import Iterator

_VARIABLE = re.compile(r"\{(\w+)(?::(\w+)(?:\(.*?\))?)?\}")


def read(app: Any) -> Iterator[Route | str]:
    """Yield the routes of a Falcon app."""
    for node in _nodes(app._router._roots):
        yield from _responders(app, node)
    for matcher, served, is_sink in app._sink_and_static_routes:
        if is_sink:
            yield f"a sink takes what no route takes and {matcher.pattern!r} matches"
        else:
            path, filename = f"{served._prefix.rstrip('/')}/<path:filename>", Parameter("filename", "path")
            yield Route(("GET",), path, automatic=("HEAD", "OPTIONS"), parameters=(filename,))


def _nodes(nodes: Any) -> Iterator[Any]:
    for node in nodes:
        if node.resource is not None:
            yield node
        yield from _nodes(node.children)


def _responders(app: Any, node: Any) -> Iterator[Route]:
    path, parameters = _template(node.uri_template)
    slash: Slash = "same" if app.req_options.strip_url_path_trailing_slash else "404"
    own = {name: call for name, call in node.method_map.items() if not _is_falcons(call)}
    options = () if "OPTIONS" in own else ("OPTIONS",)
    for method, call in own.items():
        yield Route(
            methods=(method,),
            path=path,
            automatic=options,
            parameters=parameters,
            slash=slash,
            runs=(call,),
        )


def _is_falcons(responder: Any) -> bool:
    return getattr(responder, "__module__", "").startswith("falcon.")


def _template(template: str) -> tuple[str, tuple[Parameter, ...]]:
    parameters: list[Parameter] = []

    def variable(match: re.Match[str]) -> str:
        parameters.append(Parameter(match[1], match[2] or "string"))
        return write_variable(parameters[-1])

    return _VARIABLE.sub(variable, template), tuple(parameters)

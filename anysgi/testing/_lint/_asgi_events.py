"""The rules about the values in any scope and any event."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

from ._asgi_look import EXTENSION_OF
from ._rule import ASGI
from ._values import not_a, shown

if TYPE_CHECKING:
    from ._asgi_look import Look

    Message = dict[str, Any]
    Scope = dict[str, Any]

_VERSIONS = frozenset(["2.0", "2.1", "2.2", "2.3", "2.4", "2.5"])
ANY, SENT, RECEIVED = ["scope"], ["sent"], ["received"]
TYPE_SENT, TYPE_RECEIVED = ["type sent"], ["type received"]  # judged when a type is first seen in a connection
_MAIN, _WWW = "ASGI, Connection Scope", "ASGI HTTP & WebSocket, HTTP Connection Scope"
_WS = "ASGI HTTP & WebSocket, WebSocket"


# --- every scope


@ASGI.check("A002", "must", "server", on=ANY, spec=_MAIN, write='scope = {"type": "http", ...}')
def type_is_text(scope: Scope, look: Look) -> str | None:
    """the scope has a `type`, a `str`"""
    return not_a(str, scope.get("type"), 'scope["type"]', "a str such as 'http'")


@ASGI.check("A003", "must", "server", on=ANY, spec=_MAIN, write='"asgi": {"version": "3.0"}')
def asgi_is_there(scope: Scope, look: Look) -> str | None:
    """the scope has `asgi`, a dict whose `version` is "2.0" or "3.0\""""
    asgi = scope.get("asgi")
    if not isinstance(asgi, dict):
        return f'scope["asgi"] is {shown(asgi)}' if "asgi" in scope else 'the scope has no "asgi"'
    version = asgi.get("version")
    return None if version in ("3.0", "2.0") else f'scope["asgi"]["version"] is {shown(version)}'


@ASGI.check("A004", "must", "server", on=ANY, spec=_WWW, write='"asgi": {"version": "3.0", "spec_version": "2.4"}')
def spec_version_is_text(scope: Scope, look: Look) -> str | None:
    """`spec_version`, if given, is a `str` such as "2.4\""""
    asgi = scope.get("asgi")
    given = asgi.get("spec_version", "2.0") if isinstance(asgi, dict) else "2.0"
    good = isinstance(given, str) and (given in _VERSIONS or re.fullmatch(r"\d+\.\d+", given))
    return None if good else f"spec_version is {shown(given)}"


@ASGI.check("A006", "must", "server", on=ANY, spec="ASGI, Extensions", write='"extensions": {"http.response.push": {}}')
def extensions_are_dicts(scope: Scope, look: Look) -> str | None:
    """`extensions`, if given, is a dict of `str` to dict"""
    given = scope.get("extensions")
    if given is None or isinstance(given, dict):
        strange = [k for k, v in look.extensions.items() if not isinstance(k, str) or not isinstance(v, dict)]
        return f"the extension {strange[0]!r} is {shown(look.extensions[strange[0]])}, not a dict" if strange else None
    return f"extensions is {shown(given)}"


@ASGI.check("A029", "must", "server", on=ANY, spec=_WWW, write='"type": "http"')
def type_is_spelt_right(scope: Scope, look: Look) -> str | None:
    """the type of an HTTP scope is exactly "http", of the others "websocket" and "lifespan\""""
    kind = look.protocol
    known = ("http", "websocket", "lifespan")
    if kind in known:
        return None
    near = [name for name in known if kind.strip().lower() == name or kind.startswith(f"{name}.")]
    return f"the type is {kind!r}, which is not {near[0]!r}" if near else None


# --- any message


@ASGI.check(
    "A005", "must", "both", on=[*SENT, *RECEIVED, "scope"], spec="ASGI, Strings and Unicode", write='{"type": ...}'
)
def keys_are_text(message: dict[Any, Any], look: Look) -> str | None:
    """the keys of scopes and events are `str`"""
    for key in message:
        if not isinstance(key, str):
            return f"the key {key!r} is not a str"
    return None


_UNJUDGED = {"headers", "body", "type", "file", "info", "status"}  # each has a rule of its own, or none by the spec


@ASGI.check(
    "A018",
    "must",
    "both",
    on=[*SENT, *RECEIVED],
    spec="ASGI, Events",
    write="bytes, str, int, float, list, dict, bool or None",
)
def values_are_serializable(message: Message, look: Look) -> str | None:
    """values are bytes, `str`, 64-bit `int`, finite `float`, list, dict with `str` keys, `bool` or None"""
    for key, value in message.items():
        if (
            key not in _UNJUDGED
            and value is not True
            and value is not False
            and (strange := _strange(value)) is not None
        ):
            return f"{key} holds {shown(strange[0])}"
    return None


def _strange(value: Any, depth: int = 0) -> tuple[Any] | None:
    """The first value inside that no event may hold, in a tuple; None if there is none."""
    if value is None or isinstance(value, (str, bytes, bool)):
        return None
    if isinstance(value, int):
        return None if -(2**63) <= value < 2**63 else (value,)
    if isinstance(value, float):
        return None if math.isfinite(value) else (value,)
    if depth > 8 or not isinstance(value, (list, tuple, dict)):
        return (value,)
    inside = [*value, *value.values()] if isinstance(value, dict) else value
    return next((found for item in inside if (found := _strange(item, depth + 1))), None)


@ASGI.check(
    "A019",
    "must",
    "both",
    on=[*TYPE_SENT, *TYPE_RECEIVED],
    spec="ASGI, Protocol Specifications",
    write='{"type": "http.response.body", ...}',
)
def type_fits_the_protocol(message: Message, look: Look) -> str | None:
    """a message's type is of the scope's protocol"""
    kind = message.get("type")
    if not isinstance(kind, str) or not look.protocol or kind.startswith(f"{look.protocol}.") or look.declares_its_own:
        return None
    http_on_websocket = look.protocol == "websocket" and kind.startswith("http.")
    return None if http_on_websocket else f"{kind!r} on a {look.protocol} scope"


@ASGI.check("A105", "must", "both", on=[*TYPE_SENT, *TYPE_RECEIVED], spec=_WS, write='{"type": "websocket.close"}')
def no_http_on_a_websocket(message: Message, look: Look) -> str | None:
    """no `http.*` message on a websocket scope"""
    kind = message.get("type")
    wrong = look.protocol == "websocket" and isinstance(kind, str) and kind.startswith("http.")
    return f"{kind!r} on a websocket scope" if wrong else None


_KNOWN = {
    "http": {"http.response.start", "http.response.body"},
    "websocket": {"websocket.accept", "websocket.send", "websocket.close"},
    "lifespan": {f"lifespan.{what}.{how}" for what in ("startup", "shutdown") for how in ("complete", "failed")},
}


USUAL = {**_KNOWN, "http": _KNOWN["http"] | {"http.request", "http.disconnect"}}
"""Types that no rule about types can mind on a scope of their protocol."""


@ASGI.check("A139", "must", "app", on=TYPE_SENT, spec="ASGI, Extensions", write='{"type": "http.response.start", ...}')
def type_is_known(message: Message, look: Look) -> str | None:
    """an unknown message type may be sent only where the server declares an extension the spec does not know"""
    kind = message.get("type")
    if not isinstance(kind, str) or look.protocol not in _KNOWN or not kind.startswith(f"{look.protocol}."):
        return None
    known = kind in _KNOWN[look.protocol] or kind in EXTENSION_OF or look.declares_its_own
    return None if known else f"there is no {kind!r}"


@ASGI.check(
    "A119",
    "must",
    "app",
    on=TYPE_SENT,
    spec="ASGI, Extensions",
    write='if "http.response.push" in (scope.get("extensions") or {}): ...',
)
def extension_is_offered(message: Message, look: Look) -> str | None:
    """a message of an extension is sent only where `scope["extensions"]` names it"""
    extension = EXTENSION_OF.get(message.get("type", ""))
    missing = extension is not None and extension not in look.extensions
    return f"{message['type']!r}, and the server does not offer {extension!r}" if missing else None

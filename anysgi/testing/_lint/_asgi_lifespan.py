"""The rules about the values in lifespan scopes and messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._rule import ASGI
from ._values import not_a, shown

if TYPE_CHECKING:
    from ._asgi_look import Look

    Message = dict[str, Any]
    Scope = dict[str, Any]

LIFESPAN = ["lifespan scope"]
_LIFE = "ASGI Lifespan, Scope"


@ASGI.check("A106", "must", "server", on=LIFESPAN, spec=_LIFE, write='{"type": "lifespan", "asgi": {...}, "state": {}}')
def lifespan_state_is_empty(scope: Scope, look: Look) -> str | None:
    """a lifespan scope's `state`, if given, is an empty dict"""
    state = scope.get("state", {})
    return None if isinstance(state, dict) and not state else f"state is {shown(state)}"


@ASGI.check(
    "A110",
    "must",
    "app",
    on=["lifespan.startup.failed", "lifespan.shutdown.failed"],
    spec="ASGI Lifespan, Startup Failed",
    write='"message": str(error)',
)
def failure_message_is_text(message: Message, look: Look) -> str | None:
    """`message` of a failure is a `str`"""
    return not_a(str, message.get("message", ""), "message", "a str")

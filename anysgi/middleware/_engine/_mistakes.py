"""What a layer answered, or the mistake it made: an error that names it by function, file and line."""

from __future__ import annotations

from inspect import unwrap
from types import GeneratorType
from typing import TYPE_CHECKING, Any

from ...exceptions import FlowError
from ._response import AppResponse, Response

if TYPE_CHECKING:
    from ._layer import Flow, Start


def answer_of(layer: Flow | Start, step: object) -> Response | FlowError:
    """What a layer answered, or its mistake."""
    if not isinstance(step, Response):
        return stray(layer, step)
    return step if isinstance(step, AppResponse) else step.copy()


def stray(layer: Flow | Start, step: object) -> FlowError:
    """The error of a layer that yielded or returned what is not in the table; it is not run any further."""
    if isinstance(layer, GeneratorType):
        error = FlowError(f"{where(layer)} handed over {step!r} where the engine takes {_FROM_FLOWS}")
        layer.close()
        return error
    return FlowError(f"{where(layer)} returned {step!r} where the engine takes {_FROM_FUNCTIONS}")


_FROM_FLOWS = (
    "the request, a Response, or a call of a Dual; it may yield the request once, then that response once, "
    "and must then return"
)
_FROM_FUNCTIONS = "a Response or None; to see the response write `response = yield request` in it"


def where(layer: Any) -> str:
    """Name a layer by function, file and line."""
    if isinstance(layer, GeneratorType):
        code, frame = layer.gi_code, layer.gi_frame
    else:
        function: Any = unwrap(layer)
        code, frame = getattr(function, "func", function).__code__, None  # a partial has options
    return f"{code.co_name} ({code.co_filename}:{frame.f_lineno if frame else code.co_firstlineno})"

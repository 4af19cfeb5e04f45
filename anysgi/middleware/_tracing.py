"""`tracing`: one span a request, through `opentelemetry-api` to whatever SDK the team has set up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from ._capture import REDACTED, SECRETS
from ._engine._layer import Flow, middleware
from ._hosts import parse_host
from ._names import lowered
from ._routes import METHODS, route_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from contextvars import ContextVar

    from opentelemetry.context import Context
    from opentelemetry.trace import Span, TracerProvider

    from ._engine._outcome import Outcome
    from ._engine._request import Request
    from ._engine._response import Response


class _Current:
    """OpenTelemetry's current context in the shape of a context variable; its token is the context before."""

    @staticmethod
    def set(context: Context) -> Context:
        from opentelemetry.context import attach, get_current

        before = get_current()
        attach(context)
        return before

    reset = set


@middleware(websocket=True)
def tracing(
    *,
    tracer_provider: TracerProvider | None = None,
    route: Callable[[Request], str | None] = route_of,
    request_headers: Collection[str] = (),
    response_headers: Collection[str] = (),
    redact: Collection[str] = SECRETS,
    on_request: Callable[[Span, Request], object] | None = None,
    on_response: Callable[[Span, Request, Response], object] | None = None,
) -> Callable[[Request], Flow]:
    """Make a server span for each request; it ends when the last byte left, and the app's own spans are its children.

    The parent comes from the request's headers, as the propagator that is set up reads them (W3C traceparent by
    default). Attributes are those of OpenTelemetry's stable HTTP conventions.  There are no spans for single messages.

    Args:
        tracer_provider: instead of the global one.
        route: names the span, once the request is answered: a template, never a path.
        request_headers: names of request headers to keep as attributes.
        response_headers: the same for the response.
        redact: names of headers whose values are kept out all the same.
        on_request: called with the span before the app is, to add attributes.
        on_response: the same, once the response has a head.

    Raises:
        ImportError: `opentelemetry-api` is missing; write: pip install 'anysgi[tracing]'
    """
    from opentelemetry import propagate, trace

    tracer = trace.get_tracer("anysgi", tracer_provider=tracer_provider)
    current = cast("ContextVar[Context]", _Current)
    secret = lowered(redact)
    wanted = {"request": lowered(request_headers), "response": lowered(response_headers)}

    def kept_of(side: str, head: Request | Response) -> dict[str, list[str]]:
        values = {name: head.headers.getlist(name) for name in wanted[side]}
        return {
            f"http.{side}.header.{name}": [REDACTED] * len(found) if name in secret else found
            for name, found in values.items()
            if found
        }

    def flow(request: Request) -> Flow:
        parent = propagate.extract(dict(request.headers))
        attributes = _attributes(request) | kept_of("request", request)
        span = tracer.start_span(_method(request), parent, trace.SpanKind.SERVER, attributes)
        if on_request is not None:
            on_request(span, request)
        request.bind(current, trace.set_span_in_context(span, parent))
        with span:
            try:
                response: Response = yield request
            except BaseException as error:
                _name(span, request, route)
                span.set_attribute("error.type", type(error).__qualname__)
                raise
            if span.is_recording():
                _name(span, request, route)
                _describe(span, response)
                span.set_attributes(kept_of("response", response))
            if on_response is not None:
                on_response(span, request, response)
            outcome: Outcome = yield response
            _conclude(span, outcome)
        return None

    return flow


def _method(request: Request) -> str:
    """The method as spans are named; `HTTP` for one that somebody made up, as the conventions have it."""
    return request.method if request.method in METHODS else "HTTP"


def _attributes(request: Request) -> dict[str, Any]:
    host = parse_host(request.host)
    known = {
        "http.request.method": request.method if request.method in METHODS else "_OTHER",
        "http.request.method_original": None if request.method in METHODS else request.method,
        "url.scheme": request.scheme,
        "url.path": request.path,
        "url.query": request.query or None,
        "server.address": host and host.name,
        "server.port": host and host.port,
        "client.address": request.client,
        "network.protocol.version": request.http_version,
        "user_agent.original": request.headers.get("user-agent"),
    }
    return {name: value for name, value in known.items() if value}


def _name(span: Span, request: Request, route: Callable[[Request], str | None]) -> None:
    template = route(request)
    if template:
        span.set_attribute("http.route", template)
        span.update_name(f"{_method(request)} {template}")


def _describe(span: Span, response: Response) -> None:
    from opentelemetry.trace import StatusCode

    span.set_attribute("http.response.status_code", response.status)
    if response.status >= 500:
        span.set_attribute("error.type", str(response.status))
        span.set_status(StatusCode.ERROR)


def _conclude(span: Span, outcome: Outcome) -> None:
    from opentelemetry.trace import StatusCode

    span.set_attribute("http.response.body.size", outcome.bytes_sent)
    if outcome.error is not None:
        span.record_exception(outcome.error)
    if outcome.kind != "complete":
        span.set_attribute("error.type", type(outcome.error).__qualname__ if outcome.error else outcome.kind)
        span.set_status(StatusCode.ERROR, outcome.kind)

"""`tracing`: one span a request, with the app's own below it."""

from __future__ import annotations

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from anysgi.middleware import tracing

from ._driving import App, Drive

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def provider(exporter: InMemorySpanExporter) -> TracerProvider:
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return provider


def only(exporter: InMemorySpanExporter) -> ReadableSpan:
    [span] = exporter.get_finished_spans()
    return span


def test_a_span_tells_of_a_request(drive: Drive, provider: TracerProvider, exporter: InMemorySpanExporter) -> None:
    stack = tracing(
        tracer_provider=provider,
        route=lambda _request: "/users/{id}",
        request_headers=["x-tenant"],
        response_headers=["x-own"],
    )
    headers = {"User-Agent": "me/1", "X-Tenant": "a", "Host": "shop.example.com:8443"}
    drive(stack, App(b"hello", headers={"X-Own": "1"}), path="/users/7", query="a=b", headers=headers)
    span = only(exporter)
    assert (span.name, span.kind) == ("GET /users/{id}", trace.SpanKind.SERVER)
    assert dict(span.attributes or {}) == {
        "http.request.method": "GET",
        "url.scheme": "http",
        "url.path": "/users/7",
        "url.query": "a=b",
        "server.address": "shop.example.com",
        "server.port": 8443,
        "client.address": "127.0.0.1",
        "network.protocol.version": "1.1",
        "user_agent.original": "me/1",
        "http.request.header.x-tenant": ("a",),
        "http.response.status_code": 200,
        "http.response.header.x-own": ("1",),
        "http.response.body.size": 5,
        "http.route": "/users/{id}",
    }
    assert span.status.is_unset


def test_a_method_that_somebody_made_up_makes_no_new_name(
    drive: Drive, provider: TracerProvider, exporter: InMemorySpanExporter
) -> None:
    drive(tracing(tracer_provider=provider), method="XPLOIT")
    span = only(exporter)
    assert span.name == "HTTP"
    assert span.attributes is not None
    assert span.attributes["http.request.method"] == "_OTHER"
    assert span.attributes["http.request.method_original"] == "XPLOIT"


def test_the_parent_comes_with_the_request(
    drive: Drive, provider: TracerProvider, exporter: InMemorySpanExporter
) -> None:
    drive(tracing(tracer_provider=provider), headers={"traceparent": TRACE})
    span = only(exporter)
    assert span.parent is not None
    assert f"{span.parent.trace_id:032x}-{span.parent.span_id:016x}" == TRACE[3:-3]


def test_spans_of_the_app_and_of_its_body_are_children(
    drive: Drive, provider: TracerProvider, exporter: InMemorySpanExporter
) -> None:
    tracer = provider.get_tracer("app")

    def chunk() -> bytes:
        with tracer.start_as_current_span("inner"):
            return b"x"

    before = trace.get_current_span()
    drive(tracing(tracer_provider=provider), App(chunk, shape="stream"))
    inner, outer = exporter.get_finished_spans()
    assert (inner.name, outer.name) == ("inner", "GET")
    assert inner.parent is not None
    assert inner.parent.span_id == outer.context.span_id
    assert trace.get_current_span() is before


@pytest.mark.parametrize(
    ("app", "leaves_after", "error"),
    [
        (App(b"no", status=503), None, "503"),
        (App(raises=LookupError("no")), None, None),
        (App(b"one", OSError("disk"), shape="stream"), None, "OSError"),
        (App(b"one", b"two", shape="stream"), 1, "aborted"),
    ],
)
def test_failures_are_marked(
    drive: Drive,
    provider: TracerProvider,
    exporter: InMemorySpanExporter,
    app: App,
    leaves_after: int | None,
    error: str | None,
) -> None:
    drive(tracing(tracer_provider=provider), app, leaves_after=leaves_after)
    span = only(exporter)
    assert span.status.status_code is trace.StatusCode.ERROR
    if error is None:
        assert [event.name for event in span.events] == ["exception"]
    elif error == "aborted":
        assert (span.attributes or {})["error.type"] in ("aborted", "OSError")
    else:
        assert (span.attributes or {})["error.type"] == error


def test_what_failed_is_named_by_its_route_too(
    drive: Drive, provider: TracerProvider, exporter: InMemorySpanExporter
) -> None:
    stack = tracing(tracer_provider=provider, route=lambda _request: "/users/{id}")
    drive(stack, App(raises=ValueError("no")), path="/users/7")
    span = only(exporter)
    assert span.name == "GET /users/{id}"
    assert (span.attributes or {})["http.route"] == "/users/{id}"
    assert (span.attributes or {})["error.type"] == "ValueError"
    assert span.status.status_code is trace.StatusCode.ERROR


def test_a_status_of_the_clients_fault_is_no_error(
    drive: Drive, provider: TracerProvider, exporter: InMemorySpanExporter
) -> None:
    drive(tracing(tracer_provider=provider), App(b"no", status=404))
    assert only(exporter).status.is_unset


def test_without_an_sdk_nothing_happens(drive: Drive) -> None:
    assert drive(tracing()).body == b"hello"


def test_headers_are_kept_by_name_and_secrets_never(
    drive: Drive, provider: TracerProvider, exporter: InMemorySpanExporter
) -> None:
    names = ["Authorization", "X-One", "X-None"]
    stack = tracing(tracer_provider=provider, request_headers=names, response_headers=["Set-Cookie", "X-Two"])
    app = App(b"x", headers=[("Set-Cookie", "a=secret"), ("Set-Cookie", "b=secret"), ("X-Two", "2")])
    drive(stack, app, headers={"Authorization": "secret", "X-One": "1"})
    kept = {name: value for name, value in (only(exporter).attributes or {}).items() if ".header." in name}
    assert kept == {
        "http.request.header.authorization": ("[redacted]",),
        "http.request.header.x-one": ("1",),
        "http.response.header.set-cookie": ("[redacted]", "[redacted]"),
        "http.response.header.x-two": ("2",),
    }


def test_a_single_name_is_one_name(drive: Drive, provider: TracerProvider, exporter: InMemorySpanExporter) -> None:
    drive(tracing(tracer_provider=provider, request_headers=["X-One"], redact="X-One"), headers={"X-One": "secret"})
    assert (only(exporter).attributes or {})["http.request.header.x-one"] == ("[redacted]",)


def test_hooks_may_add_to_the_span(drive: Drive, provider: TracerProvider, exporter: InMemorySpanExporter) -> None:
    stack = tracing(
        tracer_provider=provider,
        on_request=lambda span, request: span.set_attribute("tenant", request.host),
        on_response=lambda span, request, response: span.set_attribute("cached", response.status == 304),
    )
    drive(stack)
    attributes = only(exporter).attributes or {}
    assert (attributes["tenant"], attributes["cached"]) == ("testserver", False)

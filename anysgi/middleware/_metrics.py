"""`metrics`: how many, how long, how large, as Prometheus counts it; named after OpenTelemetry's HTTP conventions."""

from __future__ import annotations

import os
from time import perf_counter
from typing import TYPE_CHECKING

from ._engine._layer import Flow, middleware
from ._engine._response import Response
from ._routes import METHODS, route_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from prometheus_client import CollectorRegistry

    from ._engine._outcome import Outcome
    from ._engine._request import Request

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)
"""Buckets of the duration, as the OpenTelemetry conventions advise."""
BYTES = (100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000)
"""Buckets of body sizes."""


@middleware
def metrics(
    *,
    path: str | None = "/metrics",
    registry: CollectorRegistry | None = None,
    route: Callable[[Request], str | None] = route_of,
    seconds: Sequence[float] = SECONDS,
    sizes: Sequence[float] = BYTES,
    group: bool = False,
) -> Callable[[Request], Flow]:
    """Count requests, and answer the page Prometheus reads.

    `http_server_request_duration_seconds`, `http_server_response_body_size_bytes` and, of requests that announce it,
    `http_server_request_body_size_bytes` by method, route, status and outcome (a request lasts until its last byte
    left); `http_server_active_requests` by method.

    Args:
        path: where the numbers are read; None for nowhere.  Keep it from the public, at a proxy or with an inner layer.
        registry: where the metrics live, instead of the default one.  One registry holds one set of them.
        route: names a request, once it is answered: a template, never a path, as each name is kept for ever.
        seconds: buckets of the duration.
        sizes: buckets of the bodies' sizes, in bytes.
        group: say `2xx` instead of `200`, for fewer series.

    With PROMETHEUS_MULTIPROC_DIR set, the numbers are those of all processes, as `prometheus_client` has it.

    Raises:
        ImportError: `prometheus_client` is missing; write: pip install 'anysgi[metrics]'
    """
    from prometheus_client import REGISTRY, Gauge, Histogram

    home = REGISTRY if registry is None else registry
    labels = ("method", "route", "status", "outcome")
    lasted = Histogram(
        "http_server_request_duration_seconds", "Seconds until the last byte.", labels, buckets=seconds, registry=home
    )
    sent = Histogram(
        "http_server_response_body_size_bytes", "Bytes of body sent.", labels, buckets=sizes, registry=home
    )
    taken = Histogram(
        "http_server_request_body_size_bytes", "Bytes of body announced.", labels, buckets=sizes, registry=home
    )
    active = Gauge(
        "http_server_active_requests", "Requests in flight.", ["method"], registry=home, multiprocess_mode="livesum"
    )

    def flow(request: Request) -> Flow:
        if request.path == path:
            return _exposition(request, home)
        method = request.method if request.method in METHODS else "_OTHER"
        started, announced = perf_counter(), request.length
        status, kind, size = "500", "error", 0
        try:
            with active.labels(method).track_inprogress():
                response: Response = yield request
                status = str(response.status)
                outcome: Outcome = yield response
            kind, size = outcome.kind, outcome.bytes_sent
        finally:
            values = (method, route(request) or "", f"{status[0]}xx" if group else status, kind)
            lasted.labels(*values).observe(perf_counter() - started)
            sent.labels(*values).observe(size)
            if announced is not None:
                taken.labels(*values).observe(announced)
        return None

    return flow


def _exposition(request: Request, registry: CollectorRegistry) -> Response:
    from prometheus_client import CollectorRegistry
    from prometheus_client.exposition import choose_encoder
    from prometheus_client.multiprocess import MultiProcessCollector

    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # the library's
    try:
        encode, content_type = choose_encoder(request.headers.get("accept", ""))
    except (TypeError, ValueError):  # a version that is no number, which the library compares with one
        encode, content_type = choose_encoder("")
    return Response(200, encode(registry), {"content-type": content_type, "cache-control": "no-store"})

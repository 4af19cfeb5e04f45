"""`metrics`: what Prometheus reads."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from anysgi.middleware import metrics

from ._driving import App, Ask, Drive

if TYPE_CHECKING:
    from pathlib import Path


def samples(drive: Drive, app: Any) -> dict[str, float]:
    answer = drive.serve(app, Ask(path="/metrics"))
    assert answer.status == 200
    assert (answer.header("content-type") or "").startswith("text/plain")
    found = [sample for family in text_string_to_metric_families(answer.text) for sample in family.samples]
    return {f"{name}{sorted(labels.values())}": value for name, labels, value, *_ in found}


def counted(drive: Drive, app: App, *asks: Ask, leaves_after: int | None = None) -> dict[str, float]:
    wrapped = drive.wrap(metrics(registry=CollectorRegistry(), route=lambda request: "/users/{id}"), app)
    for each in asks or [Ask(path="/users/7")]:
        drive.serve(wrapped, each, leaves_after)
    return samples(drive, wrapped)


def test_requests_are_counted_by_method_route_status_and_outcome(drive: Drive) -> None:
    found = counted(drive, App(b"hello", status=201), Ask(path="/users/7"), Ask(path="/users/8", method="POST"))
    for method in ("GET", "POST"):
        labels = sorted([method, "/users/{id}", "201", "complete"])
        assert found[f"http_server_request_duration_seconds_count{labels}"] == 1
        assert found[f"http_server_response_body_size_bytes_sum{labels}"] == 5
        assert found[f"http_server_active_requests{[method]}"] == 0


def test_announced_bodies_are_measured_and_statuses_may_be_grouped(drive: Drive) -> None:
    grouped = metrics(registry=CollectorRegistry(), route=lambda request: "/", group=True)
    wrapped = drive.wrap(grouped, App(b"x", status=404))
    drive.serve(wrapped, Ask(method="POST", body=b"12345"))
    found, labels = samples(drive, wrapped), sorted(["POST", "/", "4xx", "complete"])
    assert found[f"http_server_request_body_size_bytes_sum{labels}"] == 5


@pytest.mark.parametrize(
    ("app", "leaves_after", "status", "outcome"),
    [
        (App(b"one", OSError("disk"), shape="stream"), None, "200", "error"),
        (App(b"one", b"two", shape="stream"), 1, "200", "aborted"),
        (App(raises=ValueError("no")), None, "500", "error"),
    ],
)
def test_what_goes_wrong_is_counted_too(
    drive: Drive, app: App, leaves_after: int | None, status: str, outcome: str
) -> None:
    found = counted(drive, app, leaves_after=leaves_after)
    labels = sorted(["GET", "/users/{id}", status, outcome])
    assert found[f"http_server_request_duration_seconds_count{labels}"] == 1
    assert found["http_server_active_requests['GET']"] == 0


def test_a_method_somebody_made_up_makes_no_name_of_its_own(drive: Drive) -> None:
    found = counted(drive, App(b"x"), Ask(method="BREW"), Ask(method="STEEP"))
    assert (
        found[f"http_server_request_duration_seconds_count{sorted(['_OTHER', '/users/{id}', '200', 'complete'])}"] == 2
    )


def test_a_request_in_flight_is_active(drive: Drive) -> None:
    registry = CollectorRegistry()
    seen: list[float | None] = []

    def look() -> None:
        seen.append(registry.get_sample_value("http_server_active_requests", {"method": "GET"}))

    drive(metrics(registry=registry), App(b"one", look, shape="stream"))
    assert seen == [1.0]
    assert registry.get_sample_value("http_server_active_requests", {"method": "GET"}) == 0.0


def test_the_page_can_be_left_out(drive: Drive) -> None:
    assert drive(metrics(registry=CollectorRegistry(), path=None), path="/metrics").body == b"hello"


def test_openmetrics_is_spoken_to_who_asks_for_it(drive: Drive) -> None:
    headers = {"Accept": "application/openmetrics-text; version=1.0.0"}
    answer = drive(metrics(registry=CollectorRegistry()), path="/metrics", headers=headers)
    assert (answer.header("content-type") or "").startswith("application/openmetrics-text")


def test_one_registry_serves_both_conventions_and_every_rebuild_of_a_stack(drive: Drive) -> None:
    registry = CollectorRegistry()
    stack = metrics(registry=registry)
    for _ in range(2):
        drive(stack, App(b"hello"))
    labels = {"method": "GET", "route": "", "status": "200", "outcome": "complete"}
    assert registry.get_sample_value("http_server_request_duration_seconds_count", labels) == 2


def test_the_numbers_of_all_processes_are_added_up(tmp_path: Path) -> None:
    script = (
        "from anysgi.middleware import metrics\n"
        "def app(environ, start_response):\n"
        "    start_response('200 OK', [])\n"
        "    return [b'hello']\n"
        "def get(app, path):\n"
        "    environ = {'REQUEST_METHOD': 'GET', 'PATH_INFO': path, 'SERVER_PROTOCOL': 'HTTP/1.1'}\n"
        "    body = app({**environ, 'wsgi.url_scheme': 'http'}, lambda *head: None)\n"
        "    return b''.join(body).decode(), getattr(body, 'close', lambda: None)()\n"
        "app = metrics()(app)\n"
        "get(app, '/')\n"
        "print(get(app, '/metrics')[0])\n"
    )
    environment = {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    for count in (1, 2):
        command = [sys.executable, "-c", script]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=30, check=True)
        found = re.search(r"http_server_request_duration_seconds_count\{.*?\} (\S+)", done.stdout)
        assert found is not None, done.stdout
        assert float(found[1]) == count


def test_a_directory_no_process_wrote_to_has_no_numbers(
    drive: Drive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack = metrics(registry=CollectorRegistry())
    drive(stack)
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    answer = drive(stack, path="/metrics")
    assert (answer.status, answer.body) == (200, b"")


@pytest.mark.parametrize("version", ["x", "1..0", ""])
def test_an_accept_nobody_can_read_gets_the_plain_page(drive: Drive, version: str) -> None:
    app = drive.wrap(metrics(registry=CollectorRegistry()), App(b"x"))
    ask = Ask(path="/metrics", headers=[("Accept", f"application/openmetrics-text;version={version}")])
    answer = drive.serve(app, ask)
    assert (answer.status, answer.error) == (200, None)

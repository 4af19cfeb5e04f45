"""`anysgi doctor`: every planted defect is found, with its place and a fix; healthy apps have none."""

from __future__ import annotations

import json
import os
import re
import socket
import sqlite3
import sys
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner, Result
from fastapi import FastAPI

from anysgi import WorkerPool, WsgiToAsgi
from anysgi._core._detect import find_framework, guess_convention
from anysgi.cli import main
from anysgi.migration._doctor import CHECKS, Finding, Patient, Side, examine
from anysgi.migration._doctor._django import _hops
from anysgi.migration._doctor._finding import written_at
from anysgi.migration._doctor._pools import made_by_hand
from anysgi.migration._doctor._preload import started_by_import
from anysgi.migration._doctor._probe import probe
from anysgi.migration._inventory import take_inventory
from anysgi.migration._translate import Setting
from tests.cli._run import anysgi
from tests.migration.apps import sick
from tests.test_docs import rows, section

APPS = Path(sick.__file__).parent
NOT_OURS = {"preload"}  # pytest and other tests have threads and sockets of their own


def side(app: Any, name: str = "shop:app") -> Side:
    framework, inner = find_framework(app) or (None, app)
    return Side(name, app, framework, inner, guess_convention(app), take_inventory(app), (sick.__file__,))


def findings(app: Any, new: Any = None, **given: Any) -> list[Finding]:
    patient = Patient(side(app), None if new is None else side(new, "api:app"), **given)
    return [finding for finding in examine(patient, NOT_OURS) if finding.severity != "note"]


def source(finding: Finding, evidence: int = 0) -> str:
    place = finding.evidence[evidence]
    assert place.file is not None
    return Path(place.file).read_text().splitlines()[(place.line or 0) - 1].strip()


# --- what is healthy


@pytest.mark.parametrize(
    "make", [sick.flask_app, sick.starlette_app, sick.with_session, sick.behind_a_proxy, sick.with_lifespan]
)
def test_a_healthy_app_has_no_finding(make: Any) -> None:
    assert findings(make()) == []


def test_httpbin_has_no_finding() -> None:
    import httpbin

    assert findings(httpbin.app) == []


def test_a_plain_app_can_be_examined() -> None:
    def app(environ: Any, start_response: Any) -> list[bytes]:
        return []

    assert findings(app) == []


# --- planted defects

TIMING = "async def timing(request: Any, call_next: Any) -> Any:"


@pytest.mark.parametrize(
    ("app", "check", "severity", "line"),
    [
        (sick.with_base_middleware(), "base-http-middleware", "warning", "class Base(BaseHTTPMiddleware):"),
        (sick.with_http_decorator(), "base-http-middleware", "warning", TIMING),
        (sick.starlette_app(sick.sleeps), "blocking-in-async", "error", "time.sleep(0)"),
        (sick.starlette_app(sick.keeps_by_thread), "thread-locals", "error", 'LOCAL.user = "a"'),
        (sick.flask_app(sick.keeps_by_thread_in_a_pool), "thread-locals", "warning", 'LOCAL.user = "a"'),
    ],
)
def test_a_defect_is_found_at_its_line_with_a_fix(app: Any, check: str, severity: str, line: str) -> None:
    [finding] = findings(app)
    assert (finding.check, finding.severity) == (check, severity)
    assert source(finding) == line
    assert finding.fix


def test_one_thread_local_is_told_once_however_many_handlers_use_it() -> None:
    app = sick.flask_app(sick.keeps_by_thread_in_a_pool)
    app.add_url_rule("/again", "again", sick.keeps_by_thread_in_a_pool)
    [finding] = findings(app)
    assert finding.what.startswith("2 handlers keep state by thread")
    assert [evidence.seen for evidence in finding.evidence] == ["thread.local <- GET / and 1 more"]


def test_two_pools_in_one_process_are_named_with_who_shares_them() -> None:
    [finding] = findings(sick.flask_app(), sick.starlette_app())
    assert finding.check == "thread-pools"
    assert [evidence.seen.partition(":")[0] for evidence in finding.evidence][:2] == ["WsgiToAsgi", "anyio's limiter"]
    assert "shop:app (1 sync handlers)" in finding.evidence[0].seen
    assert finding.fix.startswith("WsgiToAsgi(app, threads=…)")


def test_only_two_wsgi_apps_are_told_to_share_a_pool() -> None:
    for new, shared in ((sick.flask_app(), True), (sick.starlette_app(), False)):
        patient = Patient(side(sick.flask_app()), side(new, "api:app"))
        [finding] = CHECKS["thread-pools"](patient)
        assert ("one WorkerPool for all WSGI apps" in finding.fix) is shared


def test_pools_that_somebody_made_are_found_with_their_names(monkeypatch: pytest.MonkeyPatch) -> None:
    with ThreadPoolExecutor(3) as executor, WorkerPool(5) as pool:
        monkeypatch.setattr(sick, "THUMBNAILS", executor, raising=False)
        seen = [evidence.seen for evidence in made_by_hand()]
        assert f"ThreadPoolExecutor: 3 threads, made in {sick.__name__} as THUMBNAILS" in seen
        assert "WorkerPool: 5 threads, held by no module" in seen
        assert pool.threads == 5


def test_pools_and_threads_of_our_own_are_no_finding(tmp_path: Path) -> None:
    """A router imports asgiref, which makes a pool; and its shadow has a thread."""
    (tmp_path / "bare.py").write_text(ROUTER)
    report = anysgi("doctor", "bare:router", "--json", "--app-dir", str(tmp_path))
    found = {item["check"]: item for item in json.loads(report.stdout)["findings"]}
    assert "preload" not in found, report.stdout
    assert [item["seen"].partition(":")[0] for item in found["thread-pools"]["evidence"]] == ["WsgiToAsgi"]


ROUTER = """
import threading

from flask import Flask
from anysgi.migration import Router, RouteTable, ShadowCompare

router = Router(Flask("old"), Flask("new"), table=RouteTable.parse(""), shadow=ShadowCompare())
threading.Thread(target=threading.Event().wait, name="anysgi-shadow", daemon=True).start()
"""


def others(app: Any, new: Any) -> list[Finding]:
    return [finding for finding in findings(app, new) if finding.check != "thread-pools"]


def test_session_cookies_are_compared_attribute_by_attribute() -> None:
    old = sick.flask_app(SESSION_COOKIE_SECURE=True, SESSION_COOKIE_SAMESITE="Lax", SESSION_COOKIE_PATH="/")
    found = others(old, sick.with_session(session_cookie="id", domain="example.org", path="/new", same_site="strict"))
    assert [(item.check, item.severity, item.what.partition(":")[0]) for item in found] == [
        ("cookies", "error", "the session cookie's name differs"),
        ("cookies", "error", "the session cookie's domain differs"),
        ("cookies", "error", "the session cookie's path differs"),
        ("cookies", "warning", "the session cookie's secure differs"),
        ("cookies", "warning", "the session cookie's samesite differs"),
    ]
    assert found[0].evidence[0].seen == "shop:app: SESSION_COOKIE_NAME = 'session'"


def test_the_same_cookie_is_no_finding() -> None:
    old = sick.flask_app(SESSION_COOKIE_SAMESITE="Lax")
    assert others(old, sick.with_session()) == []


def test_an_app_without_a_session_has_no_cookie_to_compare() -> None:
    assert others(sick.flask_app(), sick.starlette_app()) == []


def test_a_proxy_that_only_one_side_believes_is_an_error() -> None:
    [finding] = others(sick.behind_a_proxy(), sick.starlette_app())
    assert (finding.check, finding.severity) == ("proxy-trust", "error")
    assert finding.evidence[0].seen.startswith("shop:app: ProxyFix(x_for=1")


def test_a_proxy_that_both_sides_believe_is_fine() -> None:
    from starlette.middleware import Middleware
    from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

    inside = sick.starlette_app(sick.async_view, Middleware(ProxyHeadersMiddleware))
    around = ProxyHeadersMiddleware(sick.starlette_app())
    assert others(sick.behind_a_proxy(), inside) == []
    assert others(sick.behind_a_proxy(), around) == []


def test_a_body_limit_that_the_new_side_has_not_is_an_error() -> None:
    limited = sick.flask_app(MAX_CONTENT_LENGTH=1_000_000)
    [finding] = others(limited, sick.starlette_app())
    assert (finding.check, finding.severity) == ("body-limit", "error")
    assert finding.evidence[0].seen == "MAX_CONTENT_LENGTH = 1000000"
    assert "body_limit(limit=1000000)(app)" in finding.fix


def test_a_body_limit_on_both_sides_or_on_none_is_fine() -> None:
    from starlette.middleware import Middleware

    class LimitBody:
        def __init__(self, app: Any) -> None: ...

    limited = sick.flask_app(MAX_CONTENT_LENGTH=1_000_000)
    assert others(limited, sick.starlette_app(sick.async_view, Middleware(LimitBody))) == []
    assert others(limited, sick.flask_app()) == []
    assert others(sick.starlette_app(), sick.starlette_app()) == []


@pytest.mark.parametrize("limit", [2_621_440, None])
def test_djangos_body_limit_is_known(monkeypatch: pytest.MonkeyPatch, limit: int | None) -> None:
    from anysgi.migration._doctor import _limits

    monkeypatch.setattr("django.conf.settings", SimpleNamespace(DATA_UPLOAD_MAX_MEMORY_SIZE=limit))
    found = _limits._body_limit(replace(side(sick.flask_app()), framework="Django"))
    assert found == (("DATA_UPLOAD_MAX_MEMORY_SIZE", limit) if limit else None)


@pytest.mark.parametrize(
    ("pool", "connections"), [(True, 4), ({"max_size": 10}, 10), ({"max_size": 40}, None), (False, None)]
)
def test_a_pool_of_connections_smaller_than_the_threads_is_found(
    monkeypatch: pytest.MonkeyPatch, pool: Any, connections: int | None
) -> None:
    database = {"CONN_MAX_AGE": 0, "OPTIONS": {"pool": pool}}
    monkeypatch.setattr("anysgi.migration._doctor._django.databases", lambda _patient: [("default", database)])
    found = findings(sick.starlette_app(), gunicorn=(Setting("workers", 3, 1),))
    assert [item.check for item in found] == ["connection-budget"] * (connections is not None)
    if connections:
        assert (
            found[0]
            .evidence[0]
            .seen.endswith(f"{connections} connections a process, {3 * connections} in 3 process(es)")
        )


@pytest.mark.parametrize(("overflow", "found"), [(10, ["connection-budget"]), (-1, []), (50, [])])
def test_sqlalchemys_pools_are_found_by_their_class(overflow: int, found: list[str]) -> None:
    cls = type(
        "QueuePool", (), {"__module__": "sqlalchemy.pool.impl", "size": lambda self: 5, "_max_overflow": overflow}
    )
    engine = SimpleNamespace(pool=cls())
    assert [item.check for item in findings(sick.starlette_app())] == found
    assert engine.pool.size() == 5


def test_websockets_without_a_library_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    from flask_sock import Sock

    async def socket(_socket: Any) -> None: ...

    api, old = FastAPI(openapi_url=None), sick.flask_app()
    api.add_api_websocket_route("/live", socket)
    Sock(old).route("/live")(lambda ws: None)
    assert findings(api) == findings(old) == []
    monkeypatch.setattr("anysgi.migration._doctor._websockets.find_spec", lambda _name: None)
    found = [item for item in findings(old, api) if item.check == "websocket-library"]
    assert [item.fix for item in found] == ['pip install "anysgi[websocket]"', 'pip install "uvicorn[standard]"']
    assert found[1].evidence[0].seen == "WEBSOCKET /live"


def test_adapters_of_others_are_named_with_what_they_lose() -> None:
    from asgiref.wsgi import WsgiToAsgi as Asgiref

    [finding] = findings(Asgiref(sick.flask_app()))
    assert (finding.check, finding.severity) == ("foreign-adapter", "warning")
    assert "one thread for all requests" in finding.what
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it is deprecated, and that is the point
        from starlette.middleware.wsgi import WSGIMiddleware
    api = sick.starlette_app()
    api.mount("/old", WSGIMiddleware(sick.flask_app()))
    assert "foreign-adapter" in [item.check for item in findings(api)]
    assert findings(WsgiToAsgi(sick.flask_app())) == []


def test_wsgi_middleware_that_the_new_app_will_not_have_is_named() -> None:
    from werkzeug.middleware.shared_data import SharedDataMiddleware

    old = SharedDataMiddleware(sick.flask_app(), {"/static": str(APPS)})
    assert findings(old) == []
    [finding] = others(old, sick.starlette_app())
    assert (finding.check, finding.fix) == ("wsgi-middleware", "StaticFiles on the new side")
    assert finding.evidence[0].seen == "shop:app: werkzeug.middleware.shared_data.SharedDataMiddleware"
    assert others(old, SharedDataMiddleware(sick.flask_app(), {})) == []


def test_gunicorn_settings_that_change_their_meaning_are_found() -> None:
    settings = (Setting("workers", 4, 1), Setting("timeout", 30, 2), Setting("post_fork", len, 3))
    found = findings(sick.flask_app(), gunicorn=settings, gunicorn_file="gunicorn.conf.py")
    assert [(item.check, item.evidence[0].seen, item.evidence[0].line) for item in found] == [
        ("gunicorn", "timeout = 30", 2),
        ("gunicorn", "post_fork = …", 3),
    ]


def test_hops_are_counted_between_async_and_sync() -> None:
    assert [_hops(chain) for chain in ([], [True], [False], [False, True, False], [False, False])] == [0, 0, 1, 2, 1]


def test_a_check_can_be_left_out() -> None:
    patient = Patient(side(sick.starlette_app(sick.sleeps)))
    assert not any(f.check == "blocking-in-async" for f in examine(patient, ["blocking-in-async"]))


def in_django(monkeypatch: pytest.MonkeyPatch, **settings: Any) -> None:
    given = SimpleNamespace(**{"DATABASES": {}, "MIDDLEWARE": [], **settings})
    monkeypatch.setattr("anysgi.migration._doctor._django.settings_of", lambda *_sides: given)


@pytest.mark.parametrize(
    ("database", "found"),
    [
        ({"CONN_MAX_AGE": 60}, ["django-conn-max-age"]),
        ({"CONN_MAX_AGE": None}, ["django-conn-max-age"]),
        ({"CONN_MAX_AGE": 60, "OPTIONS": {"pool": {"max_size": 40}}}, []),
        ({"CONN_MAX_AGE": 0}, []),
        ({"ATOMIC_REQUESTS": True}, ["django-atomic-requests"]),
        ({}, []),
    ],
)
def test_settings_of_a_django_database(
    monkeypatch: pytest.MonkeyPatch, database: dict[str, Any], found: list[str]
) -> None:
    monkeypatch.setattr("anysgi.migration._doctor._django.databases", lambda _patient: [("default", database)])
    assert [item.check for item in findings(sick.starlette_app())] == found


@pytest.mark.parametrize(("hops", "severity"), [(1, "note"), (2, "warning")])
def test_sync_middleware_of_django(monkeypatch: pytest.MonkeyPatch, hops: int, severity: str) -> None:
    asynchronous, synchronous = type("Async", (), {"async_capable": True}), sick.Base
    known = {"a": asynchronous, "s": synchronous}
    in_django(monkeypatch, MIDDLEWARE=["s", "a", "s"] if hops == 2 else ["a", "s"])
    monkeypatch.setattr("anysgi.migration._doctor._django._import", known.get)
    found = examine(Patient(side(sick.starlette_app())), {*NOT_OURS, "thread-pools"})
    [finding] = found
    assert (finding.check, finding.severity) == ("django-sync-middleware", severity)
    assert source(finding) == "class Base(BaseHTTPMiddleware):"


def test_threads_and_connections_of_an_import_are_named() -> None:
    over = threading.Event()
    thread = threading.Thread(target=over.wait, name="poller")
    thread.start()
    try:
        with socket.socket() as held, closing(sqlite3.connect(":memory:")):
            seen = [evidence.seen for item in started_by_import(Patient(side(sick.app))) for evidence in item.evidence]
            assert "thread poller" in seen
            assert "sqlite3.Connection" in seen
            assert repr(held) in seen
    finally:
        over.set()
        thread.join()


DJANGO = {
    "MIDDLEWARE": ["django.contrib.sessions.middleware.SessionMiddleware"],
    "SESSION_COOKIE_NAME": "sessionid",
    "SESSION_COOKIE_DOMAIN": None,
    "SESSION_COOKIE_PATH": "/",
    "SESSION_COOKIE_SECURE": False,
    "SESSION_COOKIE_SAMESITE": "Lax",
    "SECURE_PROXY_SSL_HEADER": ("HTTP_X_FORWARDED_PROTO", "https"),
    "USE_X_FORWARDED_HOST": False,
    "USE_X_FORWARDED_PORT": False,
}


def beside_django(monkeypatch: pytest.MonkeyPatch, **settings: Any) -> list[Finding]:
    monkeypatch.setattr("django.conf.settings", SimpleNamespace(**{**DJANGO, **settings}))
    old = replace(side(sick.flask_app(), "site:app"), framework="Django")
    new = side(sick.with_session())
    patient = Patient(old, new)
    return [*CHECKS["cookies"](patient), *CHECKS["proxy-trust"](patient)]


def test_cookies_and_proxies_of_django_are_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    name, proxy = beside_django(monkeypatch)
    assert name.what == "the session cookie's name differs: 'sessionid' and 'session'"
    assert proxy.evidence[0].seen == "site:app: SECURE_PROXY_SSL_HEADER = ('HTTP_X_FORWARDED_PROTO', 'https')"


def test_django_without_sessions_or_proxy_has_nothing_to_compare(monkeypatch: pytest.MonkeyPatch) -> None:
    assert beside_django(monkeypatch, MIDDLEWARE=[], SECURE_PROXY_SSL_HEADER=None) == []


def test_where_a_setting_is_written(tmp_path: Path) -> None:
    broken, assigned = tmp_path / "broken.py", tmp_path / "settings.py"
    broken.write_text("def")
    assigned.write_text("import os\nCONN_MAX_AGE = 60\n")
    files = (str(tmp_path / "nowhere.py"), str(broken), str(assigned))
    assert written_at(files, "CONN_MAX_AGE") == (str(assigned), 2)
    assert written_at(files, "OTHER") == (None, None)


# --- Django and what an import starts, in processes of their own


def doctor(*arguments: str, **environment: str) -> list[dict[str, Any]]:
    os.environ.update(environment)
    try:
        ended = anysgi("doctor", *arguments, "--json", cwd=APPS)
    finally:
        for name in environment:
            del os.environ[name]
    assert ended.stdout, ended.stderr
    found: list[dict[str, Any]] = json.loads(ended.stdout)["findings"]
    return found


def test_what_an_import_starts_and_opens_is_an_error_with_preload(tmp_path: Path) -> None:
    file = tmp_path / "gunicorn.conf.py"
    file.write_text("preload_app = True\n")
    found = doctor("sick:app", "--gunicorn", str(file), PYTHONPATH_EXTRA="", ANYSGI_TEST_PRELOAD="1")
    preload = [item for item in found if item["check"] == "preload"]
    assert [item["severity"] for item in preload] == ["error", "error"]
    assert preload[0]["evidence"][0] == {"seen": "preload_app = True", "file": str(file), "line": 1}
    assert preload[0]["evidence"][1]["seen"] == "thread poller"


@pytest.mark.slow
def test_persistent_connections_of_django_are_an_error_and_really_leak(tmp_path: Path) -> None:
    database = {"DATABASE": str(tmp_path / "db.sqlite3")}
    found = doctor("django_project:asgi", "--run", "24", "--path", "/users", **database)
    [static] = [item for item in found if item["check"] == "django-conn-max-age"]
    assert (static["severity"], static["evidence"][0]["seen"]) == ("error", "CONN_MAX_AGE = 60")
    [leaked] = [item for item in found if item["check"] == "run"]
    assert "descriptors are open after 24 requests" in leaked["what"]
    assert str(tmp_path) in leaked["evidence"][0]["seen"]
    atomic = [item for item in found if item["check"] == "django-atomic-requests"]
    assert atomic[0]["evidence"][1]["seen"] == "async def later"
    assert [item["check"] for item in found if item["check"] == "django-sync-middleware"]

    clean = doctor("django_project:asgi", "--run", "24", "--path", "/users", CONN_MAX_AGE="0", **database)
    assert not [item for item in clean if item["check"] in ("django-conn-max-age", "run")]


# --- running


def ran(app: Any, requests: int = 16, paths: list[str] | None = None) -> list[Finding]:
    try:
        return list(probe(side(app), requests, ["/"] if paths is None else paths))
    finally:
        for thing in sick.kept:
            if hasattr(thing, "close"):
                thing.close()
        sick.kept.clear()


@pytest.mark.parametrize("make", [sick.flask_app, sick.starlette_app, sick.with_lifespan])
def test_a_healthy_app_leaves_nothing_behind(make: Any) -> None:
    assert ran(make()) == []


def test_descriptors_are_counted_by_what_they_are() -> None:
    [finding] = ran(sick.flask_app(sick.leaves_a_descriptor))
    assert finding.what.startswith("16 descriptors are open after 16 requests")
    assert finding.evidence[0].seen == "16 x /dev/null"


def test_threads_are_counted() -> None:
    try:
        [finding] = ran(sick.flask_app(sick.leaves_a_thread), 8)
    finally:
        sick.over.set()
    assert "8 threads more after 8 requests" in finding.what


def test_tasks_are_counted_by_what_they_run() -> None:
    [finding] = ran(sick.starlette_app(sick.leaves_a_task))
    assert finding.evidence[0].seen == "16 x task sleep"
    assert not [
        it.seen for it in finding.evidence if "anysgi" in it.seen or "_outlive" in it.seen
    ]  # those of the probe


def test_generators_that_nobody_closes_are_named() -> None:
    def streams() -> Any:
        def body() -> Any:
            yield "a"
            yield "b"

        return body()

    [finding] = ran(sick.Impatient(sick.flask_app(streams)))
    assert "generator" in finding.evidence[0].seen


def test_requests_that_fail_are_counted_by_reason() -> None:
    app = sick.flask_app(sick.fails, PROPAGATE_EXCEPTIONS=True)
    [finding] = ran(app, 4)
    assert (finding.severity, finding.evidence[0].seen) == ("warning", "4 x GET /: LookupError: no such thing")
    [quiet] = ran(sick.flask_app(sick.fails), 4)
    assert quiet.evidence[0].seen == "4 x GET /: status 500"


def test_a_request_without_an_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    import asyncio

    monkeypatch.setattr("anysgi.migration._doctor._probe._BOUND", 0.05)

    async def hangs(_request: Any) -> Any:
        await asyncio.Event().wait()

    [finding] = ran(sick.starlette_app(hangs), 1)
    assert "no end within" in finding.evidence[0].seen


def test_requests_that_are_refused_are_told() -> None:
    [finding] = ran(sick.flask_app(), 4, ["/nowhere"])
    assert (finding.severity, finding.evidence[0].seen) == ("note", "4 x GET /nowhere: status 404")


def test_nothing_to_run_is_said() -> None:
    [finding] = ran(sick.flask_app(), paths=[])
    assert (finding.severity, finding.fix) == ("note", "--path /a/real/path")


# --- the command


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["doctor", *arguments, "--app-dir", str(APPS), "--ignore", "preload"])


@pytest.fixture
def _path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [*sys.path])


@pytest.mark.usefixtures("_path")
def test_notes_alone_exit_with_0_and_warnings_with_1() -> None:
    healthy = run("sick:flask_app", "--factory")
    assert healthy.exit_code == 0
    assert "· thread-pools: " in healthy.output
    sick_one = run("sick:with_base_middleware", "--factory")
    assert sick_one.exit_code == 1
    assert "! base-http-middleware: Base is a BaseHTTPMiddleware" in sick_one.output
    assert "sick.py:" in sick_one.output
    assert "fix: " in sick_one.output


@pytest.mark.usefixtures("_path")
def test_an_app_of_no_known_framework_is_told_what_could_not_be_looked_at(tmp_path: Path) -> None:
    (tmp_path / "plain_wsgi.py").write_text("def app(environ, start_response): ...")
    result = CliRunner().invoke(main, ["doctor", "plain_wsgi:app", "--app-dir", str(tmp_path), "--ignore", "preload"])
    assert "not known: plain_wsgi:app: the framework is unknown, and so are its routes" in result.output
    assert "(unknown sync handlers)" in result.output
    report = json.loads(run("sick:flask_app", "--factory", "--json").output)
    assert report["unknown"] == []


@pytest.mark.usefixtures("_path")
def test_two_apps_are_compared_and_plain_routes_are_run() -> None:
    result = run("sick:app", "tests.migration.apps.pairs:new", "--run", "4", "--json")
    assert result.exit_code == 1
    assert [item["check"] for item in json.loads(result.output)["findings"]] == ["thread-pools"]


@pytest.mark.usefixtures("_path")
def test_both_sides_of_a_router_are_examined(monkeypatch: pytest.MonkeyPatch) -> None:
    from anysgi.migration import Router, RouteTable

    router = Router(sick.behind_a_proxy(), sick.starlette_app(), table=RouteTable(), switches=())
    front = SimpleNamespace(router=router, __file__=__file__)
    monkeypatch.setitem(sys.modules, "front", front)
    result = run("front:router", "--json")
    router.close()
    found = {item["check"]: item["what"] for item in json.loads(result.output)["findings"]}
    assert found["proxy-trust"].startswith("front:router's legacy side believes a proxy's")
    assert "thread-pools" in found


@pytest.mark.usefixtures("_path")
def test_long_evidence_is_cut_in_the_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("anysgi.cli.doctor._PLACES", 0)
    assert re.search(r"and \d+ more", run("sick:app").output)


@pytest.mark.usefixtures("_path")
def test_no_findings_is_said() -> None:
    assert run("sick:app", "--ignore", "thread-pools").output == "No findings.\n"


def test_a_gunicorn_file_that_fails_is_a_problem_before_the_app_is_imported(tmp_path: Path) -> None:
    result = run("nowhere:app", "--gunicorn", "nowhere.conf.py")
    assert (result.exit_code, "nowhere.conf.py cannot be read" in result.output) == (2, True), result.output
    (tmp_path / "gunicorn.conf.py").write_text("1 / 0")
    result = run("nowhere:app", "--gunicorn", str(tmp_path / "gunicorn.conf.py"))
    assert (result.exit_code, "cannot be read: ZeroDivisionError" in result.output) == (1, True), result.output


def test_an_asgi_app_of_no_known_framework_is_given_no_adapters_pool() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None: ...

    [finding] = CHECKS["thread-pools"](Patient(side(app)))
    assert finding.evidence[0].seen.startswith("whichever the framework uses, which is not known")
    assert "WsgiToAsgi" not in finding.fix


def test_routes_that_cannot_be_read_are_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_app: object) -> None:
        raise LookupError("no such urlconf")

    monkeypatch.setattr("anysgi.cli.doctor.take_inventory", fail)
    result = run("sick:app")
    assert result.exit_code == 1
    assert "no such urlconf" in result.output


def test_every_check_is_in_the_reference() -> None:
    assert [*CHECKS, "run"] == list(rows(section("reference/cli.md", "`anysgi doctor`").partition("| check |")[2]))


def test_every_check_has_a_docstring() -> None:
    assert all(check.__doc__ for check in CHECKS.values())

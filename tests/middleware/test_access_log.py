"""`access_log`: one line a request, when it is over, with what really happened."""

from __future__ import annotations

import json
import logging
import re
from datetime import datetime
from typing import Any
from wsgiref.util import setup_testing_defaults

import pytest

from anysgi.middleware import Flow, Request, Response, Stack, access_log, middleware, request_id

from ._driving import App, Drive


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    caplog.set_level(logging.INFO, "anysgi.access")

    class Lines(list[str]):
        def __iter__(self) -> Any:
            return iter([record.getMessage() for record in caplog.records])

    return Lines()


def only(lines: list[str]) -> str:
    [line] = lines
    return line


def test_the_combined_format(drive: Drive, lines: list[str]) -> None:
    drive(access_log(), path="/a b", query="q=1", headers={"User-Agent": "curl", "Referer": "http://x/"})
    assert re.fullmatch(
        r'127\.0\.0\.1 - - \[\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\] "GET /a%20b\?q=1 HTTP/1\.1" 200 5 '
        r'"http://x/" "curl"',
        only(lines),
    )


def test_the_json_format(drive: Drive, lines: list[str]) -> None:
    drive(Stack(request_id(), access_log(format="json")), method="POST", body=b"abc", headers={"X-Request-ID": "r1"})
    entry = json.loads(only(lines))
    assert entry["status"] == 200
    assert entry["outcome"] == "complete"
    assert (entry["bytes_sent"], entry["bytes_received"], entry["request_id"]) == (5, 0, "r1")
    assert 0 <= entry["first_byte"] <= entry["duration"]


def test_what_the_app_read_is_counted(drive: Drive, lines: list[str]) -> None:
    drive(access_log(format="%(I)s"), App(b"", reads=True), method="POST", body=b"abc")
    assert only(lines) == "3"


@pytest.mark.parametrize(
    ("atoms", "line"),
    [
        ("%(m)s %(U)s %(q)s %(H)s", "GET / a=1 HTTP/1.1"),
        ("%(s)s %(B)s %(b)s %(O)s", "200 5 5 complete"),
        ("%({x-one}i)s %({x-two}i)s", "in -"),
        ("%({x-out}o)s %({x-two}o)s", "out -"),
        ("%(u)s %(l)s", "- -"),
    ],
)
def test_atoms(drive: Drive, lines: list[str], atoms: str, line: str) -> None:
    drive(access_log(format=atoms), App(b"hello", headers={"X-Out": "out"}), query="a=1", headers={"X-One": "in"})
    assert only(lines) == line


@pytest.mark.parametrize("atom", ["T", "D", "M", "L", "F", "p"])
def test_atoms_that_are_numbers(drive: Drive, lines: list[str], atom: str) -> None:
    drive(access_log(format=f"%({atom})s"))
    assert re.fullmatch(r"<?[0-9.]+>?", only(lines))


def test_a_request_cannot_forge_a_line(drive: Drive, lines: list[str]) -> None:
    drive(access_log(), path='/a\nb"c', headers={"User-Agent": 'x" 200 "\xe9'})
    assert "\n" not in only(lines)
    assert '"GET /a%0Ab%22c HTTP/1.1"' in only(lines)
    assert r"x\" 200 \"" in only(lines)


def test_a_backslash_does_not_take_the_quote_behind_it(drive: Drive, lines: list[str]) -> None:
    drive(access_log(), headers={"Referer": "\\", "User-Agent": 'x "GET /forged HTTP/1.1" 200'})
    assert only(lines).endswith(r'"\\" "x \"GET /forged HTTP/1.1\" 200"')


def test_a_stream_is_logged_at_its_end_with_all_its_bytes(drive: Drive, lines: list[str]) -> None:
    seen: list[int] = []
    drive(access_log(format="%(B)s"), App(b"abc", lambda: seen.append(len(list(lines))), b"de", shape="stream"))
    assert seen == [0]
    assert only(lines) == "5"


@pytest.mark.parametrize(
    ("app", "leaves", "line"),
    [
        (App(raises=LookupError("x")), None, "500 error -"),
        (App(b"a", LookupError("x"), shape="stream"), None, "200 error 1"),
        (App(b"a", b"b", shape="stream"), 1, "200 aborted"),
        (App(status=204), None, "204 complete -"),
    ],
)
def test_what_did_not_go_well_is_logged_as_such(
    drive: Drive, lines: list[str], app: App, leaves: int | None, line: str
) -> None:
    drive(access_log(format="%(s)s %(O)s %(b)s"), app, leaves_after=leaves)
    assert only(lines).startswith(line)


def test_levels(drive: Drive, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "anysgi.access")
    drive(access_log(level=logging.DEBUG))
    drive(access_log(slow=0.0))
    drive(access_log(), App(b"", status=503))
    assert [record.levelname for record in caplog.records] == ["DEBUG", "WARNING", "ERROR"]


def test_health_checks_are_skipped(drive: Drive, lines: list[str]) -> None:
    drive(access_log(skip="/health"), path="/health")
    assert list(lines) == []


def test_the_status_an_outer_layer_sees_is_logged(drive: Drive, lines: list[str]) -> None:
    @middleware
    def teapot(request: Request) -> Flow:
        response: Response = yield request
        response.status = 418

    drive(Stack(access_log(format="%(s)s"), teapot()))
    assert only(lines) == "418"


def test_a_logger_that_is_off_costs_no_line(drive: Drive, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.CRITICAL, "anysgi.access"):
        assert drive(access_log()).status == 200
    assert caplog.records == []


@pytest.mark.parametrize(("level", "own"), [(logging.CRITICAL, True), (logging.ERROR, False)])
def test_a_logger_that_takes_no_errors_either_leaves_the_response_alone(level: int, own: bool) -> None:
    body = [b"hello"]
    environ: dict[str, Any] = {}
    setup_testing_defaults(environ)

    def app(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        return body

    logging.getLogger("tests.access").setLevel(level)
    result = access_log(app, logger="tests.access")(environ, lambda *head: None)
    assert (result is body) is own
    list(result)


def test_errors_are_logged_where_the_rest_is_not(drive: Drive, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR, "anysgi.access"):
        drive(access_log(format="%(s)s"))
        drive(access_log(format="%(s)s"), App(b"", status=503))
    assert [record.getMessage() for record in caplog.records] == ["503"]


def test_the_time_is_when_the_request_came(drive: Drive, lines: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    ended = datetime(2026, 2, 3, 4, 5, 6, 999_000).astimezone()  # the second has room for the time it took
    monkeypatch.setattr("anysgi.middleware._log_entry.time", ended.timestamp)
    drive(access_log(format="%(t)s"))
    drive(access_log(format="json"))
    text, entry = lines
    assert text == ended.strftime("[%d/%b/%Y:%H:%M:%S %z]")
    fields = json.loads(entry)
    began = datetime.fromisoformat(fields["time"])
    assert began.utcoffset() == ended.utcoffset()
    assert (ended - began).total_seconds() == pytest.approx(fields["duration"], abs=0.001)


@pytest.mark.parametrize(
    ("format", "said"),
    [
        ("x%(", "'%(' at 1"),
        ("%(h)", "'%(h)' at 0"),
        ("%(h)s 100 %", "'%' at 10"),
        ("%(h)s %s", "'%s' at 6"),
        ("%h %(r)s", "'%h' at 0"),
        ("%(U)d", "'%(U)d' at 0"),  # a path is no number, which only a request would show
        ("%(zz)s", "'%(zz)s' at 0"),
        ("%(h)s %({x-env}e)s", "'%({x-env}e)s' at 6"),
        ("combind", "no atom"),
    ],
)
def test_a_format_that_cannot_be_filled_in_is_an_error_that_says_where_and_gives_a_line_that_works(
    format: str, said: str
) -> None:
    with pytest.raises(ValueError, match=re.escape(f"access_log(format={format!r}): {said}")) as refused:
        access_log(format=format)
    [line] = re.findall("format='(.*?)'", str(refused.value).partition(": ")[2])
    access_log(format=line)


def test_a_percent_sign_and_a_width(drive: Drive, lines: list[str]) -> None:
    drive(access_log(format="100%% %(s)5s %(m)-5s|"))
    assert only(lines) == "100%   200 GET  |"


def test_of_ordinary_requests_a_share_is_logged_and_of_others_all(
    drive: Drive, lines: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    chances = iter([0.05, 0.15])
    monkeypatch.setattr("anysgi.middleware._access_log.random", lambda: next(chances))
    sampled = access_log(format="%(s)s", sample=0.1)
    for app in (App(b"x", status=201), App(b"x", status=202), App(b"x", status=500)):
        drive(sampled, app)
    drive(access_log(format="slow %(s)s", sample=0.0, slow=0.0))
    assert list(lines) == ["201", "500", "slow 200"]
    with pytest.raises(ValueError, match="a share from 0 to 1"):
        access_log(sample=10)


def test_secrets_in_queries_are_left_out(drive: Drive, lines: list[str]) -> None:
    log = access_log(format="%(r)s %(q)s %(f)s", redact=["token", "key"])
    headers = {"Referer": "https://x.test/?Token=secret&monkey=1#key=secret"}
    drive(log, query="a=1&token=secret&key=&mytoken=2", headers=headers)
    query = "a=1&token=[redacted]&key=[redacted]&mytoken=2"
    referer = "https://x.test/?Token=[redacted]&monkey=1#key=secret"  # no client sends what follows a #
    assert only(lines) == f"GET /?{query} HTTP/1.1 {query} {referer}"


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("user%5Bpassword%5D=secret&a=1", "user%5Bpassword%5D=[redacted]&a=1"),
        ("pass+word=secret", "pass+word=[redacted]"),
        ("pass%20word=a=b?c=d;e", "pass%20word=[redacted];e"),
        ("next=/x?%74oken=secret", "next=/x?%74oken=[redacted]"),
        ("my%5Btoken%5D=1&token&x=token=2", "my%5Btoken%5D=1&token&x=token=2"),
    ],
)
def test_a_secret_is_left_out_however_its_name_is_written(
    drive: Drive, lines: list[str], query: str, shown: str
) -> None:
    drive(access_log(format="%(q)s", redact=["token", "user[password]", "Pass Word"]), query=query)
    assert only(lines) == shown


def test_a_json_line_names_the_route_and_what_the_team_wants(drive: Drive, lines: list[str]) -> None:
    def extra(request: Request, response: Response | None) -> dict[str, object]:
        return {"user": request.headers.get("x-user"), "answered": response is not None, "odd": {1}}

    log = access_log(format="json", extra=extra)
    drive(log, headers={"X-User": "u1"}, **{"anysgi.route": "/users/{id}"})
    drive(log, App(raises=LookupError("no")))
    first, second = map(json.loads, lines)
    assert (first["route"], first["user"], first["answered"], first["odd"]) == ("/users/{id}", "u1", True, "{1}")
    assert (second["route"], second["answered"]) == (None, False)

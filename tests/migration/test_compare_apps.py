"""Real apps held against each other: every seeded mistake is found, and an app does not differ from itself."""

from __future__ import annotations

import concurrent.futures
import io
import json
import os
import re
import sys
import xml.etree.ElementTree as ElementTree
from contextlib import ExitStack, closing
from pathlib import Path
from time import perf_counter
from typing import Any

import pytest
from click.testing import CliRunner, Result
from flask import Flask

from anysgi.cli import main
from anysgi.exceptions import RecordingError
from anysgi.migration._compare._exchanges import Answered, Asked, Recorded
from anysgi.migration._compare._har import write_har
from anysgi.migration._compare._noise import Noise
from anysgi.migration._compare._openapi import requests_from_openapi
from anysgi.migration._compare._recordings import read_recording
from anysgi.migration._compare._running import Compared, compare
from anysgi.migration._compare._summary import Summary
from anysgi.migration._compare._targets import AppTarget, UrlTarget
from anysgi.migration._route_names import namer_of

from .apps.orders import app as order_shop
from .apps.twins.new import MUTATIONS, make
from .apps.twins.old import app as flask_shop

PATHS = ("/items", "/items/1", "/items/2", "/items/9", "/page", "/plain", "/old-items", "/login", "/now", "/nowhere")
REQUESTS = [Recorded(Asked("GET", path, (("host", "shop"),))) for path in PATHS]
IGNORED = ["error", "$.detail"]  # what each framework says of a URL it does not know


def compared(old: Any, new: Any) -> list[Compared]:
    with ExitStack() as stack:
        sides = [stack.enter_context(AppTarget(app, timeout=10)) for app in (old, new)]
        return list(compare(REQUESTS, *sides, noise=Noise()))


def differing(results: list[Compared]) -> set[str]:
    return {one.request.target for one in results if one.differs} - {"/nowhere"}


@pytest.mark.parametrize("app", [flask_shop, make()], ids=["flask", "fastapi"])
def test_an_app_does_not_differ_from_itself(app: Any) -> None:
    assert not [one for one in compared(app, app) if one.differs]


def test_what_the_recording_left_out_is_not_sent_and_told_of(tmp_path: Path) -> None:
    sent: list[dict[str, Any]] = []

    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        sent.append(environ)
        start_response("200 OK", [])
        return []

    line = {"path": "/", "headers": {"authorization": "[redacted]", "accept": "*/*"}}
    path = tmp_path / "traffic.jsonl"
    path.write_text(json.dumps(line))
    with AppTarget(app) as target, AppTarget(app) as other:
        summary = Summary()
        for one in compare(read_recording(path), target, other, noise=Noise()):
            summary.add(one)
    assert [("HTTP_AUTHORIZATION" in environ, environ["HTTP_ACCEPT"]) for environ in sent] == [(False, "*/*")] * 3
    assert summary.as_json()["redacted"] == {"authorization": 1}
    words = ["compare", "tests.migration.apps.twins.old:app", "tests.migration.apps.twins.old:app"]
    done = CliRunner().invoke(main, [*words, "--requests", str(path)])
    assert "1 sent without authorization, which the recording left out" in done.output


def test_a_careful_twin_does_not_differ() -> None:
    assert differing(compared(flask_shop, make())) == set()


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_every_seeded_mistake_is_found(mutation: str) -> None:
    assert differing(compared(flask_shop, make(mutation)))


def test_an_app_that_hangs_is_an_answer_with_an_error() -> None:
    import threading

    gate = threading.Event()

    def hangs(environ: Any, start_response: Any) -> Any:
        gate.wait(10)
        start_response("200 OK", [])
        return [b""]

    with AppTarget(hangs, timeout=0.2) as target:
        answer = target.ask(Asked())
    gate.set()
    assert (answer.status, answer.error) == (0, "the app did not end within 0.2 s")


def test_an_asgi_app_that_hangs_does_not_hold_up_the_end() -> None:
    import asyncio

    ended = []

    async def hangs(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            try:
                await asyncio.Event().wait()
            finally:
                ended.append(scope["path"])

    began = perf_counter()
    with AppTarget(hangs, timeout=0.2) as target:
        assert target.ask(Asked()).status == 0
    assert ended == ["/"]
    assert perf_counter() - began < 15, "it waited for as long as an app may take to shut down"


@pytest.mark.parametrize("command", ["compare", "replay"])
def test_a_server_that_is_not_there_is_said_before_anything_is_sent(command: str, tmp_path: Path) -> None:
    path = tmp_path / "traffic.jsonl"
    path.write_text('{"path": "/"}\n' * 3)
    sides = ["http://127.0.0.1:1"] * (1 + (command == "compare"))
    done = run(command, *sides, "--requests", str(path))
    assert (done.exit_code, done.output.count("Nobody can be asked at http://127.0.0.1:1: ")) == (1, 1), done.output


def test_two_servers_that_are_gone_are_not_the_same() -> None:
    with closing(UrlTarget("http://127.0.0.1:1", timeout=1)) as gone:
        [one] = compare([Recorded(Asked())], gone, gone, noise=Noise())
    assert one.skipped.startswith("nobody answered: ConnectionRefusedError")


def test_a_request_nobody_can_send_is_not_the_same() -> None:
    asked = Asked("GET", "/a b")
    with AppTarget(flask_shop) as old, AppTarget(flask_shop) as new:
        [one] = compare([Recorded(asked)], old, new, noise=Noise())
    assert one.skipped.startswith("nobody answered: ")


def test_a_status_the_old_app_does_not_repeat_hides_nothing_of_the_new_one() -> None:
    statuses = iter(["200 OK", "503 Busy", *["200 OK"] * 9])

    def wavers(environ: Any, start_response: Any) -> Any:
        start_response(next(statuses), [])
        return [b""]

    def fails(environ: Any, start_response: Any) -> Any:
        start_response("500 Broken", [])
        return [b""]

    with AppTarget(wavers) as old, AppTarget(fails) as new:
        results = list(compare([Recorded(Asked())] * 2, old, new, noise=Noise()))
    assert [bool(one.skipped) for one in results] == [True, False]
    assert results[1].differs


def test_there_are_only_so_many_reasons() -> None:
    summary = Summary()
    for number in range(1_000):
        summary.add(Compared(Asked(), "GET /", skipped=f"reason {number}"))
    assert (len(summary.skipped), summary.skipped["other reasons"]) == (101, 900)


def test_a_recording_without_answers_proves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "traffic.jsonl"
    path.write_text('{"path": "/items"}')
    done = run("replay", "twins.old:app", "--requests", str(path))
    assert (done.exit_code, "1 not compared: the recording has no answer" in done.output) == (1, True), done.output


def test_a_target_that_is_no_target_is_an_error() -> None:
    with pytest.raises(ValueError, match="write http://"):
        UrlTarget("ftp://example.com")


def test_a_server_that_is_not_there_is_an_answer_with_an_error() -> None:
    answer = UrlTarget("http://127.0.0.1:1", timeout=1).ask(Asked())
    assert (answer.status, "refused" in answer.error) == (0, True)


def test_requests_are_made_of_an_openapi_document() -> None:
    with AppTarget(flask_shop) as old, AppTarget(order_shop) as new:
        requests = [one.request for one in requests_from_openapi(old, new)]
        assert [(one.method, one.target) for one in requests] == [
            ("GET", "/users/1/orders?kind=a"),
            ("POST", "/users/1/orders"),
            ("DELETE", "/users/00000000-0000-4000-8000-000000000000"),
        ]
        assert [new.ask(one).status for one in requests] == [200] * 3, "FastAPI takes every example"
        assert json.loads(requests[1].body)["parts"] == [{"sort": "tea"}] * 2
        recorded = [*map(Recorded, requests)]
        assert [bool(one.skipped) for one in compare(recorded, new, new, noise=Noise())] == [False, True, True]
        assert not any(one.differs for one in compare(recorded, new, new, noise=Noise(), isolated=True))
        with pytest.raises(RecordingError, match="neither side has an OpenAPI document"):
            list(requests_from_openapi(old))


def test_bodies_and_parameters_are_made_of_whatever_the_document_says() -> None:
    parameter = {"name": "q", "in": "query", "required": True, "schema": {"$ref": "#/components/schemas/a~1b"}}
    header = {"name": "h", "in": "header", "required": True, "example": "v"}
    form = {"type": "object", "required": ["a"], "properties": {"a": {"default": "x y"}, "b": {}}}
    parts = [{"properties": {"a": {"examples": [7]}}, "required": ["a"]}, {"$ref": "#/components/schemas/loop"}]
    loop = {"properties": {"next": {"$ref": "#/components/schemas/loop"}}, "required": ["next"]}
    document = {
        "components": {"schemas": {"a/b": {"const": "c d"}, "loop": loop, "none": {}}},
        "paths": {
            "/form": {"post": {"requestBody": {"content": {"application/x-www-form-urlencoded": {"schema": form}}}}},
            "/all": {"put": {"requestBody": {"content": {"application/json": {"schema": {"allOf": parts}}}}}},
            "/any": {"patch": {"requestBody": {"content": {"application/json": {"example": [1]}}}}},
            "/scalar": {"put": {"requestBody": {"content": {"application/json": {"schema": {"allOf": [{}]}}}}}},
            "/get": {
                "parameters": [parameter, header],
                "get": {},
            },
            "/upload": {"post": {"requestBody": {"content": {"image/png": {}}}}},
        },
    }
    made = {one.request.path: one.request for one in requests_from_openapi(_Says(json.dumps(document)))}
    assert made["/form"].body == b"a=x+y"
    assert made["/all"].body.startswith(b'{"a": 7, "next": {"next": {')
    assert (made["/any"].body, made["/scalar"].body, made["/upload"].body) == (b"[1]", b"1", b"")
    assert made["/get"].target == "/get?q=c+d"
    assert made["/get"].headers == (("host", "localhost"), ("h", "v"))


def test_garbage_instead_of_an_openapi_document_is_said() -> None:
    for garbage in ("{", '{"paths": {"/": {"get": {"parameters": [{"name": "x"}]}}}}', "[]"):
        with pytest.raises(RecordingError, match=r"/openapi.json is no OpenAPI document"):
            list(requests_from_openapi(_Says(garbage)))


@pytest.mark.parametrize(
    ("sides", "route"),
    [
        ((flask_shop, make()), "/items/<int:number>"),
        ((make(), flask_shop), "/items/<number>"),
        ((None, flask_shop), "/items/<int:number>"),
    ],
)
def test_requests_are_named_by_the_routes_of_the_first_app_that_has_some(sides: tuple[Any, ...], route: str) -> None:
    name = namer_of(sides)
    found = [name(*asked) for asked in (("GET", "/items/7"), ("HEAD", "/items/8"), ("GET", "/nowhere/7"))]
    assert found == [f"GET {route}", f"HEAD {route}", "GET /nowhere/{}"]


def test_requests_are_named_by_the_look_of_their_path_where_no_route_tells() -> None:
    app = Flask(__name__)
    app.add_url_rule("/<path:rest>", "rest")
    app.add_url_rule("/of/<slug>", "slug")
    assert [namer_of([app])("GET", path) for path in ("/a/7", "/of/caf%C3%A9")] == ["GET /a/{}", "GET /of/<slug>"]

    class Moved(Flask):
        url_map: Any = None

    for others in ([], [None], [Moved.__new__(Moved)]):
        assert namer_of(others)("GET", "/of/tea") == "GET /of/tea"


@pytest.mark.parametrize("command", ["compare", "replay"])
def test_a_report_has_one_row_for_all_the_slugs_of_a_route(command: str, tmp_path: Path) -> None:
    path = tmp_path / "traffic.jsonl"
    answer = {"status": 200, "headers": [["content-type", "application/json"]], "body": "0"}
    lines = [{"request": {"path": f"/items/{n}"}, "response": answer} for n in (1, 2)]
    path.write_text("\n".join(map(json.dumps, lines)))
    sides = ["twins.old:app"] * (1 + (command == "compare"))
    found = json.loads(run(command, *sides, "--requests", str(path), "--json").stdout)
    assert list(found["routes"]) == ["GET /items/<int:number>"]


@pytest.fixture
def traffic(tmp_path: Path) -> Path:
    path = tmp_path / "traffic.jsonl"
    lines = [{"path": path} for path in PATHS if path != "/nowhere"]
    path.write_text("\n".join(map(json.dumps, [*lines, {"method": "POST", "path": "/items"}])))
    return path


HERE = Path(__file__).parent / "apps"


def run(*arguments: str, stdin: str = "") -> Any:
    return CliRunner().invoke(main, [*arguments, "--app-dir", str(HERE)], input=stdin)


@pytest.mark.parametrize("command", ["replay", "compare", "advise"])
@pytest.mark.parametrize("har", [False, True], ids=["lines", "HAR"])
def test_requests_may_come_through_a_pipe(command: str, har: bool, traffic: Path) -> None:
    if har:
        written = io.StringIO()
        write_har(read_recording(traffic), written)
        text = written.getvalue()
    else:
        text = traffic.read_text()
    sides = ("twins.old:app",) * (2 if command == "compare" else 1)
    few = ["--samples", "1"] if command == "advise" else []
    from_file = run(command, *sides, "--requests", str(traffic), *few, "--json")
    piped = run(command, *sides, "--requests", "-", *few, "--json", stdin=text)
    assert not piped.stderr
    assert _told(piped) == _told(from_file)


def _told(done: Result) -> tuple[int, Any]:
    """What does not depend on the clock, and on what the source is called."""
    told = json.loads(done.stdout)
    names = [route if isinstance(route, str) else route["route"] for route in told["routes"]]
    return done.exit_code, [told.get("same"), told.get("different"), names]


def test_a_pipe_that_is_named_is_read_as_well(traffic: Path, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with concurrent.futures.ThreadPoolExecutor() as writer:
        writer.submit(pipe.write_bytes, traffic.read_bytes())
        done = run("replay", "twins.old:app", "--requests", str(pipe))
    assert "9 not compared: the recording has no answer" in done.output, done.output


def test_a_broken_line_of_a_pipe_is_named() -> None:
    done = run("replay", "twins.old:app", "--requests", "-", stdin="{}\n")
    assert (done.exit_code, "stdin:1: not a recorded exchange" in done.output) == (1, True), done.output
    done = run("advise", "twins.old:app", "--requests", "-", stdin="")
    assert (done.exit_code, "stdin holds no requests" in done.output) == (1, True), done.output


def test_the_command_says_that_nothing_differs(traffic: Path) -> None:
    done = run("compare", "twins.old:app", "twins.new:app", "--requests", str(traffic))
    assert done.exit_code == 0, done.output
    assert "9 answers compared, no difference." in done.output
    assert "1 not compared: POST may change data" in done.output


def test_the_command_tells_what_differs_in_every_form(
    traffic: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    monkeypatch.setenv("ANYSGI_MUTATION", "renamed key")
    monkeypatch.delitem(sys.modules, "twins.new", raising=False)
    page, junit = tmp_path / "parity.html", tmp_path / "junit.xml"
    sides = "twins.old:app", "twins.new:app"
    done = run("compare", *sides, "--requests", str(traffic), "--report", str(page), "--junit", str(junit))
    assert done.exit_code == 1, done.output
    assert "3 of 9 answers differ, in 2 of 7 routes." in done.output
    assert "$[0].name" in done.output
    html = page.read_text()
    assert "3 of 9 answers differ" in html
    assert not re.search(r"(src|href)=|https?://(?!shop)", html), "the page needs something else"
    suite = ElementTree.parse(junit).getroot()
    assert (suite.get("tests"), suite.get("failures")) == ("8", "2")
    found = json.loads(run("compare", *sides, "--requests", str(traffic), "--json").stdout)
    assert (found["same"], found["different"]) == (6, 3)
    assert found["noise"] == {"GET /now": ["json: $.count", "json: $.id"]}
    ignored = run("compare", *sides, "--requests", str(traffic), "--ignore", "$[0].name", "--ignore", "$[0].title")
    assert "1 of 9" not in ignored.output
    assert "2 of 9 answers differ" in ignored.output
    monkeypatch.delitem(sys.modules, "twins.new", raising=False)


@pytest.mark.parametrize("option", ["--report", "--junit"])
def test_a_report_that_cannot_be_written_is_said_before_anything_is_sent(
    traffic: Path, tmp_path: Path, option: str
) -> None:
    done = run("compare", "nowhere:app", "nowhere:app", "--requests", str(traffic), option, str(tmp_path / "no" / "x"))
    assert (done.exit_code, f"there is no folder {tmp_path / 'no'}" in " ".join(done.output.split())) == (2, True)


def test_a_report_that_is_refused_at_the_end_loses_no_result(traffic: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.symlink_to(tmp_path / "loop")
    (tmp_path / "loop").symlink_to(page)
    done = run("compare", "twins.old:app", "twins.old:app", "--requests", str(traffic), "--report", str(page))
    assert (done.exit_code, f"{page} cannot be written: " in done.output) == (1, True), done.output
    assert "answers compared, no difference." in done.output


def test_what_differs_is_marked_word_by_word() -> None:
    from anysgi.migration._compare._report import marked

    old, new = marked("text/html; charset=utf-8", "application/json; charset=utf-8")
    assert [run for equal, run in old if not equal] == ["text", "html"]
    assert [run for equal, run in new if not equal] == ["application", "json"]
    assert marked("200", "307") == [[(True, "200")], [(True, "307")]]


def test_values_in_a_report_are_no_markup(traffic: Path, tmp_path: Path) -> None:
    from anysgi.migration._compare._report import html_report

    summary = Summary()
    for one in compare(
        [Recorded(Asked("GET", "/<script>alert(1)</script>"))],
        _Says("<script>alert(2)</script>"),
        _Says("<img onerror=x>"),
        noise=Noise(),
    ):
        summary.add(one)
    page = html_report(summary, old="<b>", new="x", noise={}, when="now")
    for markup in ("<script>alert", "<img", "<b>x"):
        assert markup not in page


class _Says:
    def __init__(self, text: str) -> None:
        self.text = text

    def ask(self, request: Asked) -> Answered:
        return Answered(200, (("content-type", "text/plain"),), self.text.encode())

    def close(self) -> None: ...


def test_a_replay_is_compared_with_what_was_recorded(tmp_path: Path) -> None:
    path = tmp_path / "traffic.jsonl"
    answer = {"status": 200, "headers": [["content-type", "text/plain; charset=utf-8"]], "body": "one\ntwo\n"}
    path.write_text(json.dumps({"request": {"path": "/plain"}, "response": answer}))
    assert run("replay", "twins.old:app", "--requests", str(path)).exit_code == 0
    path.write_text(json.dumps({"request": {"path": "/plain"}, "response": {**answer, "body": "one\n"}}))
    done = run("replay", "twins.old:app", "--requests", str(path))
    assert (done.exit_code, "1 of 1 answers differ" in done.output) == (1, True)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["twins.old:app", "twins.old:app", "--requests", "missing.jsonl"], 2, "cannot be read"),
        (["twins.old:app", "http://", "--requests", "openapi"], 2, "no URL of a server"),
        (["twins.old:app", "nothing:app", "--requests", "openapi"], 1, "nothing"),
        (["twins.old:app", "twins.old:app"], 2, "--requests"),
        (["twins.old:app", "twins.old:app", "--requests", "openapi"], 1, "Error: neither side has an OpenAPI document"),
        (["twins.old:app", "twins.old:app", "--requests", os.devnull], 1, "holds no requests"),
    ],
)
def test_what_cannot_be_compared_is_said(arguments: list[str], code: int, said: str) -> None:
    done = run("compare", *arguments)
    assert (done.exit_code, said in done.output) == (code, True), done.output


def test_garbage_in_a_recording_is_said_with_file_and_line(tmp_path: Path) -> None:
    path = tmp_path / "traffic.jsonl"
    path.write_text('{"path": "/plain"}\nnonsense\n')
    done = run("compare", "twins.old:app", "twins.old:app", "--requests", str(path))
    assert (done.exit_code, f"{path}:2: not a recorded exchange" in done.output) == (1, True), done.output


def test_a_header_that_differs_in_every_answer_is_told_once(tmp_path: Path) -> None:
    (tmp_path / "sides.py").write_text(
        "def old(environ, start_response):\n"
        "    start_response('200 OK', [('vary', 'Origin'), ('content-type', 'text/plain')])\n"
        "    return [b'a']\n"
        "def new(environ, start_response):\n"
        "    start_response('200 OK', [('content-type', 'text/plain')])\n"
        "    return [b'a' if environ['PATH_INFO'] == '/a' else b'b']\n"
    )
    path = tmp_path / "traffic.jsonl"
    path.write_text('{"path": "/a"}\n{"path": "/b"}\n')
    done = CliRunner().invoke(
        main, ["compare", "sides:old", "sides:new", "--requests", str(path), "--app-dir", str(tmp_path)]
    )
    assert "all 2 answers: header vary: Origin became nothing" in done.output
    assert done.output.count("vary") == 1
    assert "2 of 2 answers differ, in 2 of 2 routes." in done.output


@pytest.mark.parametrize(
    ("package", "words"),
    [
        ("rich", ["compare", "nowhere:app", "nowhere:app"]),
        ("rich", ["compare", "nowhere:app", "nowhere:app", "--json", "--progress"]),
        ("rich", ["replay", "nowhere:app"]),
        ("rich", ["advise", "nowhere:app"]),
        ("jinja2", ["compare", "nowhere:app", "nowhere:app", "--report", "parity.html"]),
        ("jinja2", ["replay", "nowhere:app", "--report", "parity.html", "--json"]),
    ],
)
def test_a_missing_package_is_said_before_anything_is_read(
    package: str, words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    path = tmp_path / "traffic.jsonl"
    path.write_text("garbage that nobody reads")
    done = CliRunner().invoke(main, [*words, "--requests", str(path)])
    assert done.exit_code == 1
    assert package in done.output
    assert 'pip install "anysgi[migration]"' in done.output


def test_json_needs_no_rich_where_somebody_watches(traffic: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.setitem(sys.modules, "rich", None)
    done = run("replay", "twins.old:app", "--requests", str(traffic), "--json")
    assert json.loads(done.stdout)["skipped"], done.output


@pytest.mark.parametrize("command", ["compare", "replay"])
def test_a_broken_line_is_said_before_anything_is_sent(command: str, tmp_path: Path) -> None:
    """What was sent with --isolated is not undone, and the result so far would be lost."""
    path = tmp_path / "traffic.jsonl"
    path.write_text('{"path": "/items"}\n{"path": "items"}\n')
    sides = ["nowhere:app"] * (1 + (command == "compare"))
    done = run(command, *sides, "--requests", str(path))
    assert (done.exit_code, "traffic.jsonl:2: not a recorded exchange" in done.output) == (1, True), done.output
    assert "There is no module 'nowhere'" in run(command, *sides, "--requests", str(path), "--limit", "1").output


@pytest.mark.parametrize("option", ["--report", "--junit"])
def test_a_file_that_cannot_be_written_is_said_before_anything_is_sent(
    option: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.access", lambda _path, _mode: False)  # root may write everywhere
    words = ["replay", "nowhere:app", "--requests", "nowhere.jsonl", option, str(tmp_path / "out")]
    done = run(*words)
    assert (done.exit_code, "cannot be written" in " ".join(done.output.split())) == (2, True), done.output


def test_the_apps_may_be_in_two_folders(tmp_path: Path) -> None:
    for name in ("ahead", "behind"):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"{name}_app.py").write_text("from flask import Flask\napp = Flask(__name__)\n")
    (tmp_path / "traffic.jsonl").write_text('{"path": "/"}')
    folders = [word for name in ("ahead", "behind") for word in ("--app-dir", str(tmp_path / name))]
    words = ["compare", "ahead_app:app", "behind_app:app", "--requests", str(tmp_path / "traffic.jsonl"), *folders]
    done = CliRunner().invoke(main, words)
    assert (done.exit_code, "1 answer compared, no difference." in done.output) == (0, True), done.output
    missing = CliRunner().invoke(main, ["inspect", "aheed_app", *folders]).output
    assert f"in {tmp_path / 'ahead'} or {tmp_path / 'behind'} nor on sys.path. Did you mean 'ahead_app'" in missing


def test_a_limit_stops_early(traffic: Path) -> None:
    done = run("compare", "twins.old:app", "twins.new:app", "--requests", str(traffic), "--limit", "2")
    assert "2 answers compared" in done.output


def test_progress_goes_to_stderr_where_it_is_asked_for(traffic: Path) -> None:
    words = "compare", "twins.old:app", "twins.old:app", "--requests", str(traffic)
    assert "differ" not in run(*words).stderr
    watched = run(*words, "--progress")
    assert "0 differ" in watched.stderr
    assert "/10" in watched.stderr
    assert "0 differ" not in watched.stdout


MEASURED = """
from anysgi.cli import main
try:
    main()
finally:  # `ru_maxrss` would be that of the process it was forked from, if that is larger
    print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's /proc")
def test_ten_times_the_requests_take_no_more_memory(tmp_path: Path) -> None:
    import subprocess
    import sys

    def most_memory(requests: int) -> int:
        """In KiB, of a whole comparison whose answers all differ."""
        path = tmp_path / f"{requests}.jsonl"
        path.write_text("".join(json.dumps({"path": f"/{'x' * 500}/{n}"}) + "\n" for n in range(requests)))
        words = ["compare", "plain:one", "plain:other", "--requests", str(path), "--json", "--app-dir", str(HERE)]
        done = subprocess.run([sys.executable, "-c", MEASURED, *words], capture_output=True, text=True, check=False)
        report, used = done.stdout.splitlines()
        assert (done.returncode, json.loads(report)["different"]) == (1, requests)
        return int(used)

    few, many = most_memory(1_000), most_memory(10_000)
    assert few < 100_000, "of its own"
    assert many - few < 8_192, f"{few} KiB for 1,000 requests, {many} KiB for 10,000"

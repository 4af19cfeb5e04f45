"""A header of each side's own: `compare` asks twins whose tokens differ as a user whom each of them knows."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from anysgi.cli import main
from anysgi.migration._compare._exchanges import Answered, Asked
from anysgi.migration._compare._side_headers import WithHeaders, hiding, parse_header
from anysgi.migration._compare._targets import AppTarget, UrlTarget

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from click.testing import Result

    Compare = Callable[..., Result]

OLD, NEW = "Token old-side-0123456789", "Token new/side+9876543210"
APPS = '''
import json
from urllib.parse import quote

MINE = {"old": "Token old-side-0123456789", "new": "Token new/side+9876543210"}


def answer(side, authorization, path):
    """Who asks, in every place where an answer can repeat it."""
    if authorization != MINE[side]:
        return "403 Forbidden", [], b"{}"
    token = authorization.split()[1]
    headers = [("x-token", token), ("location", "/next?token=" + quote(token, safe=""))]
    if path == "/differs":
        headers += [("x-side", side + " " + authorization)]
    return "200 OK", [("content-type", "application/json"), *headers], json.dumps({"user": {"token": token}}).encode()


def wsgi(side):
    def app(environ, start_response):
        if environ["PATH_INFO"] == "/raises":
            raise ValueError("who is " + environ["HTTP_AUTHORIZATION"] + " at " + side)
        status, headers, body = answer(side, environ.get("HTTP_AUTHORIZATION"), environ["PATH_INFO"])
        start_response(status, headers)
        return [body]

    return app


def asgi(side):
    async def app(scope, receive, send):
        if scope["type"] != "http":
            raise RuntimeError("no lifespan")
        given = dict(scope["headers"]).get(b"authorization", b"").decode()
        if scope["path"] == "/raises":
            raise ValueError("who is " + given + " at " + side)
        status, headers, body = answer(side, given, scope["path"])
        headers = [(name.encode(), value.encode()) for name, value in headers]
        await send({"type": "http.response.start", "status": int(status[:3]), "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return app


old_wsgi, new_wsgi, old_asgi, new_asgi = wsgi("old"), wsgi("new"), asgi("old"), asgi("new")
'''
CONVENTIONS = pytest.mark.parametrize("convention", ["wsgi", "asgi"])
GIVEN = ("--old-header", f"Authorization: {OLD}", "--new-header", f"authorization:{NEW}")


@pytest.fixture
def compare(tmp_path: Path) -> Compare:
    """Run the command on the twins; `paths` were recorded with a token that neither of them takes."""
    (tmp_path / "token_twins.py").write_text(APPS)

    def run(convention: str, *more: str, paths: tuple[str, ...] = ("/user",), token: str = "Token stale") -> Result:
        lines = [{"path": path, "headers": {"authorization": token}} for path in paths]
        (tmp_path / "traffic.jsonl").write_text("\n".join(map(json.dumps, lines)))
        sides = f"token_twins:old_{convention}", f"token_twins:new_{convention}"
        words = ["compare", *sides, "--requests", str(tmp_path / "traffic.jsonl"), "--app-dir", str(tmp_path)]
        return CliRunner().invoke(main, [*words, *more])

    return run


@CONVENTIONS
def test_each_side_is_asked_with_its_own_header_instead_of_the_recorded_one(compare: Compare, convention: str) -> None:
    one_sided = compare(convention, *GIVEN[:2])
    assert (one_sided.exit_code, "200" in one_sided.output, "403" in one_sided.output) == (1, True, True)
    done = compare(convention, *GIVEN)
    assert (done.exit_code, "1 answer compared, no difference." in done.output) == (0, True), done.output


@CONVENTIONS
def test_a_token_is_in_no_report(compare: Compare, convention: str, tmp_path: Path) -> None:
    page, junit = tmp_path / "page.html", tmp_path / "junit.xml"
    told = ""
    for form in (("--report", str(page), "--junit", str(junit)), ("--json",)):
        done = compare(convention, *GIVEN, *form, paths=("/differs", "/raises"))
        assert done.exit_code == 1, done.output
        told += done.output
    told += page.read_text() + junit.read_text()
    assert "x-side" in told
    assert "[redacted]" in told
    for token in (OLD, NEW, OLD.split()[1], NEW.split()[1], "new%2Fside"):
        assert token not in told


@CONVENTIONS
def test_what_both_sides_are_given_is_not_told_as_missing(compare: Compare, convention: str) -> None:
    missing = "1 sent without authorization, which the recording left out"
    assert missing not in compare(convention, *GIVEN, token="[redacted]").output
    told = compare(convention, *GIVEN[:2], token="[redacted]").output
    assert missing in told
    assert "--new-header" in told, "it says what to do"


@pytest.fixture
def replay(tmp_path: Path) -> Compare:
    """Replay, at the old side, what it answered to a user whose token is in the recording as `token`."""
    (tmp_path / "token_twins.py").write_text(APPS)

    def run(convention: str, *more: str, token: str) -> Result:
        word = token.rpartition(" ")[2]
        body = json.dumps({"user": {"token": word}})
        headers = {"x-token": word, "location": f"/next?token={word}", "content-type": "application/json"}
        asked = {"path": "/user", "headers": {"authorization": token}}
        line = {"request": asked, "response": {"status": 200, "headers": headers, "body": body}}
        (tmp_path / "traffic.jsonl").write_text(json.dumps(line))
        words = ["replay", f"token_twins:old_{convention}", "--requests", str(tmp_path / "traffic.jsonl")]
        return CliRunner().invoke(main, [*words, "--app-dir", str(tmp_path), *more])

    return run


@CONVENTIONS
@pytest.mark.parametrize("token", ["[redacted]", OLD])
def test_a_replay_is_sent_with_the_header_it_is_given(replay: Compare, convention: str, token: str) -> None:
    done = replay(convention, "--header", f"Authorization: {OLD}", token=token)
    assert (done.exit_code, "1 answer compared, no difference." in done.output) == (0, True), done.output


def test_a_guest_of_the_recording_stays_a_guest(tmp_path: Path) -> None:
    """The answer that was recorded is a guest's, so a user's would differ from it."""
    (tmp_path / "token_twins.py").write_text(APPS)
    forbidden = {"status": 403, "headers": {}, "body": "{}"}
    (tmp_path / "traffic.jsonl").write_text(json.dumps({"request": {"path": "/user"}, "response": forbidden}))
    words = ["replay", "token_twins:old_wsgi", "--requests", str(tmp_path / "traffic.jsonl")]
    done = CliRunner().invoke(main, [*words, "--app-dir", str(tmp_path), "--header", f"Authorization: {OLD}"])
    assert (done.exit_code, "1 answer compared, no difference." in done.output) == (0, True), done.output


@CONVENTIONS
def test_a_replay_without_the_credential_says_which_option_gives_it(replay: Compare, convention: str) -> None:
    done = replay(convention, token="[redacted]")
    assert (done.exit_code, "sent without authorization" in done.output) == (1, True), done.output
    assert "give --header, or record" in done.output


@CONVENTIONS
def test_the_token_of_a_replay_is_in_no_report(replay: Compare, convention: str, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    done = replay(convention, "--header", f"Authorization: {OLD}", "--report", str(page), token="Token stale-012345")
    assert (done.exit_code, "[redacted]" in done.output) == (1, True), done.output
    assert OLD.split()[1] not in done.output + page.read_text()


def test_headers_of_one_name_replace_all_recorded_ones_and_others_stay() -> None:
    seen: list[Asked] = []
    cookies = (("cookie", "a=1"), ("cookie", "b=2"))
    asked = Asked("GET", "/", (("host", "shop"), ("cookie", "c=3"), ("cookie", "d=4")))
    WithHeaders(_Keeps(seen), cookies, hiding(cookies)).ask(asked)
    assert seen[0].headers == (("host", "shop"), ("cookie", "a=1"), ("cookie", "b=2"))


def test_without_headers_a_request_goes_out_as_it_is() -> None:
    seen: list[Asked] = []
    asked = Asked("GET", "/", (("cookie", "c=3"),))
    assert WithHeaders(_Keeps(seen), (), hiding(())).ask(asked) == Answered(200)
    assert seen == [asked]


@pytest.mark.parametrize(
    ("value", "body", "read"),
    [
        ("1", '{"n": 1}', '{"n": 1}'),
        (
            "lang=eu; sid=session-cookie-1",
            '{"at": "eu", "sid": "session-cookie-1"}',
            '{"at": "eu", "sid": "[redacted]"}',
        ),
        ('sid="quoted-cookie"', "quoted-cookie", "[redacted]"),
        ("Bearer 12345678", "12345678, 123456789", "[redacted], [redacted]"),
        ("caf\xe9-caf\xe9", "?token=caf%E9-caf%E9", "?token=[redacted]"),
    ],
)
def test_what_an_answer_repeats_is_left_out_and_its_other_words_stay(value: str, body: str, read: str) -> None:
    mine, others = (("x-a", value),), (("x-a", "123456789"),)
    for headers in (mine, others):
        assert WithHeaders(_Says(body), headers, hiding(mine + others)).ask(Asked()).body == read.encode()


def test_a_server_is_asked_with_the_header() -> None:
    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("200 OK", [("content-type", "text/plain")])
        return [environ["HTTP_X_KEY"].encode()]

    with make_server("127.0.0.1", 0, app, handler_class=_Silent) as server, AppTarget(app) as other:
        url = UrlTarget(f"http://127.0.0.1:{server.server_port}", timeout=10)
        serving = threading.Thread(target=server.handle_request)
        serving.start()
        mine, others = (("x-key", "12345678"),), (("x-key", "87654321"),)
        hide = hiding(mine + others)
        old, new = WithHeaders(url, mine, hide), WithHeaders(other, others, hide)
        assert old.ask(Asked()).body == new.ask(Asked()).body == b"[redacted]"
        old.close()
        serving.join(10)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("Token hunter2", "there is no colon"),
        (": hunter2", "what stands before the colon is not a header name"),
        ("to ken: hunter2", "what stands before the colon is not a header name"),
        ("cookie:", "there is no value"),
        ("cookie:  \t", "there is no value"),
        ("cookie: hunter2\r\nx: y", "the value has a line break, a control character"),
        ("cookie: hunter2\u20ac", "the value has a line break, a control character"),
        ("Content-Length: 7", "content-length belongs to the connection"),
    ],
)
@pytest.mark.parametrize("option", ["--old-header", "--new-header"])
def test_what_is_no_header_is_refused_without_repeating_it(compare: Compare, option: str, text: str, why: str) -> None:
    done = compare("wsgi", option, text)
    told = " ".join(done.output.replace("\u2502", " ").split())
    assert (done.exit_code, why in told, option in told) == (2, True, True), told
    assert "'Authorization: Token abc'" in told
    assert "hunter2" not in told


@given(st.from_regex(r"[A-Za-z-]{1,20}", fullmatch=True), st.from_regex(r"[!-~]([ -~]{0,50}[!-~])?", fullmatch=True))
def test_a_header_is_read_as_it_is_sent(name: str, value: str) -> None:
    assert parse_header(f"x{name}:  {value} ") == (f"x{name}".lower(), value)


class _Silent(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None: ...


class _Keeps:
    """A target that keeps what it is asked."""

    def __init__(self, seen: list[Asked]) -> None:
        self.seen = seen

    def ask(self, request: Asked) -> Answered:
        self.seen.append(request)
        return Answered(200)

    def close(self) -> None: ...


class _Says(_Keeps):
    def __init__(self, body: str) -> None:
        self.body = body.encode()

    def ask(self, _request: Asked) -> Answered:
        return Answered(200, body=self.body)

"""`record`: traffic on disk, in both conventions, without secrets and without anybody waiting."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from anysgi.migration import read_recording, record
from anysgi.migration._compare._exchanges import Asked, Recorded
from anysgi.migration._compare._recorder import Writer
from anysgi.migration._compare._recordings import write_line

from ..conftest import BOUND
from ..middleware._driving import App, Drive


@pytest.fixture(params=["wsgi", "asgi"])
def drive(request: pytest.FixtureRequest) -> Drive:
    return Drive(request.param)


@pytest.fixture(autouse=True)
def written(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Every writer of a test, so that each can be brought to its end."""
    writers: list[Writer] = []
    begin = Writer.__init__

    def remembered(self: Writer, *args: Any) -> None:
        begin(self, *args)
        writers.append(self)

    monkeypatch.setattr(Writer, "__init__", remembered)
    yield writers
    for writer in writers:
        writer.close()


def recorded(path: Path, writers: list[Writer]) -> list[Recorded]:
    for writer in writers:
        writer.close()
    return list(read_recording(path))


JSON = {"Content-Type": "application/json"}


def test_what_passed_can_be_sent_again(drive: Drive, tmp_path: Path, written: list[Writer]) -> None:
    path = tmp_path / "traffic.jsonl"
    app = App(b"one", b"two", reads=True, shape="stream", headers={"Content-Type": "text/plain"})
    raw = {"REQUEST_URI": "/a%20b"} if drive.convention == "wsgi" else {"raw_path": b"/a%20b"}
    drive(record(path), app, method="PUT", path="/a b", query="x=1", body=b"\xff\x00", headers={"X-A": "1"}, **raw)
    [one] = recorded(path, written)
    assert (one.request.method, one.request.target, one.request.body) == ("PUT", "/a%20b?x=1", b"\xff\x00")
    assert ("x-a", "1") in one.request.headers
    assert one.response is not None
    assert (one.response.status, one.response.body, one.response.pieces) == (200, b"onetwo", 2)
    assert one.moment is not None


def test_secrets_stay_out_of_headers_queries_forms_and_json(
    drive: Drive, tmp_path: Path, written: list[Writer]
) -> None:
    path = tmp_path / "traffic.jsonl"
    body = json.dumps({"user": "ada", "nested": [{"Password": "swordfish"}], "token": ["swordfish"]}).encode()
    app = App(body, reads=True, headers={**JSON, "Set-Cookie": "s=swordfish"})
    stack = record(path)
    headers = {**JSON, "Authorization": "Bearer swordfish", "Cookie": "s=swordfish"}
    drive(stack, app, method="POST", query="q=1&token=swordfish", body=body, headers=headers)
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    drive(stack, App(b"ok", reads=True), method="POST", body=b"user=ada&password=swordfish", headers=form)
    first, second = recorded(path, written)
    assert b"swordfish" not in path.read_bytes()
    assert first.request.target == "/?q=1&token=%5Bredacted%5D"
    assert json.loads(first.request.body)["user"] == "ada"
    assert second.request.body == b"user=ada&password=%5Bredacted%5D"


MULTIPART = "multipart/form-data; boundary=xyz"
PARTS = (
    b'--xyz\r\nContent-Disposition: form-data; name="user"\r\n\r\nada\r\n'
    b'--xyz\r\ncontent-disposition: form-data; name="Password"\r\nContent-Type: text/plain\r\n\r\n'
    b"sword\r\n\r\nfish\r\n--xyz--\r\n"
)
FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    ("content_type", "body", "kept"),
    [
        (FORM, b"user=ada&PASSWORD=swordfish", b"user=ada&PASSWORD=%5Bredacted%5D"),
        (FORM, b"user=%e4+x&%70assword=swordfish", b"user=%e4+x&%70assword=%5Bredacted%5D"),
        (FORM, b"user=ada&new_password2=sword;fish", b"user=ada&new_password2=%5Bredacted%5D"),
        ("application/json", b'{"accessToken": {"a": "swordfish"}}', b'{"accessToken": "[redacted]"}'),
        ("application/json", b'{ "a" : [1.0,\t2] }', b'{ "a" : [1.0,\t2] }'),
        ("application/json", b'{"password": "swordfish",}', b"[redacted]"),  # no JSON, and the app said so
        ("application/json", b"[" * 5_000 + b'{"token": "swordfish"}', b"[redacted]"),
        ("text/plain", b'{"client-secret": "swordfish"}', b'{"client-secret": "[redacted]"}'),
        ("application/json", b"{nothing}", b"{nothing}"),
        ("application/json", b'{"\\u0070assword": "swordfish"}', b'{"password": "[redacted]"}'),
        ("application/json", '{"token": "swordfish"}'.encode("utf-16"), b'{"token": "[redacted]"}'),
        (MULTIPART, PARTS, PARTS.replace(b"sword\r\n\r\nfish", b"[redacted]")),
        ("multipart/form-data", b"no boundary", b"no boundary"),
    ],
)
def test_however_a_secret_is_written_it_stays_out(
    drive: Drive, tmp_path: Path, written: list[Writer], content_type: str, body: bytes, kept: bytes
) -> None:
    path = tmp_path / "traffic.jsonl"
    stack = record(path)
    drive(stack, App(body, headers={"Content-Type": content_type}, reads=True), method="POST", body=body)
    drive(stack, App(b"ok", reads=True), method="POST", body=body, headers={"Content-Type": content_type})
    answer, question = recorded(path, written)
    assert answer.response is not None
    assert answer.response.body == question.request.body == kept
    assert b"fish" not in question.request.body


def test_secrets_stay_out_of_headers_by_their_names_and_of_urls_in_them(
    drive: Drive, tmp_path: Path, written: list[Writer]
) -> None:
    path = tmp_path / "traffic.jsonl"
    headers = {
        "X-Auth-Token": "swordfish",
        "X-Own": "swordfish",
        "Referer": "https://a.example/reset?user=ada&reset_token=swordfish#access_token=swordfish",
    }
    app = App(b"ok", headers={"Location": "/next?jwt=swordfish", "Link": "</a?page=2&api_key=swordfish>; rel=next"})
    drive(record(path, redact_headers=["X-Own"]), app, query="API-Key=swordfish&page=2", headers=headers)
    [one] = recorded(path, written)
    assert b"swordfish" not in path.read_bytes()
    assert one.request.target == "/?API-Key=%5Bredacted%5D&page=2"
    assert dict(one.request.headers)["referer"].startswith("https://a.example/reset?user=ada&reset_token=%5Bredacted")
    assert one.response is not None
    assert dict(one.response.headers)["link"] == "</a?page=2&api_key=%5Bredacted%5D>; rel=next"


def test_a_recording_is_its_owners_alone(tmp_path: Path) -> None:
    record(tmp_path / "traffic.jsonl")
    assert (tmp_path / "traffic.jsonl").stat().st_mode & 0o077 == 0


def test_what_could_not_be_sent_again_is_not_recorded(drive: Drive, tmp_path: Path, written: list[Writer]) -> None:
    path = tmp_path / "traffic.jsonl"
    stack = record(path, max_body=10)
    drive(stack, App(b"ok", reads=True), body=b"x" * 11)
    drive(stack, App(b"x" * 11))
    drive(stack, App(b"one", OSError("disk"), shape="stream"))
    large, broken = recorded(path, written)
    assert large.response is None
    assert broken.response is None


def test_a_share_of_the_traffic_may_be_recorded(drive: Drive, tmp_path: Path, written: list[Writer]) -> None:
    path = tmp_path / "traffic.jsonl"
    none, every = record(path, sample=0), record(path, sample=1)
    drive(none)
    drive(every)
    assert len(recorded(path, written)) == 1
    with pytest.raises(ValueError, match="between 0 and 1"):
        record(path, sample=2)


def test_a_file_that_cannot_bewritten_is_an_error_when_the_stack_is_built(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="nowhere"):
        record(tmp_path / "nowhere" / "traffic.jsonl")


def test_a_slow_disk_delays_nobody_and_what_was_dropped_is_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from anysgi.migration._compare import _recorder

    gate, stuck = threading.Event(), threading.Event()
    write = _recorder.write_line

    def slow(one: Recorded) -> bytes:
        stuck.set()
        assert gate.wait(10)
        return write(one)

    monkeypatch.setattr(_recorder, "write_line", slow)
    writer = Writer(tmp_path / "traffic.jsonl", 1 << 30, 2)
    writer.put(Recorded(Asked()))
    assert stuck.wait(10)
    for _ in range(5):
        writer.put(Recorded(Asked()))
    assert writer.dropped == 3
    gate.set()
    writer.close()
    assert len(list(read_recording(tmp_path / "traffic.jsonl"))) == 3
    assert "3 exchanges were not recorded" in caplog.text


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux has a disk that is always full")
def test_a_full_disk_costs_the_recording_and_not_the_end_of_the_process(caplog: pytest.LogCaptureFixture) -> None:
    writer = Writer(Path("/dev/full"), 1 << 30, 2)
    for _ in range(5):
        writer.put(Recorded(Asked()))
    ending = threading.Thread(target=writer.close, daemon=True)
    ending.start()
    ending.join(BOUND)
    assert not ending.is_alive()
    assert writer.dropped == 5
    assert caplog.text.count("No space left on device") == 1


def test_of_a_line_the_disk_took_half_of_nothing_is_left(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    resource = pytest.importorskip("resource", reason="Windows has no limits of this kind")
    path = tmp_path / "traffic.jsonl"
    line = len(write_line(Recorded(Asked())))
    writer = Writer(path, 1 << 30, 10)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (line + line // 2, before[1]))
    try:
        for _ in range(3):
            writer.put(Recorded(Asked()))
        writer.close()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert writer.dropped == 2
    assert f"{line // 2} of {line} bytes" in caplog.text
    writer.put(Recorded(Asked(target="/after")))
    writer.close()
    assert [one.request.target for one in read_recording(path)] == ["/", "/after"]


def test_recording_stops_at_a_size(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "traffic.jsonl", 100, 100)
    for _ in range(9):
        writer.put(Recorded(Asked(target="/" + "x" * 60)))
    writer.close()
    assert (writer.dropped, len(list(read_recording(tmp_path / "traffic.jsonl")))) == (8, 1)


def test_a_forked_worker_writes_to_the_same_file(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "traffic.jsonl", 1 << 30, 100)
    writer.put(Recorded(Asked(target="/parent")))
    child = os.fork()
    if child == 0:
        try:
            writer.put(Recorded(Asked(target="/child")))
            writer.close()
        finally:
            os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    writer.close()
    targets = sorted(one.request.target for one in read_recording(tmp_path / "traffic.jsonl"))
    assert targets == ["/child", "/parent"]


@pytest.mark.parametrize("end", ["", "raise SystemExit(3)", "os.kill(os.getpid(), signal.SIGINT)"])
def test_a_process_that_ends_writes_first_what_it_has_recorded(tmp_path: Path, end: str) -> None:
    path = tmp_path / "traffic.jsonl"
    script = f"""
import os, signal
from anysgi.migration import record
from anysgi.testing import Scenario, run

def app(environ, start_response):
    start_response("200 OK", [])
    return [b"x"]

recorded = record({str(path)!r})(app)
for number in range(50):
    run(recorded, Scenario(target=f"/{{number}}"), inline=True)
{end}
"""
    subprocess.run([sys.executable, "-c", script], capture_output=True, timeout=60, check=False)
    assert [one.request.target for one in read_recording(path)] == [f"/{number}" for number in range(50)]

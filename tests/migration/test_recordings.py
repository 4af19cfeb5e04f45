"""Recordings and HAR files: what was written is read, and what is garbage is named by file and line."""

from __future__ import annotations

import io
import json
import tracemalloc
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anysgi.exceptions import RecordingError
from anysgi.migration._compare import _har_entries
from anysgi.migration._compare._exchanges import Answered, Asked, Recorded
from anysgi.migration._compare._har import read_har, write_har
from anysgi.migration._compare._recordings import read_recording, write_line

if TYPE_CHECKING:
    from pathlib import Path

tokens = st.text("abcdefgh-", min_size=1, max_size=8)
fields = st.lists(st.tuples(tokens, st.text("abc ;=/\xe9", max_size=8)), max_size=3).map(tuple)
exchanges = st.builds(
    Recorded,
    st.builds(Asked, st.sampled_from(["GET", "POST"]), st.just("/a%20b?c=1"), fields, st.binary(max_size=20)),
    st.none()
    | st.builds(
        Answered,
        st.integers(100, 599),
        fields,
        st.binary(max_size=20),
        st.integers(0, 3),
        st.floats(0, 9).map(lambda seconds: round(seconds, 6)),
        st.sampled_from(["", "it broke"]),
    ),
    st.none() | st.just(1764000000.5),
)


@given(st.lists(exchanges, max_size=4))
def test_what_was_written_is_read(tmp_path_factory: pytest.TempPathFactory, recorded: list[Recorded]) -> None:
    path = tmp_path_factory.mktemp("recordings") / "traffic.jsonl"
    path.write_bytes(b"".join(map(write_line, recorded)))
    found = list(read_recording(path))
    assert [one.request.at for one in found] == [f"{path}:{n}" for n in range(1, len(found) + 1)]
    assert [(*_of(one.request), one.response, one.moment) for one in found] == [
        (*_of(one.request), one.response, one.moment) for one in recorded
    ]


def _of(request: Asked) -> tuple[Any, ...]:
    return request.method, request.target, request.headers, request.body


def test_a_line_people_write_is_a_request(tmp_path: Path) -> None:
    path = tmp_path / "requests.jsonl"
    path.write_text('{"path": "/a"}\n\n{"method": "post", "target": "/b?c=1", "headers": {"X-A": "1"}, "body": "x"}\n')
    first, second = read_recording(path)
    assert _of(first.request) == ("GET", "/a", (), b"")
    assert _of(second.request) == ("POST", "/b?c=1", (("x-a", "1"),), b"x")
    assert second.request.at == f"{path}:3"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("garbage", "Expecting value"),
        ("[1, 2]", "a line is one JSON object"),
        ('{"method": "GET"}', "'path' is missing"),
        ('{"path": "http://evil.com/"}', "does not begin with '/'"),
        ('{"path": "/", "v": 99}', "version 99"),
        ('{"path": "/", "body": {"base64": "!!"}}', "not base64"),
        ('{"path": "/", "headers": [1]}', "headers are pairs"),
        ('{"path": "/", "headers": 5}', "headers are pairs"),
        ('{"path": "/", "response": 5}', "a response is an object"),
        ('{"request": 5}', "a request is an object"),
        ('{"path": "/", "body": 5}', "a body is text"),
        ('{"path": "/", "response": {"status": "ok"}}', "not a recorded exchange"),
    ],
)
def test_a_broken_line_is_named_and_what_came_before_it_is_not_lost(tmp_path: Path, line: str, said: str) -> None:
    path = tmp_path / "traffic.jsonl"
    path.write_text(f'{{"path": "/fine"}}\n{line}\n')
    reading = read_recording(path)
    assert next(reading).request.target == "/fine"
    with pytest.raises(RecordingError, match=said) as refused:
        next(reading)
    assert str(refused.value).startswith(f"{path}:2: ")


HAR = {
    "log": {
        "entries": [
            {
                "time": 12.5,
                "request": {
                    "method": "POST",
                    "url": "https://shop.example.com/pay?x=1",
                    "headers": [{"name": ":method", "value": "POST"}, {"name": "X-A", "value": "1"}],
                    "postData": {"text": "a=b"},
                },
                "response": {
                    "status": 201,
                    "headers": [{"name": "Content-Type", "value": "image/png"}],
                    "content": {"text": "/w==", "encoding": "base64"},
                },
            },
            {"request": {"method": "GET", "url": "https://shop.example.com", "headers": []}, "response": {"status": 0}},
        ]
    }
}


@pytest.mark.parametrize("indent", [None, 2])
def test_a_har_file_of_a_browser_is_read(tmp_path: Path, indent: int | None) -> None:
    path = tmp_path / "traffic.har"
    path.write_text(json.dumps(HAR, indent=indent))
    first, second = read_recording(path)
    assert _of(first.request) == (
        "POST",
        "/pay?x=1",
        (("host", "shop.example.com"), ("x-a", "1")),
        b"a=b",
    )
    assert first.response == Answered(201, (("content-type", "image/png"),), b"\xff", seconds=0.0125)
    assert (second.request.target, second.response) == ("/", None)


@pytest.mark.parametrize(
    ("garbage", "said"),
    [
        ('{"log": {\n"entries": [}', ":2: neither a recording nor a HAR file"),
        ('{"log": {}}', "this one has not"),
        ('{"log": {"entries": [{"request": {}}]}}', ":1: entry 0 is not one of a HAR file: 'url' is missing"),
        (
            '{"log":\n{"entries": [\n{"request": {"method": "GET", "url": "http://a/"}},\n\n{"request": {}}]}}',
            ":5: entry 1 is not one of a HAR file: 'url' is missing",
        ),
        ('{"log": {"entries": [{"request": {"method": "GET", "url": "ftp://a/"}}]}}', "is not http"),
        ('{"log": {"entries": [{"request": 5}]}}', ":1: entry 0 is not one of a HAR file: "),
        ('{"log": {"entries": [5]}}', ":1: entry 0 is not one of a HAR file: "),
        (
            '{"log": {"entries": [{"request": {"method": "GET", "url": "http://a/"}},\n',
            ":2: .* it ends among the entries",
        ),
        ('{"log": {"entries": {"a": 1}}}', "this one has not"),
        ('{"log": {"entries": 5}}', "this one has not"),
    ],
)
def test_a_har_file_of_garbage_is_named(tmp_path: Path, garbage: str, said: str) -> None:
    path = tmp_path / "traffic.har"
    path.write_text(garbage)
    with pytest.raises(RecordingError, match=said):
        list(read_recording(path))


def test_bytes_that_are_no_text_are_no_recording(tmp_path: Path) -> None:
    path = tmp_path / "traffic.bin"
    path.write_bytes(b"{\xff\xfe\n")
    with pytest.raises(RecordingError, match="not UTF-8"):
        list(read_recording(path))


def test_a_har_file_is_not_held_in_memory_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "traffic.har"
    entry = Recorded(Asked(), Answered(200, (), "\u00e9".encode() * 100_000))
    with path.open("w", encoding="utf-8") as file:
        write_har((entry for _ in range(100)), file)
    tracemalloc.start()
    try:
        assert sum(1 for _ in read_recording(path)) == 100
        assert tracemalloc.get_traced_memory()[1] < path.stat().st_size / 4
    finally:
        tracemalloc.stop()


def test_an_entry_without_an_end_is_not_read_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_har_entries, "_LONGEST", 1000)
    monkeypatch.setattr(_har_entries, "_PIECE", 100)
    path = tmp_path / "traffic.har"
    path.write_text('{"log": {\n"entries": [\n{"a": "' + "x" * 100_000)
    with pytest.raises(RecordingError, match=":3: neither a recording nor a HAR file"):
        list(read_recording(path))


@given(st.lists(exchanges, max_size=3))
def test_a_har_file_of_ours_says_the_same(recorded: list[Recorded]) -> None:
    out = io.StringIO()
    write_har(recorded, out)
    found = list(read_har(io.BytesIO(out.getvalue().encode()), "ours.har"))
    assert [(one.request.method, one.request.target) for one in found] == [
        (one.request.method, one.request.target) for one in recorded
    ]
    for one, other in zip(found, recorded, strict=True):
        if other.response is not None:
            assert one.response is not None
            assert (one.response.status, one.response.body) == (other.response.status, other.response.body)

"""What a WSGI app may return and yield, and the advice it gets for the usual mistakes."""

from __future__ import annotations

from typing import Any

import pytest

from anysgi._core._start_response import check_chunk, check_iterable
from anysgi.exceptions import AppTypeError


class Chunk(bytes):
    pass


class Sequence:
    """The old way to iterate."""

    def __getitem__(self, index: int) -> bytes:
        raise IndexError


async def coroutine() -> None:
    raise AssertionError("nobody awaits it")


class Awaitable:
    def __await__(self) -> Any:
        raise AssertionError("nobody awaits it")


@pytest.mark.parametrize("chunk", [b"", b"x", Chunk(b"x")], ids=repr)
def test_a_chunk_is_bytes(chunk: bytes) -> None:
    assert check_chunk(chunk) is chunk


@pytest.mark.parametrize(
    ("chunk", "advice"),
    [
        ("text", "encode it"),
        (bytearray(b"x"), "made of bytes"),
        (memoryview(b"x"), "made of bytes"),
        (None, "NoneType"),
        (5, "int 5"),
    ],
    ids=["str", "bytearray", "memoryview", "None", "int"],
)
def test_a_chunk_that_is_not_bytes_is_refused_with_advice(chunk: object, advice: str) -> None:
    with pytest.raises(AppTypeError, match=advice):
        check_chunk(chunk)


def test_a_long_wrong_chunk_is_not_printed_whole() -> None:
    with pytest.raises(AppTypeError) as caught:
        check_chunk("x" * 100_000)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    "result", [[], (), [b"x"], iter([b"x"]), (b for b in [b"x"]), {b"x": 1}, Sequence()], ids=lambda r: type(r).__name__
)
def test_a_result_is_anything_that_can_be_iterated(result: object) -> None:
    check_iterable(result)


@pytest.mark.parametrize(
    ("result", "advice"),
    [("text", r"return \[body\]"), (b"text", r"return \[body\]"), (None, "NoneType"), (5, "iterable of bytes")],
    ids=["str", "bytes", "None", "int"],
)
def test_a_result_that_is_no_body_is_refused_with_advice(result: object, advice: str) -> None:
    with pytest.raises(AppTypeError, match=advice):
        check_iterable(result)


@pytest.mark.parametrize("make", [coroutine, Awaitable])
def test_an_asgi_app_in_disguise_is_recognised_and_its_coroutine_closed(make: Any) -> None:
    """An unclosed coroutine would warn, and warnings are errors here."""
    with pytest.raises(AppTypeError, match="it is an ASGI app"):
        check_iterable(make())

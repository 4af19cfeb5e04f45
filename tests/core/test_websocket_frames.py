"""Frames in, whole messages out: with wsproto on the far side, however bytes are cut and fragments interleaved."""

from __future__ import annotations

import struct
import tracemalloc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wsproto.connection import Connection, ConnectionType
from wsproto.events import BytesMessage, CloseConnection, Message, Ping, Pong, TextMessage
from wsproto.frame_protocol import CloseReason
from wsproto.utilities import LocalProtocolError

from anysgi._core._websocket_frames import WebSocketFrames
from anysgi._core._websocket_messages import CLOSED, Close

SIDES = {
    "server": (ConnectionType.SERVER, ConnectionType.CLIENT),
    "client": (ConnectionType.CLIENT, ConnectionType.SERVER),
}


def pair(side: str = "server", max_size: int = 1 << 20) -> tuple[WebSocketFrames, Connection]:
    ours, theirs = SIDES[side]
    return WebSocketFrames(Connection(ours), max_size), Connection(theirs)


def feed(frames: WebSocketFrames, data: bytes, *sizes: int) -> list[Any]:
    """Give `data` in pieces of the given sizes, over and over; all at once if there are none."""
    items: list[Any] = []
    at = turn = 0
    while at < len(data):
        size = sizes[turn % len(sizes)] if sizes else len(data)
        items += frames.receive(data[at : at + size])
        at, turn = at + size, turn + 1
    return items


def answered(peer: Connection, frames: WebSocketFrames) -> list[Any]:
    peer.receive_data(frames.replies())
    return list(peer.events())


messages = st.one_of(st.text(max_size=300), st.binary(max_size=300))
cuts = st.lists(st.integers(1, 64), min_size=1, max_size=5)
programs = st.lists(
    st.one_of(st.tuples(messages, st.lists(st.integers(0, 300), max_size=4)), st.binary(max_size=125)), max_size=6
)


@given(program=programs, sizes=cuts, side=st.sampled_from(sorted(SIDES)))
def test_messages_arrive_whole_however_they_were_fragmented_and_cut(program: Any, sizes: Any, side: str) -> None:
    """A program is messages, each with where it is fragmented, and pings, which also go between fragments."""
    frames, peer = pair(side)
    wire, expected, pings = b"", [], []
    for step in program:
        if isinstance(step, bytes):
            wire += peer.send(Ping(step))
            pings.append(step)
            continue
        message, places = step
        kind = TextMessage if isinstance(message, str) else BytesMessage
        borders = sorted({0, *(min(place, len(message)) for place in places)})
        for number, (start, end) in enumerate(zip(borders, [*borders[1:], None], strict=True)):
            wire += peer.send(kind(message[start:end], message_finished=end is None))
            if end is not None and number == 0:
                wire += peer.send(Ping(b"between"))
                pings.append(b"between")
        expected.append(message)
    assert feed(frames, wire, *sizes) == expected
    assert [event.payload for event in answered(peer, frames)] == pings


@given(sent=st.lists(messages, max_size=5), sizes=cuts, side=st.sampled_from(sorted(SIDES)))
def test_what_is_sent_arrives(sent: Any, sizes: Any, side: str) -> None:
    frames, peer = pair(side)
    for message in sent:
        peer.receive_data(frames.send(message))
    assert [event.data for event in peer.events() if isinstance(event, Message)] == sent


steps = st.one_of(
    st.builds(TextMessage, st.text(max_size=150), message_finished=st.booleans()),
    st.builds(BytesMessage, st.binary(max_size=150), message_finished=st.booleans()),
    st.builds(Ping, st.binary(max_size=5)),
    st.builds(CloseConnection, st.integers(3000, 3010), st.text(max_size=5)),
)


@given(data=st.data(), side=st.sampled_from(sorted(SIDES)), sizes=cuts)
def test_whatever_comes_is_taken_as_if_wsproto_had_been_asked_of_all_of_it(data: Any, side: str, sizes: Any) -> None:
    frames, peer = pair(side, max_size=200)
    reference, _ = pair(side, max_size=200)
    reference._owed = 1 << 64
    wire = bytearray()
    for step in data.draw(st.lists(steps, max_size=5)):
        try:
            wire += peer.send(step)
        except (LocalProtocolError, TypeError):  # not in that order
            break
    for _ in range(data.draw(st.integers(0, 2))):  # a mistake or two
        if wire:
            wire[data.draw(st.integers(0, len(wire) - 1))] = data.draw(st.integers(0, 255))
    wire += bytes(20)  # so that no head is left half
    assert feed(frames, bytes(wire), *sizes) == feed(reference, bytes(wire), *sizes)
    assert frames.replies()[:2] == reference.replies()[:2]
    assert (frames.failed, frames.state) == (reference.failed, reference.state)


@pytest.mark.parametrize("size", [125, 126, 65_535, 65_536])
@pytest.mark.parametrize("side", sorted(SIDES))
def test_a_message_of_any_size_arrives_and_leaves(size: int, side: str) -> None:
    frames, peer = pair(side)
    message = bytes(range(256)) * (size // 256 + 1)
    assert feed(frames, peer.send(BytesMessage(message[:size])) * 2) == [message[:size]] * 2
    peer.receive_data(frames.send(message[:size]))
    assert b"".join(event.data for event in peer.events()) == message[:size]


@given(code=st.one_of(st.integers(3000, 4999), st.sampled_from([1000, 1001, 1011])), reason=st.text(max_size=40))
def test_a_close_is_answered_with_its_own_code_and_reason(code: int, reason: str) -> None:
    frames, peer = pair()
    (item,) = feed(frames, peer.send(CloseConnection(code, reason)))
    assert (item.code, item.reason) == (code, _cut(reason))
    (answer,) = answered(peer, frames)
    assert (answer.code, answer.reason) == (code, _cut(reason))
    assert frames.state is CLOSED
    assert not frames.failed


def _cut(reason: str) -> str:
    return reason.encode()[:123].decode(errors="ignore")


def test_a_close_without_a_code_is_a_1005_and_is_answered_without_one() -> None:
    frames, peer = pair()
    assert feed(frames, peer.send(CloseConnection(CloseReason.NO_STATUS_RCVD))) == [Close(1005, "")]
    assert [event.code for event in answered(peer, frames)] == [1005]


def test_a_close_of_ours_waits_for_the_peers_and_drops_what_comes_before() -> None:
    frames, peer = pair()
    wire = peer.send(TextMessage("on its way"))
    peer.receive_data(frames.close(Close(4000, "enough")))
    (event,) = peer.events()
    assert (event.code, event.reason) == (4000, "enough")
    assert frames.state is not CLOSED
    assert frames.send("too late") == frames.ping() == frames.close(Close(1000, "")) == b""
    assert feed(frames, wire + peer.send(event.response())) == [Close(4000, "enough")]
    assert frames.state is CLOSED
    assert frames.replies() == b""


def test_a_close_of_ours_with_1005_is_an_empty_frame() -> None:
    frames, peer = pair()
    peer.receive_data(frames.close(Close(1005, "")))
    assert [event.code for event in peer.events()] == [1005]


def test_nothing_comes_after_the_close() -> None:
    frames, peer = pair()
    wire = peer.send(CloseConnection(1000)) + frame(0x1, b"after")
    assert [type(item) for item in feed(frames, wire)] == [Close]
    assert feed(frames, frame(0x1, b"long after")) == []


def test_pings_while_closing_are_not_answered() -> None:
    frames, peer = pair()
    frames.close(Close(1000, ""))
    assert feed(frames, peer.send(Ping(b"?"))) == []
    assert frames.replies() == b""


def test_our_ping_is_one() -> None:
    frames, peer = pair()
    peer.receive_data(frames.ping())
    (ping,) = peer.events()
    assert isinstance(ping, Ping)
    assert feed(frames, peer.send(Pong(b""))) == []


def frame(
    opcode: int, payload: bytes, *, fin: bool = True, masked: bool = True, rsv: int = 0, length: Any = None
) -> bytes:
    """A frame with anything in it: RFC 6455 section 5.2."""
    first = bytes([(0x80 if fin else 0) | rsv | opcode])
    size = len(payload)
    if length is None:
        length = (
            bytes([size | (masked << 7)])
            if size < 126
            else bytes([126 | (masked << 7)]) + struct.pack("!H", size)
            if size < 65536
            else bytes([127 | (masked << 7)]) + struct.pack("!Q", size)
        )
    return first + length + (b"\0\0\0\0" if masked else b"") + payload


TEXT, BINARY, CONTINUED, CLOSE, PING = 0x1, 0x2, 0x0, 0x8, 0x9
BROKEN = {
    "unmasked": (frame(TEXT, b"hi", masked=False), 1002),
    "a reserved bit": (frame(TEXT, b"hi", rsv=0x40), 1002),
    "an unknown opcode": (frame(0x3, b"hi"), 1002),
    "an unknown control frame": (frame(0xB, b""), 1002),
    "a fragmented ping": (frame(PING, b"", fin=False), 1002),
    "a long ping": (frame(PING, b"x" * 126), 1002),
    "a continuation of nothing": (frame(CONTINUED, b"hi"), 1002),
    "a message inside a message": (frame(TEXT, b"a", fin=False) + frame(TEXT, b"b"), 1002),
    "a length that is longer than it needs": (frame(TEXT, b"", length=b"\xfe\x00\x05"), 1002),
    "a length of eight bytes that fits into one": (frame(TEXT, b"hello", length=b"\xff" + struct.pack("!Q", 5)), 1002),
    "a length of 2**63": (frame(BINARY, b"", length=b"\xff" + b"\xff" * 8), 1002),
    "a close of one byte": (frame(CLOSE, b"\x03"), 1002),
    "a close with 1005": (frame(CLOSE, struct.pack("!H", 1005)), 1002),
    "a close with 999": (frame(CLOSE, struct.pack("!H", 999)), 1002),
    "a close with 2000": (frame(CLOSE, struct.pack("!H", 2000)), 1002),
    "text that is no UTF-8": (frame(TEXT, b"\xff\xfe"), 1007),
    "text that ends in the middle of a character": (frame(TEXT, b"\xc3"), 1007),
    "fragments that are no UTF-8": (frame(TEXT, b"\xc3", fin=False) + frame(CONTINUED, b"\x28"), 1007),
    "a reason that is no UTF-8": (frame(CLOSE, struct.pack("!H", 1000) + b"\xff"), 1007),
    "a message of 101 bytes": (frame(BINARY, b"x" * 101), 1009),
    "a text of 51 characters and 102 bytes": (frame(TEXT, "ü".encode() * 51), 1009),
    "a message of 101 bytes in fragments": (frame(BINARY, b"x" * 99, fin=False) + frame(CONTINUED, b"xx"), 1009),
    "a message that will never end": (
        frame(BINARY, b"", length=b"\xff" + struct.pack("!Q", 1 << 60)) + b"x" * 101,
        1009,
    ),
}


@pytest.mark.parametrize("size", [0, 1], ids=["whole", "byte by byte"])
@pytest.mark.parametrize("broken", BROKEN)
def test_a_peer_that_breaks_the_protocol_is_told_how(broken: str, size: int) -> None:
    wire, code = BROKEN[broken]
    frames, peer = pair(max_size=100)
    *_, close = feed(frames, wire + frame(TEXT, b"more"), *([size] if size else []))
    assert close.code == code
    assert frames.failed
    assert frames.state is CLOSED
    assert [event.code for event in answered(peer, frames)] == [code]


def test_a_client_refuses_masked_frames() -> None:
    frames, _ = pair("client")
    assert [item.code for item in feed(frames, frame(TEXT, b"hi"))] == [1002]


def test_messages_before_the_mistake_still_count() -> None:
    frames, _ = pair()
    first, close = feed(frames, frame(TEXT, b"fine") + frame(TEXT, b"hi", masked=False))
    assert (first, close.code) == ("fine", 1002)


def test_a_message_of_exactly_the_bound_passes_and_the_count_begins_anew() -> None:
    frames, _ = pair(max_size=100)
    whole = frame(BINARY, b"x" * 60, fin=False) + frame(CONTINUED, b"y" * 40)
    assert feed(frames, whole * 3) == [b"x" * 60 + b"y" * 40] * 3


def test_many_tiny_fragments_take_no_more_room_than_their_bytes() -> None:
    frames, _ = pair()
    feed(frames, frame(BINARY, b"x", fin=False))
    piece = frame(CONTINUED, b"x", fin=False) * 1_000
    tracemalloc.start()
    try:
        for _ in range(3):
            feed(frames, piece)
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 3 * 1_000 * 20

"""RFC 9113 section 10.5: what a peer can make us do and keep has an end; each limit at its last and its first value."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from deuterium._http.phases import PIECES
from deuterium.config import Http2Options

from . import wire
from .talk import Talk, answered, failure, goaway_code, resets

BURST = 10_000  # frames that carry nothing
PER_S = 330
REPLIES = 1_000  # acknowledgements not yet written
CONTINUATIONS = 16
FIELD_BLOCK = 256 * 1024

# Frames that carry nothing, with the tokens the handshake has cost already.
NOISE: dict[str, Callable[[], bytes]] = {
    "unknown type": lambda: wire.frame(0xBE, 0, 0),
    "unknown type on a stream": lambda: wire.frame(0xBE, 0, 1, b"x"),
    "PRIORITY": lambda: wire.priority(1),
    "PRIORITY of an idle stream": lambda: wire.priority(9),
    "empty DATA": lambda: wire.data(1),
    "padding alone": lambda: wire.data(1, b"", pad=20),
    "WINDOW_UPDATE": lambda: wire.window_update(0, 1),
    "WINDOW_UPDATE of a closed stream": lambda: wire.window_update(3, 1),
    "PING acknowledged": lambda: wire.ping(b"whatever", ack=True),
    "SETTINGS acknowledged": wire.settings_ack,
    "RST_STREAM of a closed stream": lambda: wire.rst_stream(3),
    "GOAWAY": lambda: wire.goaway(2**31 - 1),
    "HEADERS of a stream we reset": lambda: wire.headers(5, b"\x88"),
    "empty HEADERS": lambda: wire.headers(5, b"", end_headers=False) + wire.continuation(5, b"\x88", end_headers=True),
}
HANDSHAKE = 2  # SETTINGS and an acknowledgement
TOKENS = {"empty HEADERS": 2}


def quiet_talk() -> Talk:
    talk = Talk()
    _, ended, cancelled = talk.requests(3)
    talk.says(wire.response(1), wire.response(ended.stream_id, end=True))
    talk.cancels(cancelled)
    return talk


@pytest.mark.rfc("9113", "10.5")
@pytest.mark.parametrize("kind", NOISE)
def test_frames_that_carry_nothing_have_a_burst_and_a_rate(kind: str) -> None:
    talk = quiet_talk()
    cost = TOKENS.get(kind, 1)
    count = (BURST - HANDSHAKE) // cost
    assert talk.says(NOISE[kind]() * count) == []
    assert talk.alive
    talk.now += 1.0
    assert talk.says(NOISE[kind]() * (PER_S // cost)) == []
    assert talk.alive
    assert goaway_code(talk.says(NOISE[kind]() * 2)) == wire.ENHANCE_YOUR_CALM


@pytest.mark.rfc("9113", "10.5")
def test_window_updates_are_earned_by_content_we_send() -> None:
    talk = Talk()
    talk.says(wire.window_update(0, 2**30))
    exchange = talk.request("POST", has_content=True)
    talk.sent()
    for _ in range(3_000):  # each of a peer that gives back every octet at once, stream and connection
        talk.sends(exchange, b"x")
        talk.says(
            wire.window_update(1, 1), wire.window_update(0, 1), wire.window_update(1, 1), wire.window_update(0, 1)
        )
    assert talk.alive


@pytest.mark.rfc("9113", "10.5")
@pytest.mark.parametrize("asking", [wire.ping(b"question"), wire.settings()], ids=["PING", "SETTINGS"])
def test_acknowledgements_nobody_reads_are_1000_at_most(asking: bytes) -> None:
    talk = quiet_talk()
    talk.hears(asking * REPLIES)
    assert talk.alive
    assert len(talk.sent()) == REPLIES
    talk.hears(asking * REPLIES)
    assert talk.alive
    talk.hears(asking)
    assert not talk.alive
    assert goaway_code(talk.sent()) == wire.ENHANCE_YOUR_CALM


@pytest.mark.rfc("9113", "6.10", "10.5.1")
def test_field_block_goes_on_in_16_continuation_frames_and_no_more() -> None:
    block = wire.block((":status", "200"), ("x-field", "value"))
    for extra in (0, 1):
        talk = Talk()
        [exchange] = talk.requests(1)
        talk.says(wire.headers(1, block[:2], end=True, end_headers=False))
        pieces = [b""] * (CONTINUATIONS + extra - 1)
        sent = talk.says(*(wire.continuation(1, piece) for piece in pieces), wire.continuation(1, block[2:], True))
        if extra:
            assert goaway_code(sent) == wire.ENHANCE_YOUR_CALM
            assert failure(exchange).code == wire.ENHANCE_YOUR_CALM
        else:
            assert answered(exchange)


@pytest.mark.rfc("9113", "6.10", "10.5.1")
@pytest.mark.parametrize("excess", [0, 1])
def test_field_block_in_pieces_is_256_kib_at_most(excess: int) -> None:
    talk = Talk(options=Http2Options(max_frame_size=FIELD_BLOCK, max_header_list_size=1 << 20))
    [exchange] = talk.requests(1)
    # :status 200, then a literal without indexing, whose value takes the rest.
    head = b"\x88\x00\x01x\x7f"
    length = FIELD_BLOCK - len(head) - 3 + excess
    value = length - 127
    block = head + bytes([value & 127 | 128, value >> 7 & 127 | 128, value >> 14]) + b"v" * length
    assert len(block) == FIELD_BLOCK + excess
    half = len(block) // 2
    sent = talk.says(
        wire.headers(1, block[:half], end=True, end_headers=False), wire.continuation(1, block[half:], end_headers=True)
    )
    if excess:
        assert goaway_code(sent) == wire.ENHANCE_YOUR_CALM
    else:
        assert answered(exchange)
        assert exchange.fields == [("x", "v" * length)]


@pytest.mark.rfc("9113", "10.5.1")
def test_section_of_many_small_fields_stops_at_the_list_size() -> None:
    talk = Talk(options=Http2Options(max_header_list_size=64 * 1024))
    _, neighbour = talk.requests(2)
    # One octet each: index 62 is a field of 4,000 octets, so that 16,000 octets stand for 64 MB.
    bomb = b"\x88\x40\x01x\x7f\xa1\x1e" + b"v" * 4_000 + b"\xbe" * 12_000
    assert resets(talk.says(wire.headers(1, bomb))) == {1: wire.CANCEL}
    talk.says(wire.headers(3, b"\x88\xbe", end=True))
    assert neighbour.fields == [("x", "v" * 4_000)]


@pytest.mark.rfc("9113", "10.5")
def test_resets_by_the_peer_cost_no_more_than_the_requests_we_make() -> None:
    talk = Talk({wire.MAX_CONCURRENT_STREAMS: 2**32 - 1})
    for _ in range(100):
        exchanges = talk.requests(100)
        talk.says(*(wire.rst_stream(exchange.stream_id, wire.REFUSED_STREAM) for exchange in exchanges))
    assert talk.alive
    assert talk.connection.active() == 0
    assert talk.streams.stats().outstanding == 0


@pytest.mark.rfc("9113", "10.5")
def test_flood_keeps_no_memory() -> None:
    talk = quiet_talk()
    outstanding = talk.buffers.stats().outstanding
    for _ in range(50):
        talk.says(
            b"".join(wire.ping() + wire.window_update(0, 1) + wire.frame(0xBE, 0, 0, bytes(1_000)) for _ in range(60))
        )
    assert talk.alive
    assert talk.buffers.stats().outstanding == outstanding
    assert talk.rest == b""


@pytest.mark.rfc("9113", "10.5.1")
@pytest.mark.parametrize("excess", [0, 1])
def test_informational_responses_together_are_as_long_as_one_field_section(excess: int) -> None:
    limit = 1_000
    talk = Talk(options=Http2Options(max_header_list_size=limit))
    [exchange] = talk.requests(1)
    half = limit // 2 - 32 - 1
    sent = talk.says(
        wire.response(1, ("x", "v" * half), status=103), wire.response(1, ("x", "v" * (half + excess)), status=103)
    )
    if excess:
        assert resets(sent) == {1: wire.ENHANCE_YOUR_CALM}
        assert "informational" in str(failure(exchange))
    else:
        talk.says(wire.response(1, end=True))
        assert answered(exchange)


@pytest.mark.rfc("9113", "10.5")
@pytest.mark.parametrize("at_once", [False, True])
def test_short_pieces_nobody_reads_are_joined(at_once: bool) -> None:
    talk = Talk()
    exchange = talk.request(delivery=PIECES)
    talk.sent()
    frames = [wire.data(1, b"ab") for _ in range(2_000)]
    talk.says(wire.response(1), *(frames if at_once else frames[:1]))
    for frame in frames[2_000 if at_once else 1 :]:
        talk.says(frame)
    assert len(exchange.chunks) == (1 if at_once else 4_000 // 512 + 1)
    assert talk.reads(exchange) == b"ab" * 2_000

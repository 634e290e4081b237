"""RFC 9113 section 4.1: frames are octets in order; how they are cut into reads changes nothing."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deuterium._http.phases import PIECES

from . import wire
from .talk import Talk

CONTENT = bytes(range(256)) * 3

# One of everything: what a peer may say in a conversation of four requests.
CONVERSATION = b"".join(
    [
        wire.settings({wire.MAX_CONCURRENT_STREAMS: 3, wire.INITIAL_WINDOW_SIZE: 70}),
        wire.settings_ack(),
        wire.ping(b"12345678"),
        wire.response(1, ("link", "</a>"), status=103),
        wire.headers(1, wire.block((":status", "200"), ("x-a", "b"))[:4], end_headers=False, pad=5, priority=bytes(5)),
        wire.continuation(1, wire.block((":status", "200"), ("x-a", "b"))[4:], end_headers=True),
        wire.data(1, CONTENT[:100]),
        wire.response(3, ("content-length", "300"), status=404),
        wire.data(3, CONTENT[:120], pad=7),
        wire.data(1, CONTENT[100:102], pad=0),
        wire.window_update(0, 1_000),
        wire.data(3, b""),
        wire.data(3, CONTENT[120:300], end=True, pad=255),
        wire.frame(0xBE, 0xFF, 3, b"unknown"),
        wire.priority(5),
        wire.response(5, end=False),
        wire.data(5, b"cut short"),
        wire.rst_stream(5, wire.INTERNAL_ERROR),
        wire.data(5, b"late"),
        wire.window_update(7, 30),
        wire.trailers(1, ("x-sum", "1")),
        wire.response(7, end=False),
        wire.goaway(7, wire.NO_ERROR, b"bye"),
        wire.data(7, b"", end=True),
        wire.ping(b"abcdefgh"),
    ]
)
MALFORMED = CONVERSATION + wire.response(9) + wire.data(0, b"never")


def outcome(talk: Talk, octets: bytes, sizes: list[int], delivery: int) -> tuple[object, ...]:
    """Everything that can be seen after the octets arrived in reads of these sizes."""
    exchanges = [talk.request("POST", body=CONTENT[:100], delivery=delivery) for _ in range(5)]
    sent = talk.octets()
    bodies = [b""] * len(exchanges)
    position = 0
    for size in [*sizes, len(octets)]:
        talk.hears(octets[position : position + size])
        position += size
        sent += talk.octets()
        if delivery == PIECES:
            for number, exchange in enumerate(exchanges):
                bodies[number] += talk.reads(exchange, give_back=False)
        if position >= len(octets):
            break
    seen = [
        (
            exchange.stream_id,
            exchange.status,
            exchange.fields,
            exchange.trailers,
            exchange.informational,
            exchange.content,
            exchange.received,
            exchange.phase,
            type(exchange.error),
            str(exchange.error),
            getattr(exchange.error, "request_processed", ""),
        )
        for exchange in exchanges
    ]
    connection = talk.connection
    windows = (connection.send_window, connection.receive_window + connection.receive_consumed)
    talk_over = (connection.closed, connection.draining, talk.rest)
    return (seen, bodies, windows, talk_over, sorted(wire_frames(sent)))


def wire_frames(octets: bytes) -> list[bytes]:
    """What was sent, as whole frames: their order may follow the reads, their number and octets may not."""
    frames = []
    while octets:
        end = 9 + int.from_bytes(octets[:3], "big")
        frames.append(octets[:end])
        octets = octets[end:]
    return frames


@pytest.mark.rfc("9113", "4.1")
@pytest.mark.parametrize("delivery", [0, PIECES])
@pytest.mark.parametrize("octets", [CONVERSATION, MALFORMED], ids=["legal", "ended by an error"])
def test_conversation_cut_in_two_anywhere_ends_the_same(octets: bytes, delivery: int) -> None:
    whole = outcome(Talk(None), octets, [], delivery)
    for cut in range(1, len(octets)):
        assert outcome(Talk(None), octets, [cut], delivery) == whole


@pytest.mark.rfc("9113", "4.1")
@pytest.mark.parametrize("delivery", [0, PIECES])
@pytest.mark.parametrize("octets", [CONVERSATION, MALFORMED], ids=["legal", "ended by an error"])
@pytest.mark.parametrize("size", [1, 2, 3, 7, 10, 64])
def test_conversation_in_small_reads_ends_the_same(octets: bytes, size: int, delivery: int) -> None:
    whole = outcome(Talk(None), octets, [], delivery)
    assert outcome(Talk(None), octets, [size] * len(octets), delivery) == whole


@pytest.mark.rfc("9113", "4.1")
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.lists(st.integers(1, 400), max_size=60), st.sampled_from([0, PIECES]))
def test_conversation_cut_at_random_ends_the_same(sizes: list[int], delivery: int) -> None:
    assert outcome(Talk(None), CONVERSATION, sizes, delivery) == outcome(Talk(None), CONVERSATION, [], delivery)


@pytest.mark.rfc("9113", "6.1")
@pytest.mark.parametrize("pad", [None, 0, 1, 255])
@pytest.mark.parametrize("size", [0, 1, 2, 255])
def test_content_is_delivered_as_far_as_it_has_arrived(size: int, pad: int | None) -> None:
    octets = wire.data(1, CONTENT[:size], pad=pad)
    begins = 9 + (pad is not None)
    for cut in range(len(octets)):
        talk = Talk()
        [exchange] = talk.requests(1, delivery=PIECES)
        talk.says(wire.response(1))
        got = b""
        for start, end in ((0, cut), (cut, cut + 1), (cut + 1, len(octets))):
            talk.hears(octets[start:end])
            got += talk.reads(exchange)
            assert got == CONTENT[: max(0, min(size, end - begins))]
        assert talk.rest == b""


@pytest.mark.rfc("9113", "4.1")
def test_large_pieces_are_lent_and_outlive_the_read() -> None:
    talk = Talk()
    [exchange] = talk.requests(1, delivery=PIECES)
    talk.says(wire.response(1), wire.data(1, CONTENT), wire.data(1, CONTENT[::-1]))
    assert any(not isinstance(chunk, bytes) for chunk in exchange.chunks or ())
    for number in range(20):
        talk.says(wire.frame(0xBE, 0, 0, bytes([number]) * 2_000))
    assert talk.reads(exchange) == CONTENT + CONTENT[::-1]
    assert talk.buffers.stats().outstanding == 0

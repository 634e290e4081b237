"""Content that is lent: frames of one read become one piece, and nobody's octets are moved over another's."""

from __future__ import annotations

import random

import pytest

from deuterium._http.exchange import LentPiece
from deuterium._http.phases import PIECES
from rfc import wire
from rfc.talk import Talk

FRAME = 8 * 1024


def octets(seed: int, size: int = FRAME) -> bytes:
    return random.Random(seed).randbytes(size)


def test_frames_of_one_read_are_one_piece() -> None:
    talk = Talk()
    [exchange] = talk.requests(1, delivery=PIECES)
    talk.says(wire.response(1))
    talk.says(*(wire.data(1, octets(each), pad=each * 3) for each in range(4)), wire.data(1, b"end", end=True))
    [piece] = exchange.chunks
    assert type(piece) is LentPiece
    assert len(piece) == 4 * FRAME + 3
    assert talk.reads(exchange) == b"".join(octets(each) for each in range(4)) + b"end"


def test_piece_that_was_taken_stays_as_it_is() -> None:
    talk = Talk()
    [exchange] = talk.requests(1, delivery=PIECES)
    talk.says(wire.response(1))
    talk.says(wire.data(1, octets(1)))
    taken = exchange.chunks.popleft()
    view = taken.view
    talk.says(wire.data(1, octets(2)), wire.data(1, octets(3)))
    assert bytes(view) == octets(1)
    taken.release()
    assert talk.reads(exchange) == octets(2) + octets(3)


@pytest.mark.parametrize("order", [(1, 3, 1, 3), (1, 3, 3, 1), (3, 1, 1, 3, 3, 3, 1, 1)])
def test_frames_of_two_streams_in_turn_keep_their_octets(order: tuple[int, ...]) -> None:
    talk = Talk()
    first, second = talk.requests(2, delivery=PIECES)
    talk.says(wire.response(1), wire.response(3))
    talk.says(*(wire.data(stream, octets(index)) for index, stream in enumerate(order)))
    for stream, exchange in ((1, first), (3, second)):
        assert talk.reads(exchange) == b"".join(octets(i) for i, each in enumerate(order) if each == stream)
    assert len(first.chunks) == len(second.chunks) == 0


def test_small_frames_behind_a_lent_piece_join_it_and_hold_no_memory_of_their_own() -> None:
    talk = Talk()
    [exchange] = talk.requests(1, delivery=PIECES)
    talk.says(wire.response(1))
    talk.says(wire.data(1, octets(1)), *(wire.data(1, bytes([each])) for each in range(100)))
    assert len(exchange.chunks) == 1
    assert talk.reads(exchange) == octets(1) + bytes(range(100))
    assert talk.buffers.stats().outstanding == 0


@pytest.mark.parametrize("seed", range(20))
def test_reads_cut_anywhere_give_the_same_content(seed: int) -> None:
    chance = random.Random(seed)
    talk = Talk()
    exchanges = dict(zip((1, 3), talk.requests(2, delivery=PIECES), strict=True))
    talk.says(wire.response(1), wire.response(3))
    sent = {1: b"", 3: b""}
    got = {1: b"", 3: b""}
    frames = b""
    for _ in range(30):
        stream = chance.choice((1, 1, 3))
        payload = chance.randbytes(chance.choice((1, 100, 3_000, 16_000)))
        sent[stream] += payload
        frames += wire.data(stream, payload, pad=chance.choice((None, None, 7)))
    while frames:
        size = chance.randint(1, 70_000)
        talk.hears(frames[:size])
        frames = frames[size:]
        stream = chance.choice((1, 3))
        got[stream] += talk.reads(exchanges[stream])
    for stream, exchange in exchanges.items():
        assert got[stream] + talk.reads(exchange) == sent[stream]
    assert talk.buffers.stats().outstanding == 0

"""The send side's queue: order, copies, references, and no memory kept."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deuterium._http2.frames import iter_frames
from deuterium._http2.outbound import Outbound
from deuterium._memory.buffer_pool import BufferPool
from rfc import wire

PIECE = bytes(range(256)) * 1_200  # 300 KiB


def test_frames_leave_in_order_and_only_once() -> None:
    outbound = Outbound(BufferPool(), 0)
    outbound.frame(wire.PING, 1, 0, b"12345678")
    outbound.frame_header(3, wire.DATA, 1, 2**31 - 1)
    outbound.content(b"xabcx", 1, 4)
    assert outbound.octets == 9 + 8 + 9 + 3
    octets = b"".join(outbound.take())
    assert octets == wire.ping(b"12345678", ack=True) + wire.data(2**31 - 1, b"abc", end=True)
    assert outbound.octets == 0
    assert outbound.take() == []


@pytest.mark.parametrize("length", [0, 1, 255, 256, 65_535, 65_536, 2**24 - 1])
def test_header_of_every_length_is_written(length: int) -> None:
    outbound = Outbound(BufferPool(), 0)
    outbound.frame_header(length, 255, 255, 2**31 - 1)
    assert b"".join(outbound.take()) == wire.frame(255, 255, 2**31 - 1, length=length)


@pytest.mark.parametrize("by_reference", [0, 1, 10, 16_384])
@pytest.mark.parametrize("size", [1, 9, 10, 16_375, 16_384, 65_526, 65_536, 65_537, 300_000])
def test_content_of_every_size_leaves_whole(by_reference: int, size: int) -> None:
    pool = BufferPool(poison=True)
    outbound = Outbound(pool, by_reference)
    outbound.frame(wire.PING, 0, 0, bytes(8))
    for _ in range(3):
        outbound.frame_header(size, wire.DATA, 0, 1)
        outbound.content(PIECE, 100, 100 + size)
    frames = list(iter_frames(b"".join(outbound.take())))
    assert [frame.payload for frame in frames[1:]] == [PIECE[100 : 100 + size]] * 3
    assert pool.stats().outstanding == 0


def test_large_content_is_queued_by_reference_and_small_is_copied() -> None:
    outbound = Outbound(BufferPool(), 1_000)
    outbound.content(PIECE, 0, 999)
    outbound.content(PIECE, 0, 1_000)
    copied, referred = outbound.take()
    assert type(copied) is bytes
    assert referred.obj is PIECE


def test_payload_larger_than_a_segment_is_written() -> None:
    outbound = Outbound(BufferPool(), 0)
    outbound.frame(wire.HEADERS, 4, 1, PIECE)
    [frame] = iter_frames(b"".join(outbound.take()))
    assert frame.payload == PIECE


def test_idle_queue_holds_no_memory() -> None:
    pool = BufferPool()
    outbound = Outbound(pool, 0)
    for _ in range(50):
        outbound.frame(wire.PING, 0, 0, bytes(8))
        outbound.take()
        assert pool.stats().outstanding == 0
    assert pool.stats().created == 1


def test_tap_sees_every_frame_header() -> None:
    seen: list[tuple[object, ...]] = []
    outbound = Outbound(BufferPool(), 0)
    outbound.tap = lambda *facts: seen.append(facts)
    outbound.frame(wire.RST_STREAM, 0, 7, bytes(4))
    outbound.frame_header(5, wire.DATA, 1, 9)
    outbound.content(b"abcde", 0, 5)
    assert seen == [(True, 4, wire.RST_STREAM, 0, 7), (True, 5, wire.DATA, 1, 9)]


@given(
    st.lists(st.tuples(st.booleans(), st.integers(0, 70_000)), max_size=30),
    st.sampled_from([0, 1, 5_000, 100_000]),
)
def test_any_sequence_leaves_the_octets_that_went_in(steps: list[tuple[bool, int]], by_reference: int) -> None:
    pool = BufferPool(poison=True)
    outbound = Outbound(pool, by_reference)
    expected = b""
    for whole_frame, size in steps:
        if whole_frame:
            outbound.frame(wire.HEADERS, 0, 1, PIECE[:size])
            expected += wire.frame(wire.HEADERS, 0, 1, PIECE[:size])
        else:
            outbound.content(PIECE, 7, 7 + size)
            expected += PIECE[7 : 7 + size]
        assert outbound.octets == len(expected)
    assert b"".join(outbound.take()) == expected
    assert pool.stats().outstanding == 0

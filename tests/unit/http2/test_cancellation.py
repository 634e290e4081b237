"""Cancelling and recycling: what belonged to one exchange never reaches another."""

from __future__ import annotations

import pytest

from deuterium._http.phases import PIECES
from deuterium._http2.stream import Stream
from deuterium._memory.object_pool import ObjectPool
from rfc import wire
from rfc.talk import Talk, answered, content, finished, resets

CONTENT = bytes(range(256)) * 8


def one_stream_talk(**settings: int) -> Talk:
    """All streams of the connection are one recycled object."""
    return Talk(streams=ObjectPool(Stream, bound=1))


@pytest.mark.parametrize("delivery", [0, PIECES])
@pytest.mark.parametrize("end", [False, True])
@pytest.mark.parametrize("pad", [None, 0, 100])
@pytest.mark.parametrize("how", ["cancel", "expire", "reset in between"])
def test_rest_of_a_cut_payload_never_reaches_the_stream_that_took_its_place(
    delivery: int, end: bool, pad: int | None, how: str
) -> None:
    payload = wire.data(1, CONTENT, end=end, pad=pad)
    for cut in (9, 10, 11, 500, len(payload) - 1):
        talk = one_stream_talk()
        [first] = talk.requests(1, delivery=delivery, read_timeout=5.0)
        talk.says(wire.response(1, ("content-length", str(len(CONTENT)))))
        talk.hears(payload[:cut])
        if how == "expire":
            talk.reads(first)
            talk.now += 10
            talk.connection.expire(talk.now)
        else:
            talk.cancels(first)
        [second] = talk.requests(1, delivery=delivery)
        assert talk.streams.stats().reused == 1
        talk.hears(payload[cut:])
        assert not finished(second)
        talk.says(wire.response(3, ("content-length", "3")), wire.data(3, b"own", end=True))
        assert answered(second)
        assert (talk.reads(second) if delivery else second.content) == b"own"
        assert second.received == 3
        assert talk.connection.take_ready().count(second) <= 1


def test_recycled_stream_remembers_nothing_of_the_exchange_before() -> None:
    talk = Talk({wire.INITIAL_WINDOW_SIZE: 1_000}, streams=ObjectPool(Stream, bound=1))
    first = talk.request("POST", has_content=True)
    talk.sent()
    talk.connection.send_content(first, CONTENT, False, talk.now)
    talk.connection.send_trailers(first, (("x-trailer", "1"),), talk.now)
    talk.sent()
    talk.says(wire.response(1, ("content-length", "9"), status=103), wire.response(1, ("content-length", "9")))
    talk.says(wire.data(1, b"four"), wire.window_update(1, 5))
    talk.cancels(first)

    second = talk.request("POST", body=b"second")
    assert content(talk.sent(), 3) == b"second"
    talk.says(wire.response(3), wire.data(3, b"answer of any length"), wire.data(3, end=True))
    assert answered(second)
    assert (second.content, second.trailers, second.informational) == (b"answer of any length", None, None)
    assert talk.streams.stats().created == 1


def test_streams_are_all_given_back_whatever_ended_them() -> None:
    talk = Talk()
    for _ in range(20):
        exchanges = talk.requests(5)
        ids = [exchange.stream_id for exchange in exchanges]
        talk.says(
            wire.response(ids[0], end=True),
            wire.rst_stream(ids[1]),
            wire.data(ids[2], b"early"),
            wire.response(ids[3]) + wire.data(ids[3], b"x", end=True),
        )
        talk.cancels(exchanges[4])
        assert all(finished(exchange) for exchange in exchanges)
    talk.requests(3)
    talk.connection.close(talk.now)
    assert talk.streams.stats().outstanding == 0


def test_cancel_of_what_is_over_does_nothing_and_of_what_is_anothers_neither() -> None:
    talk, other = Talk(), Talk()
    [exchange] = talk.requests(1)
    talk.says(wire.response(1, end=True))
    assert talk.cancels(exchange) == []
    [neighbour] = other.requests(1)
    talk.connection.cancel(neighbour, None, talk.now)
    assert talk.sent() == []
    assert not finished(neighbour)
    assert resets(other.cancels(neighbour)) == {1: wire.CANCEL}
    assert other.cancels(neighbour) == []


def test_cancel_releases_lent_memory() -> None:
    talk = Talk()
    [exchange] = talk.requests(1, delivery=PIECES)
    talk.says(wire.response(1), wire.data(1, bytes(10_000)))
    assert talk.buffers.stats().outstanding == 1
    talk.cancels(exchange)
    assert talk.buffers.stats().outstanding == 0
    assert exchange.unread == 0
    assert not exchange.chunks


def test_cancel_takes_queued_content_off_the_schedule() -> None:
    talk = Talk({wire.INITIAL_WINDOW_SIZE: 1 << 20})
    first = talk.request("POST", body=bytes(100_000))
    talk.request("POST", body=bytes(10))
    talk.connection.cancel(first, None, talk.now)
    frames = talk.sent()
    assert content(frames, 1) == b""
    assert content(frames, 3) == bytes(10)
    assert talk.connection.send_window == 65_535 - 10


def test_exchange_is_marked_ready_once_for_each_time_it_is_looked_at() -> None:
    talk = Talk()
    [exchange] = talk.requests(1, delivery=PIECES)
    talk.says(wire.response(1), wire.data(1, b"a"), wire.data(1, b"b"))
    assert talk.connection.take_ready() == [exchange]
    assert talk.connection.take_ready() == []
    talk.says(wire.data(1, b"c", end=True))
    assert talk.connection.take_ready() == [exchange]
    assert talk.reads(exchange) == b"abc"

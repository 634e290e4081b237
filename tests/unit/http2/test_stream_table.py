"""Streams by identifier, and what is still known of those that are gone."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deuterium._http.exchange import Exchange
from deuterium._http2.states import CLOSED, OPEN
from deuterium._http2.stream import Stream
from deuterium._http2.stream_table import StreamTable
from deuterium._memory.object_pool import ObjectPool


def table() -> StreamTable:
    return StreamTable(ObjectPool(Stream))


def opened(streams: StreamTable) -> Stream:
    stream = streams.open(Exchange("GET", "https", "example.com", "/"), 10, 20)
    stream.state = OPEN
    return stream


def closed(streams: StreamTable, by_us: bool) -> int:
    stream = opened(streams)
    stream_id = stream.id
    stream.state = CLOSED
    streams.close(stream, by_us)
    return stream_id


@pytest.mark.rfc("9113", "5.1.1")
def test_streams_are_opened_with_ascending_odd_identifiers() -> None:
    streams = table()
    made = [opened(streams) for _ in range(3)]
    assert streams.all() == made
    assert [stream.id for stream in made] == [1, 3, 5]
    assert (made[0].send_window, made[0].receive_window) == (10, 20)


@given(data=st.data(), most=st.sampled_from([1, 7, 9, 100, 300]), steps=st.integers(1, 1500))
@settings(max_examples=25, deadline=None)
def test_streams_are_found_in_order_however_many_and_however_long_some_last(
    data: st.DataObject, most: int, steps: int
) -> None:
    random = Random(data.draw(st.integers()))
    streams = table()
    expected: dict[int, Stream] = {}
    for _ in range(steps):
        if len(expected) < most and random.random() < 0.6:
            stream = opened(streams)
            expected[stream.id] = stream
        elif expected:
            # Mostly one of the oldest; now and then any, so that some stay while hundreds pass.
            stream_id = random.choice(list(expected)[: 3 if random.random() < 0.9 else most])
            stream = expected.pop(stream_id)
            stream.state = CLOSED
            streams.close(stream, False)
            assert streams.find(stream_id) is None
        assert streams.count == len(expected)
    assert streams.all() == list(expected.values())
    assert [streams.find(stream_id) for stream_id in expected] == list(expected.values())
    assert streams.find(0) is streams.find(2) is streams.find(streams.next_id) is None


def test_ten_thousand_streams_and_one_that_outlasts_them_are_all_found() -> None:
    streams = table()
    lasting = opened(streams)
    crowd = [opened(streams) for _ in range(10_000)]
    assert streams.all() == [lasting, *crowd]
    for stream in crowd:
        assert streams.find(stream.id) is stream
        stream.state = CLOSED
        streams.close(stream, False)
    for _ in range(40_000):
        stream = opened(streams)
        assert streams.find(stream.id) is stream
        assert streams.find(lasting.id) is lasting
        stream.state = CLOSED
        streams.close(stream, False)
    assert streams.all() == [lasting]


def test_what_was_never_opened_is_idle() -> None:
    streams = table()
    assert streams.is_idle(1)
    opened(streams)
    assert [stream_id for stream_id in range(1, 6) if streams.is_idle(stream_id)] == [2, 3, 4, 5]


def test_memory_of_resets_is_bounded_and_forgets_the_oldest() -> None:
    streams = table()
    ended = closed(streams, by_us=False)
    first = closed(streams, by_us=True)
    for _ in range(4_095):
        closed(streams, by_us=True)
    assert streams.may_be_late(first)
    assert not streams.may_be_late(ended)
    later = closed(streams, by_us=False)
    closed(streams, by_us=True)
    # Below the oldest that is remembered nothing can be told apart.
    assert streams.may_be_late(first)
    assert streams.may_be_late(ended)
    assert not streams.may_be_late(later)


def test_closed_stream_is_recycled_without_a_trace() -> None:
    streams = table()
    names = [name for name in Stream.__slots__ if name != "id"] if hasattr(Stream, "__slots__") else []
    names = names or [name for name in dir(Stream) if not name.startswith("_") and not callable(getattr(Stream, name))]
    fresh = {name: getattr(Stream(), name) for name in names if name != "id"}
    assert len(fresh) > 10
    stream = opened(streams)
    stream.got_headers = stream.pending_end = True
    stream.body = stream.trailers = object()
    stream.consumed = stream.received = stream.pending_octets = stream.pending_at = 7
    stream.expected = 9
    stream.state = CLOSED
    streams.close(stream, False)
    again = streams.open(Exchange("GET", "https", "example.com", "/"), 0, 0)
    assert again is stream
    assert again.id == 3
    del fresh["exchange"]
    assert {name: getattr(again, name) for name in fresh} == fresh


def test_stream_that_is_not_closed_cannot_be_recycled() -> None:
    stream = opened(table())
    with pytest.raises(RuntimeError):
        stream.reset()
    assert stream.state == OPEN


@pytest.mark.rfc("9113", "5.1.1")
def test_identifiers_end_with_the_31_bits() -> None:
    streams = table()
    streams.next_id = 2**31 - 1
    assert not streams.exhausted()
    assert opened(streams).id == 2**31 - 1
    assert streams.exhausted()

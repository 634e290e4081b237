"""Streams by identifier, and what is still known of those that are gone."""

from __future__ import annotations

import pytest

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
    assert [stream.id for stream in made] == list(streams.streams) == [1, 3, 5]
    assert (made[0].send_window, made[0].receive_window) == (10, 20)


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
    names = [name for name in Stream.__slots__ if name not in ("id", "key")] if hasattr(Stream, "__slots__") else []
    names = names or [name for name in dir(Stream) if not name.startswith("_") and not callable(getattr(Stream, name))]
    fresh = {name: getattr(Stream(), name) for name in names if name not in ("id", "key")}
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
    assert again.id == again.key == 3
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

"""Whose turn it is to send content."""

from __future__ import annotations

from deuterium._http.exchange import Exchange
from deuterium._http2.scheduler import Scheduler
from deuterium._http2.stream import Stream


def stream(stream_id: int, urgency: int = 3) -> Stream:
    exchange = Exchange("POST", "https", "example.com", "/")
    exchange.urgency = urgency
    made = Stream()
    made.open(stream_id, exchange, 0, 0)
    return made


def turns(scheduler: Scheduler) -> list[int]:
    order = []
    while (found := scheduler.next()) is not None:
        order.append(found.id)
    return order


def test_lower_urgency_numbers_go_first_and_equals_in_order() -> None:
    scheduler = Scheduler()
    for stream_id, urgency in ((1, 3), (3, 7), (5, 0), (7, 3), (9, 0)):
        scheduler.add(stream(stream_id, urgency))
    assert scheduler.length == 5
    assert turns(scheduler) == [5, 9, 1, 7, 3]
    assert scheduler.length == 0


def test_stream_is_queued_once_and_again_after_its_turn() -> None:
    scheduler = Scheduler()
    one = stream(1)
    scheduler.add(one)
    scheduler.add(one)
    assert scheduler.length == 1
    assert scheduler.next() is one
    scheduler.add(one)
    assert turns(scheduler) == [1]


def test_stream_put_back_keeps_its_turn() -> None:
    scheduler = Scheduler()
    one, three = stream(1), stream(3)
    scheduler.add(one)
    scheduler.add(three)
    assert scheduler.next() is one
    scheduler.put_back(one)
    scheduler.add(one)
    assert turns(scheduler) == [1, 3]


def test_removed_stream_gets_no_turn() -> None:
    scheduler = Scheduler()
    streams = [stream(stream_id) for stream_id in (1, 3, 5)]
    for each in streams:
        scheduler.add(each)
    scheduler.remove(streams[1])
    scheduler.remove(streams[1])
    assert scheduler.length == 2
    assert turns(scheduler) == [1, 5]
    scheduler.remove(streams[0])
    assert scheduler.length == 0


def test_urgency_outside_its_range_is_folded_into_it() -> None:
    scheduler = Scheduler()
    scheduler.add(stream(1, 15))
    scheduler.add(stream(3, 6))
    assert turns(scheduler) == [3, 1]


def test_stream_without_an_exchange_is_never_queued() -> None:
    scheduler = Scheduler()
    scheduler.add(Stream())
    scheduler.remove(Stream())
    assert scheduler.length == 0

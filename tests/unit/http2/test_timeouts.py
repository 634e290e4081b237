"""Deadlines: each phase of an exchange ends in its own error, and only when its own side is late."""

from __future__ import annotations

import pytest

from deuterium._http.phases import NEVER, PIECES
from deuterium.errors import PoolTimeout, ReadTimeout, TotalTimeout, WriteTimeout
from rfc import wire
from rfc.talk import Talk, answered, content, failure, finished, resets


def passes(talk: Talk, seconds: float) -> dict[int, int]:
    """Time passes and the driver's timer fires if the engine asked for it; the streams that were reset."""
    talk.now += seconds
    while talk.connection.deadline <= talk.now:
        before = talk.connection.deadline
        talk.connection.expire(talk.now)
        assert talk.connection.deadline > before
    return resets(talk.sent())


def test_nothing_to_wait_for_needs_no_timer() -> None:
    talk = Talk()
    assert talk.connection.deadline == NEVER
    exchange = talk.request(read_timeout=5.0)
    assert talk.connection.deadline == talk.now + 5.0
    talk.says(wire.response(1, end=True))
    assert answered(exchange)
    assert passes(talk, 10.0) == {}
    assert talk.connection.deadline == NEVER


def test_answer_that_does_not_come_is_a_read_timeout() -> None:
    talk = Talk()
    exchange = talk.request(read_timeout=5.0)
    talk.sent()
    assert passes(talk, 4.999) == {}
    assert passes(talk, 0.001) == {1: wire.CANCEL}
    assert isinstance(failure(exchange), ReadTimeout)
    assert failure(exchange).request_processed is None
    assert talk.connection.active() == 0


def test_every_piece_of_the_answer_starts_the_read_timeout_again() -> None:
    talk = Talk()
    exchange = talk.request(read_timeout=5.0)
    talk.sent()
    for frame in (wire.response(1), wire.data(1, b"a"), wire.data(1, b"b")):
        assert passes(talk, 4.0) == {}
        talk.says(frame)
    assert passes(talk, 5.0) == {1: wire.CANCEL}
    assert isinstance(failure(exchange), ReadTimeout)


def test_content_that_the_caller_leaves_unread_stops_the_read_timeout() -> None:
    talk = Talk()
    exchange = talk.request(read_timeout=5.0, delivery=PIECES)
    talk.sent()
    talk.says(wire.response(1), wire.data(1, b"waiting"))
    assert passes(talk, 1_000.0) == {}
    talk.reads(exchange)
    assert passes(talk, 4.9) == {}
    assert passes(talk, 0.2) == {1: wire.CANCEL}
    assert isinstance(failure(exchange), ReadTimeout)


def test_peer_that_takes_no_content_is_a_write_timeout() -> None:
    talk = Talk({wire.INITIAL_WINDOW_SIZE: 3})
    exchange = talk.request("POST", body=b"content", write_timeout=5.0, read_timeout=1.0)
    talk.sent()
    assert passes(talk, 4.0) == {}
    assert content(talk.says(wire.window_update(1, 2)), 1) == b"te"
    assert passes(talk, 4.0) == {}
    assert passes(talk, 1.0) == {1: wire.CANCEL}
    assert isinstance(failure(exchange), WriteTimeout)


def test_caller_that_is_slow_to_produce_content_runs_into_no_write_timeout() -> None:
    talk = Talk({wire.INITIAL_WINDOW_SIZE: 10})
    exchange = talk.request("POST", has_content=True, write_timeout=5.0, read_timeout=1.0)
    talk.sent()
    assert passes(talk, 1_000.0) == {}
    talk.sends(exchange, b"some")
    assert passes(talk, 1_000.0) == {}
    talk.sends(exchange, b"more than the window")
    assert passes(talk, 4.9) == {}
    assert passes(talk, 0.2) == {1: wire.CANCEL}
    assert isinstance(failure(exchange), WriteTimeout)


def test_read_timeout_begins_when_the_request_is_complete() -> None:
    talk = Talk()
    exchange = talk.request("POST", has_content=True, write_timeout=5.0, read_timeout=1.0)
    talk.sent()
    assert passes(talk, 100.0) == {}
    talk.sends(exchange, b"all of it", end=True)
    assert passes(talk, 0.9) == {}
    assert passes(talk, 0.2) == {1: wire.CANCEL}
    assert isinstance(failure(exchange), ReadTimeout)


def test_request_that_waits_for_a_stream_is_a_pool_timeout_and_leaves_the_queue() -> None:
    talk = Talk({wire.MAX_CONCURRENT_STREAMS: 1})
    [first] = talk.requests(1)
    second = talk.request(pool_timeout=2.0)
    third = talk.request(pool_timeout=9.0, read_timeout=5.0)
    assert passes(talk, 2.0) == {}
    assert isinstance(failure(second), PoolTimeout)
    assert failure(second).request_processed is False
    assert not finished(third)
    talk.says(wire.response(first.stream_id, end=True))
    assert third.stream_id == 3
    # Its time as a waiting request is over; now the answer's time runs.
    assert passes(talk, 4.9) == {}
    assert passes(talk, 0.2) == {3: wire.CANCEL}
    assert isinstance(failure(third), ReadTimeout)


@pytest.mark.parametrize("phase", ["queued", "sending", "producing", "awaiting", "receiving", "unread"])
def test_total_deadline_ends_every_phase(phase: str) -> None:
    settings = {wire.MAX_CONCURRENT_STREAMS: 1}
    if phase == "sending":
        settings[wire.INITIAL_WINDOW_SIZE] = 0
    talk = Talk(settings)
    if phase == "queued":
        talk.requests(1)
    if phase in ("sending", "producing"):
        exchange = talk.request(
            "POST", body=b"x" if phase == "sending" else None, has_content=True, deadline=talk.now + 9.0
        )
    else:
        exchange = talk.request(deadline=talk.now + 9.0, delivery=PIECES)
    talk.sent()
    if phase in ("receiving", "unread"):
        talk.says(wire.response(1), wire.data(1, b"x"))
    if phase == "receiving":
        talk.reads(exchange)
    assert passes(talk, 8.9) == {}
    assert not finished(exchange)
    assert passes(talk, 0.2) == ({} if phase == "queued" else {1: wire.CANCEL})
    assert isinstance(failure(exchange), TotalTimeout)
    assert failure(exchange).request_processed is (False if phase == "queued" else None)


def test_total_deadline_ends_an_answer_that_drips() -> None:
    talk = Talk()
    exchange = talk.request(deadline=talk.now + 10.0, read_timeout=2.0)
    talk.sent()
    talk.says(wire.response(1))
    for _ in range(10):
        assert not finished(exchange)
        assert passes(talk, 1.0) in ({}, {1: wire.CANCEL})
        talk.says(wire.data(1, b"."), wire.ping())
    assert isinstance(failure(exchange), TotalTimeout)


def test_each_exchange_has_its_own_time_and_the_timer_is_set_to_the_earliest() -> None:
    talk = Talk()
    exchanges = [talk.request(read_timeout=float(seconds)) for seconds in (3, 1, 2)]
    talk.sent()
    assert talk.connection.deadline == talk.now + 1.0
    assert [passes(talk, 1.0) for _ in range(3)] == [{3: wire.CANCEL}, {5: wire.CANCEL}, {1: wire.CANCEL}]
    assert all(isinstance(failure(exchange), ReadTimeout) for exchange in exchanges)
    assert talk.connection.deadline == NEVER


def test_timeout_of_one_stream_lets_the_next_waiting_request_go() -> None:
    talk = Talk({wire.MAX_CONCURRENT_STREAMS: 1})
    talk.request(read_timeout=1.0)
    waiting = talk.request(read_timeout=5.0)
    talk.sent()
    talk.now += 1.0
    talk.connection.expire(talk.now)
    assert [(frame.name, frame.stream_id) for frame in talk.sent()] == [("RST_STREAM", 1), ("HEADERS", 3)]
    assert talk.connection.deadline == talk.now + 5.0
    talk.says(wire.response(3, end=True))
    assert answered(waiting)

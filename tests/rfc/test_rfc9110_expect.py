"""RFC 9110 section 10.1.1 over HTTP/2: content waits for 100 (Continue), not for ever, nor after an answer."""

from __future__ import annotations

import pytest

from deuterium._http.exchange import Waiter
from deuterium._http.phases import AWAITING, CONTINUE_WAIT_S, NEVER, PIECES, SENDING
from deuterium._http2.frames import Frame
from deuterium.errors import ReadTimeout

from . import wire
from .talk import Talk, answered, content, failure, finished, of_kind, resets

pytestmark = pytest.mark.rfc("9110", "10.1.1")

EXPECT = (("expect", "100-continue"),)


def ends(frames: list[Frame]) -> bool:
    return any(frame.flags & wire.END_STREAM for frame in frames if frame.kind == wire.DATA)


def test_content_at_hand_waits_for_100() -> None:
    talk = Talk()
    exchange = talk.request("POST", body=b"abc", extra=EXPECT)
    assert content(talk.sent(), 1) == b""
    assert not talk.connection.has_output()
    assert exchange.phase == SENDING
    frames = talk.says(wire.response(1, status=100))
    assert (content(frames, 1), ends(frames)) == (b"abc", True)
    assert exchange.informational == [(100, [])]
    talk.says(wire.response(1, end=True))
    assert answered(exchange)


def test_content_in_pieces_is_not_taken_before_100() -> None:
    talk = Talk()
    exchange = talk.request("POST", has_content=True, extra=EXPECT)
    talk.sent()
    assert talk.connection.room(exchange) == 0
    exchange.writer = Waiter()
    talk.says(wire.response(1, status=100))
    assert exchange in talk.connection.take_writable()
    assert talk.connection.room(exchange) > 0
    assert content(talk.sends(exchange, b"abc"), 1) == b"abc"
    assert ends(talk.sends(exchange, b"", end=True))


def test_content_queued_before_100_and_its_end_leave_together() -> None:
    talk = Talk()
    exchange = talk.request("POST", has_content=True, extra=EXPECT)
    talk.sent()
    assert talk.sends(exchange, b"abc") == talk.sends(exchange, b"", end=True) == []
    talk.says(wire.window_update(1, 10), wire.settings({wire.INITIAL_WINDOW_SIZE: 100_000}))
    frames = talk.says(wire.response(1, status=100))
    assert (content(frames, 1), ends(frames)) == (b"abc", True)


def test_end_without_content_waits_for_100() -> None:
    talk = Talk()
    exchange = talk.request("POST", has_content=True, extra=EXPECT)
    talk.sent()
    assert talk.sends(exchange, b"", end=True) == []
    assert ends(talk.says(wire.response(1, status=100)))


def test_trailers_wait_for_100() -> None:
    talk = Talk()
    exchange = talk.request("POST", has_content=True, extra=EXPECT)
    talk.sent()
    talk.connection.send_trailers(exchange, (("x", "y"),), talk.now)
    assert talk.sent() == []
    assert len(of_kind(talk.says(wire.response(1, status=100)), wire.HEADERS, 1)) == 1


def test_content_waits_no_longer_than_its_time() -> None:
    talk = Talk()
    exchange = talk.request("POST", body=b"abc", extra=EXPECT)
    talk.sent()
    begun = talk.now
    assert talk.connection.deadline == begun + CONTINUE_WAIT_S
    talk.now = begun + CONTINUE_WAIT_S - 0.001
    talk.connection.expire(talk.now)
    assert content(talk.sent(), 1) == b""
    assert talk.connection.deadline == begun + CONTINUE_WAIT_S
    talk.now = begun + CONTINUE_WAIT_S
    talk.connection.expire(talk.now)
    assert content(talk.sent(), 1) == b"abc"
    assert (exchange.phase, talk.connection.deadline) == (AWAITING, NEVER)


@pytest.mark.parametrize("status", [103, 102])
def test_another_interim_response_does_not_release_the_content(status: int) -> None:
    talk = Talk()
    talk.request("POST", body=b"abc", extra=EXPECT)
    talk.sent()
    assert content(talk.says(wire.response(1, status=status)), 1) == b""


def test_content_is_never_sent_after_a_whole_answer() -> None:
    talk = Talk()
    exchange = talk.request("POST", body=b"abc", extra=EXPECT)
    talk.sent()
    frames = talk.says(wire.response(1, status=417, end=True))
    assert (resets(frames), content(frames, 1)) == ({1: wire.CANCEL}, b"")
    assert answered(exchange)
    talk.now += CONTINUE_WAIT_S
    talk.connection.expire(talk.now)
    assert talk.sent() == []
    assert talk.connection.deadline == NEVER


def test_content_is_dropped_when_an_answer_has_begun_in_its_time() -> None:
    talk = Talk()
    exchange = talk.request("POST", has_content=True, extra=EXPECT, delivery=PIECES, read_timeout=5.0)
    talk.sent()
    assert talk.says(wire.response(1, status=401), wire.data(1, b"why")) == []
    talk.reads(exchange)
    talk.now += CONTINUE_WAIT_S
    talk.connection.expire(talk.now)
    assert talk.connection.room(exchange) == -1
    assert talk.sends(exchange, b"abc", end=True) == []
    assert exchange.phase == AWAITING
    assert resets(talk.says(wire.data(1, b"", end=True))) == {1: wire.CANCEL}
    assert finished(exchange)
    assert talk.alive


def test_dropped_content_lets_the_read_timeout_run() -> None:
    talk = Talk()
    exchange = talk.request("POST", has_content=True, extra=EXPECT, read_timeout=5.0)
    talk.sent()
    talk.says(wire.response(1, status=401))
    talk.now += CONTINUE_WAIT_S
    talk.connection.expire(talk.now)
    assert talk.connection.deadline == talk.now + 5.0
    talk.now += 5.0
    talk.connection.expire(talk.now)
    assert isinstance(failure(exchange), ReadTimeout)


def test_neighbours_are_not_held() -> None:
    talk = Talk()
    talk.request("POST", body=b"held", extra=EXPECT)
    talk.request("POST", body=b"free")
    frames = talk.sent()
    assert (content(frames, 1), content(frames, 3)) == (b"", b"free")


def test_cancelling_a_held_request_leaves_nothing_behind() -> None:
    talk = Talk()
    exchange = talk.request("POST", body=b"abc", extra=EXPECT)
    talk.sent()
    assert resets(talk.cancels(exchange)) == {1: wire.CANCEL}
    talk.now += CONTINUE_WAIT_S
    talk.connection.expire(talk.now)
    assert talk.connection.held == {}
    assert talk.sent() == []

"""RFC 9113 sections 6.4 and 6.8: RST_STREAM and GOAWAY; 8.7: what was provably not processed."""

from __future__ import annotations

import pytest

from deuterium.errors import GoAway, ReadError, RemoteProtocolError, StreamReset, TransportError

from . import wire
from .talk import Talk, answered, failure, finished, goaway_code, of_kind

ALL = 2**31 - 1


@pytest.mark.rfc("9113", "6.8")
@pytest.mark.parametrize("last", [0, 1, 2, 3, 5, 6, ALL])
def test_streams_above_the_last_one_fail_unprocessed_and_the_others_go_on(last: int) -> None:
    talk = Talk()
    exchanges = talk.requests(3)
    assert talk.says(wire.goaway(last, wire.NO_ERROR, b"restarting")) == []
    for exchange in exchanges:
        if exchange.stream_id > last:
            error = failure(exchange)
            assert isinstance(error, GoAway)
            assert (error.last_stream_id, error.code, error.request_processed) == (last, wire.NO_ERROR, False)
            assert error.safe_to_retry
            assert error.scope == "connection"
            assert "restarting" in str(error)
        else:
            talk.says(wire.response(exchange.stream_id, end=True))
            assert answered(exchange)
    assert talk.alive
    assert talk.connection.draining


@pytest.mark.rfc("9113", "6.8")
def test_no_stream_is_opened_after_a_goaway() -> None:
    talk = Talk({wire.MAX_CONCURRENT_STREAMS: 1})
    [first] = talk.requests(1)
    waiting = talk.request()
    talk.says(wire.goaway(ALL))
    assert failure(waiting).request_processed is False
    assert talk.connection.capacity() == 0
    with pytest.raises(GoAway) as refusal:
        talk.request()
    assert refusal.value.request_processed is False
    assert talk.says(wire.response(first.stream_id, end=True)) == []
    assert answered(first)


@pytest.mark.rfc("9113", "6.8")
def test_graceful_goaway_is_followed_by_one_with_the_real_last_stream() -> None:
    talk = Talk()
    exchanges = talk.requests(3)
    talk.says(wire.goaway(ALL))
    assert not any(finished(exchange) for exchange in exchanges)
    talk.says(wire.goaway(3))
    assert [finished(exchange) for exchange in exchanges] == [False, False, True]
    assert failure(exchanges[2]).request_processed is False
    talk.says(wire.goaway(1))
    assert [finished(exchange) for exchange in exchanges] == [False, True, True]
    talk.says(wire.goaway(1), wire.response(1, end=True))
    assert answered(exchanges[0])


@pytest.mark.rfc("9113", "6.8")
def test_last_stream_that_rises_is_a_connection_error() -> None:
    talk = Talk()
    exchanges = talk.requests(2)
    talk.says(wire.goaway(1))
    assert goaway_code(talk.says(wire.goaway(3))) == wire.PROTOCOL_ERROR
    assert failure(exchanges[0]).request_processed is None
    assert failure(exchanges[1]).request_processed is False


@pytest.mark.rfc("9113", "6.8")
@pytest.mark.parametrize("code", [*range(14), 0xFFFFFFFF])
def test_goaway_with_an_error_lets_earlier_streams_finish_and_names_itself_at_the_end(code: int) -> None:
    talk = Talk()
    first, second, third = talk.requests(3)
    talk.says(wire.goaway(3, code), wire.response(1, end=True))
    assert answered(first)
    talk.connection.receive_eof(talk.now)
    error = failure(second)
    assert error.request_processed is None
    if code:
        assert isinstance(error, GoAway)
        assert error.code == code
    assert failure(third).request_processed is False
    assert not talk.alive


@pytest.mark.rfc("9113", "6.8")
def test_debug_data_is_kept_up_to_256_octets_whatever_they_are() -> None:
    talk = Talk()
    [exchange] = talk.requests(1)
    talk.says(wire.goaway(0, wire.ENHANCE_YOUR_CALM, bytes(range(1, 256)) + b"<>" + b"x" * 1_000))
    message = str(failure(exchange))
    assert "<" in message
    assert "<>" not in message
    assert "ENHANCE_YOUR_CALM" in message


@pytest.mark.rfc("9113", "6.8", "5.4.1")
def test_goaway_of_ours_names_the_rule_and_no_stream_of_the_peers() -> None:
    talk = Talk()
    [frame] = of_kind(talk.says(wire.frame(wire.PING, 0, 1, bytes(8))), wire.GOAWAY)
    assert (frame.stream_id, frame.last_stream_id, frame.error_code) == (0, 0, wire.PROTOCOL_ERROR)
    assert b"6.7" in frame.debug_data
    assert talk.says(wire.ping()) == []  # and then nothing
    assert talk.connection.capacity() == 0


@pytest.mark.rfc("9113", "5.4.1", "6.8")
def test_close_says_goaway_and_fails_what_is_open() -> None:
    talk = Talk({wire.MAX_CONCURRENT_STREAMS: 1})
    [exchange] = talk.requests(1)
    waiting = talk.request()
    talk.connection.close(talk.now)
    assert goaway_code(talk.sent()) == wire.NO_ERROR
    assert failure(exchange).initiator == "user"
    assert failure(exchange).request_processed is None
    assert failure(waiting).request_processed is False
    talk.connection.close(talk.now)
    assert talk.sent() == []


# -- 6.4 -------------------------------------------------------------------------------------------------------------


@pytest.mark.rfc("9113", "6.4", "8.7")
@pytest.mark.parametrize("code", [*range(14), 0xFF, 0xFFFFFFFF])
@pytest.mark.parametrize("answer_begun", [False, True])
def test_reset_stream_fails_with_its_code_and_says_whether_it_was_processed(code: int, answer_begun: bool) -> None:
    talk = Talk()
    exchange, neighbour = talk.requests(2)
    if answer_begun:
        talk.says(wire.response(1), wire.data(1, b"begun"))
    assert talk.says(wire.rst_stream(1, code)) == []
    error = failure(exchange)
    assert isinstance(error, StreamReset)
    assert (error.code, error.error_code, error.scope, error.initiator) == (code, code, "stream", "remote")
    assert error.request_processed is (False if code == wire.REFUSED_STREAM else None)
    assert not finished(neighbour)
    assert talk.alive


@pytest.mark.rfc("9113", "8.1", "6.4")
def test_reset_with_no_error_after_the_whole_answer_takes_nothing_away() -> None:
    talk = Talk()
    exchange = talk.request("POST", has_content=True)
    talk.sent()
    talk.says(wire.response(1, status=413), wire.data(1, b"too large", end=True), wire.rst_stream(1, wire.NO_ERROR))
    assert answered(exchange)
    assert (exchange.status, exchange.content) == (413, b"too large")


# -- 8.7 -------------------------------------------------------------------------------------------------------------


@pytest.mark.rfc("9113", "8.7")
@pytest.mark.parametrize("how", ["eof", "broken", "error of the peer", "closed"])
def test_only_requests_never_handed_to_the_writer_are_unprocessed_when_the_connection_ends(how: str) -> None:
    talk = Talk({wire.MAX_CONCURRENT_STREAMS: 2})
    [written] = talk.requests(1)
    unwritten = talk.request()
    waiting = talk.request()
    if how == "eof":
        talk.connection.receive_eof(talk.now)
    elif how == "broken":
        talk.connection.fail(ReadError("reset by peer", scope="connection"))
    elif how == "closed":
        talk.connection.close(talk.now)
    else:
        talk.hears(wire.data(0))
    kinds = {"eof": ReadError, "broken": ReadError, "closed": TransportError, "error of the peer": RemoteProtocolError}
    for exchange, processed in ((written, None), (unwritten, False), (waiting, False)):
        error = failure(exchange)
        assert isinstance(error, kinds[how])
        assert error.request_processed is processed
    assert len({id(exchange.error) for exchange in (written, unwritten, waiting)}) == 3
    with pytest.raises(TransportError) as refusal:
        talk.request()
    assert refusal.value.request_processed is False


def test_end_of_the_connection_wakes_each_exchange_once() -> None:
    talk = Talk()
    exchanges = talk.requests(3)
    talk.says(wire.response(1))
    assert talk.connection.take_ready() == []
    talk.connection.receive_eof(talk.now)
    talk.connection.fail(ReadError("again"))
    talk.connection.receive_eof(talk.now)
    assert talk.connection.take_ready() == exchanges
    assert talk.connection.take_ready() == []
    assert all("before it answered" in str(exchange.error) for exchange in exchanges)

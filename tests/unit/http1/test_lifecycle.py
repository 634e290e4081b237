"""How exchanges end: in time, by us, by the peer, early; and what their errors say."""

from __future__ import annotations

import pytest

from deuterium._http.exchange import Exchange, Waiter
from deuterium._http.phases import AWAITING, CONTINUE_WAIT_S, FINISHED, NEVER, PIECES, SENDING
from deuterium._http1.connection import Connection
from deuterium.errors import (
    ReadError,
    ReadTimeout,
    RemoteProtocolError,
    TotalTimeout,
    TransportError,
    WriteTimeout,
)
from unit.http1.peer import Peer, ask, content_of, exchange

NO_CONTENT = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
EXPECT = (("expect", "100-continue"), ("content-length", "3"))


def posts(peer: Peer) -> Exchange:
    """A request whose content follows, its head written."""
    return ask(peer, exchange("POST", has_content=True))


# -- Expect: 100-continue, RFC 9110 section 10.1.1 --------------------------------------------------------------------


@pytest.mark.rfc("9110", "10.1.1")
def test_content_waits_for_100() -> None:
    peer = Peer()
    request = ask(peer, exchange("POST", fields=EXPECT, body=b"abc"))
    assert not peer.connection.has_output()
    peer.says(CONTINUE)
    assert peer.hears() == b"abc"
    assert request.informational == [(100, [])]
    peer.says(NO_CONTENT)
    assert (request.status, peer.connection.capacity()) == (200, 1)


def test_content_waits_for_100_no_longer_than_its_time() -> None:
    peer = Peer()
    request = ask(peer, exchange("POST", fields=EXPECT, body=b"abc"))
    assert peer.connection.deadline == CONTINUE_WAIT_S
    peer.connection.expire(CONTINUE_WAIT_S - 0.001)
    assert peer.hears() == b""
    assert peer.connection.deadline == CONTINUE_WAIT_S
    peer.connection.expire(CONTINUE_WAIT_S)
    assert peer.hears() == b"abc"
    assert request.phase == AWAITING
    assert peer.connection.deadline == NEVER


def test_content_is_not_sent_after_a_final_response_and_the_connection_closes() -> None:
    peer = Peer()
    request = exchange("POST", fields=EXPECT, has_content=True)
    ask(peer, request)
    peer.says(b"HTTP/1.1 417 No\r\nContent-Length: 2\r\n\r\n")
    assert peer.connection.room(request) == -1
    peer.connection.send_content(request, b"abc", True, 0.0)
    assert peer.hears() == b""
    peer.says(b"no")
    assert (request.status, request.content, request.error) == (417, b"no", None)
    assert peer.connection.closed


def test_interim_response_other_than_100_does_not_release_content() -> None:
    peer = Peer()
    ask(peer, exchange("POST", fields=EXPECT, body=b"abc"))
    peer.says(b"HTTP/1.1 103 Early Hints\r\n\r\n")
    assert not peer.connection.has_output()


# -- early responses, RFC 9112 section 9.3 ----------------------------------------------------------------------------


class Writer(Waiter):
    __slots__ = ()


def test_response_complete_before_the_content_ends_the_exchange_and_the_connection() -> None:
    peer = Peer()
    request = posts(peer)
    peer.connection.send_content(request, b"x", False, 0.0)
    request.writer = Writer()
    peer.says(b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno")
    assert (request.status, request.content, request.error) == (413, b"no", None)
    assert peer.connection.closed
    assert peer.connection.room(request) == -1
    assert peer.connection.take_writable() == [request]
    assert peer.hears() == b""


def test_response_begun_before_the_content_ended_lets_the_content_go_on() -> None:
    peer = Peer()
    request = posts(peer)
    peer.says(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\na")
    peer.connection.send_content(request, b"x", True, 0.0)
    assert peer.hears() == b"1\r\nx\r\n0\r\n\r\n"
    peer.says(b"b")
    assert (request.content, peer.connection.capacity()) == (b"ab", 1)


def test_response_while_the_end_of_the_content_is_queued_closes_the_connection() -> None:
    peer = Peer()
    request = posts(peer)
    peer.connection.send_content(request, b"x", True, 0.0)
    peer.says(NO_CONTENT)
    assert request.status == 200
    assert peer.connection.closed


def test_request_that_asks_for_close_is_the_last() -> None:
    peer = Peer()
    request = ask(peer, exchange(fields=(("connection", "close"),)))
    peer.says(NO_CONTENT)
    assert (request.status, peer.connection.closed) == (200, True)


# -- the peer goes away -----------------------------------------------------------------------------------------------


def test_connection_lost_before_the_request_was_written_says_unprocessed() -> None:
    peer = Peer()
    request = exchange("POST")
    peer.connection.send_request(request, 0.0)
    peer.connection.fail(ReadError("reset", scope="connection"))
    assert type(request.error) is ReadError
    assert request.error.request_processed is False
    assert request.error.connection_reused is False


@pytest.mark.rfc("9110", "9.2.2")
@pytest.mark.parametrize("lost", [True, False], ids=["reset", "closed"])
@pytest.mark.parametrize("heard", [b"", b"H", b"HTTP/1.1 102 X\r\n\r\n"], ids=["nothing", "an octet", "1xx"])
@pytest.mark.parametrize("earlier", [0, 1])
def test_connection_lost_unheard_tells_whether_it_was_reused(earlier: int, heard: bytes, lost: bool) -> None:
    peer = Peer()
    for _ in range(earlier):
        ask(peer)
        peer.says(NO_CONTENT)
    request = ask(peer)
    if heard:
        peer.says(heard)
    if lost:
        peer.connection.fail(ReadError("reset", scope="connection"))
    else:
        peer.hangs_up()
    assert type(request.error) is ReadError
    assert request.error.request_processed is None
    assert request.error.connection_reused is (earlier == 1 and not heard)


def test_close_delimited_content_cut_off_is_an_error() -> None:
    peer = Peer()
    request = ask(peer)
    peer.says(b"HTTP/1.1 200 OK\r\n\r\nhalf")
    peer.connection.fail(ReadError("TLS ended without close_notify", scope="connection"))
    assert type(request.error) is ReadError
    assert request.content == b""


def test_closing_fails_what_is_open_and_refuses_what_comes() -> None:
    peer = Peer()
    request = ask(peer)
    peer.connection.close(1.0)
    assert type(request.error) is TransportError
    assert (request.error.initiator, request.error.request_processed) == ("user", None)
    assert request.finished_at == 1.0
    with pytest.raises(TransportError) as caught:
        peer.connection.send_request(exchange(), 1.0)
    assert caught.value.request_processed is False
    assert caught.value is not request.error


def test_octets_after_the_end_are_dropped() -> None:
    peer = Peer()
    request = ask(peer)
    peer.connection.close(0.0)
    peer.says(NO_CONTENT)
    peer.hangs_up()
    assert request.status == 0
    assert peer.hears() == b""


# -- we go away -------------------------------------------------------------------------------------------------------


def test_request_cancelled_unwritten_keeps_the_connection() -> None:
    peer = Peer()
    request = exchange("POST", body=b"abc")
    peer.connection.send_request(request, 0.0)
    peer.connection.cancel(request, None, 0.0)
    assert request.phase == FINISHED
    assert peer.connection.take_ready() == [request]
    assert peer.hears() == b""
    other = ask(peer)
    peer.says(NO_CONTENT)
    assert other.status == 200


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 2", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx"])
def test_request_cancelled_after_writing_closes_the_connection(said: bytes) -> None:
    peer = Peer()
    request = ask(peer, exchange(delivery=PIECES))
    peer.says(said)
    error = ReadTimeout("mine")
    peer.connection.cancel(request, error, 0.0)
    assert request.error is error
    assert (request.unread, content_of(request)) == (0, b"")
    assert peer.connection.closed
    assert peer.pool.stats().outstanding == 0


def test_cancelling_twice_or_elsewhere_does_nothing() -> None:
    peer = Peer()
    request = ask(peer)
    peer.says(NO_CONTENT)
    peer.connection.cancel(request, ReadTimeout("late"), 0.0)
    peer.connection.cancel(exchange(), ReadTimeout("not mine"), 0.0)
    assert request.error is None
    assert peer.connection.capacity() == 1


# -- time -------------------------------------------------------------------------------------------------------------


def timed(peer: Peer, **limits: float) -> Exchange:
    request = exchange("POST", has_content="write_timeout" in limits)
    for name, value in limits.items():
        setattr(request, name, value)
    return ask(peer, request)


def test_response_not_begun_in_time_is_a_read_timeout() -> None:
    peer = Peer()
    request = timed(peer, read_timeout=2.0)
    assert peer.connection.deadline == 2.0
    peer.connection.expire(1.9)
    assert request.phase == AWAITING
    peer.connection.expire(2.0)
    assert type(request.error) is ReadTimeout
    assert peer.connection.closed


def test_read_timeout_runs_when_the_end_of_the_content_comes_after_the_content() -> None:
    """An iterator's last piece is written before it says that it was the last."""
    peer = Peer()
    request = exchange("POST", fields=(("content-length", "3"),), has_content=True)
    request.read_timeout = 5.0
    ask(peer, request)
    peer.connection.send_content(request, b"abc", False, 0.0)
    assert peer.hears() == b"abc"
    peer.connection.send_content(request, b"", True, 1.0)
    assert not peer.connection.has_output()
    assert request.phase == AWAITING
    assert peer.connection.deadline == 6.0
    peer.connection.expire(6.0)
    assert isinstance(request.error, ReadTimeout)


def test_read_timeout_begins_anew_with_every_octet() -> None:
    peer = Peer()
    request = timed(peer, read_timeout=2.0)
    peer.now = 1.0
    peer.says(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nx")
    peer.connection.expire(2.5)
    assert (request.error, peer.connection.deadline) == (None, 3.0)
    peer.connection.expire(3.0)
    assert type(request.error) is ReadTimeout


def test_read_timeout_does_not_run_while_the_consumer_is_behind() -> None:
    peer = Peer()
    request = exchange(delivery=PIECES)
    request.read_timeout = 2.0
    ask(peer, request)
    peer.says(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nx")
    peer.connection.expire(9.0)
    assert request.error is None
    peer.connection.consumed(request, 1, 10.0)
    assert peer.connection.deadline == 12.0


def test_total_deadline_ends_a_drip() -> None:
    peer = Peer()
    request = timed(peer, read_timeout=2.0, deadline=5.0)
    for peer.now in (1.0, 2.0, 3.0, 4.0):
        peer.says(b"HTTP"[int(peer.now) - 1 : int(peer.now)])
    peer.connection.expire(5.0)
    assert type(request.error) is TotalTimeout


def test_content_nobody_takes_is_a_write_timeout() -> None:
    peer = Peer()
    request = timed(peer, write_timeout=2.0)
    peer.connection.expire(50.0)
    assert request.phase == SENDING  # it is we that have nothing to send
    peer.connection.send_content(request, b"x", False, 50.0)
    assert peer.connection.deadline == 52.0
    peer.connection.expire(52.0)
    assert type(request.error) is WriteTimeout


# -- tunnels, RFC 9110 sections 7.8 and 9.3.6 -------------------------------------------------------------------------

SWITCH = b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n"
OPENED = b"HTTP/1.1 200 Connection established\r\nContent-Length: 5\r\n\r\n"


@pytest.mark.rfc("9110", "9.3.6")
@pytest.mark.parametrize("said", [OPENED, b"HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n"])
def test_connect_whole_hands_the_connection_over(said: bytes) -> None:
    peer = Peer()
    request = ask(peer, exchange("CONNECT", authority="example.org:443"))
    peer.says(said + b"\x16\x03")
    assert (request.phase, request.error, request.status) == (FINISHED, None, 200)
    connection = peer.connection
    assert (connection.switched, connection.closed, connection.capacity()) == (True, False, 0)
    assert peer.unread == b"\x16\x03"
    peer.says(b"\x01")
    assert peer.unread == b"\x16\x03\x01"


@pytest.mark.rfc("9110", "7.8")
@pytest.mark.parametrize(
    ("request_", "said"),
    [
        (exchange("CONNECT", delivery=PIECES, has_content=True), OPENED),
        (exchange("GET", protocol="websocket", delivery=PIECES, has_content=True), SWITCH),
        (exchange("GET", protocol="websocket", delivery=PIECES), SWITCH),
    ],
    ids=["connect", "upgrade", "upgrade without content"],
)
def test_tunnel_in_pieces_carries_octets_both_ways(request_: Exchange, said: bytes) -> None:
    peer = Peer()
    connection = peer.connection
    connection.send_request(request_, 0.0)
    head = peer.hears()
    assert head.endswith(b"\r\n\r\n")
    assert b"Transfer-Encoding" not in head
    connection.send_content(request_, b"early", False, 0.0)
    assert peer.hears() == b""
    peer.says(said + b"in", b"GET / HTTP/1.1\r\n")
    assert peer.hears() == b"early"
    connection.send_content(request_, b"late", False, 0.0)
    assert peer.hears() == b"late"
    assert not connection.closed
    assert content_of(request_) == b"inGET / HTTP/1.1\r\n"
    peer.hangs_up()
    assert (request_.phase, request_.error, connection.closed) == (FINISHED, None, True)


def test_upgrade_names_the_protocol_unless_the_fields_do() -> None:
    for fields in ((), (("connection", "upgrade"), ("upgrade", "websocket"))):
        peer = Peer()
        peer.connection.send_request(exchange(protocol="websocket", fields=fields), 0.0)
        head = peer.hears().lower()
        assert head.count(b"\r\nupgrade: websocket\r\n") == 1
        assert head.count(b"\r\nconnection: upgrade\r\n") == 1


@pytest.mark.parametrize("status", [b"407 Proxy Authentication Required", b"503 X"])
def test_refused_tunnel_is_an_ordinary_response_and_keeps_the_connection(status: bytes) -> None:
    peer = Peer()
    request = ask(peer, exchange("CONNECT"))
    peer.says(b"HTTP/1.1 " + status + b"\r\nContent-Length: 2\r\n\r\nno")
    assert (request.content, request.error) == (b"no", None)
    assert (peer.connection.switched, peer.connection.capacity()) == (False, 1)


def test_upgrade_the_peer_passes_over_is_an_ordinary_exchange() -> None:
    peer = Peer()
    request = ask(peer, exchange(protocol="websocket"))
    peer.says(b"HTTP/1.1 200 OK\r\nUpgrade: h2c\r\nConnection: upgrade\r\nContent-Length: 1\r\n\r\nx")
    assert (request.content, peer.connection.capacity()) == (b"x", 1)


def test_101_without_its_fields_is_refused() -> None:
    peer = Peer()
    request = ask(peer, exchange(protocol="websocket"))
    peer.says(b"HTTP/1.1 101 X\r\n\r\n")
    assert type(request.error) is RemoteProtocolError


def test_version_is_that_of_the_last_response() -> None:
    connection = Connection()
    assert connection.http_version == "HTTP/1.1"
    peer = Peer(connection)
    ask(peer)
    peer.says(b"HTTP/1.0 200 OK\r\n\r\n")
    assert connection.http_version == "HTTP/1.0"

"""Responses as they arrive: framing, delivery, and what becomes of the connection."""

from __future__ import annotations

import pytest

from deuterium._http.exchange import Exchange
from deuterium._http.field_kind import CONTENT_ENCODING, SET_COOKIE
from deuterium._http.phases import FINISHED, PIECES, WHOLE
from deuterium._http1.connection import Connection
from deuterium._http1.constants import PAUSE_ABOVE, RESUME_BELOW
from deuterium.errors import ReadError, RemoteProtocolError
from unit.http1.peer import Peer, answer, ask, content_of, exchange, one_by_one, outcome

OK = b"HTTP/1.1 200 OK\r\n"

# name: (method, octets, hang up at the end, content, connection reusable)
COMPLETE = {
    "content-length": ("GET", OK + b"Content-Length: 5\r\n\r\nhello", False, b"hello", True),
    "content-length 0": ("GET", OK + b"Content-Length: 0\r\n\r\n", False, b"", True),
    "leading zeros": ("GET", OK + b"Content-Length: 0005\r\n\r\nhello", False, b"hello", True),
    "no reason": ("GET", b"HTTP/1.1 200 \r\nContent-Length: 1\r\n\r\nx", False, b"x", True),
    "no space, no reason": ("GET", b"HTTP/1.1 200\r\nContent-Length: 1\r\n\r\nx", False, b"x", True),
    "chunks": (
        "GET",
        OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",
        False,
        b"hello",
        True,
    ),
    "coding in capitals": ("GET", OK + b"Transfer-Encoding: Chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n", False, b"x", True),
    "chunk extensions": (
        "GET",
        OK + b'Transfer-Encoding: chunked\r\n\r\n5;a="b;c"\r\nhello\r\n00 ; x\r\n\r\n',
        False,
        b"hello",
        True,
    ),
    "trailers": ("GET", OK + b"Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nA: b\r\n\r\n", False, b"x", True),
    "close-delimited": ("GET", OK + b"\r\nhello", True, b"hello", False),
    "close-delimited, empty": ("GET", OK + b"\r\n", True, b"", False),
    "connection: close": ("GET", OK + b"Connection: x, Close\r\nContent-Length: 1\r\n\r\nx", False, b"x", False),
    "HTTP/1.0": ("GET", b"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx", False, b"x", False),
    "HTTP/1.0 keep-alive": (
        "GET",
        b"HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 1\r\n\r\nx",
        False,
        b"x",
        True,
    ),
    "HTTP/1.0 keep-alive and close": (
        "GET",
        b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
        False,
        b"",
        False,
    ),
    "HTTP/1.0 in chunks": (
        "GET",
        b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n",
        False,
        b"x",
        False,
    ),
    "HEAD": ("HEAD", OK + b"Content-Length: 5\r\n\r\n", False, b"", True),
    "HEAD in chunks": ("HEAD", OK + b"Transfer-Encoding: chunked\r\n\r\n", False, b"", True),
    "HEAD without framing": ("HEAD", OK + b"\r\n", False, b"", True),
    "204": ("GET", b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", False, b"", True),
    "304": ("GET", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", False, b"", True),
    "1xx first": (
        "GET",
        b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 102 X\r\n\r\n" + OK + b"Content-Length: 1\r\n\r\nx",
        False,
        b"x",
        True,
    ),
}


def respond(case: str, delivery: int, *, cut: bool) -> tuple[Exchange, Connection]:
    method, octets, hangs_up, _, _ = COMPLETE[case]
    reads = one_by_one(octets) if cut else (octets,)
    return answer(*reads, request=exchange(method, delivery=delivery), hangs_up=hangs_up)


@pytest.mark.parametrize("delivery", [WHOLE, PIECES], ids=["whole", "pieces"])
@pytest.mark.parametrize("case", COMPLETE)
def test_response_complete_is_delivered(case: str, delivery: int) -> None:
    _, _, _, content, reusable = COMPLETE[case]
    request, connection = respond(case, delivery, cut=False)
    assert request.error is None
    assert request.phase == FINISHED
    assert content_of(request) == content
    assert request.received == len(content)
    assert connection.closed is not reusable
    assert connection.capacity() == int(reusable)
    assert connection.take_ready() == [request]


@pytest.mark.parametrize("delivery", [WHOLE, PIECES], ids=["whole", "pieces"])
@pytest.mark.parametrize("case", COMPLETE)
def test_response_cut_at_every_octet_is_the_same(case: str, delivery: int) -> None:
    assert outcome(*respond(case, delivery, cut=True)) == outcome(*respond(case, delivery, cut=False))


@pytest.mark.parametrize("case", COMPLETE)
def test_response_cut_in_two_anywhere_is_the_same(case: str) -> None:
    method, octets, hangs_up, _, _ = COMPLETE[case]
    expected = outcome(*respond(case, WHOLE, cut=False))
    for at in range(1, len(octets)):
        cut = answer(octets[:at], octets[at:], request=exchange(method), hangs_up=hangs_up)
        assert outcome(*cut) == expected, at


@pytest.mark.parametrize("case", [case for case in COMPLETE if COMPLETE[case][4]])
def test_connection_after_complete_response_takes_the_next_request(case: str) -> None:
    peer = Peer()
    for _ in range(3):
        request = ask(peer, exchange(COMPLETE[case][0]))
        peer.says(COMPLETE[case][1])
        assert request.error is None
        assert request.content == COMPLETE[case][3]
    assert peer.connection.answered == 3


@pytest.mark.parametrize("case", COMPLETE)
def test_response_ended_early_is_a_read_error_of_unknown_effect(case: str) -> None:
    method, octets, close_delimited, _, _ = COMPLETE[case]
    head = octets.rindex(b"\r\n\r\n") + 4 if close_delimited else len(octets)
    for at in range(head):
        request, connection = answer(octets[:at], request=exchange(method), hangs_up=True)
        assert type(request.error) is ReadError, at
        assert request.error.request_processed is None
        assert request.error.connection_reused is False
        assert request.content == b""
        assert connection.closed


def test_response_fields_are_lower_case_in_order_and_classified() -> None:
    request, _ = answer(
        OK + b"Set-Cookie: a=1\r\nX-Empty:\r\nSet-Cookie:  b=2 \t\r\nX-Latin: \xe9\r\nContent-Encoding: gzip\r\n"
        b"CONTENT-LENGTH: 2\r\n\r\nxy"
    )
    assert request.fields == [
        ("set-cookie", "a=1"),
        ("x-empty", ""),
        ("set-cookie", "b=2"),
        ("x-latin", "\xe9"),
        ("content-encoding", "gzip"),
        ("content-length", "2"),
    ]
    assert request.kinds & SET_COOKIE
    assert request.kinds & CONTENT_ENCODING
    assert (request.content_length, request.reason, request.headers_received) == (2, "OK", True)


def test_response_times_are_those_of_the_reads() -> None:
    peer = Peer()
    peer.now = 1.0
    request = ask(peer)
    peer.now = 2.0
    peer.says(OK + b"Content-Length: 2\r\n\r\n")
    peer.now = 3.0
    peer.says(b"xy")
    assert (request.sent_at, request.answered_at, request.finished_at) == (1.0, 2.0, 3.0)


def test_informational_responses_are_kept_in_order() -> None:
    request, _ = respond("1xx first", WHOLE, cut=False)
    assert request.informational == [(103, [("link", "</a>")]), (102, [])]


@pytest.mark.parametrize("count", [64, 65])
def test_informational_responses_are_bounded(count: int) -> None:
    request, connection = answer(b"HTTP/1.1 102 X\r\n\r\n" * count + OK + b"Content-Length: 0\r\n\r\n")
    assert connection.closed is (count > 64)
    assert (type(request.error) is RemoteProtocolError) is (count > 64)


def test_trailers_are_apart_from_the_fields() -> None:
    request, _ = respond("trailers", WHOLE, cut=False)
    assert request.fields == [("transfer-encoding", "chunked")]
    assert request.trailers == [("a", "b")]
    assert respond("chunks", WHOLE, cut=False)[0].trailers is None


@pytest.mark.parametrize("extra", [b"x", b"\r\n", OK + b"Content-Length: 0\r\n\r\n"])
@pytest.mark.parametrize("together", [True, False])
def test_connection_with_unasked_octets_after_a_response_is_closed(extra: bytes, together: bool) -> None:
    first = OK + b"Content-Length: 1\r\n\r\nx"
    request, connection = answer(*((first + extra,) if together else (first, extra)))
    assert (request.error, request.content) == (None, b"x")
    assert connection.closed
    assert connection.capacity() == 0


def test_octets_before_the_request_was_written_never_answer_it() -> None:
    peer = Peer()
    ask(peer)
    peer.says(OK + b"Content-Length: 0\r\n\r\n")
    second = exchange("POST")
    peer.connection.send_request(second, 0.0)
    peer.says(OK + b"Content-Length: 6\r\n\r\npoison")
    assert type(second.error) is RemoteProtocolError
    assert second.error.request_processed is False
    assert second.status == 0
    assert peer.hears() == b""


def test_peer_closing_an_idle_connection_is_no_error() -> None:
    peer = Peer()
    request = ask(peer)
    peer.says(OK + b"Content-Length: 0\r\n\r\n")
    peer.hangs_up()
    assert peer.connection.closed
    assert request.error is None


def test_large_content_arrives_in_one_object() -> None:
    content = bytes(range(256)) * 4096
    request, connection = answer(
        OK + b"Content-Length: %d\r\n\r\n" % len(content), *(content[i : i + 65536] for i in range(0, 1 << 20, 65536))
    )
    assert request.content == content
    assert connection.capacity() == 1


def test_pieces_are_lent_when_large_and_copied_when_small() -> None:
    peer = Peer()
    request = ask(peer, exchange(delivery=PIECES))
    peer.says(OK + b"Content-Length: 60100\r\n\r\n", b"a" * 100, b"b" * 60000)
    assert request.chunks is not None
    small, large = request.chunks
    assert small == b"a" * 100
    assert bytes(large.view) == b"b" * 60000
    assert large.buffer.references == 1
    large.release()
    assert peer.pool.stats().outstanding == 0


def test_slow_consumer_pauses_reading_above_the_bound_and_resumes_below_half() -> None:
    peer = Peer()
    connection = peer.connection
    request = ask(peer, exchange(delivery=PIECES))
    peer.says(OK + b"Content-Length: 2000000\r\n\r\n", b"x" * PAUSE_ABOVE)
    assert not connection.wants_pause
    peer.says(b"x")
    assert connection.wants_pause
    connection.consumed(request, PAUSE_ABOVE + 1 - RESUME_BELOW, 0.0)
    assert connection.wants_pause
    connection.consumed(request, 1, 0.0)
    assert not connection.wants_pause
    connection.cancel(request, None, 0.0)
    assert request.unread == 0
    assert peer.pool.stats().outstanding == 0


def test_finished_response_left_unread_does_not_pause_the_next() -> None:
    peer = Peer()
    request = ask(peer, exchange(delivery=PIECES))
    peer.says(OK + b"Content-Length: %d\r\n\r\n" % (PAUSE_ABOVE + 1), b"x" * (PAUSE_ABOVE + 1))
    assert request.phase == FINISHED
    assert not peer.connection.wants_pause
    assert peer.connection.capacity() == 1
    peer.connection.cancel(request, None, 0.0)
    assert peer.connection.capacity() == 1
    assert peer.pool.stats().outstanding == 0

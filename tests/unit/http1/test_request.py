"""Requests as they leave: lines, framing of content, and what is refused before an octet is written."""

from __future__ import annotations

import h11
import pytest

from deuterium._http.exchange import Exchange, Waiter
from deuterium._http.phases import AWAITING, FINISHED, SENDING
from deuterium._http1.connection import Connection
from deuterium._http1.constants import CONTENT_HIGH, TURN_OCTETS
from deuterium.errors import LocalProtocolError, TransportError
from unit.http1.peer import Pairs, Peer, ask, exchange

NO_CONTENT = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


def written(request: Exchange) -> bytes:
    peer = Peer()
    peer.connection.send_request(request, 0.0)
    return peer.hears()


def test_request_line_host_and_fields_are_in_order() -> None:
    request = exchange("GET", "/a?b=c", (("x-b", "2"), ("x-a", "1")))
    request.common = (("accept", "*/*"),)
    assert written(request) == (b"GET /a?b=c HTTP/1.1\r\nHost: example.org\r\nAccept: */*\r\nX-B: 2\r\nX-A: 1\r\n\r\n")


@pytest.mark.parametrize(
    ("method", "path", "authority", "target"),
    [
        ("GET", "/", "example.org", b"/"),
        ("OPTIONS", "*", "example.org", b"*"),
        ("GET", "http://example.org/x", "example.org", b"http://example.org/x"),
        ("CONNECT", "", "example.org:443", b"example.org:443"),
        ("GET", "/", "[::1]:8080", b"/"),
    ],
)
def test_request_target_has_its_form(method: str, path: str, authority: str, target: bytes) -> None:
    octets = written(exchange(method, path, authority=authority))
    assert octets.startswith(method.encode() + b" " + target + b" HTTP/1.1\r\nHost: " + authority.encode() + b"\r\n")


def test_common_fields_are_encoded_again_when_they_change() -> None:
    peer = Peer()
    for common in ((("a", "1"),), (("a", "2"), ("connection", "close")), (("a", "3"),)):
        peer = Peer(peer.connection) if not peer.connection.closed else Peer()
        request = exchange()
        request.common = common
        peer.connection.send_request(request, 0.0)
        assert b"A: " + common[0][1].encode() in peer.hears()
        peer.says(NO_CONTENT)
        assert peer.connection.closed is (len(common) == 2)


REFUSED: dict[str, Exchange] = {
    "CR LF in a value": exchange(fields=(("a", "b\r\nx: y"),)),
    "LF in a value": exchange(fields=(("a", "b\nx: y"),)),
    "CR in a value": exchange(fields=(("a", "b\rc"),)),
    "NUL in a value": exchange(fields=(("a", "b\0"),)),
    "space around a value": exchange(fields=(("a", " b"),)),
    "beyond latin-1": exchange(fields=(("a", "\u20ac"),)),
    "colon in a name": exchange(fields=(("a:b", "c"),)),
    "space in a name": exchange(fields=(("a b", "c"),)),
    "LF in a name": exchange(fields=(("a\n", "c"),)),
    "empty name": exchange(fields=(("", "c"),)),
    "space in the method": exchange("GET /x"),
    "LF in the method": exchange("GET\n"),
    "empty method": exchange(""),
    "space in the path": exchange(path="/a b"),
    "CR LF in the path": exchange(path="/ HTTP/1.1\r\nx: y"),
    "NUL in the path": exchange(path="/\0"),
    "DEL in the path": exchange(path="/\x7f"),
    "letters beyond ASCII in the path": exchange(path="/\xe9"),
    "empty path": exchange(path=""),
    "CR LF in the authority": exchange(authority="a\r\nb"),
    "space in the authority": exchange(authority="a b"),
    "CONNECT to nothing": exchange("CONNECT", authority=""),
    "a second host": exchange(fields=(("host", "other"),)),
    "a second Host": exchange(fields=(("Host", "other"),)),
    "junk content-length": exchange("POST", fields=(("content-length", "+1"),), has_content=True),
    "two content-lengths": exchange("POST", fields=(("content-length", "1"),) * 2, has_content=True),
    "both lengths": exchange(
        "POST", fields=(("content-length", "1"), ("Transfer-Encoding", "chunked")), has_content=True
    ),
    "another coding": exchange("POST", fields=(("transfer-encoding", "gzip"),), has_content=True),
    "content-length without content": exchange("POST", fields=(("content-length", "1"),)),
    "chunked without content": exchange("POST", fields=(("transfer-encoding", "chunked"),)),
    "expectation without content": exchange("POST", fields=(("expect", "100-continue"),)),
    "unknown expectation": exchange("POST", fields=(("expect", "tea"),), has_content=True),
    "wrong content-length": exchange("POST", fields=(("content-length", "1"),), body=b"ab"),
    "content of a CONNECT": exchange("CONNECT", body=b"x"),
    "content-length of a CONNECT": exchange("CONNECT", fields=(("content-length", "0"),)),
    "CR LF in the protocol": exchange(protocol="a\r\nb"),
}


@pytest.mark.parametrize("request_", REFUSED.values(), ids=REFUSED)
def test_request_against_the_rules_is_refused_unwritten(request_: Exchange) -> None:
    peer = Peer()
    with pytest.raises(LocalProtocolError) as caught:
        peer.connection.send_request(request_, 0.0)
    assert caught.value.request_processed is False
    assert caught.value.initiator == "user"
    assert not peer.connection.has_output()
    assert peer.hears() == b""
    assert peer.connection.capacity() == 1
    ask(peer)  # the connection is none the worse


def test_common_fields_against_the_rules_are_refused_each_time() -> None:
    connection = Connection()
    common = (("a", "b\n"),)
    for _ in range(2):
        request = exchange()
        request.common = common
        with pytest.raises(LocalProtocolError):
            connection.send_request(request, 0.0)


def test_request_while_busy_is_refused_and_the_first_goes_on() -> None:
    peer = Peer()
    first = ask(peer)
    with pytest.raises(TransportError) as caught:
        peer.connection.send_request(exchange(), 0.0)
    assert caught.value.request_processed is False
    peer.says(NO_CONTENT)
    assert first.status == 200


BODY = [
    ((), b"Content-Length: 3\r\n\r\nabc"),
    ((("content-length", "3"),), b"Content-Length: 3\r\n\r\nabc"),
    ((("transfer-encoding", "chunked"),), b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"),
]


@pytest.mark.parametrize(("fields", "expected"), BODY)
def test_content_at_hand_leaves_with_the_head(fields: Pairs, expected: bytes) -> None:
    request = exchange("POST", fields=fields, body=b"abc")
    assert written(request) == b"POST / HTTP/1.1\r\nHost: example.org\r\n" + expected
    assert request.phase == AWAITING


def test_content_in_pieces_is_chunked_without_a_length() -> None:
    peer = Peer()
    connection = peer.connection
    request = ask(peer, exchange("POST", has_content=True))
    assert request.phase == SENDING
    connection.send_content(request, b"", False, 0.0)
    assert not connection.has_output()  # an empty chunk would be the last
    connection.send_content(request, b"0123456789abcdef", False, 0.0)
    connection.send_content(request, b"x", False, 0.0)
    assert peer.hears() == b"10\r\n0123456789abcdef\r\n1\r\nx\r\n"
    connection.send_content(request, b"", True, 0.0)
    assert peer.hears() == b"0\r\n\r\n"
    assert request.phase == AWAITING
    peer.says(NO_CONTENT)
    assert connection.capacity() == 1


def test_content_of_stated_length_leaves_as_it_is() -> None:
    peer = Peer()
    request = ask(peer, exchange("POST", fields=(("content-length", "4"),), has_content=True))
    peer.connection.send_content(request, b"ab", False, 0.0)
    peer.connection.send_content(request, b"cd", True, 0.0)
    assert peer.hears() == b"abcd"


@pytest.mark.parametrize("pieces", [[b"abcde"], [b"abcd", b"e"], [b"abc", b""]])
def test_content_of_another_length_ends_exchange_and_connection(pieces: list[bytes]) -> None:
    peer = Peer()
    connection = peer.connection
    request = ask(peer, exchange("POST", fields=(("content-length", "4"),), has_content=True))
    with pytest.raises(LocalProtocolError):
        for piece in pieces:
            connection.send_content(request, piece, piece is pieces[-1], 0.0)
    assert type(request.error) is LocalProtocolError
    assert request.error.request_processed is None
    assert connection.closed
    assert peer.hears() == b""
    assert connection.take_ready() == [request]


def test_trailers_follow_the_last_chunk() -> None:
    peer = Peer()
    request = ask(peer, exchange("POST", has_content=True))
    peer.connection.send_content(request, b"x", False, 0.0)
    peer.connection.send_trailers(request, (("x-sum", "1"),), 0.0)
    assert peer.hears() == b"1\r\nx\r\n0\r\nX-Sum: 1\r\n\r\n"
    assert request.phase == AWAITING


@pytest.mark.parametrize("name", ["content-length", "transfer-encoding", "host", "connection"])
def test_trailers_about_framing_are_refused(name: str) -> None:
    peer = Peer()
    request = ask(peer, exchange("POST", has_content=True))
    with pytest.raises(LocalProtocolError):
        peer.connection.send_trailers(request, ((name, "1"),), 0.0)
    peer.connection.send_trailers(request, (), 0.0)
    assert peer.hears() == b"0\r\n\r\n"


def test_trailers_after_content_of_stated_length_are_refused() -> None:
    peer = Peer()
    request = ask(peer, exchange("POST", fields=(("content-length", "0"),), has_content=True))
    with pytest.raises(LocalProtocolError):
        peer.connection.send_trailers(request, (("a", "b"),), 0.0)
    assert request.phase == FINISHED
    assert peer.connection.closed


def test_large_content_leaves_by_reference_and_in_turns() -> None:
    connection = Connection()
    request = exchange("POST", body=bytes(range(256)) * 4096 * 2)
    connection.send_request(request, 0.0)
    turns = []
    while connection.has_output():
        turns.append(connection.take(0.0))
    head, *rest = turns[0]
    assert bytes(head).endswith(b"\r\n\r\n")
    assert sum(map(len, rest)) == TURN_OCTETS
    sent = b"".join(bytes(segment) for turn in turns for segment in turn)
    assert sent.endswith(b"\r\n\r\n" + (request.body or b""))
    assert max(sum(map(len, turn)) for turn in turns) < TURN_OCTETS + 200


class Writer(Waiter):
    __slots__ = ()

    def wake(self, exchange: Exchange) -> None:
        raise AssertionError("only the driver wakes")


def test_room_shrinks_with_the_queue_and_the_writer_is_named_when_it_grows() -> None:
    peer = Peer()
    connection = peer.connection
    request = ask(peer, exchange("POST", fields=(("content-length", "999999"),), has_content=True))
    assert connection.room(request) == CONTENT_HIGH
    connection.send_content(request, b"x" * (CONTENT_HIGH - 1), False, 0.0)
    assert connection.room(request) == 1
    connection.send_content(request, b"xx", False, 0.0)
    assert connection.room(request) == 0
    request.writer = Writer()
    peer.hears()
    assert connection.take_writable() == [request]
    assert connection.room(request) == CONTENT_HIGH
    assert connection.room(exchange()) == -1


@pytest.mark.parametrize("fields", [(), (("content-length", "11"),)])
def test_request_is_what_h11_reads(fields: Pairs) -> None:
    peer = Peer()
    request = exchange("POST", "/p?q", (("x-a", "b"), *fields), has_content=True)
    peer.connection.send_request(request, 0.0)
    octets = peer.hears()
    for piece, end in ((b"hello", False), (b" world", True)):
        peer.connection.send_content(request, piece, end, 0.0)
        octets += peer.hears()
    server = h11.Connection(h11.SERVER)
    server.receive_data(octets)
    content = b""
    while not isinstance(event := server.next_event(), h11.EndOfMessage):
        if isinstance(event, h11.Request):
            assert (event.method, event.target) == (b"POST", b"/p?q")
            assert (b"x-a", b"b") in list(event.headers)
        elif isinstance(event, h11.Data):
            content += bytes(event.data)
    assert content == b"hello world"

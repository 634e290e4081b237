"""RFC 9112: responses that must not be understood, each at its first illegal value, and nothing that looks like one."""

from __future__ import annotations

import pytest

from deuterium._http.phases import PIECES
from deuterium._http1.constants import (
    CHUNK_ALLOWANCE,
    MAX_CHUNK_EXCESS,
    MAX_CHUNK_LINE,
    MAX_LINES,
    MAX_SECTION,
)
from deuterium.errors import RemoteProtocolError
from unit.http1.peer import Peer, answer, ask, exchange, one_by_one, outcome

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


def fields(*lines: bytes) -> bytes:
    return OK + b"\r\n".join(lines) + b"\r\n\r\n"


MALFORMED = {
    # section 2.2: line ends
    "bare LF after the status line": b"HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n",
    "bare LF after a field": OK + b"A: b\nContent-Length: 0\r\n\r\n",
    "bare LF at the end": OK + b"Content-Length: 0\r\n\n",
    "bare CR in a value": fields(b"A: b\rc", b"Content-Length: 0"),
    "bare CR in a name": fields(b"A\rB: c", b"Content-Length: 0"),
    "bare CR in the reason": b"HTTP/1.1 200 O\rK\r\nContent-Length: 0\r\n\r\n",
    "CR CR LF": fields(b"A: b\r", b"Content-Length: 0"),
    # section 2.3 and 4: the status line
    "an empty line first": b"\r\n" + OK + b"Content-Length: 0\r\n\r\n",
    "another protocol": b"SSH-2.0-OpenSSH_9.2\r\n",
    "HTTP/2 in text": b"HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n",
    "HTTP/0.9": b"HTTP/0.9 200 OK\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.2": b"HTTP/1.2 200 OK\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.10": b"HTTP/1.10 200 OK\r\nContent-Length: 0\r\n\r\n",
    "lower case": b"http/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    "ICY": b"ICY 200 OK\r\n\r\n",
    "a raw body": b"<html></html>",
    "an HTTP/2 frame": b"\x00\x00\x00\x04\x00\x00\x00\x00\x00",
    "status of two digits": b"HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n",
    "status of four digits": b"HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n",
    "status below 100": b"HTTP/1.1 099 OK\r\nContent-Length: 0\r\n\r\n",
    "status with a sign": b"HTTP/1.1 +20 OK\r\nContent-Length: 0\r\n\r\n",
    "no status": b"HTTP/1.1 \r\nContent-Length: 0\r\n\r\n",
    "two spaces": b"HTTP/1.1  200 OK\r\nContent-Length: 0\r\n\r\n",
    "a tab": b"HTTP/1.1\t200 OK\r\nContent-Length: 0\r\n\r\n",
    "NUL in the reason": b"HTTP/1.1 200 O\0K\r\nContent-Length: 0\r\n\r\n",
    "control character in the reason": b"HTTP/1.1 200 O\x1bK\r\nContent-Length: 0\r\n\r\n",
    "DEL in the reason": b"HTTP/1.1 200 O\x7fK\r\nContent-Length: 0\r\n\r\n",
    # section 5: field lines
    "space before the colon": fields(b"Content-Length : 0"),
    "tab before the colon": fields(b"Content-Length\t: 0"),
    "space before the first field": fields(b" A: b", b"Content-Length: 0"),
    "folded line": fields(b"A: b", b" c", b"Content-Length: 0"),
    "folded by a tab": fields(b"A: b", b"\tContent-Length: 5"),
    "no colon": fields(b"A", b"Content-Length: 0"),
    "no name": fields(b": b", b"Content-Length: 0"),
    "space in a name": fields(b"A B: c", b"Content-Length: 0"),
    "NUL in a name": fields(b"A\0: b", b"Content-Length: 0"),
    "obs-text in a name": fields(b"A\xe9: b", b"Content-Length: 0"),
    "NUL in a value": fields(b"A: \0", b"Content-Length: 0"),
    "control character in a value": fields(b"A: \x1b", b"Content-Length: 0"),
    # section 6: lengths
    "both lengths": fields(b"Content-Length: 5", b"Transfer-Encoding: chunked") + b"0\r\n\r\n",
    "both lengths, the other way": fields(b"Transfer-Encoding: chunked", b"Content-Length: 5") + b"0\r\n\r\n",
    "differing lengths": fields(b"Content-Length: 5", b"Content-Length: 6"),
    "the same length twice": fields(b"Content-Length: 5", b"Content-Length: 5"),
    "a list of lengths": fields(b"Content-Length: 5, 6"),
    "plus sign": fields(b"Content-Length: +5"),
    "minus sign": fields(b"Content-Length: -5"),
    "hexadecimal length": fields(b"Content-Length: 0x5"),
    "underscore": fields(b"Content-Length: 1_0"),
    "fraction": fields(b"Content-Length: 5.0"),
    "junk": fields(b"Content-Length: five"),
    "empty length": fields(b"Content-Length:"),
    "two numbers": fields(b"Content-Length: 5 5"),
    "superscript digit": fields(b"Content-Length: \xb2"),
    "19 digits": fields(b"Content-Length: 1000000000000000000"),
    "2^64": fields(b"Content-Length: 18446744073709551616"),
    "coding before chunked": fields(b"Transfer-Encoding: gzip, chunked") + b"0\r\n\r\n",
    "coding after chunked": fields(b"Transfer-Encoding: chunked, gzip"),
    "only another coding": fields(b"Transfer-Encoding: gzip"),
    "identity": fields(b"Transfer-Encoding: identity"),
    "chunked twice": fields(b"Transfer-Encoding: chunked, chunked") + b"0\r\n\r\n",
    "chunked on two lines": fields(b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked") + b"0\r\n\r\n",
    "nearly chunked": fields(b"Transfer-Encoding: xchunked") + b"0\r\n\r\n",
    "chunked after a vertical tab": fields(b"Transfer-Encoding: \x0bchunked") + b"0\r\n\r\n",
    "quoted chunked": fields(b'Transfer-Encoding: "chunked"') + b"0\r\n\r\n",
    "empty coding": fields(b"Transfer-Encoding:"),
    # section 7.1: chunks
    "no chunk size": CHUNKED + b"\r\n",
    "only an extension": CHUNKED + b";a=b\r\n",
    "signed chunk size": CHUNKED + b"+5\r\nhello\r\n0\r\n\r\n",
    "negative chunk size": CHUNKED + b"-5\r\nhello\r\n0\r\n\r\n",
    "chunk size with 0x": CHUNKED + b"0x5\r\nhello\r\n0\r\n\r\n",
    "chunk size with an underscore": CHUNKED + b"1_0\r\n",
    "chunk size after a space": CHUNKED + b" 5\r\nhello\r\n0\r\n\r\n",
    "two chunk sizes": CHUNKED + b"5 5\r\nhello\r\n0\r\n\r\n",
    "junk after the chunk size": CHUNKED + b"5z\r\nhello\r\n0\r\n\r\n",
    "chunk size of 2^63": CHUNKED + b"8000000000000000\r\n",
    "chunk size of 2^64 and five": CHUNKED + b"10000000000000005\r\nhello\r\n0\r\n\r\n",
    "bare LF after a chunk size": CHUNKED + b"5\nhello\r\n0\r\n\r\n",
    "bare CR in an extension": CHUNKED + b"5;a\rb\r\nhello\r\n0\r\n\r\n",
    "NUL in an extension": CHUNKED + b"5;\0\r\nhello\r\n0\r\n\r\n",
    "chunk longer than its size": CHUNKED + b"4\r\nhello\r\n0\r\n\r\n",
    "chunk shorter than its size": CHUNKED + b"6\r\nhello\r\n0\r\n\r\n",
    "bare LF after a chunk": CHUNKED + b"5\r\nhello\n0\r\n\r\n",
    "bare CR after a chunk": CHUNKED + b"5\r\nhello\r0\r\n\r\n",
    # section 7.1.2: trailers
    "bare LF in the trailers": CHUNKED + b"0\r\nA: b\n\r\n",
    "folded trailer": CHUNKED + b"0\r\nA: b\r\n c\r\n\r\n",
    "trailer without a colon": CHUNKED + b"0\r\nA\r\n\r\n",
    "NUL in a trailer": CHUNKED + b"0\r\nA: \0\r\n\r\n",
    "content-length in the trailers": CHUNKED + b"0\r\nContent-Length: 5\r\n\r\n",
    "transfer-encoding in the trailers": CHUNKED + b"0\r\nTransfer-Encoding: chunked\r\n\r\n",
    # RFC 9110 section 15.2
    "101 that nobody asked for": b"HTTP/1.1 101 X\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n",
    "malformed 1xx": b"HTTP/1.1 103 X\r\nA : b\r\n\r\n" + OK + b"Content-Length: 0\r\n\r\n",
}


@pytest.mark.rfc("9112", "2.2")
@pytest.mark.parametrize("octets", MALFORMED.values(), ids=MALFORMED)
def test_malformed_response_ends_exchange_and_connection(octets: bytes) -> None:
    request, connection = answer(octets)
    assert type(request.error) is RemoteProtocolError
    assert (request.error.initiator, request.error.scope) == ("remote", "connection")
    assert request.error.request_processed is None
    assert request.content == b""
    assert connection.closed
    assert connection.capacity() == 0
    assert connection.take_ready() == [request]


@pytest.mark.parametrize("octets", MALFORMED.values(), ids=MALFORMED)
def test_malformed_response_cut_at_every_octet_is_the_same(octets: bytes) -> None:
    assert outcome(*answer(*one_by_one(octets))) == outcome(*answer(octets))


def test_malformed_response_after_delivered_pieces_keeps_them() -> None:
    request, _ = answer(CHUNKED + b"5\r\nhello\r\nz\r\n", request=exchange(delivery=PIECES))
    assert type(request.error) is RemoteProtocolError
    assert list(request.chunks or ()) == [b"hello"]


# -- limits: the last legal value and the first illegal one -----------------------------------------------------------


def legal(octets: bytes) -> bool:
    whole, connection = answer(octets)
    cut, other = answer(*(octets[i : i + 4093] for i in range(0, len(octets), 4093)))
    assert outcome(whole, connection) == outcome(cut, other)
    if whole.error is not None:
        assert type(whole.error) is RemoteProtocolError
        assert connection.closed
        return False
    assert whole.status == 200
    return True


def section_of(size: int, before: bytes) -> bytes:
    rest = before + b"A: \r\n\r\n"
    return before + b"A: " + b"a" * (size - len(rest)) + b"\r\n\r\n"


@pytest.mark.rfc("9112", "5")
def test_header_section_size_is_bounded() -> None:
    before = OK + b"Content-Length: 0\r\n"
    assert legal(section_of(MAX_SECTION, before))
    assert not legal(section_of(MAX_SECTION + 1, before))


def test_endless_header_section_is_refused_at_the_bound() -> None:
    request, _ = answer(OK + b"A: " + b"a" * (MAX_SECTION - len(OK) - 4))
    assert request.error is None
    request, _ = answer(OK + b"A: " + b"a" * (MAX_SECTION - len(OK) - 3))
    assert type(request.error) is RemoteProtocolError


def test_header_section_lines_are_counted() -> None:
    assert legal(OK + b"Content-Length: 0\r\n" + b"A: b\r\n" * (MAX_LINES - 2) + b"\r\n")
    assert not legal(OK + b"Content-Length: 0\r\n" + b"A: b\r\n" * (MAX_LINES - 1) + b"\r\n")


@pytest.mark.rfc("9112", "7.1.2")
def test_trailer_section_size_and_lines_are_bounded() -> None:
    assert legal(CHUNKED + b"0\r\n" + section_of(MAX_SECTION, b""))
    assert not legal(CHUNKED + b"0\r\n" + section_of(MAX_SECTION + 1, b""))
    assert legal(CHUNKED + b"0\r\n" + b"A: b\r\n" * MAX_LINES + b"\r\n")
    assert not legal(CHUNKED + b"0\r\n" + b"A: b\r\n" * (MAX_LINES + 1) + b"\r\n")


@pytest.mark.rfc("9112", "7.1.1")
def test_chunk_line_is_bounded() -> None:
    def with_line(size: int) -> bytes:
        return CHUNKED + b"0;" + b"a" * (size - 4) + b"\r\n\r\n"

    assert legal(with_line(MAX_CHUNK_LINE))
    assert not legal(with_line(MAX_CHUNK_LINE + 1))
    assert legal(CHUNKED + b"0" * (MAX_CHUNK_LINE - 2) + b"\r\n\r\n")


def test_chunk_extensions_together_are_bounded() -> None:
    chunk = b"1;" + b"a" * 996 + b"\r\nx\r\n"  # its line has 1,000 octets
    cost = 1000 - CHUNK_ALLOWANCE - 2
    most = MAX_CHUNK_EXCESS // cost
    assert legal(CHUNKED + chunk * most + b"0\r\n\r\n")
    assert not legal(CHUNKED + chunk * (most + 1) + b"0\r\n\r\n")


def test_content_in_chunks_of_one_octet_is_slow_but_legal() -> None:
    request, _ = answer(CHUNKED + b"1\r\nx\r\n" * 50_000 + b"0\r\n\r\n")
    assert request.content == b"x" * 50_000


@pytest.mark.rfc("9112", "6.2")
@pytest.mark.parametrize("length", [b"999999999999999999", b"000000000000000005"])
def test_content_length_of_18_digits_is_legal(length: bytes) -> None:
    request, connection = answer(fields(b"Content-Length: " + length) + b"hell")
    assert request.error is None
    assert request.content_length == int(length)
    assert connection.data_left == int(length) - 4


@pytest.mark.rfc("9112", "7.1")
@pytest.mark.parametrize("size", [b"7fffffffffffffff", b"07FFFFFFFFFFFFFFF"])
def test_chunk_size_below_2_63_is_legal(size: bytes) -> None:
    request, connection = answer(CHUNKED + size + b"\r\nx")
    assert request.error is None
    assert connection.data_left == 2**63 - 2


def test_promised_content_reserves_no_memory_beyond_its_bound() -> None:
    request, connection = answer(fields(b"Content-Length: 999999999999999999"), b"x" * 10, b"y" * 10)
    assert request.received == 20
    connection.cancel(request, None, 0.0)
    assert connection.closed


@pytest.mark.rfc("9112", "6.3")
def test_unknown_coding_of_a_response_without_content_does_no_harm() -> None:
    for request in (exchange("HEAD"), exchange("GET")):
        status = b"HTTP/1.1 304 X\r\n" if request.method == "GET" else OK
        answered, connection = answer(status + b"Transfer-Encoding: gzip\r\n\r\n", request=request)
        assert answered.error is None
        assert connection.capacity() == 1


@pytest.mark.rfc("9112", "9.2")
def test_second_response_never_reaches_the_next_request() -> None:
    peer = Peer()
    ask(peer)
    peer.says(fields(b"Content-Length: 0") + fields(b"Content-Length: 6") + b"poison")
    assert peer.connection.closed

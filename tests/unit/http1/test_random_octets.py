"""Whatever arrives, however cut, ends in a response or an error of ours; what h11 writes is read as it was meant."""

from __future__ import annotations

from typing import Any

import h11
from hypothesis import given, settings
from hypothesis import strategies as st

from deuterium._http.phases import FINISHED, PIECES, WHOLE
from deuterium.errors import RequestError
from unit.http1.peer import Peer, answer, ask, content_of, exchange, outcome

# Fragments that lead the walk into each of its states, and what breaks them.
FRAGMENTS = st.sampled_from(
    [
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.0 200 OK\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"HTTP/1.1 101 X\r\n",
        b"HTTP/1.1 204 X\r\n",
        b"HTTP/1.1 304 X\r\n",
        b"Content-Length: 3\r\n",
        b"Content-Length: 0\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"Connection: close\r\n",
        b"Connection: upgrade\r\nUpgrade: x\r\n",
        b"A: b\r\n",
        b" folded\r\n",
        b"\r\n",
        b"\n",
        b"\r",
        b"abc",
        b"3\r\nabc\r\n",
        b"0\r\n",
        b"0\r\n\r\n",
        b"ffffffffffffffff\r\n",
        b";a=b",
        b"\0",
        b"\xff",
    ]
)
STREAMS = st.lists(st.one_of(FRAGMENTS, st.binary(max_size=8)), max_size=14).map(b"".join)
METHODS = st.sampled_from(["GET", "HEAD", "CONNECT"])


def cuts(octets: bytes, at: list[int]) -> list[bytes]:
    places = sorted({place % (len(octets) + 1) for place in at})
    return [octets[a:b] for a, b in zip([0, *places], [*places, len(octets)], strict=True)]


@settings(max_examples=400, deadline=None)
@given(STREAMS, st.lists(st.integers(0, 400), max_size=8), METHODS, st.sampled_from([WHOLE, PIECES]), st.booleans())
def test_any_octets_end_in_a_response_or_an_error_of_ours(
    octets: bytes, at: list[int], method: str, delivery: int, hangs_up: bool
) -> None:
    def run(*reads: bytes) -> Any:
        request, connection = answer(*reads, request=exchange(method, delivery=delivery), hangs_up=hangs_up)
        if hangs_up:
            assert connection.closed or connection.switched
            assert request.phase == FINISHED
        assert request.error is None or isinstance(request.error, RequestError)
        assert connection.closed or connection.capacity() == 1 or connection.switched or request.phase != FINISHED
        return outcome(request, connection)

    assert run(*cuts(octets, at)) == run(octets)


@settings(max_examples=150, deadline=None)
@given(STREAMS)
def test_any_octets_leave_no_memory_lent(octets: bytes) -> None:
    peer = Peer()
    request = ask(peer, exchange(delivery=PIECES))
    peer.says(octets)
    peer.connection.close(0.0)
    content_of(request)
    assert peer.pool.stats().outstanding == 0


TOKENS = st.text("abcdefgh-", min_size=1, max_size=8)
VALUES = st.text("abc def;=\xe9", max_size=12).map(str.strip)


@settings(max_examples=150, deadline=None)
@given(
    st.integers(200, 599).filter(lambda status: status not in (204, 304)),
    st.lists(st.tuples(TOKENS, VALUES), max_size=6),
    st.lists(st.binary(max_size=300), max_size=5),
    st.lists(st.integers(0, 3000), max_size=8),
    st.booleans(),
)
def test_what_h11_writes_is_read_as_it_was_meant(
    status: int, fields: list[tuple[str, str]], pieces: list[bytes], at: list[int], chunked: bool
) -> None:
    server = h11.Connection(h11.SERVER)
    server.receive_data(b"GET / HTTP/1.1\r\nHost: example.org\r\n\r\n")
    server.next_event()
    content = b"".join(pieces)
    framing = [] if chunked else [("content-length", str(len(content)))]
    head = [(name.encode(), value.encode("latin-1")) for name, value in [*fields, *framing]]
    octets = server.send(h11.Response(status_code=status, headers=head)) or b""
    for piece in pieces:
        octets += server.send(h11.Data(data=piece)) or b""
    octets += server.send(h11.EndOfMessage()) or b""
    request, connection = answer(*cuts(octets, at))
    assert request.error is None
    assert (request.status, request.content) == (status, content)
    assert [pair for pair in request.fields or [] if pair[0] not in ("content-length", "transfer-encoding")] == fields
    assert connection.capacity() == 1

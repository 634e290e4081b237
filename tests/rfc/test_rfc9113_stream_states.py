"""RFC 9113 section 5.1: what every frame does in every state of a stream, and section 5.1.1: identifiers."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from deuterium.errors import RemoteProtocolError, StreamReset, TransportError

from . import wire
from .talk import Talk, answered, failure, finished, goaway_code, resets

OK = "taken"
ENDS = "ends the exchange well"
RESET = "ends the exchange as reset"
IGNORED = "ignored"


def stream_error(code: int) -> tuple[str, int]:
    return ("stream", code)


def connection_error(code: int) -> tuple[str, int]:
    return ("connection", code)


def idle(talk: Talk) -> int:
    return 3


def idle_of_server(talk: Talk) -> int:
    return 2


def open_stream(talk: Talk) -> int:
    talk.request("POST", has_content=True)
    talk.sent()
    return 1


def half_closed_local(talk: Talk) -> int:
    talk.request()
    talk.sent()
    return 1


def half_closed_local_answered(talk: Talk) -> int:
    half_closed_local(talk)
    talk.says(wire.response(1))
    return 1


def half_closed_remote(talk: Talk) -> int:
    """The answer is complete before the request: the client resets what is left of the stream at once."""
    open_stream(talk)
    assert resets(talk.says(wire.response(1, end=True))) == {1: wire.CANCEL}
    return 1


def closed(talk: Talk) -> int:
    half_closed_local(talk)
    talk.says(wire.response(1, end=True))
    return 1


def reset_by_us(talk: Talk) -> int:
    exchange = talk.request()
    talk.sent()
    assert resets(talk.cancels(exchange)) == {1: wire.CANCEL}
    return 1


def reset_by_peer(talk: Talk) -> int:
    half_closed_local(talk)
    talk.says(wire.rst_stream(1))
    return 1


STATES = (
    idle,
    idle_of_server,
    open_stream,
    half_closed_local,
    half_closed_local_answered,
    half_closed_remote,
    closed,
    reset_by_us,
    reset_by_peer,
)

FRAMES: dict[str, Callable[[int], bytes]] = {
    "DATA": lambda stream: wire.data(stream, b"content"),
    "DATA, empty": wire.data,
    "DATA, END_STREAM": lambda stream: wire.data(stream, b"content", end=True),
    "HEADERS": wire.response,
    "HEADERS, END_STREAM": lambda stream: wire.response(stream, end=True),
    "HEADERS, trailers": wire.trailers,
    "HEADERS, informational": lambda stream: wire.response(stream, status=103),
    "PRIORITY": wire.priority,
    "RST_STREAM": wire.rst_stream,
    "SETTINGS": lambda stream: wire.frame(wire.SETTINGS, 0, stream),
    "PUSH_PROMISE": lambda stream: wire.push_promise(stream, 2, wire.block((":method", "GET"))),
    "PING": lambda stream: wire.frame(wire.PING, 0, stream, bytes(8)),
    "GOAWAY": lambda stream: wire.frame(wire.GOAWAY, 0, stream, bytes(8)),
    "WINDOW_UPDATE": lambda stream: wire.window_update(stream, 1),
    "CONTINUATION": lambda stream: wire.continuation(stream, b"", end_headers=True),
    "of unknown type": lambda stream: wire.frame(0xBE, 0xFF, stream, b"whatever"),
}

# Section 5.1: idle: "Receiving any frame other than HEADERS or PRIORITY on a stream in this state MUST be treated as a
# connection error of type PROTOCOL_ERROR", and a server sends no HEADERS on a stream the client did not open (5.1.1).
IDLE = connection_error(wire.PROTOCOL_ERROR)
# closed: "An endpoint MAY treat receipt of any other type of frame on a closed stream as a connection error of type
# STREAM_CLOSED"; after a RST_STREAM of ours it "MUST minimally process and then discard any frames it receives".
CLOSED = connection_error(wire.STREAM_CLOSED)
# Section 8.1: a message begins with a field section.
EARLY = stream_error(wire.PROTOCOL_ERROR)
# A second field section without END_STREAM, or one with a pseudo-header field, is no trailer section (8.1).
NO_TRAILERS = stream_error(wire.PROTOCOL_ERROR)
# Sections 6.5, 6.7, 6.8: not on a stream; 6.10: CONTINUATION follows HEADERS; 8.4: we take no push.
NEVER = connection_error(wire.PROTOCOL_ERROR)

OF_STREAMS = {
    #                        idle  even  open     half-closed (local)  (remote) closed  ours     theirs
    #                                             waiting  answered
    "DATA": (IDLE, IDLE, EARLY, EARLY, OK, IGNORED, CLOSED, IGNORED, IGNORED),
    "DATA, empty": (IDLE, IDLE, EARLY, EARLY, OK, IGNORED, CLOSED, IGNORED, IGNORED),
    "DATA, END_STREAM": (IDLE, IDLE, EARLY, EARLY, ENDS, IGNORED, CLOSED, IGNORED, IGNORED),
    "HEADERS": (IDLE, IDLE, OK, OK, NO_TRAILERS, IGNORED, CLOSED, IGNORED, IGNORED),
    "HEADERS, END_STREAM": (IDLE, IDLE, ENDS, ENDS, NO_TRAILERS, IGNORED, CLOSED, IGNORED, IGNORED),
    "HEADERS, trailers": (IDLE, IDLE, EARLY, EARLY, ENDS, IGNORED, CLOSED, IGNORED, IGNORED),
    "HEADERS, informational": (IDLE, IDLE, OK, OK, NO_TRAILERS, IGNORED, CLOSED, IGNORED, IGNORED),
    "PRIORITY": (IGNORED, IGNORED, OK, OK, OK, IGNORED, IGNORED, IGNORED, IGNORED),
    "RST_STREAM": (IDLE, IDLE, RESET, RESET, RESET, IGNORED, IGNORED, IGNORED, IGNORED),
    "WINDOW_UPDATE": (IDLE, IDLE, OK, OK, OK, IGNORED, IGNORED, IGNORED, IGNORED),
    "of unknown type": (IGNORED, IGNORED, OK, OK, OK, IGNORED, IGNORED, IGNORED, IGNORED),
}
NOT_OF_STREAMS = {
    kind: (NEVER,) * len(STATES) for kind in ("SETTINGS", "PUSH_PROMISE", "PING", "GOAWAY", "CONTINUATION")
}
TABLE = OF_STREAMS | NOT_OF_STREAMS


def test_table_has_every_frame_in_every_state() -> None:
    assert TABLE.keys() == FRAMES.keys()
    assert {len(row) for row in TABLE.values()} == {len(STATES)}


@pytest.mark.rfc("9113", "5.1")
@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)
@pytest.mark.parametrize("kind", FRAMES)
def test_frame_in_state_does_what_section_5_1_says(kind: str, state: Callable[[Talk], int]) -> None:
    expected = TABLE[kind][STATES.index(state)]
    talk = Talk()
    stream_id = state(talk)
    exchange = next((stream.exchange for stream in talk.connection.table.all()), None)
    neighbour = talk.request() if state is not idle else None
    talk.sent()

    sent = talk.says(FRAMES[kind](stream_id))

    if isinstance(expected, tuple) and expected[0] == "connection":
        assert goaway_code(sent) == expected[1]
        assert not talk.alive
        if neighbour:
            assert failure(neighbour).code == expected[1]
        return
    assert talk.alive
    assert goaway_code(sent) is None
    if isinstance(expected, tuple):
        assert exchange is not None
        assert resets(sent) == {stream_id: expected[1]}
        assert isinstance(failure(exchange), RemoteProtocolError)
        assert failure(exchange).code == expected[1]
        assert failure(exchange).scope == "stream"
    elif expected is ENDS:
        assert exchange is not None
        assert answered(exchange)
    elif expected is RESET:
        assert exchange is not None
        assert isinstance(failure(exchange), StreamReset)
        assert sent == []
    else:
        assert sent == []
        assert exchange is None or not finished(exchange)
    if neighbour:
        talk.says(wire.response(neighbour.stream_id, ("x", kind), end=True))
        assert answered(neighbour)
        assert neighbour.fields == [("x", kind)]


@pytest.mark.rfc("9113", "5.1.1")
def test_streams_of_a_client_are_odd_and_ascend_from_1() -> None:
    talk = Talk()
    assert [exchange.stream_id for exchange in talk.requests(4)] == [1, 3, 5, 7]


@pytest.mark.rfc("9113", "5.1.1")
def test_last_stream_identifier_is_used_and_no_other_after_it() -> None:
    talk = Talk({wire.MAX_CONCURRENT_STREAMS: 1})
    talk.connection.table.next_id = 2**31 - 3
    before = talk.request()
    last = talk.request()
    waiting = talk.request()
    talk.sent()
    assert before.stream_id == 2**31 - 3

    [opened] = talk.says(wire.response(before.stream_id, end=True))
    assert (opened.stream_id, last.stream_id) == (2**31 - 1, 2**31 - 1)
    talk.says(wire.response(last.stream_id, end=True))
    assert answered(last)

    assert failure(waiting).request_processed is False
    assert talk.connection.draining
    assert talk.connection.capacity() == 0
    with pytest.raises(TransportError) as refusal:
        talk.request()
    assert refusal.value.request_processed is False


@pytest.mark.rfc("9113", "5.1")
def test_reset_of_a_stream_is_remembered_until_4096_later_ones() -> None:
    talk = Talk({wire.MAX_CONCURRENT_STREAMS: 10_000})
    first, second = talk.requests(2)
    talk.says(wire.response(second.stream_id, end=True))
    talk.cancels(first)
    for exchange in talk.requests(4096):
        talk.connection.cancel(exchange, None, talk.now)
    talk.sent()
    # Too long ago to remember, so it cannot be told from a closed one: both are let pass.
    assert talk.says(wire.response(first.stream_id), wire.data(first.stream_id, b"late")) == []
    assert talk.alive
    [newest] = talk.requests(1)
    talk.says(wire.response(newest.stream_id, end=True))
    assert goaway_code(talk.says(wire.response(newest.stream_id))) == wire.STREAM_CLOSED

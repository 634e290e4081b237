"""RFC 9113 section 8.3.1: the request as it leaves, its content and its trailers; 8.5: CONNECT."""

from __future__ import annotations

import pytest

from deuterium._http.exchange import Exchange
from deuterium.errors import LocalProtocolError

from . import wire
from .talk import Talk, content, of_kind

PSEUDO = [(":method", "GET"), (":scheme", "https"), (":authority", "example.com"), (":path", "/")]


@pytest.mark.rfc("9113", "8.3", "8.3.1")
def test_pseudo_header_fields_come_first() -> None:
    talk = Talk()
    talk.request(extra=(("accept", "*/*"), ("x-y", "z")))
    [frame] = talk.sent()
    assert (frame.name, frame.stream_id, frame.end_stream, frame.end_headers) == ("HEADERS", 1, True, True)
    assert talk.fields(frame) == [*PSEUDO, ("accept", "*/*"), ("x-y", "z")]


@pytest.mark.rfc("9113", "8.5")
def test_connect_has_neither_scheme_nor_path() -> None:
    talk = Talk()
    talk.connection.send_request(Exchange("CONNECT", "", "example.com:443", "", has_content=True), talk.now)
    [frame] = talk.sent()
    assert not frame.end_stream
    assert talk.fields(frame) == [(":method", "CONNECT"), (":authority", "example.com:443")]


@pytest.mark.rfc("8441", "4")
def test_extended_connect_names_its_protocol_if_the_peer_takes_it() -> None:
    talk = Talk({wire.ENABLE_CONNECT_PROTOCOL: 1})
    talk.request("CONNECT", "/chat", has_content=True, protocol="websocket")
    assert set(talk.fields(talk.sent()[0])) == {
        (":method", "CONNECT"),
        (":protocol", "websocket"),
        (":scheme", "https"),
        (":authority", "example.com"),
        (":path", "/chat"),
    }
    talk = Talk()
    with pytest.raises(LocalProtocolError):
        talk.request("CONNECT", "/chat", has_content=True, protocol="websocket")
    assert talk.sent() == []
    assert talk.connection.active() == 0


@pytest.mark.rfc("9113", "8.1")
def test_content_at_hand_ends_with_the_stream() -> None:
    talk = Talk()
    talk.request("POST", body=b"content")
    first, last = talk.sent()
    assert (first.name, first.end_stream) == ("HEADERS", False)
    assert (last.name, last.end_stream, last.content) == ("DATA", True, b"content")


@pytest.mark.rfc("9113", "8.1")
def test_content_in_pieces_ends_with_the_last_one() -> None:
    talk = Talk()
    exchange = talk.request("POST", has_content=True)
    assert not talk.sent()[0].end_stream
    assert [(frame.content, frame.end_stream) for frame in talk.sends(exchange, b"one")] == [(b"one", False)]
    assert talk.sends(exchange, b"") == []
    talk.connection.send_content(exchange, b"two", False, talk.now)
    assert [(frame.content, frame.end_stream) for frame in talk.sends(exchange, b"three", end=True)] == [
        (b"twothree", True)
    ]
    assert talk.sends(exchange, b"four") == []
    assert talk.connection.room(exchange) == -1


@pytest.mark.rfc("9113", "8.1")
@pytest.mark.parametrize("piece", [b"", b"content"])
def test_content_may_end_with_a_trailer_section(piece: bytes) -> None:
    talk = Talk({wire.INITIAL_WINDOW_SIZE: 3})
    exchange = talk.request("POST", has_content=True)
    talk.connection.send_content(exchange, piece, False, talk.now)
    talk.connection.send_trailers(exchange, (("x-sum", "1"), ("x-two", "2")), talk.now)
    frames = talk.sent()
    talk.fields(frames[0])
    if piece:
        assert content(frames, 1) == b"con"
        frames += talk.says(wire.window_update(1, 100))
    assert content(frames, 1) == piece
    assert [frame.end_stream for frame in frames] == [False] * (len(frames) - 1) + [True]
    assert frames[-1].kind == wire.HEADERS
    assert talk.fields(frames[-1]) == [("x-sum", "1"), ("x-two", "2")]


@pytest.mark.rfc("9113", "4.3", "6.10")
def test_long_field_section_leaves_in_frames_that_follow_each_other() -> None:
    talk = Talk()
    value = "\x7f" * 50_000
    talk.connection.send_request(
        Exchange("POST", "https", "example.com", "/", (), (("x-long", value),), b"content"), talk.now
    )
    frames = talk.sent()
    kinds = [frame.kind for frame in frames]
    assert kinds == [wire.HEADERS] + [wire.CONTINUATION] * (len(kinds) - 2) + [wire.DATA]
    assert [frame.end_headers for frame in frames[:-1]] == [False] * (len(kinds) - 2) + [True]
    assert all(frame.stream_id == 1 for frame in frames)
    block = b"".join(frame.content for frame in frames[:-1])
    assert ("x-long", value) in [(str(n), str(v)) for n, v in talk.decoder.decode(block)]


@pytest.mark.rfc("7541", "7.1.3")
@pytest.mark.parametrize("name", ["authorization", "cookie"])
def test_sensitive_fields_are_never_indexed(name: str) -> None:
    talk = Talk()
    for _ in range(3):
        talk.request(extra=((name, "secret"),))
        [frame] = talk.sent()
        [field] = [field for field in talk.decoder.decode(frame.content) if str(field[0]) == name]
        assert not field.indexable


@pytest.mark.rfc("9113", "5.3.1")
@pytest.mark.rfc("9218", "10")
def test_content_of_one_urgency_takes_turns_and_the_more_urgent_goes_first() -> None:
    talk = Talk({wire.INITIAL_WINDOW_SIZE: 1 << 20})
    talk.says(wire.window_update(0, 1 << 20))
    for urgency in (3, 3, 0, 7):
        talk.request("POST", body=bytes(40_000), urgency=urgency)
    turns = [frame.stream_id for frame in of_kind(talk.sent(), wire.DATA)]
    assert turns == [5, 5, 5, 1, 3, 1, 3, 1, 3, 7, 7, 7]


@pytest.mark.rfc("9113", "6.9", "5.2")
def test_stream_without_a_window_lets_the_others_pass() -> None:
    talk = Talk({wire.INITIAL_WINDOW_SIZE: 20_000})
    talk.request("POST", body=bytes(100_000), urgency=0)
    talk.request("POST", body=bytes(10_000), urgency=3)
    frames = talk.sent()
    assert len(content(frames, 1)) == 20_000
    assert len(content(frames, 3)) == 10_000


def test_one_turn_of_the_writer_is_bounded() -> None:
    talk = Talk({wire.INITIAL_WINDOW_SIZE: 2**31 - 1, wire.MAX_FRAME_SIZE: 2**24 - 1})
    talk.says(wire.window_update(0, 2**31 - 1 - 65_535))
    talk.request("POST", body=bytes(20_000_000))
    talk.request("POST", body=b"small")
    turn = talk.connection.take(talk.now)
    assert sum(map(len, turn)) < 600 * 1024
    frames = talk.sent()
    assert of_kind(frames, wire.DATA)[-1].end_stream
    # A peer that takes frames of 16 MiB gets none: the small request did not wait for them.
    assert max(frame.header.length for frame in frames) < 64 * 1024


def test_sender_waits_when_its_queue_is_full_and_is_woken_when_it_has_drained() -> None:
    talk = Talk({wire.INITIAL_WINDOW_SIZE: 1 << 20})
    talk.says(wire.window_update(0, 1 << 20))

    from deuterium._http.exchange import Waiter

    class Sender(Waiter):
        def wake(self, exchange: Exchange) -> None:
            raise AssertionError("the engine never calls up")

    exchange = talk.request("POST", has_content=True, writer=Sender())
    assert talk.connection.take_writable() == [exchange]
    assert talk.connection.room(exchange) == 256 * 1024
    talk.connection.send_content(exchange, bytes(256 * 1024), False, talk.now)
    assert talk.connection.room(exchange) == 0
    talk.sent()
    assert exchange in talk.connection.take_writable()
    assert talk.connection.room(exchange) == 256 * 1024
    talk.cancels(exchange)
    assert talk.connection.take_writable() == [exchange]
    assert talk.connection.room(exchange) == -1

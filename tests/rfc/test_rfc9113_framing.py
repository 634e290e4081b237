"""RFC 9113 section 3.4: the preface; 4.1, 4.2 and 5.5: frames; 6: their sizes, flags and padding."""

from __future__ import annotations

import pytest

from deuterium.config import Http2Options

from . import wire
from .talk import Talk, answered, failure, finished, goaway_code, of_kind, resets

FRAME_LIMIT = 16_384
BLOCK = wire.block((":status", "200"))


def talk_with_request(**arguments: object) -> Talk:
    talk = Talk()
    talk.requests(1)
    return talk


# -- 3.4 -------------------------------------------------------------------------------------------------------------


@pytest.mark.rfc("9113", "3.4", "6.5.2")
def test_client_opens_with_preface_settings_and_its_connection_window() -> None:
    talk = Talk(None, Http2Options(stream_window=1 << 22, connection_window=1 << 30))
    settings, update = talk.opening
    assert (settings.name, settings.stream_id, settings.flags) == ("SETTINGS", 0, 0)
    assert dict(settings.settings) == {
        wire.HEADER_TABLE_SIZE: 4096,
        wire.ENABLE_PUSH: 0,
        wire.INITIAL_WINDOW_SIZE: 1 << 22,
        wire.MAX_FRAME_SIZE: 16_384,
        wire.MAX_HEADER_LIST_SIZE: 256 * 1024,
        wire.NO_RFC7540_PRIORITIES: 1,
    }
    assert (update.name, update.stream_id, update.increment) == ("WINDOW_UPDATE", 0, (1 << 30) - 65_535)


@pytest.mark.rfc("9113", "3.4")
def test_client_sends_the_connection_preface_before_anything_else() -> None:
    octets = []

    class Recorder(Talk):
        def octets(self) -> bytes:
            octets.append(super().octets())
            return octets[-1]

    Recorder(None)
    assert octets[0].startswith(wire.PREFACE + b"\0")


@pytest.mark.rfc("9113", "3.4")
@pytest.mark.parametrize(
    "first",
    [
        wire.settings_ack(),
        wire.ping(),
        wire.response(1),
        wire.window_update(0, 1),
        wire.frame(0xFA, 0, 0, b"unknown type"),
        wire.goaway(0),
        wire.data(1, b""),
    ],
    ids=["acknowledgement", "PING", "HEADERS", "WINDOW_UPDATE", "unknown", "GOAWAY", "DATA"],
)
def test_first_frame_of_the_peer_other_than_settings_is_a_connection_error(first: bytes) -> None:
    talk = Talk(None)
    exchange = talk.request()
    talk.sent()
    assert goaway_code(talk.says(first)) == wire.PROTOCOL_ERROR
    assert failure(exchange).code == wire.PROTOCOL_ERROR


@pytest.mark.rfc("9113", "3.4")
@pytest.mark.parametrize(
    "answer", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"HTTP/1.0 505 No\r\nConnection: close\r\n\r\n"]
)
def test_answer_in_http_1_is_named_in_the_error(answer: bytes) -> None:
    talk = Talk(None)
    exchange = talk.request()
    talk.sent()
    assert goaway_code(talk.says(answer)) == wire.PROTOCOL_ERROR
    assert "HTTP/1.x" in str(failure(exchange))


@pytest.mark.rfc("9113", "3.4")
def test_requests_may_leave_before_the_peer_has_spoken() -> None:
    talk = Talk(None)
    exchange = talk.request()
    assert [frame.name for frame in talk.sent()] == ["HEADERS"]
    talk.says(wire.settings(), wire.response(1, end=True))
    assert answered(exchange)


# -- 4.1, 4.2, 5.5 ---------------------------------------------------------------------------------------------------


@pytest.mark.rfc("9113", "4.1", "5.5")
def test_unknown_types_are_ignored_whatever_their_flags_and_stream() -> None:
    talk = talk_with_request()
    assert (
        talk.says(
            *(wire.frame(kind, 0xFF, stream, b"x" * 40) for kind in range(0xA, 0x100) for stream in (0, 1, 2, 99))
        )
        == []
    )
    assert talk.alive


@pytest.mark.rfc("9113", "4.1")
def test_flags_without_meaning_for_the_type_are_ignored() -> None:
    talk = Talk()
    [exchange] = talk.requests(1)
    meaning = {"headers": 0x2D, "data": 0x9}
    talk.says(
        wire.frame(wire.HEADERS, (0xFF & ~meaning["headers"]) | wire.END_HEADERS, 1, BLOCK),
        wire.frame(wire.DATA, 0xFF & ~meaning["data"], 1, b"one"),
        wire.frame(wire.WINDOW_UPDATE, 0xFF, 1, b"\0\0\0\1"),
        wire.frame(wire.PING, 0xFE, 0, b"12345678"),
        wire.frame(wire.DATA, 0xFF & ~wire.PADDED, 1, b" two"),
    )
    assert answered(exchange)
    assert exchange.content == b"one two"


@pytest.mark.rfc("9113", "4.1")
def test_reserved_bit_of_the_stream_identifier_is_ignored() -> None:
    talk = Talk()
    [exchange] = talk.requests(1)
    talk.says(
        wire.frame(wire.HEADERS, wire.END_HEADERS, 1 << 31 | 1, BLOCK),
        wire.frame(wire.DATA, wire.END_STREAM, 1 << 31 | 1, b"content"),
    )
    assert exchange.content == b"content"


@pytest.mark.rfc("9113", "4.2")
@pytest.mark.parametrize("limit", [FRAME_LIMIT, 20_000, 2**24 - 1])
@pytest.mark.parametrize("kind", [wire.DATA, wire.HEADERS, wire.SETTINGS, wire.CONTINUATION, 0xBE])
def test_frame_longer_than_our_max_frame_size_is_a_frame_size_error(kind: int, limit: int) -> None:
    talk = Talk(options=Http2Options(max_frame_size=limit))
    talk.requests(1)
    if limit == 2**24 - 1:
        # There is no longer one; its header alone is no offence.
        talk.hears(wire.frame(kind, 0, 1 if kind != wire.SETTINGS else 0, length=limit))
        assert talk.alive or kind == wire.DATA
        return
    sent = talk.says(wire.frame(kind, 0, 1, length=limit + 1))
    assert goaway_code(sent) == wire.FRAME_SIZE_ERROR


@pytest.mark.rfc("9113", "4.2")
def test_frames_as_long_as_our_max_frame_size_are_taken() -> None:
    talk = Talk()
    [exchange] = talk.requests(1)
    talk.says(
        wire.headers(1, BLOCK, pad=255),
        wire.data(1, bytes(FRAME_LIMIT)),
        wire.data(1, bytes(FRAME_LIMIT - 1 - 255), pad=255, end=True),
        wire.frame(0xBE, 0, 0, bytes(FRAME_LIMIT)),
    )
    assert answered(exchange)
    assert exchange.content == bytes(2 * FRAME_LIMIT - 256)


@pytest.mark.rfc("9113", "4.2")
def test_frames_sent_stay_within_the_peers_max_frame_size() -> None:
    for limit in (16_384, 16_385, 100_000):
        talk = Talk({wire.MAX_FRAME_SIZE: limit, wire.INITIAL_WINDOW_SIZE: 1 << 20, wire.MAX_HEADER_LIST_SIZE: 1 << 20})
        talk.says(wire.window_update(0, 1 << 20))
        talk.request("POST", body=bytes(300_000), extra=(("x-long", "\x7f" * 60_000),))
        frames = talk.sent()
        assert max(frame.header.length for frame in frames) <= limit
        assert sum(len(frame.payload) for frame in of_kind(frames, wire.DATA)) == 300_000
        assert frames[0].kind == wire.HEADERS
        names = [frame.kind for frame in frames if frame.kind != wire.DATA]
        assert names == [wire.HEADERS] + [wire.CONTINUATION] * (len(names) - 1)


# -- 6: lengths ------------------------------------------------------------------------------------------------------

STREAM, CONNECTION = "stream", "connection"


@pytest.mark.rfc("9113", "6.3", "6.4", "6.5", "6.7", "6.8", "6.9")
@pytest.mark.parametrize(
    ("kind", "flags", "stream_id", "legal", "illegal", "scope"),
    [
        (wire.PRIORITY, 0, 1, [5], [0, 4, 6], STREAM),
        (wire.PRIORITY, 0, 9, [5], [0, 4, 6], CONNECTION),  # no stream to end, so the connection
        (wire.RST_STREAM, 0, 1, [4], [0, 3, 5, 8], CONNECTION),
        (wire.SETTINGS, 0, 0, [0, 6, 12], [1, 5, 7, 13], CONNECTION),
        (wire.SETTINGS, wire.ACK, 0, [0], [1, 6], CONNECTION),
        (wire.PING, 0, 0, [8], [0, 7, 9, 16], CONNECTION),
        (wire.PING, wire.ACK, 0, [8], [0, 7, 9], CONNECTION),
        (wire.GOAWAY, 0, 0, [8, 9, 16_384], [0, 7], CONNECTION),
        (wire.WINDOW_UPDATE, 0, 0, [4], [0, 3, 5], CONNECTION),
        (wire.WINDOW_UPDATE, 0, 1, [4], [0, 3, 5], CONNECTION),
    ],
)
def test_frame_of_the_wrong_length_is_a_frame_size_error(
    kind: int, flags: int, stream_id: int, legal: list[int], illegal: list[int], scope: str
) -> None:
    for length in legal:
        talk = talk_with_request()
        payload = bytes([0, 0, 0, 9] * (length // 4 + 1))[:length] if kind != wire.SETTINGS else bytes(length)
        sent = talk.says(wire.frame(kind, flags, stream_id, payload))
        assert talk.alive
        assert resets(sent) == {}
    for length in illegal:
        talk = talk_with_request()
        sent = talk.says(wire.frame(kind, flags, stream_id, bytes(length)))
        if scope == STREAM:
            assert resets(sent) == {stream_id: wire.FRAME_SIZE_ERROR}
            assert talk.alive
        else:
            assert goaway_code(sent) == wire.FRAME_SIZE_ERROR


@pytest.mark.rfc("9113", "6.1", "6.2", "6.3", "6.4")
@pytest.mark.parametrize(
    "octets",
    [
        wire.data(0, b"x"),
        wire.response(0),
        wire.priority(0),
        wire.rst_stream(0),
        wire.headers(0, b"", end_headers=False),
    ],
)
def test_frame_of_streams_on_stream_0_is_a_connection_error(octets: bytes) -> None:
    assert goaway_code(talk_with_request().says(octets)) == wire.PROTOCOL_ERROR


# -- 6.1, 6.2: padding and priority ----------------------------------------------------------------------------------


@pytest.mark.rfc("9113", "6.1")
@pytest.mark.parametrize("pad", [0, 1, 7, 254, 255])
def test_padding_of_data_is_dropped(pad: int) -> None:
    talk = Talk()
    [exchange] = talk.requests(1)
    talk.says(
        wire.response(1), wire.data(1, b"con", pad=pad), wire.data(1, b"", pad=pad), wire.data(1, b"tent", True, pad)
    )
    assert exchange.content == b"content"


@pytest.mark.rfc("9113", "6.1", "6.2")
@pytest.mark.parametrize("kind", [wire.DATA, wire.HEADERS])
def test_padding_as_long_as_the_rest_of_the_payload_is_taken_and_longer_is_not(kind: int) -> None:
    for length in (1, 2, 50, 256):
        talk = Talk()
        [exchange] = talk.requests(1)
        talk.says(wire.response(1))
        flags = wire.PADDED | wire.END_STREAM | (wire.END_HEADERS if kind == wire.HEADERS else 0)
        pad = length - 1
        talk.says(wire.frame(kind, flags, 1, bytes([pad]) + bytes(length - 1)))
        assert answered(exchange)

        if pad == 255:
            continue
        talk = Talk()
        talk.requests(1)
        talk.says(wire.response(1))
        assert (
            goaway_code(talk.says(wire.frame(kind, flags, 1, bytes([pad + 1]) + bytes(length - 1))))
            == wire.PROTOCOL_ERROR
        )


@pytest.mark.rfc("9113", "6.1", "6.2")
@pytest.mark.parametrize("kind", [wire.DATA, wire.HEADERS])
def test_padded_frame_without_pad_length_is_a_frame_size_error(kind: int) -> None:
    assert goaway_code(talk_with_request().says(wire.frame(kind, wire.PADDED, 1))) == wire.FRAME_SIZE_ERROR


@pytest.mark.rfc("9113", "6.2", "5.3.2")
@pytest.mark.parametrize("pad", [None, 0, 255])
def test_priority_in_headers_is_skipped(pad: int | None) -> None:
    talk = Talk()
    [exchange] = talk.requests(1)
    talk.says(wire.headers(1, BLOCK, end=True, pad=pad, priority=b"\x80\0\0\1\xff"))
    assert answered(exchange)


@pytest.mark.rfc("9113", "6.2")
@pytest.mark.parametrize("length", range(5))
def test_headers_too_short_for_their_priority_are_a_frame_size_error(length: int) -> None:
    flags = wire.END_HEADERS | wire.PRIORITY_FLAG
    assert (
        goaway_code(talk_with_request().says(wire.frame(wire.HEADERS, flags, 1, bytes(length))))
        == wire.FRAME_SIZE_ERROR
    )


@pytest.mark.rfc("9113", "6.2")
def test_padding_that_reaches_into_the_priority_is_a_protocol_error() -> None:
    flags = wire.END_HEADERS | wire.PRIORITY_FLAG | wire.PADDED
    payload = bytes([4]) + bytes(8)  # nine octets: one of pad length, five of priority, so at most three of padding
    assert goaway_code(talk_with_request().says(wire.frame(wire.HEADERS, flags, 1, payload))) == wire.PROTOCOL_ERROR


@pytest.mark.rfc("9113", "6.10", "4.3")
def test_field_block_goes_on_in_continuation_frames() -> None:
    talk = Talk()
    [exchange] = talk.requests(1)
    block = wire.block((":status", "200"), ("x-one", "1"), ("x-two", "2"))
    talk.says(wire.headers(1, block[:3], end=True, end_headers=False, pad=9, priority=bytes(5)))
    assert not finished(exchange)
    talk.says(wire.continuation(1, block[3:5]), wire.continuation(1, b""))
    talk.says(wire.continuation(1, block[5:], end_headers=True))
    assert answered(exchange)
    assert exchange.fields == [("x-one", "1"), ("x-two", "2")]


@pytest.mark.rfc("9113", "6.10", "4.3")
@pytest.mark.parametrize(
    "between",
    [
        wire.data(1, b""),
        wire.response(3),
        wire.headers(1, b""),
        wire.continuation(3, b""),
        wire.continuation(0, b""),
        wire.ping(),
        wire.settings(),
        wire.window_update(0, 1),
        wire.rst_stream(1),
        wire.goaway(0),
        wire.priority(1),
        wire.frame(0xBE, 0, 1),
    ],
)
def test_field_block_interrupted_by_another_frame_is_a_connection_error(between: bytes) -> None:
    talk = Talk()
    talk.requests(2)
    assert talk.says(wire.headers(1, BLOCK, end_headers=False)) == []
    assert goaway_code(talk.says(between)) == wire.PROTOCOL_ERROR


@pytest.mark.rfc("9113", "6.10")
def test_continuation_after_the_end_of_the_field_block_is_a_connection_error() -> None:
    talk = talk_with_request()
    assert goaway_code(talk.says(wire.response(1), wire.continuation(1, b"", end_headers=True))) == wire.PROTOCOL_ERROR


@pytest.mark.rfc("9113", "8.4")
def test_push_promise_is_a_connection_error_because_we_disabled_push() -> None:
    talk = talk_with_request()
    assert dict(talk.opening[0].settings)[wire.ENABLE_PUSH] == 0
    promise = wire.push_promise(1, 2, wire.block((":method", "GET")))
    assert goaway_code(talk.says(promise)) == wire.PROTOCOL_ERROR

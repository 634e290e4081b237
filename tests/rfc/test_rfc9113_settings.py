"""RFC 9113 section 6.5: SETTINGS, and section 5.1.2: how many streams the peer allows."""

from __future__ import annotations

import hpack
import pytest

from deuterium.config import Http2Options
from deuterium.errors import GoAway, LocalProtocolError, PoolTimeout

from . import wire
from .talk import Talk, answered, failure, finished, goaway_code, of_kind, resets


@pytest.mark.rfc("9113", "6.5.3")
def test_each_settings_frame_is_acknowledged_once() -> None:
    talk = Talk(None)
    acknowledgements = talk.says(wire.settings(), wire.settings({0xFFFF: 1}), wire.settings_ack())
    assert [str(frame) for frame in acknowledgements] == ["SETTINGS stream=0 length=0 ACK"] * 2


@pytest.mark.rfc("9113", "6.5.2")
@pytest.mark.parametrize(
    ("setting", "legal", "illegal", "code"),
    [
        (wire.ENABLE_PUSH, [0], [1, 2, 2**32 - 1], wire.PROTOCOL_ERROR),
        (wire.INITIAL_WINDOW_SIZE, [0, 2**31 - 1], [2**31, 2**32 - 1], wire.FLOW_CONTROL_ERROR),
        (wire.MAX_FRAME_SIZE, [16_384, 2**24 - 1], [0, 16_383, 2**24, 2**32 - 1], wire.PROTOCOL_ERROR),
        (wire.ENABLE_CONNECT_PROTOCOL, [0, 1], [2, 2**32 - 1], wire.PROTOCOL_ERROR),
        (wire.HEADER_TABLE_SIZE, [0, 4096, 2**32 - 1], [], 0),
        (wire.MAX_CONCURRENT_STREAMS, [0, 2**32 - 1], [], 0),
        (wire.MAX_HEADER_LIST_SIZE, [0, 2**32 - 1], [], 0),
        (wire.NO_RFC7540_PRIORITIES, [0, 1], [], 0),
        (0, [0, 2**32 - 1], [], 0),
        (0xFFFF, [0, 2**32 - 1], [], 0),
    ],
)
def test_value_of_a_setting_is_taken_up_to_its_limit(
    setting: int, legal: list[int], illegal: list[int], code: int
) -> None:
    for value in legal:
        talk = Talk(None)
        assert [frame.ack for frame in talk.says(wire.settings({setting: value}))] == [True]
        assert talk.alive
    for value in illegal:
        talk = Talk(None)
        exchange = talk.request()
        talk.sent()
        assert goaway_code(talk.says(wire.settings({setting: value}))) == code
        assert failure(exchange).code == code


@pytest.mark.rfc("8441", "3")
def test_enable_connect_protocol_never_goes_back() -> None:
    talk = Talk({wire.ENABLE_CONNECT_PROTOCOL: 1})
    assert talk.says(wire.settings({wire.ENABLE_CONNECT_PROTOCOL: 1}))[0].ack
    assert goaway_code(talk.says(wire.settings({wire.ENABLE_CONNECT_PROTOCOL: 0}))) == wire.PROTOCOL_ERROR


@pytest.mark.rfc("9113", "6.5.3")
def test_values_are_processed_in_order_and_the_last_one_holds() -> None:
    talk = Talk(None)
    talk.says(wire.settings([(wire.MAX_CONCURRENT_STREAMS, 9), (0xAA, 1), (wire.MAX_CONCURRENT_STREAMS, 2)]))
    assert talk.connection.capacity() == 2


@pytest.mark.rfc("9113", "6.5", "10.5")
def test_settings_of_32_entries_are_taken_and_of_33_are_too_many() -> None:
    talk = Talk()
    assert talk.says(wire.settings([(0xAA, 0)] * 32))[0].ack
    assert goaway_code(talk.says(wire.settings([(0xAA, 0)] * 33))) == wire.ENHANCE_YOUR_CALM


# -- SETTINGS_HEADER_TABLE_SIZE --------------------------------------------------------------------------------------


@pytest.mark.rfc("9113", "4.3.1")
@pytest.mark.rfc("7541", "4.2")
@pytest.mark.parametrize("sizes", [[0], [0, 4096], [100, 0, 300], [65_536], [4096]])
@pytest.mark.parametrize("one_frame", [True, False])
def test_smaller_table_of_the_peer_is_announced_before_the_next_field_section(
    sizes: list[int], one_frame: bool
) -> None:
    talk = Talk()
    fields = (("x-token", "a" * 20), ("x-other", "b" * 20))
    for _ in range(3):  # fill the table
        talk.request(extra=fields)
    for frame in talk.sent():
        talk.fields(frame)
    entries = [(wire.HEADER_TABLE_SIZE, size) for size in sizes]
    if one_frame:
        talk.says(wire.settings(entries))
    else:
        for entry in entries:
            talk.says(wire.settings([entry]))
    # What a peer may do with its decoder once its SETTINGS are acknowledged.
    for size in sizes:
        talk.decoder.max_allowed_table_size = size
        talk.decoder.header_table_size = min(talk.decoder.header_table_size, size)
    for _ in range(3):
        talk.request(extra=fields)
    for frame in talk.sent():
        assert set(fields) <= set(talk.fields(frame))
    assert talk.decoder.header_table.maxsize <= sizes[-1]


@pytest.mark.rfc("9113", "4.3.1")
@pytest.mark.parametrize("ours", [0, 64, 4096, 8192])
def test_peer_may_use_the_table_size_we_announced_once_it_acknowledged(ours: int) -> None:
    talk = Talk(None, Http2Options(header_table_size=ours))
    exchanges = talk.requests(4)
    encoder = hpack.Encoder()
    talk.says(wire.settings(), wire.settings_ack())
    encoder.header_table_size = ours
    for number, exchange in enumerate(exchanges):
        block = encoder.encode([(":status", "200"), ("x-one", "1" * 20), ("x-number", str(number // 2))])
        talk.says(wire.headers(exchange.stream_id, block, end=True))
        assert exchange.fields == [("x-one", "1" * 20), ("x-number", str(number // 2))]


@pytest.mark.rfc("7541", "4.2", "6.3")
def test_table_size_update_above_what_we_announced_is_a_compression_error() -> None:
    talk = Talk(options=Http2Options(header_table_size=100))
    talk.requests(1)
    # 0x3f 0x45: 31 + 69 = 100, one more is too much.
    assert goaway_code(talk.says(wire.headers(1, b"\x3f\x46\x88"))) == wire.COMPRESSION_ERROR
    talk = Talk(options=Http2Options(header_table_size=100))
    talk.requests(1)
    assert talk.says(wire.headers(1, b"\x3f\x45\x88")) == []


# -- SETTINGS_MAX_HEADER_LIST_SIZE -----------------------------------------------------------------------------------


@pytest.mark.rfc("9113", "6.5.2", "10.5.1")
@pytest.mark.parametrize("limit", [90, 500, 256 * 1024])
def test_response_section_of_our_list_size_is_taken_and_one_octet_more_resets_the_stream(limit: int) -> None:
    status = len(":status") + 3 + 32
    for excess in (0, 1):
        talk = Talk(options=Http2Options(max_header_list_size=limit, max_frame_size=1 << 20))
        [exchange, neighbour] = talk.requests(2)
        name = "x" * 10
        value = "v" * (limit - status - len(name) - 32 + excess)
        sent = talk.says(wire.response(1, (name, value), end=True))
        if excess:
            assert resets(sent) == {1: wire.CANCEL}
            assert "longer than" in str(failure(exchange))
        else:
            assert answered(exchange)
        talk.says(wire.response(neighbour.stream_id, (name, "again"), end=True))
        assert neighbour.fields == [(name, "again")]


@pytest.mark.rfc("9113", "6.5.2")
def test_request_of_the_peers_list_size_is_sent_and_one_octet_more_is_refused_before() -> None:
    fields = [
        (":method", "GET"),
        (":scheme", "https"),
        (":authority", "example.com"),
        (":path", "/"),
        ("x-field", "value"),
    ]
    size = sum(len(name) + len(value) + 32 for name, value in fields)
    talk = Talk({wire.MAX_HEADER_LIST_SIZE: size})
    talk.request(extra=(("x-field", "value"),))
    [sent] = talk.sent()
    assert talk.fields(sent) == fields
    talk = Talk({wire.MAX_HEADER_LIST_SIZE: size - 1})
    with pytest.raises(LocalProtocolError) as refusal:
        talk.request(extra=(("x-field", "value"),))
    assert refusal.value.request_processed is False
    assert talk.sent() == []
    talk.request()  # the connection goes on
    assert len(talk.sent()) == 1


# -- SETTINGS_MAX_CONCURRENT_STREAMS ---------------------------------------------------------------------------------


@pytest.mark.rfc("9113", "5.1.2")
def test_requests_above_the_limit_wait_first_in_first_out() -> None:
    talk = Talk({wire.MAX_CONCURRENT_STREAMS: 2})
    exchanges = [talk.request(path=f"/{number}") for number in range(6)]
    assert [frame.stream_id for frame in talk.sent()] == [1, 3]
    assert [exchange.stream_id for exchange in exchanges] == [1, 3, 0, 0, 0, 0]
    opened = talk.says(wire.response(3, end=True))
    assert [exchange.stream_id for exchange in exchanges] == [1, 3, 5, 0, 0, 0]
    assert [frame.stream_id for frame in opened] == [5]
    opened = talk.says(wire.response(1, end=True), wire.rst_stream(5))
    assert [exchange.stream_id for exchange in exchanges] == [1, 3, 5, 7, 9, 0]
    opened = talk.cancels(exchanges[3])
    assert [(frame.name, frame.stream_id) for frame in opened] == [("RST_STREAM", 7), ("HEADERS", 11)]


@pytest.mark.rfc("9113", "5.1.2")
def test_limit_of_zero_stops_requests_until_it_is_raised() -> None:
    talk = Talk({wire.MAX_CONCURRENT_STREAMS: 0})
    exchanges = [talk.request() for _ in range(3)]
    assert talk.sent() == []
    assert talk.connection.capacity() == 0
    assert [frame.name for frame in talk.says(wire.settings({wire.MAX_CONCURRENT_STREAMS: 1}))] == [
        "SETTINGS",
        "HEADERS",
    ]
    sent = talk.says(wire.settings({wire.MAX_CONCURRENT_STREAMS: 5}))
    assert len(of_kind(sent, wire.HEADERS)) == 2
    talk.says(*(wire.response(exchange.stream_id, end=True) for exchange in exchanges))
    assert all(answered(exchange) for exchange in exchanges)
    assert talk.connection.capacity() == 5


@pytest.mark.rfc("9113", "5.1.2")
def test_limit_lowered_below_the_open_streams_lets_them_finish_first() -> None:
    talk = Talk({wire.MAX_CONCURRENT_STREAMS: 4})
    exchanges = talk.requests(4)
    waiting = talk.request()
    assert [frame.ack for frame in talk.says(wire.settings({wire.MAX_CONCURRENT_STREAMS: 2}))] == [True]
    for exchange in exchanges[:2]:
        assert talk.says(wire.response(exchange.stream_id, end=True)) == []
        assert talk.connection.capacity() == 0
    assert [frame.name for frame in talk.says(wire.response(exchanges[2].stream_id, end=True))] == ["HEADERS"]
    assert waiting.stream_id == 9


@pytest.mark.rfc("9113", "6.5.2")
def test_first_settings_without_a_limit_lift_the_100_assumed_before() -> None:
    talk = Talk(None)
    exchanges = [talk.request() for _ in range(150)]
    assert len(of_kind(talk.sent(), wire.HEADERS)) == 100
    assert len(of_kind(talk.says(wire.settings()), wire.HEADERS)) == 50
    assert exchanges[-1].stream_id == 299


def test_waiting_requests_have_a_limit_too() -> None:
    talk = Talk({wire.MAX_CONCURRENT_STREAMS: 1}, Http2Options(max_concurrent_requests=3))
    talk.requests(1)
    waiting = [talk.request() for _ in range(3)]
    with pytest.raises(PoolTimeout) as refusal:
        talk.request()
    assert refusal.value.request_processed is False
    talk.says(wire.goaway(0))
    assert all(isinstance(failure(exchange), GoAway) for exchange in waiting)


@pytest.mark.rfc("9113", "5.1.2")
def test_waiting_request_that_is_cancelled_is_never_sent() -> None:
    talk = Talk({wire.MAX_CONCURRENT_STREAMS: 1})
    first = talk.request()
    second = talk.request()
    third = talk.request()
    talk.sent()
    assert talk.cancels(second) == []
    assert finished(second)
    talk.says(wire.response(first.stream_id, end=True))
    assert (second.stream_id, third.stream_id) == (0, 3)

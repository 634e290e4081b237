"""RFC 9113 sections 5.2 and 6.9: flow control, both levels and both directions."""

from __future__ import annotations

import pytest

from deuterium._http.exchange import Exchange
from deuterium._http.phases import PIECES
from deuterium._http2.frames import Frame
from deuterium.config import Http2Options

from . import wire
from .talk import Talk, answered, content, failure, finished, goaway_code, of_kind, resets

INITIAL = 65_535
MAX_WINDOW = 2**31 - 1
OCTETS = bytes(range(256)) * 1024


def updates(frames: list[Frame]) -> list[tuple[int, int]]:
    return [(frame.stream_id, frame.increment) for frame in of_kind(frames, wire.WINDOW_UPDATE)]


def small_windows(stream: int = 100_000, connection: int = 150_000) -> Talk:
    return Talk(options=Http2Options(stream_window=stream, connection_window=connection))


# -- what the peer sends ---------------------------------------------------------------------------------------------


@pytest.mark.rfc("9113", "6.9", "6.9.1")
@pytest.mark.parametrize("excess", [0, 1])
def test_data_up_to_the_streams_window_is_taken_and_one_octet_more_resets_the_stream(excess: int) -> None:
    talk = small_windows()
    [exchange] = talk.requests(1, delivery=PIECES)
    talk.says(wire.response(1))
    full, rest = divmod(100_000 + excess, 16_384)
    sent = talk.says(*(wire.data(1, OCTETS[:16_384]) for _ in range(full)), wire.data(1, OCTETS[:rest]))
    if excess:
        assert resets(sent) == {1: wire.FLOW_CONTROL_ERROR}
        assert failure(exchange).code == wire.FLOW_CONTROL_ERROR
    else:
        assert sent == []
        assert exchange.unread == 100_000
    assert talk.alive


@pytest.mark.rfc("9113", "6.9", "6.9.1")
@pytest.mark.parametrize("excess", [0, 1])
def test_data_up_to_the_connections_window_is_taken_and_one_octet_more_ends_the_connection(excess: int) -> None:
    talk = small_windows()
    exchanges = talk.requests(2, delivery=PIECES)
    for stream_id, octets in ((1, 100_000), (3, 50_000 + excess)):
        full, rest = divmod(octets, 16_384)
        talk.says(wire.response(stream_id), *(wire.data(stream_id, OCTETS[:16_384]) for _ in range(full)))
        sent = talk.says(wire.data(stream_id, OCTETS[:rest]))
    if excess:
        assert goaway_code(sent) == wire.FLOW_CONTROL_ERROR
        assert [failure(exchange).code for exchange in exchanges] == [wire.FLOW_CONTROL_ERROR] * 2
    else:
        assert talk.alive


@pytest.mark.rfc("9113", "6.9.1", "6.1")
def test_padding_and_its_length_octet_count_against_both_windows() -> None:
    talk = small_windows(stream=MAX_WINDOW, connection=100_000)
    talk.requests(1, delivery=PIECES)
    talk.says(wire.response(1))
    before = talk.connection.receive_window + talk.connection.receive_consumed
    talk.says(wire.data(1, b"seven x", pad=92))
    # 100 octets were used, 93 of them are given back at once: nobody will read them.
    assert talk.connection.receive_window == 100_000 - 100
    assert talk.connection.receive_window + talk.connection.receive_consumed == before - 7


@pytest.mark.rfc("9113", "5.2.1", "6.9")
def test_windows_are_given_back_as_the_caller_reads_and_not_before() -> None:
    talk = small_windows()
    [exchange] = talk.requests(1, delivery=PIECES)
    assert updates(talk.says(wire.response(1), *(wire.data(1, bytes(10_000)) for _ in range(10)))) == []
    talk.connection.consumed(exchange, 49_999, talk.now)
    assert updates(talk.sent()) == []
    talk.connection.consumed(exchange, 1, talk.now)
    assert updates(talk.sent()) == [(1, 50_000)]
    talk.connection.consumed(exchange, 25_000, talk.now)
    assert updates(talk.sent()) == [(0, 75_000)]
    # The peer may now send 50,000 more on the stream, to the octet.
    assert talk.says(*(wire.data(1, bytes(10_000)) for _ in range(5))) == []
    assert resets(talk.says(wire.data(1, b"x"))) == {1: wire.FLOW_CONTROL_ERROR}


@pytest.mark.rfc("9113", "5.2.2")
def test_caller_that_does_not_read_stalls_its_own_stream_only() -> None:
    talk = small_windows(stream=100_000, connection=1_000_000)
    slow, quick = talk.requests(2, delivery=PIECES)
    talk.says(wire.response(1), wire.response(3), *(wire.data(1, bytes(10_000)) for _ in range(10)))
    given = {0: 900_000, 3: 100_000}
    for _ in range(300):  # three times what the connection's window holds
        sent = talk.says(wire.data(3, bytes(10_000)))
        given[0] -= 10_000
        given[3] -= 10_000
        talk.reads(quick)
        for stream_id, increment in updates(sent + talk.sent()):
            given[stream_id] += increment
        assert min(given.values()) >= 0
    assert slow.unread == 100_000
    assert talk.alive


@pytest.mark.rfc("9113", "5.2.1")
def test_whole_delivery_gives_the_windows_back_on_arrival() -> None:
    talk = small_windows()
    [exchange] = talk.requests(1)
    talk.says(wire.response(1))
    given = {0: 0, 1: 0}
    for _ in range(100):
        for stream_id, increment in updates(talk.says(wire.data(1, bytes(10_000)))):
            given[stream_id] += increment
    talk.says(wire.data(1, b"", end=True))
    assert len(exchange.content) == 1_000_000
    assert 900_000 < given[1] <= 1_000_000
    assert 900_000 < given[0] <= 1_000_000


@pytest.mark.rfc("9113", "5.1", "6.9")
@pytest.mark.parametrize("delivery", [0, PIECES])
@pytest.mark.parametrize("moment", ["before", "unread", "inside", "after"])
def test_cancelled_stream_gives_its_share_of_the_connections_window_back(delivery: int, moment: str) -> None:
    talk = small_windows()
    [exchange] = talk.requests(1, delivery=delivery)
    whole = talk.connection.receive_window + talk.connection.receive_consumed
    payload = wire.data(1, bytes(10_000), pad=50)
    talk.says(wire.response(1))
    if moment == "before":
        talk.cancels(exchange)
        talk.says(payload)
    elif moment == "unread":
        talk.says(payload)
        talk.cancels(exchange)
    elif moment == "inside":
        talk.hears(payload[:4_000])
        talk.cancels(exchange)
        talk.hears(payload[4_000:])
    else:
        talk.says(payload, wire.data(1, b"rest", end=True))
        talk.cancels(exchange)
    assert talk.connection.receive_window + talk.connection.receive_consumed == whole
    assert talk.rest == b""


@pytest.mark.rfc("9113", "5.4.2", "6.9")
@pytest.mark.parametrize(
    "failing",
    [
        (wire.data(1, bytes(5_000)),),  # before the field section
        (wire.response(1, ("content-length", "4999")), wire.data(1, bytes(5_000), pad=9)),
        (wire.response(1), wire.data(1, bytes(5_000)), wire.rst_stream(1)),
        (wire.response(1), wire.data(1, bytes(5_000)), wire.trailers(1, (":status", "200"))),
    ],
)
def test_content_of_a_failed_stream_is_given_back_to_the_connection(failing: tuple[bytes, ...]) -> None:
    talk = small_windows()
    [exchange] = talk.requests(1, delivery=PIECES)
    whole = talk.connection.receive_window + talk.connection.receive_consumed
    talk.says(*failing)
    assert finished(exchange)
    talk.reads(exchange)
    talk.cancels(exchange)
    assert talk.connection.receive_window + talk.connection.receive_consumed == whole


@pytest.mark.rfc("9113", "6.9.2")
def test_smaller_window_of_ours_holds_only_once_it_is_acknowledged() -> None:
    talk = Talk(None, Http2Options(stream_window=10_000))
    early, late = talk.requests(1, delivery=PIECES), None
    talk.says(wire.settings(), wire.response(1), *(wire.data(1, bytes(5_000)) for _ in range(13)))
    assert talk.alive
    assert early[0].unread == 65_000
    talk.says(wire.settings_ack())
    [late] = talk.requests(1, delivery=PIECES)
    assert resets(talk.says(wire.response(3), wire.data(3, bytes(10_001)))) == {3: wire.FLOW_CONTROL_ERROR}
    assert failure(late).code == wire.FLOW_CONTROL_ERROR


# -- what we send ----------------------------------------------------------------------------------------------------


@pytest.mark.rfc("9113", "6.9.1", "6.9.2")
@pytest.mark.parametrize("by_reference", [0, 1, 4096])
def test_content_stays_within_the_streams_window_to_the_octet(by_reference: int) -> None:
    talk = Talk({wire.INITIAL_WINDOW_SIZE: 1_000}, by_reference=by_reference)
    exchange = talk.request("POST", body=OCTETS[:5_000])
    frames = talk.sent()
    assert content(frames, 1) == OCTETS[:1_000]
    assert not any(frame.end_stream for frame in frames)
    got = content(frames, 1)
    for increment in (1, 999, 2_000):
        got += content(talk.says(wire.window_update(1, increment)), 1)
        assert got == OCTETS[: len(got)]
    assert len(got) == 4_000
    last = talk.says(wire.window_update(1, 1_000))
    assert got + content(last, 1) == OCTETS[:5_000]
    assert last[-1].end_stream
    talk.says(wire.response(1, end=True))
    assert answered(exchange)


@pytest.mark.rfc("9113", "6.9.1")
def test_content_stays_within_the_connections_window_to_the_octet() -> None:
    talk = Talk({wire.INITIAL_WINDOW_SIZE: 1 << 20})
    for _ in range(3):
        talk.request("POST", body=bytes(50_000))
    frames = talk.sent()
    assert sum(len(frame.payload) for frame in of_kind(frames, wire.DATA)) == INITIAL
    assert talk.connection.send_window == 0
    assert not talk.connection.has_output()
    frames += talk.says(wire.window_update(0, 1))
    assert sum(len(frame.payload) for frame in of_kind(frames, wire.DATA)) == INITIAL + 1
    frames += talk.says(wire.window_update(0, 150_000))
    for stream_id in (1, 3, 5):
        assert content(frames, stream_id) == bytes(50_000)
        assert of_kind(frames, wire.DATA, stream_id)[-1].end_stream


@pytest.mark.rfc("9113", "6.9.2")
def test_window_made_negative_by_settings_has_to_be_paid_back_first() -> None:
    talk = Talk({wire.INITIAL_WINDOW_SIZE: 10_000})
    talk.request("POST", body=OCTETS[:20_000])
    assert len(content(talk.sent(), 1)) == 10_000
    assert content(talk.says(wire.settings({wire.INITIAL_WINDOW_SIZE: 4_000})), 1) == b""  # -6,000
    assert content(talk.says(wire.window_update(1, 6_000)), 1) == b""
    assert content(talk.says(wire.window_update(1, 1)), 1) == OCTETS[10_000:10_001]
    assert content(talk.says(wire.settings({wire.INITIAL_WINDOW_SIZE: 0})), 1) == b""  # -4,000
    assert content(talk.says(wire.settings({wire.INITIAL_WINDOW_SIZE: 4_500})), 1) == OCTETS[10_001:10_501]
    rest = talk.says(wire.settings({wire.INITIAL_WINDOW_SIZE: MAX_WINDOW - 20_000}))
    assert content(rest, 1) == OCTETS[10_501:20_000]


@pytest.mark.rfc("9113", "6.9.2")
def test_changed_initial_window_moves_every_stream_and_not_the_connection() -> None:
    talk = Talk({wire.INITIAL_WINDOW_SIZE: 0})
    for _ in range(3):
        talk.request("POST", body=bytes(1_000))
    assert of_kind(talk.sent(), wire.DATA) == []
    sent = talk.says(wire.settings({wire.INITIAL_WINDOW_SIZE: 600}))
    assert [len(content(sent, stream_id)) for stream_id in (1, 3, 5)] == [600] * 3
    assert talk.connection.send_window == INITIAL - 1_800
    talk.request("POST", body=bytes(1_000))
    assert len(content(talk.sent(), 7)) == 600


@pytest.mark.rfc("9113", "6.9.1")
@pytest.mark.parametrize("excess", [0, 1])
def test_window_update_up_to_the_maximum_is_taken_and_beyond_is_a_flow_control_error(excess: int) -> None:
    increment = MAX_WINDOW - INITIAL + excess
    talk = Talk()
    [exchange] = talk.requests(1, method="POST", has_content=True)
    sent = talk.says(wire.window_update(0, increment))
    assert goaway_code(sent) == (wire.FLOW_CONTROL_ERROR if excess else None)
    talk = Talk()
    [exchange] = talk.requests(1, method="POST", has_content=True)
    sent = talk.says(wire.window_update(1, increment))
    assert resets(sent) == ({1: wire.FLOW_CONTROL_ERROR} if excess else {})
    assert finished(exchange) == bool(excess)
    assert talk.alive


@pytest.mark.rfc("9113", "6.9.2")
@pytest.mark.parametrize("excess", [0, 1])
def test_initial_window_that_lifts_a_stream_above_the_maximum_is_a_connection_error(excess: int) -> None:
    talk = Talk({wire.INITIAL_WINDOW_SIZE: 100})
    talk.requests(1, method="POST", has_content=True)
    talk.says(wire.window_update(1, 900))  # 1,000 open
    sent = talk.says(wire.settings({wire.INITIAL_WINDOW_SIZE: MAX_WINDOW - 900 + excess}))
    assert goaway_code(sent) == (wire.FLOW_CONTROL_ERROR if excess else None)


@pytest.mark.rfc("9113", "6.9")
def test_window_update_of_zero_is_an_error_of_what_it_was_for() -> None:
    talk = Talk()
    [exchange] = talk.requests(1)
    assert resets(talk.says(wire.window_update(1, 0))) == {1: wire.PROTOCOL_ERROR}
    assert failure(exchange).scope == "stream"
    assert goaway_code(talk.says(wire.window_update(0, 0))) == wire.PROTOCOL_ERROR


@pytest.mark.rfc("9113", "6.9")
def test_reserved_bit_of_a_window_update_is_ignored() -> None:
    talk = Talk({wire.INITIAL_WINDOW_SIZE: 0})
    talk.request("POST", body=b"content")
    talk.sent()
    sent = talk.says(wire.frame(wire.WINDOW_UPDATE, 0, 1, b"\x80\0\0\3"))
    assert content(sent, 1) == b"con"


@pytest.mark.rfc("9113", "6.9.1")
@pytest.mark.parametrize("trailers", [False, True])
@pytest.mark.parametrize("blocked", ["stream", "connection", "another stream"])
def test_end_of_a_request_needs_no_window(trailers: bool, blocked: str) -> None:
    talk = Talk({wire.INITIAL_WINDOW_SIZE: 1_000 if blocked == "stream" else 1 << 20})
    exchange = talk.request("POST", has_content=True)
    talk.sends(exchange, bytes(1_000 if blocked == "stream" else INITIAL))
    if blocked == "another stream":
        talk.request("POST", body=bytes(1_000))
        talk.sent()
    if trailers:
        talk.connection.send_trailers(exchange, (("x-sum", "1"),), talk.now)
        [last] = talk.sent()
        assert last.kind == wire.HEADERS
        assert last.end_stream
    else:
        [last] = talk.sends(exchange, b"", end=True)
        assert (last.kind, last.header.length, last.end_stream) == (wire.DATA, 0, True)


@pytest.mark.rfc("9113", "6.9")
def test_only_data_is_subject_to_flow_control() -> None:
    talk = Talk({wire.INITIAL_WINDOW_SIZE: 0})
    talk.request("POST", body=bytes(10))
    first = talk.request()
    talk.connection.ping(talk.now)
    assert [frame.name for frame in talk.sent()] == ["HEADERS", "HEADERS", "PING"]
    assert [frame.name for frame in talk.says(wire.ping())] == ["PING"]
    assert resets(talk.cancels(first)) == {3: wire.CANCEL}


# -- a wider window for content that comes very fast -----------------------------------------------------------------

MIB = 1 << 20


def downloading(talk: Talk, size: int | None, unread: int = 0) -> Exchange:
    """A response of ``size`` octets of which ``unread`` have come and were not taken yet."""
    [exchange] = talk.requests(1, delivery=PIECES)
    length = () if size is None else (("content-length", str(size)),)
    full, rest = divmod(unread, 16_384)
    talk.says(
        wire.response(1, *length), *[wire.data(1, OCTETS[:16_384])] * full, *[wire.data(1, OCTETS[:rest])] * (rest > 0)
    )
    return exchange


@pytest.mark.rfc("9113", "6.9", "6.9.1")
@pytest.mark.parametrize("excess", [0, 1])
def test_wide_window_holds_four_times_as_much_to_the_octet(excess: int) -> None:
    talk = Talk()
    exchange = downloading(talk, 40 * MIB)
    talk.connection.widen()
    assert updates(talk.sent()) == [(1, 12 * MIB)]
    talk.connection.widen()
    assert updates(talk.sent()) == []  # once
    for _ in range(16):
        assert talk.says(*[wire.data(1, OCTETS[:16_384])] * 64) == []
    assert exchange.unread == 16 * MIB
    if excess:
        assert resets(talk.says(wire.data(1, b"x"))) == {1: wire.FLOW_CONTROL_ERROR}
        return
    talk.connection.consumed(exchange, 8 * MIB - 1, talk.now)
    assert updates(talk.sent()) == []
    talk.connection.consumed(exchange, 1, talk.now)
    assert updates(talk.sent()) == [(1, 8 * MIB)]


@pytest.mark.rfc("9113", "6.9.1")
@pytest.mark.parametrize(
    ("window", "size", "unread"),
    [
        (4 * MIB, None, 0),
        (4 * MIB, 16 * MIB - 1, 0),
        (4 * MIB, 40 * MIB, MIB // 2 + 1),
        (2 * MIB - 1, 40 * MIB, 0),
        (2**29, 2**31, 0),
        (MAX_WINDOW, 2**33, 0),
    ],
    ids=["unknown length", "little left", "consumer is late", "small window", "sum too large", "largest window"],
)
def test_window_is_not_widened(window: int, size: int | None, unread: int) -> None:
    talk = Talk(options=Http2Options(stream_window=window))
    downloading(talk, size, unread)
    talk.connection.widen()
    assert updates(talk.sent()) == []


@pytest.mark.rfc("9113", "6.9.1")
@pytest.mark.parametrize(("window", "size", "unread"), [(4 * MIB, 40 * MIB, MIB // 2), (2**29 - 1, 2**31, 0)])
def test_window_is_widened_at_the_last_value_that_allows_it(window: int, size: int, unread: int) -> None:
    talk = Talk(options=Http2Options(stream_window=window))
    downloading(talk, size, unread)
    talk.connection.widen()
    assert updates(talk.sent()) == [(1, 3 * window)]


@pytest.mark.rfc("9113", "6.9.1")
def test_window_is_not_widened_beside_another_request() -> None:
    talk = Talk()
    downloading(talk, 40 * MIB)
    talk.requests(1)
    talk.connection.widen()
    assert updates(talk.sent()) == []


@pytest.mark.rfc("9113", "6.9.1")
def test_next_stream_begins_with_the_window_of_the_settings() -> None:
    talk = Talk()
    exchange = downloading(talk, 40 * MIB)
    talk.connection.widen()
    talk.cancels(exchange)
    [following] = talk.requests(1, delivery=PIECES)
    talk.says(wire.response(3), *[wire.data(3, OCTETS[:16_384])] * 256)
    assert following.unread == 4 * MIB
    talk.connection.consumed(following, 2 * MIB, talk.now)
    assert (3, 2 * MIB) in updates(talk.sent())
    talk.connection.widen()
    assert updates(talk.sent()) == []

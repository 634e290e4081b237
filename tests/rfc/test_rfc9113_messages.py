"""RFC 9113 section 8.1: what a response consists of, and 8.2, 8.3: which fields may be in it."""

from __future__ import annotations

import pytest

from deuterium._http.exchange import Exchange
from deuterium._http.phases import PIECES
from deuterium._http2.frames import Frame
from deuterium.errors import RemoteProtocolError

from . import wire
from .talk import Talk, answered, failure, finished, goaway_code, of_kind, resets

STATUS = (":status", "200")


def answer(*frames: bytes, method: str = "GET", delivery: int = 0) -> tuple[Talk, Exchange, list[Frame]]:
    talk = Talk()
    [exchange] = talk.requests(1, method=method, delivery=delivery)
    return talk, exchange, talk.says(*frames)


def malformed(*frames: bytes, method: str = "GET") -> str:
    """The frames are a stream error of type PROTOCOL_ERROR; the rule they break."""
    talk, exchange, sent = answer(*frames, method=method)
    assert resets(sent) == {1: wire.PROTOCOL_ERROR}
    error = failure(exchange)
    assert isinstance(error, RemoteProtocolError)
    assert (error.scope, error.code, error.request_processed) == ("stream", wire.PROTOCOL_ERROR, None)
    # Section 5.4.2: a stream error leaves the others alone.
    [other] = talk.requests(1)
    talk.says(wire.response(other.stream_id, ("x", "y"), end=True))
    assert answered(other)
    return str(error)


# -- 8.1 -------------------------------------------------------------------------------------------------------------


@pytest.mark.rfc("9113", "8.1")
@pytest.mark.parametrize("delivery", [0, PIECES])
def test_response_is_fields_content_and_trailers(delivery: int) -> None:
    talk, exchange, sent = answer(
        wire.response(1, ("x-field", "1"), ("x-field", "2")),
        wire.data(1, b"con"),
        wire.data(1, b""),
        wire.data(1, b"tent"),
        wire.trailers(1, ("x-sum", "7")),
        delivery=delivery,
    )
    assert answered(exchange)
    assert sent == []
    assert exchange.status == 200
    assert exchange.fields == [("x-field", "1"), ("x-field", "2")]
    assert exchange.trailers == [("x-sum", "7")]
    assert (talk.reads(exchange) if delivery else exchange.content) == b"content"
    assert talk.connection.active() == 0


@pytest.mark.rfc("9113", "8.1")
@pytest.mark.parametrize("end", ["HEADERS", "DATA", "empty DATA", "empty trailers"])
def test_response_ends_with_whatever_frame_has_end_stream(end: str) -> None:
    frames = {
        "HEADERS": (wire.response(1, end=True),),
        "DATA": (wire.response(1), wire.data(1, b"x", end=True)),
        "empty DATA": (wire.response(1), wire.data(1, b"x"), wire.data(1, end=True)),
        "empty trailers": (wire.response(1), wire.data(1, b"x"), wire.headers(1, b"", end=True)),
    }[end]
    _, exchange, _ = answer(*frames)
    assert answered(exchange)
    assert exchange.content == (b"" if end == "HEADERS" else b"x")


@pytest.mark.rfc("9113", "8.1")
def test_informational_responses_come_before_the_final_one() -> None:
    talk, exchange, sent = answer(wire.response(1, ("link", "</a>"), status=103), wire.response(1, status=100))
    assert sent == []
    assert not finished(exchange)
    assert not exchange.headers_received
    talk.says(wire.response(1, ("x", "y"), end=True))
    assert answered(exchange)
    assert exchange.informational == [(103, [("link", "</a>")]), (100, [])]
    assert (exchange.status, exchange.fields) == (200, [("x", "y")])


@pytest.mark.rfc("9113", "8.1", "8.6")
@pytest.mark.parametrize(
    "frames",
    [
        (wire.data(1, b"x"),),
        (wire.data(1, end=True),),
        (wire.response(1, status=100), wire.data(1, b"x")),
        (wire.response(1, status=100, end=True),),
        (wire.response(1, status=101),),
        (wire.response(1), wire.trailers(1, ("x", "y"), end=False)),
        (wire.response(1), wire.headers(1, b"", end=False)),
        (wire.response(1), wire.response(1, end=True)),
        (wire.response(1), wire.response(1, status=100)),
        (wire.response(1), wire.data(1, b"x"), wire.trailers(1, (":status", "200"))),
        (wire.response(1), wire.trailers(1, (":path", "/"))),
        (wire.response(1), wire.trailers(1, ("x", "y"), (":status", "200"))),
        (wire.response(1), wire.trailers(1, ("X-Upper", "y"))),
        (wire.response(1), wire.trailers(1, ("connection", "close"))),
        (wire.trailers(1, ("x", "y")),),
    ],
    ids=range(15),
)
def test_message_out_of_order_is_malformed(frames: tuple[bytes, ...]) -> None:
    malformed(*frames)


@pytest.mark.rfc("9113", "8.1", "10.5")
def test_informational_responses_are_64_at_most() -> None:
    talk, exchange, sent = answer(*(wire.response(1, status=102) for _ in range(64)))
    assert sent == []
    assert exchange.informational == [(102, [])] * 64
    assert resets(talk.says(wire.response(1, status=102))) == {1: wire.ENHANCE_YOUR_CALM}
    assert failure(exchange).code == wire.ENHANCE_YOUR_CALM
    assert talk.alive


@pytest.mark.rfc("9113", "8.1")
def test_answer_before_the_end_of_the_request_stops_the_request() -> None:
    talk = Talk({wire.INITIAL_WINDOW_SIZE: 10})
    exchange = talk.request("POST", body=bytes(100))
    talk.sent()
    sent = talk.says(wire.response(1, status=403), wire.data(1, b"no", end=True))
    assert resets(sent) == {1: wire.CANCEL}
    assert answered(exchange)
    assert (exchange.status, exchange.content) == (403, b"no")
    assert talk.says(wire.window_update(1, 1_000), wire.window_update(0, 1_000)) == []
    assert talk.sends(exchange, b"more", end=True) == []


@pytest.mark.rfc("9113", "8.1")
def test_answer_may_be_read_while_the_request_is_sent() -> None:
    talk = Talk()
    exchange = talk.request("POST", has_content=True, delivery=PIECES)
    talk.sent()
    talk.says(wire.response(1), wire.data(1, b"first"))
    assert talk.reads(exchange) == b"first"
    assert [frame.content for frame in talk.sends(exchange, b"one")] == [b"one"]
    talk.says(wire.data(1, b"second"))
    assert talk.reads(exchange) == b"second"
    assert [frame.end_stream for frame in talk.sends(exchange, b"two", end=True)] == [True]
    talk.says(wire.data(1, end=True))
    assert answered(exchange)


# -- 8.1.1: content-length -------------------------------------------------------------------------------------------


@pytest.mark.rfc("9113", "8.1.1")
@pytest.mark.parametrize("sizes", [(7,), (3, 4), (3, 0, 4, 0), (7, 0)])
@pytest.mark.parametrize("ended_by", ["DATA", "trailers", "empty DATA"])
@pytest.mark.parametrize("delivery", [0, PIECES])
def test_content_of_the_announced_length_is_taken(sizes: tuple[int, ...], ended_by: str, delivery: int) -> None:
    frames = [wire.data(1, bytes(size)) for size in sizes]
    if ended_by == "DATA":
        frames[-1] = wire.data(1, bytes(sizes[-1]), end=True, pad=3)
    elif ended_by == "trailers":
        frames.append(wire.trailers(1, ("x", "y")))
    else:
        frames.append(wire.data(1, end=True))
    talk, exchange, _ = answer(wire.response(1, ("content-length", "7")), *frames, delivery=delivery)
    assert answered(exchange)
    assert exchange.content_length == 7
    assert (talk.reads(exchange) if delivery else exchange.content) == bytes(7)


@pytest.mark.rfc("9113", "8.1.1")
@pytest.mark.parametrize("announced", [1, 7, 5_000, 40_000])
@pytest.mark.parametrize("difference", [-1, 1])
@pytest.mark.parametrize("ended_by", ["DATA", "trailers"])
def test_content_shorter_or_longer_than_announced_is_malformed(announced: int, difference: int, ended_by: str) -> None:
    size = announced + difference
    pieces = [wire.data(1, bytes(min(16_384, size - at))) for at in range(0, size, 16_384)]
    end = wire.data(1, end=True) if ended_by == "DATA" else wire.trailers(1, ("x", "y"))
    rule = malformed(wire.response(1, ("content-length", str(announced))), *pieces, end)
    assert "8.1.1" in rule


@pytest.mark.rfc("9113", "8.1.1")
@pytest.mark.rfc("9110", "6.4.1", "8.6")
@pytest.mark.parametrize(("method", "status"), [("HEAD", 200), ("HEAD", 404), ("GET", 304), ("GET", 204)])
@pytest.mark.parametrize("ended_by", ["HEADERS", "DATA", "trailers"])
def test_response_without_content_may_announce_some_and_must_have_none(method: str, status: int, ended_by: str) -> None:
    length = ("content-length", "1000")
    frames = [wire.response(1, length, status=status, end=ended_by == "HEADERS")]
    if ended_by == "DATA":
        frames.append(wire.data(1, end=True))
    elif ended_by == "trailers":
        frames.append(wire.trailers(1, ("x", "y")))
    _, exchange, _ = answer(*frames, method=method)
    assert answered(exchange)
    assert exchange.content == b""
    assert exchange.content_length == 1000
    malformed(wire.response(1, length, status=status), wire.data(1, b"x"), method=method)
    malformed(wire.response(1, length, status=status), wire.data(1, b"x", end=True), method=method)


@pytest.mark.rfc("9113", "8.1.1")
def test_content_announced_and_missing_altogether_is_malformed() -> None:
    malformed(wire.response(1, ("content-length", "1"), end=True))
    _, exchange, _ = answer(wire.response(1, ("content-length", "0"), end=True))
    assert answered(exchange)


@pytest.mark.rfc("9113", "8.5")
@pytest.mark.rfc("9110", "9.3.6")
def test_content_length_in_an_accepted_connect_means_nothing() -> None:
    talk, exchange, _ = answer(
        wire.response(1, ("content-length", "3")), wire.data(1, b"any length"), method="CONNECT", delivery=PIECES
    )
    assert not finished(exchange)
    assert talk.reads(exchange) == b"any length"
    malformed(wire.response(1, ("content-length", "3"), status=403), wire.data(1, b"four"), method="CONNECT")


# -- 8.2, 8.3 --------------------------------------------------------------------------------------------------------


@pytest.mark.rfc("9113", "8.3", "8.3.2")
@pytest.mark.parametrize(
    "fields",
    [
        (),
        (("x", "y"),),
        (("x", "y"), STATUS),
        (STATUS, STATUS),
        (STATUS, (":status", "404")),
        (STATUS, ("x", "y"), (":status", "200")),
        (STATUS, (":path", "/")),
        ((":method", "GET"), STATUS),
        (STATUS, (":unknown", "1")),
        (STATUS, (":", "1")),
        ((":Status", "200"),),
        *(
            ((":status", value),)
            for value in ("", "2", "20", "2000", "099", "000", " 200", "200 ", "+20", "2x0", "-20")
        ),
        *(((":status", value),) for value in ("\xb2\xb2\xb2", "0x1", "1e2", "2.0", "200\0")),
    ],
)
def test_pseudo_header_fields_other_than_one_legal_status_in_front_are_malformed(
    fields: tuple[tuple[str, str], ...],
) -> None:
    malformed(wire.headers(1, wire.block(*fields), end=True))


@pytest.mark.rfc("9113", "8.3.2")
@pytest.mark.parametrize("status", [200, 299, 300, 418, 599, 600, 999])
def test_final_status_of_three_digits_is_taken(status: int) -> None:
    _, exchange, _ = answer(wire.response(1, status=status, end=True))
    assert answered(exchange)
    assert exchange.status == status


@pytest.mark.rfc("9113", "8.2", "8.2.1")
@pytest.mark.parametrize(
    "name",
    [
        "Upper",
        "uppeR",
        "",
        " x",
        "x ",
        "x y",
        "x\ty",
        "x\0",
        "x\r",
        "x\n",
        "x\x7f",
        "x\x80",
        "x\xff",
        "x:",
        "x:y",
        "x(",
        'x"',
        "x/",
    ],
)
def test_field_name_that_is_no_lowercase_token_is_malformed(name: str) -> None:
    assert "8.2.1" in malformed(wire.response(1, (name, "value"), end=True))


@pytest.mark.rfc("9113", "8.2.1")
@pytest.mark.parametrize("value", [" x", "x ", "\tx", "x\t", " ", "\t", "x\0y", "x\ry", "x\ny", "\r\n", "x\r\ny: z"])
def test_field_value_with_what_splits_or_pads_it_is_malformed(value: str) -> None:
    assert "8.2.1" in malformed(wire.response(1, ("x-field", value), end=True))


@pytest.mark.rfc("9113", "8.2.1")
@pytest.mark.parametrize("value", ["", "x", "x y", "x\ty", "\xe9\xff", "!\"#$%&'()*+,-./:;<=>?@[]^_`{|}~"])
def test_field_value_of_other_octets_is_taken(value: str) -> None:
    _, exchange, _ = answer(wire.response(1, ("x-field", value), end=True))
    assert exchange.fields == [("x-field", value)]


@pytest.mark.rfc("9113", "8.2.2")
@pytest.mark.parametrize(
    "field",
    [
        ("connection", "close"),
        ("connection", ""),
        ("proxy-connection", "keep-alive"),
        ("keep-alive", "timeout=5"),
        ("transfer-encoding", "chunked"),
        ("upgrade", "h2c"),
        ("te", "gzip"),
        ("te", ""),
    ],
)
def test_connection_specific_field_is_malformed(field: tuple[str, str]) -> None:
    assert "8.2.2" in malformed(wire.response(1, field, end=True))


@pytest.mark.rfc("9110", "8.6")
@pytest.mark.parametrize(
    "values",
    [("-1",), ("+1",), ("1 2",), ("",), ("x",), ("1,1",), ("0x1",), ("1.0",), ("9" * 19,), ("1", "2"), ("1", "")],
)
def test_content_length_that_is_no_number_or_two_is_malformed(values: tuple[str, ...]) -> None:
    malformed(wire.response(1, *(("content-length", value) for value in values)))


@pytest.mark.rfc("9110", "8.6")
def test_content_length_repeated_with_the_same_value_is_taken() -> None:
    _, exchange, _ = answer(
        wire.response(1, ("content-length", "3"), ("content-length", "3")), wire.data(1, b"abc", end=True)
    )
    assert exchange.content == b"abc"


@pytest.mark.rfc("9113", "4.3", "8.1.1")
@pytest.mark.parametrize("name", ["x-Upper", "connection"])
def test_malformed_section_keeps_the_field_tables_in_step(name: str) -> None:
    """The section is refused, what it put in the dynamic table is not forgotten."""
    talk = Talk()
    _, other = talk.requests(2)
    # 0x40: literal with incremental indexing; 0xbe is then index 62, the newest entry.
    refused = b"\x40" + bytes([len(name)]) + name.encode() + b"\x01x"
    sent = talk.says(wire.headers(1, b"\x88" + refused + b"\x40\x03new\x05value"))
    assert resets(sent) == {1: wire.PROTOCOL_ERROR}
    talk.says(wire.headers(3, b"\x88\xbe", end=True))
    assert other.fields == [("new", "value")]


@pytest.mark.rfc("9113", "4.3")
def test_section_of_a_cancelled_stream_keeps_the_field_tables_in_step() -> None:
    talk = Talk()
    gone, other = talk.requests(2)
    talk.cancels(gone)
    talk.says(wire.headers(1, b"\x88\x40\x03new\x05value"), wire.headers(3, b"\x88\xbe", end=True))
    assert other.fields == [("new", "value")]


@pytest.mark.rfc("9113", "4.3")
@pytest.mark.parametrize(
    "fragment", [b"\xbe", b"\x80", b"\x88\x40", b"\xff\xff\xff\xff\xff\xff", b"\x88\x00\x81\x00\x00"]
)
def test_field_block_that_cannot_be_decoded_is_a_compression_error(fragment: bytes) -> None:
    talk, exchange, sent = answer(wire.headers(1, fragment))
    assert goaway_code(sent) == wire.COMPRESSION_ERROR
    assert failure(exchange).code == wire.COMPRESSION_ERROR
    assert of_kind(sent, wire.RST_STREAM) == []
    assert not talk.alive

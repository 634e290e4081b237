"""Server-sent events as the HTML standard interprets them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deuterium._http.events import EventParser, ServerSentEvent
from deuterium.errors import DecodingError


def parse(stream: bytes, size: int = 1_000_000) -> list[ServerSentEvent]:
    parser = EventParser()
    return [event for at in range(0, len(stream), size) for event in parser.feed(stream[at : at + size])]


# The first four are the standard's own examples.
STREAMS: list[tuple[bytes, list[ServerSentEvent]]] = [
    (b"data: YHOO\ndata: +2\ndata: 10\n\n", [ServerSentEvent(data="YHOO\n+2\n10")]),
    (
        b": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n",
        [
            ServerSentEvent(data="first event", id="1"),
            ServerSentEvent(data="second event"),
            ServerSentEvent(data=" third event"),
        ],
    ),
    (b"data\n\ndata\ndata\n\ndata:", [ServerSentEvent(data=""), ServerSentEvent(data="\n")]),
    (b"data:test\n\ndata: test\n\n", [ServerSentEvent(data="test"), ServerSentEvent(data="test")]),
    (b"\xef\xbb\xbfdata: a\n\n", [ServerSentEvent(data="a")]),
    (b"\xef\xbb\xbf\xef\xbb\xbfdata: a\n\ndata: b\n\n", [ServerSentEvent(data="b")]),
    (b"data: a\r\rdata: b\r\n\r\ndata: c\n\n", [ServerSentEvent(data=text) for text in "abc"]),
    (b"event: add\ndata: 1\n\ndata: 2\n\n", [ServerSentEvent("add", "1"), ServerSentEvent(data="2")]),
    (b"event: add\n\ndata: 2\n\n", [ServerSentEvent(data="2")]),
    (b"id: 7\n\ndata: a\n\n", [ServerSentEvent(data="a", id="7")]),
    (b"id: 7\ndata: a\n\nid: 8\0\ndata: b\n\n", [ServerSentEvent(data="a", id="7"), ServerSentEvent(data="b", id="7")]),
    (b"retry: 250\ndata: a\n\ndata: b\n\n", [ServerSentEvent(data="a", retry=250), ServerSentEvent(data="b")]),
    (b"retry: -1\ndata: a\n\n", [ServerSentEvent(data="a")]),
    (b"retry: 1e3\ndata: a\n\n", [ServerSentEvent(data="a")]),
    (b"retry: " + b"9" * 16 + b"\ndata: a\n\n", [ServerSentEvent(data="a")]),
    (b"retry: " + b"9" * 10_000 + b"\ndata: a\n\n", [ServerSentEvent(data="a")]),
    (b"Data: a\nfoo: b\ndata : c\n\n", []),
    (b"data: caf\xc3\xa9 \xff\n\n", [ServerSentEvent(data="caf\xe9 \ufffd")]),
    (b"data: a\n", []),
    (b"data: a", []),
    (b"\n\n\n", []),
    (b"", []),
    (b":" + b"x" * 1000 + b"\n\n", []),
]


@pytest.mark.parametrize(("stream", "events"), STREAMS)
@pytest.mark.parametrize("size", [1, 2, 1000])
def test_stream_is_read_as_the_standard_says_however_it_is_cut(
    stream: bytes, events: list[ServerSentEvent], size: int
) -> None:
    assert parse(stream, size) == events


@given(st.lists(st.sampled_from([b"data", b":", b" ", b"\n", b"\r", b"\r\n", b"id", b"\xef\xbb\xbf", b"x"])), st.data())
def test_cuts_never_change_the_events(parts: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(parts)
    assert parse(stream, data.draw(st.integers(1, 9))) == parse(stream)


@pytest.mark.parametrize("end", [b"\n\n", b"\r\r", b"\r\n\r\n", b"\r\n\r"])
def test_event_is_given_out_with_the_octet_that_ends_it(end: bytes) -> None:
    parser = EventParser()
    assert parser.feed(b"data: now" + end) == [ServerSentEvent(data="now")]
    assert parser.feed(b"\ndata: next\n\n") == [ServerSentEvent(data="next")]


def test_parser_keeps_what_a_reconnection_needs() -> None:
    parser = EventParser(last_event_id="3")
    assert parser.feed(b"data: a\n\n") == [ServerSentEvent(data="a", id="3")]
    parser.feed(b"id: 4\nretry: 9\n\n")
    assert (parser.last_event_id, parser.retry) == ("4", 9)


def test_data_at_the_limit_passes_and_one_octet_more_does_not() -> None:
    parser = EventParser(limit=10)
    assert parser.feed(b"data:aaaa\ndata:bbbb\n\n") == [ServerSentEvent(data="aaaa\nbbbb")]
    with pytest.raises(DecodingError, match="10 octets of data"):
        EventParser(limit=10).feed(b"data:aaaa\ndata:bbbbb\n\n")


def test_line_past_the_limit_is_refused() -> None:
    parser = EventParser(limit=10)
    parser.feed(b":" + b"x" * 9)
    with pytest.raises(DecodingError, match="longer than 10"):
        parser.feed(b"x")


def test_json_reads_the_data() -> None:
    assert ServerSentEvent(data='{"a": [1]}').json() == {"a": [1]}

"""Lines and records cut anywhere are the same lines."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deuterium._http.lines import OctetLines, RecordLines, TextLines
from deuterium.errors import DecodingError

ENDS = "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"


@given(st.lists(st.text("ab" + ENDS, max_size=6)))
def test_text_lines_in_pieces_are_those_of_splitlines(pieces: list[str]) -> None:
    lines = TextLines()
    out = [line for piece in pieces for line in lines.feed(piece)]
    assert out + lines.finish() == "".join(pieces).splitlines()


@given(st.lists(st.binary(max_size=3) | st.sampled_from([b"\r", b"\n", b"\r\n", b"a\r"])))
def test_octet_lines_in_pieces_are_those_of_splitlines(pieces: list[bytes]) -> None:
    lines = OctetLines()
    out = [line for piece in pieces for line in lines.feed(piece)]
    assert out + lines.finish() == b"".join(pieces).splitlines()


@given(st.lists(st.sampled_from([b"\r", b"\n", b" ", b"{}", b"1\n2", b"\xe2\x80\xa8"])))
def test_records_in_pieces_are_those_between_line_feeds(pieces: list[bytes]) -> None:
    records = RecordLines()
    out = [record for piece in pieces for record in records.feed(piece)]
    expected = [record for line in b"".join(pieces).split(b"\n") if (record := line.strip(b" \t\r"))]
    assert out + records.finish() == expected


@pytest.mark.parametrize("ended", [True, False])
def test_line_at_the_limit_passes_and_one_longer_does_not(ended: bool) -> None:
    end = "\n" if ended else ""
    lines = TextLines(limit=10)
    assert lines.feed("x" * 10 + end) + lines.finish() == ["x" * 10]
    with pytest.raises(DecodingError, match="longer than 10"):
        TextLines(limit=10).feed("x" * 11 + end)
    records = RecordLines(limit=10)
    assert records.feed(b"x" * 10 + end.encode()) + records.finish() == [b"x" * 10]
    with pytest.raises(DecodingError, match="longer than 10"):
        RecordLines(limit=10).feed(b"x" * 11 + end.encode())


def test_line_that_grows_past_the_limit_by_pieces_is_refused() -> None:
    lines, records = OctetLines(limit=10), RecordLines(limit=10)
    for _ in range(10):
        lines.feed(b"x")
        records.feed(b"x")
    for feed in (lines.feed, records.feed):
        with pytest.raises(DecodingError):
            feed(b"x")


def test_second_line_has_the_whole_limit_again() -> None:
    lines = OctetLines(limit=10)
    assert lines.feed(b"x" * 10) == []
    assert lines.feed(b"\n" + b"y" * 10) == [b"x" * 10]
    assert lines.feed(b"\n") == [b"y" * 10]


def test_long_line_in_small_pieces_takes_linear_time() -> None:
    lines = TextLines()
    began = time.process_time()
    for _ in range(100_000):
        lines.feed("x" * 100)
    assert lines.finish() == ["x" * 10_000_000]
    assert time.process_time() - began < 5

"""Content collected into one bytes object."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deuterium._http.body import Body


@given(st.lists(st.binary(max_size=300), max_size=20), st.integers(-1, 3_000))
def test_pieces_come_out_in_order_whatever_was_expected(pieces: list[bytes], expected: int) -> None:
    body = Body(expected)
    for piece in pieces:
        body.append(bytearray(b"before" + piece + b"behind"), 6, 6 + len(piece))
    whole = b"".join(pieces)
    assert body.filled == len(whole)
    content = body.finish()
    assert type(content) is bytes
    assert content == whole


@pytest.mark.parametrize("expected", [-1, 0, 1, 9, 10, 11, 100])
@pytest.mark.parametrize("sizes", [(10,), (3, 7), (1,) * 10, (10, 0)])
def test_more_or_less_than_expected_is_collected_all_the_same(expected: int, sizes: tuple[int, ...]) -> None:
    body = Body(expected)
    whole = b"0123456789"
    at = 0
    for size in sizes:
        body.append(bytearray(whole), at, at + size)
        at += size
    assert body.finish() == whole


def test_huge_promise_reserves_nothing_beyond_its_bound() -> None:
    body = Body(1 << 62)
    body.append(bytearray(b"small"), 0, 5)
    assert body.finish() == b"small"


@pytest.mark.parametrize(("start", "end"), [(-1, 2), (2, 1), (0, 6), (5, 6)])
def test_content_outside_its_buffer_is_refused(start: int, end: int) -> None:
    body = Body(10)
    with pytest.raises(IndexError):
        body.append(bytearray(5), start, end)
    assert body.filled == 0


def test_collector_is_empty_after_it_finished() -> None:
    body = Body(5)
    body.append(bytearray(b"first"), 0, 5)
    first = body.finish()
    body.append(bytearray(b"other"), 0, 5)
    assert body.finish() == b"other"
    assert first == b"first"

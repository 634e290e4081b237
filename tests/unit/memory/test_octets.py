"""octets.take: one copy out of a bytearray, checked once."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deuterium._memory import octets


@given(data=st.binary(max_size=300), ends=st.tuples(st.integers(0, 300), st.integers(0, 300)))
def test_take_legal_range_equals_slice(data: bytes, ends: tuple[int, int]) -> None:
    start, end = sorted(min(e, len(data)) for e in ends)
    taken = octets.take(bytearray(data), start, end)
    assert type(taken) is bytes
    assert taken == data[start:end]


def test_take_source_changed_afterwards_keeps_its_octets() -> None:
    source = bytearray(b"deuterium")
    taken = octets.take(source, 0, 9)
    source[:] = b"overwrite"
    assert taken == b"deuterium"


@pytest.mark.parametrize(("start", "end"), [(0, 0), (9, 9), (0, 9), (8, 9)])
def test_take_last_legal_bounds_copies(start: int, end: int) -> None:
    assert octets.take(bytearray(b"deuterium"), start, end) == b"deuterium"[start:end]


@pytest.mark.parametrize(("start", "end"), [(-1, 3), (4, 3), (0, 10), (10, 10), (-2, -1), (0, -1)])
def test_take_first_illegal_bounds_raises(start: int, end: int) -> None:
    with pytest.raises(IndexError):
        octets.take(bytearray(b"deuterium"), start, end)


def test_take_leaves_no_export_behind() -> None:
    source = bytearray(b"deuterium")
    octets.take(source, 1, 4)
    source.append(0)  # BufferError while a view is alive
    assert len(source) == 10


@pytest.mark.parametrize(("at", "start", "end"), [(0, 0, 0), (0, 1, 10), (1, 3, 6), (2, 2, 9), (0, 9, 10), (4, 10, 10)])
def test_move_down_is_a_copy_by_way_of_another_place(at: int, start: int, end: int) -> None:
    data = bytearray(range(10))
    moved = bytes(data[start:end])
    expected = data[:at] + moved + data[at + len(moved) :]
    octets.move_down(data, at, start, end)
    assert data == expected


@pytest.mark.parametrize(("at", "start", "end"), [(-1, 0, 1), (2, 1, 3), (0, 3, 2), (0, 5, 11)])
def test_move_down_stays_inside(at: int, start: int, end: int) -> None:
    data = bytearray(range(10))
    with pytest.raises(IndexError):
        octets.move_down(data, at, start, end)
    assert data == bytearray(range(10))

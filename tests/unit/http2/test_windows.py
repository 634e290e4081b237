"""Flow-control arithmetic against the plain rules of RFC 9113 sections 5.2 and 6.9."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deuterium._http2.windows import enlarged, sendable, update_at

MAX = 2**31 - 1
OVERFLOW = -(2**62)  # no window any sequence of legal frames can reach
EDGES = [-MAX, -1, 0, 1, 65_535, MAX - 1, MAX]


@pytest.mark.rfc("9113", "6.9.1", "6.9.2")
@pytest.mark.parametrize("window", EDGES)
@pytest.mark.parametrize("increment", [*EDGES, 2**31, 2**32 - 1, -(2**32)])
def test_enlarged_window_is_the_sum_up_to_the_maximum(window: int, increment: int) -> None:
    total = window + increment
    assert enlarged(window, increment) == (OVERFLOW if total > MAX else total)


@given(stream=st.integers(-MAX, MAX), connection=st.integers(-1, MAX), limit=st.integers(1, 2**24 - 1))
def test_sendable_octets_fit_both_windows_and_the_frame(stream: int, connection: int, limit: int) -> None:
    assert sendable(stream, connection, limit) == max(0, min(stream, connection, limit))


@pytest.mark.parametrize(
    ("consumed", "size", "due"), [(0, 2, False), (1, 2, True), (1, 3, False), (2, 3, True), (2, 4, True)]
)
def test_window_is_given_back_once_half_of_it_was_consumed(consumed: int, size: int, due: bool) -> None:
    assert (consumed >= update_at(size)) is due

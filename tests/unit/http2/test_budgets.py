"""The token bucket: never more than the burst, whatever the clock shows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deuterium._http2.budgets import Budget


def spend(budget: Budget, now: float) -> int:
    """Tokens that can be taken at one moment."""
    count = 0
    while budget.take(now):
        count += 1
    return count


@pytest.mark.parametrize("now", [0.0, 1.0, 1e6])
def test_burst_is_all_there_is_at_once_whatever_the_clock_shows(now: float) -> None:
    assert spend(Budget(10, 5), now) == 10


def test_tokens_come_back_with_time_and_never_above_the_burst() -> None:
    budget = Budget(10, 5)
    assert [spend(budget, now) for now in (100.0, 100.9, 101.0, 1e9)] == [10, 4, 1, 10]
    # A long rest buys no second burst.
    assert [spend(budget, 1e9 + 100), spend(budget, 1e9 + 100)] == [10, 0]


def test_clock_that_goes_back_gives_nothing() -> None:
    budget = Budget(1, 1)
    assert [spend(budget, now) for now in (50.0, 10.0, 50.5, 51.0)] == [1, 0, 0, 1]


def test_earned_tokens_stop_at_the_burst() -> None:
    budget = Budget(10, 0)
    assert spend(budget, 0.0) == 10
    budget.earn(3)
    assert spend(budget, 0.0) == 3
    budget.earn(1_000)
    assert spend(budget, 0.0) == 10


@given(st.lists(st.floats(0, 100), min_size=1, max_size=200))
def test_no_stretch_of_time_sees_more_than_the_burst_and_what_it_refills(gaps: list[float]) -> None:
    budget = Budget(5, 2)
    now = began = 1_000.0
    taken = 0
    for gap in gaps:
        now += gap
        taken += budget.take(now)
        assert taken <= 5 + 2 * (now - began) + 1e-6

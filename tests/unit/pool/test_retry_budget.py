"""The rolling counts and the retry budget, against a plain list of times."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deuterium._pool.retry_budget import RetryBudget
from deuterium._pool.rolling_counts import RollingCounts

STEPS = st.lists(st.tuples(st.integers(0, 1), st.floats(0.0, 4.0)), max_size=200)


@pytest.mark.parametrize(("now", "held"), [(0.0, 1), (0.5, 1), (8.99, 1), (9.99, 1), (10.0, 0), (10.5, 0), (1e6, 0)])
def test_rolling_counts_event_leaves_with_its_slot(now: float, held: int) -> None:
    counts = RollingCounts(10.0, 1)
    counts.add(0, 0.0)
    assert counts.total(0, now) == held


def test_rolling_counts_late_in_its_slot_still_stays_nine_tenths() -> None:
    counts = RollingCounts(10.0, 1)
    counts.add(0, 0.99)
    assert counts.total(0, 9.99) == 1
    assert counts.total(0, 10.0) == 0


def test_rolling_counts_clock_stepping_back_stands_still() -> None:
    counts = RollingCounts(10.0, 1)
    counts.add(0, 100.0)
    counts.add(0, 3.0)
    assert counts.total(0, 50.0) == 2
    assert counts.total(0, 109.9) == 2
    assert counts.total(0, 110.0) == 0


def test_rolling_counts_clear_forgets() -> None:
    counts = RollingCounts(10.0, 2)
    counts.add(0, 1.0)
    counts.add(1, 1.0)
    counts.clear()
    assert (counts.total(0, 1.0), counts.total(1, 1.0)) == (0, 0)


@given(STEPS, st.floats(0.1, 60.0))
def test_rolling_counts_lie_between_nine_tenths_and_the_whole_window(
    steps: list[tuple[int, float]], window_s: float
) -> None:
    counts = RollingCounts(window_s, 2)
    times: tuple[list[float], list[float]] = ([], [])
    now = 0.0
    slack = 1e-6
    for kind, pause_s in steps:
        now += pause_s
        counts.add(kind, now)
        times[kind].append(now)
        for which in (0, 1):
            at_least = sum(now - at < window_s * 0.9 - slack for at in times[which])
            at_most = sum(now - at < window_s + slack for at in times[which])
            assert at_least <= counts.total(which, now) <= at_most


@given(STEPS, st.sampled_from([0.0, 0.1, 0.2, 0.5, 1.0]), st.sampled_from([0.0, 0.3, 1.0, 10.0]))
def test_retry_budget_grants_never_more_than_share_and_minimum(
    steps: list[tuple[int, float]], share: float, minimum_per_s: float
) -> None:
    window_s = 10.0
    budget = RetryBudget(share, minimum_per_s, window_s)
    requests: list[float] = []
    granted: list[float] = []
    now = 0.0
    for kind, pause_s in steps:
        now += pause_s
        if kind == 0:
            budget.request(now)
            requests.append(now)
            continue
        if budget.take(now):
            granted.append(now)
            inside = sum(now - at < window_s * 0.9 - 1e-6 for at in granted)
            seen = sum(now - at < window_s + 1e-6 for at in requests)
            assert inside <= share * seen + minimum_per_s * window_s + 1e-6
        else:
            inside = sum(now - at < window_s + 1e-6 for at in granted)
            seen = sum(now - at < window_s * 0.9 - 1e-6 for at in requests)
            assert inside + 1 > share * seen + minimum_per_s * window_s - 1e-6, "refused although affordable"
    assert budget.taken == len(granted)
    assert budget.refused == sum(kind == 1 for kind, _ in steps) - len(granted)


@pytest.mark.parametrize(("requests", "retries"), [(0, 0), (4, 0), (5, 1), (9, 1), (10, 2), (100, 20)])
def test_retry_budget_share_of_requests_is_exact(requests: int, retries: int) -> None:
    budget = RetryBudget(0.2, 0.0, 10.0)
    for _ in range(requests):
        budget.request(0.0)
    assert sum(budget.take(0.0) for _ in range(requests + 1)) == retries


def test_retry_budget_minimum_lasts_without_requests() -> None:
    budget = RetryBudget(0.0, 2.0, 10.0)
    assert sum(budget.take(0.0) for _ in range(30)) == 20
    assert not budget.take(9.9)
    assert budget.take(10.0)


def test_retry_budget_of_a_failing_server_settles_at_the_share() -> None:
    budget = RetryBudget(0.2, 1.0, 10.0)
    sent = 0
    for number in range(60_000):
        now = number / 1000.0
        budget.request(now)
        sent += budget.take(now)
    assert 0.18 * 60_000 < sent < 0.23 * 60_000

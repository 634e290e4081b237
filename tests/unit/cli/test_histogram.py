"""The latency histogram: every duration in one bucket, every percentile within a bucket of the truth."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deuterium.cli.histogram import Histogram, bucket_of, upper_edge

# As in the module, whose own are C constants when it is compiled.
STEPS = 128
LARGEST = 2**43  # nanoseconds
BUCKETS = 37 * STEPS

DURATIONS = st.floats(min_value=0.0, max_value=LARGEST / 1e9 - 1)


def filled(durations: list[float]) -> Histogram:
    histogram = Histogram()
    for seconds in durations:
        histogram.record(seconds)
    return histogram


def test_bucket_of_the_smallest_numbers_is_the_number_itself() -> None:
    assert [bucket_of(number) for number in range(2 * STEPS)] == list(range(2 * STEPS))


def test_bucket_of_the_first_number_that_shares_one_is_shared_with_the_next() -> None:
    assert bucket_of(2 * STEPS) == bucket_of(2 * STEPS + 1) == 2 * STEPS
    assert bucket_of(2 * STEPS + 2) == 2 * STEPS + 1


def test_bucket_of_the_largest_number_is_the_last() -> None:
    assert bucket_of(LARGEST - 1) == BUCKETS - 1
    assert upper_edge(BUCKETS - 1) == LARGEST - 1


@given(st.integers(min_value=0, max_value=LARGEST - 1))
def test_bucket_holds_the_number_and_is_narrower_than_one_step_of_it(number: int) -> None:
    index = bucket_of(number)
    lower = upper_edge(index - 1) if index else -1
    assert lower < number <= upper_edge(index)
    assert upper_edge(index) - lower <= max(1, number / STEPS)


@given(st.lists(DURATIONS, min_size=1, max_size=200), st.sampled_from([0.0, 50.0, 90.0, 99.0, 99.9, 100.0]))
def test_percentile_of_any_durations_is_the_ranked_one_within_a_bucket(durations: list[float], percent: float) -> None:
    ranked = sorted(durations)[max(1, math.ceil(len(durations) * percent / 100)) - 1]
    found = filled(durations).percentile(percent)
    assert ranked - 1e-9 <= found <= ranked * (1 + 1 / STEPS) + 1e-9


@given(st.lists(DURATIONS, max_size=50), st.lists(DURATIONS, max_size=50))
def test_merged_histograms_equal_one_that_recorded_all(first: list[float], second: list[float]) -> None:
    merged = filled(first)
    merged.merge(filled(second))
    whole = filled(first + second)
    assert (merged.counts, merged.count, merged.largest, merged.smallest) == (
        whole.counts,
        whole.count,
        whole.largest,
        whole.smallest,
    )
    assert merged.mean() == pytest.approx(whole.mean())


def test_histogram_of_nothing_answers_zero() -> None:
    histogram = Histogram()
    assert (histogram.percentile(50.0), histogram.mean(), histogram.largest, histogram.count) == (0.0, 0.0, 0.0, 0)


def test_record_beyond_the_range_counts_in_the_last_bucket_and_keeps_the_maximum() -> None:
    histogram = filled([1e9])
    assert histogram.counts[BUCKETS - 1] == 1
    assert histogram.largest == histogram.percentile(99.9) == 1e9


@pytest.mark.parametrize("seconds", [-1.0, float("nan")])
def test_record_of_no_duration_at_all_counts_as_zero(seconds: float) -> None:
    histogram = filled([seconds])
    assert (histogram.count, histogram.counts[0], histogram.largest) == (1, 1, 0.0)

"""Latencies in buckets of growing width: any percentile within 0.8 %, however many were recorded."""

from __future__ import annotations

from math import ceil

# Each power of two is cut into this many buckets, so a bucket is at most 1/128 of its values wide.
STEPS = 128
# Nanoseconds; beyond it (2.4 hours) everything falls into the last bucket.
LARGEST = 2**43
BUCKETS = STEPS * (44 - 7)


class Histogram:
    """Counts durations in seconds, kept as whole nanoseconds.

    >>> histogram = Histogram()
    >>> histogram.record(0.001)
    >>> histogram.percentile(50.0)
    0.001
    """

    __slots__ = ("count", "counts", "largest", "smallest", "total")

    def __init__(self) -> None:
        self.counts = [0] * BUCKETS
        self.count = 0
        self.total = 0.0
        self.smallest = -1.0  # nothing recorded
        self.largest = 0.0

    def record(self, seconds: float) -> None:
        """One more; a negative one, which a clock set back could give, counts as none at all."""
        if not seconds > 0.0:
            seconds = 0.0
        nanoseconds = LARGEST - 1 if seconds * 1e9 >= LARGEST else int(seconds * 1e9)
        index = bucket_of(nanoseconds)
        counts = self.counts
        counts[index] += 1
        self.count += 1
        self.total += seconds
        self.largest = max(self.largest, seconds)
        if self.smallest < 0.0 or seconds < self.smallest:
            self.smallest = seconds

    def merge(self, other: Histogram) -> None:
        """Add what the other counted."""
        self.counts = [mine + theirs for mine, theirs in zip(self.counts, other.counts, strict=True)]
        self.count += other.count
        self.total += other.total
        self.largest = max(self.largest, other.largest)
        if other.count and (self.smallest < 0.0 or other.smallest < self.smallest):
            self.smallest = other.smallest

    def percentile(self, percent: float) -> float:
        """The smallest duration, rounded up to its bucket, that ``percent`` of all do not exceed; 0.0 of none."""
        wanted = max(1, ceil(self.count * percent / 100.0))
        seen = 0
        for index, count in enumerate(self.counts):
            seen += count
            if count and seen >= wanted:
                return min(self.largest, max(self.smallest, upper_edge(index) / 1e9))
        return self.largest

    def mean(self) -> float:
        """The mean, exactly; 0.0 of none."""
        return self.total / self.count if self.count else 0.0


def bucket_of(nanoseconds: int) -> int:
    """The bucket of a number below LARGEST: itself up to 255, then by its eight leading bits."""
    shift = 0
    while nanoseconds >= 2 * STEPS:
        nanoseconds >>= 1
        shift += 1
    return shift * STEPS + nanoseconds


def upper_edge(index: int) -> int:
    """The largest number of nanoseconds that falls into the bucket."""
    if index < 2 * STEPS:
        return index
    shift = index // STEPS - 1
    return ((index - shift * STEPS + 1) << shift) - 1

"""A token bucket: how much of something a peer may do before it is told to calm down."""

from __future__ import annotations


class Budget:
    """``burst`` tokens, refilled at ``per_s`` a second.

    >>> budget = Budget(2, 1.0)
    >>> [budget.take(0.0), budget.take(0.0), budget.take(0.0), budget.take(1.5)]
    [True, True, False, True]
    """

    __slots__ = ("burst", "per_s", "tokens", "updated_at")

    def __init__(self, burst: float, per_s: float) -> None:
        self.burst = burst
        self.per_s = per_s
        self.tokens = burst
        self.updated_at = 0.0

    def take(self, now: float) -> bool:
        """Spend one token; False when there is none."""
        if now > self.updated_at:
            self.tokens = min(self.burst, self.tokens + (now - self.updated_at) * self.per_s)
            self.updated_at = now
        if self.tokens < 1.0:
            return False
        self.tokens -= 1.0
        return True

    def earn(self, tokens: float) -> None:
        """Add tokens the peer earned by work of ours; never above the burst."""
        self.tokens = min(self.burst, self.tokens + tokens)

"""How often each of a few kinds of event happened within the last seconds.

The window is cut into SLOTS slots; the oldest is dropped whole. So an event counts for at least nine tenths
of the window and never for longer than the window, at constant memory and cost.
"""

from __future__ import annotations

SLOTS = 10


class RollingCounts:
    """Counts of ``kinds`` kinds of event within ``window_s`` seconds.

    A clock that steps back is taken as standing still.

    >>> counts = RollingCounts(10.0, 2)
    >>> counts.add(1, 0.0); counts.add(1, 5.0)
    >>> counts.total(1, 5.0), counts.total(1, 10.0), counts.total(0, 5.0)
    (2, 1, 0)
    """

    __slots__ = ("kinds", "slot_s", "slots", "tick", "totals")

    def __init__(self, window_s: float, kinds: int) -> None:
        self.kinds = kinds
        self.slot_s = window_s / SLOTS
        self.tick = -1
        self.slots = [0] * (kinds * SLOTS)
        self.totals = [0] * kinds

    def add(self, kind: int, now: float) -> None:
        """One event of ``kind`` happened."""
        self.add_many(kind, 1, now)

    def add_many(self, kind: int, count: int, now: float) -> None:
        """``count`` events of ``kind`` happened."""
        self.advance(now)
        self.totals[kind] += count
        self.slots[self.tick % SLOTS * self.kinds + kind] += count

    def total(self, kind: int, now: float) -> int:
        """How many events of ``kind`` the window holds."""
        self.advance(now)
        return self.totals[kind]

    def clear(self) -> None:
        """Forget every event."""
        for at in range(len(self.slots)):
            self.slots[at] = 0
        for kind in range(self.kinds):
            self.totals[kind] = 0

    def advance(self, now: float) -> None:
        """Drop what has left the window by ``now``."""
        tick = int(now / self.slot_s)
        if tick <= self.tick:
            return
        passed = tick - self.tick
        if self.tick < 0 or passed >= SLOTS:
            self.clear()
        else:
            for step in range(passed):
                start = (self.tick + 1 + step) % SLOTS * self.kinds
                for kind in range(self.kinds):
                    self.totals[kind] -= self.slots[start + kind]
                    self.slots[start + kind] = 0
        self.tick = tick

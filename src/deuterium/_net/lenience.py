"""How much longer a silent peer is waited for when it was this side that did not listen.

A timeout is about the peer. When the event loop was held up by a callback, a thread by others, or the process by a busy
machine, the answer may lie in the socket, unread, or wait for room in it. So where time was up and nobody looked, what
came meanwhile is read first, for as long as the look was late.
"""

from __future__ import annotations

HELD_UP_S = 0.01  # timers fire within a millisecond or two of what was asked for
MAX_GRACE_S = 1.0  # many round trips


class Lenience:
    """The grace of one connection's exchanges. Each is given some once: an overworked process, which is always late,
    still has timeouts.

    >>> lenience = Lenience()
    >>> lenience.allows(due=10.0, now=10.25), lenience.until
    (True, 10.5)
    >>> lenience.allows(due=10.5, now=10.5)
    False
    """

    __slots__ = ("covered", "until")

    def __init__(self) -> None:
        self.covered = 0.0  # who was due by then has waited until ``until``, and waits no longer
        self.until = 0.0

    def allows(self, due: float, now: float) -> bool:
        """Whether all that are due at ``now``, the first of them at ``due``, wait until ``until``."""
        late_s = now - max(due, self.until)
        if late_s <= HELD_UP_S:
            return False
        self.covered = now
        self.until = now + min(late_s, MAX_GRACE_S)
        return True

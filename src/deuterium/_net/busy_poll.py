"""Looking for an answer that comes at once, instead of going to sleep and being woken for it.

A server on the same machine, or beside it, answers a small request within some tens of microseconds. To put a
processor to sleep and to wake it takes as long, most of all in a virtual machine. So when a connection sends a request
while no other is under way there, the network is looked at again and again for a moment before anybody sleeps. Where
that is in vain it soon ends: each time it brought nothing, twice as many requests as before go without.
"""

from __future__ import annotations

from threading import get_ident
from time import monotonic
from typing import Any, Final

MOST_LOOKS: Final = 256  # at once: a loop's clock may stand still
MOST_SKIPPED: Final = 1024


class BusyPoll:
    """Whether to look before sleeping, for one client. ``limit_s``: for how long at most; 0 for never."""

    __slots__ = ("_penalty", "_polling", "_skip", "_thread", "answers", "limit_s", "polls")

    def __init__(self, limit_s: float) -> None:
        self.limit_s = limit_s
        self._penalty = 0
        self._skip = 0
        self._polling = False
        self._thread = 0  # that looked last
        self.polls = 0  # how often it was done
        self.answers = 0  # and brought something

    def begin(self) -> bool:
        """A request has left, the only one on its connection: whether to look for the answer, until ``end``."""
        if self._polling or self.limit_s <= 0.0:
            return False
        if self._skip > 0:
            self._skip -= 1
            return False
        self._polling = True
        self.polls += 1
        return True

    def end(self, answered: bool) -> None:
        """Something has come, or the time is up."""
        self._polling = False
        if answered:
            self.answers += 1
            self._penalty //= 2
        else:
            self._give_up()

    def look(self, poll: Any) -> Any:
        """What ``poll(0)`` brings while a thread looks for its answer; None or empty for nothing.

        Where threads take turns nobody looks: that takes the processor, and the GIL, from those about to ask.
        """
        thread = get_ident()
        if thread != self._thread:
            if self._thread:
                self._skip = self._penalty = MOST_SKIPPED
            self._thread = thread
        if not self.begin():
            return None
        until = monotonic() + self.limit_s
        ready: Any = None
        looks = 0
        try:
            while not ready and looks < MOST_LOOKS and monotonic() < until:
                looks += 1
                ready = poll(0)
        finally:
            self.end(bool(ready))
        return ready

    def _give_up(self) -> None:
        self._penalty = min(max(1, 2 * self._penalty), MOST_SKIPPED)
        self._skip = self._penalty


class TurnPoll(BusyPoll):
    """Has an event loop look at the network turn by turn, with everything else it has to do."""

    __slots__ = ("_looks", "_loop", "_scheduled", "_until")

    def __init__(self, loop: Any, limit_s: float) -> None:
        BusyPoll.__init__(self, limit_s)
        self._loop = loop
        self._until = 0.0
        self._looks = 0
        self._scheduled = False

    def watch(self) -> None:
        """A request has left, the only one on its connection."""
        if self.begin():
            self._until = monotonic() + self.limit_s
            self._looks = 0
            if not self._scheduled:
                self._schedule()

    def heard(self) -> None:
        """One of the connections received something."""
        if self._polling:
            self.end(True)

    def turn(self) -> None:
        """The loop has looked."""
        self._scheduled = False
        if not self._polling:
            return
        self._looks += 1
        if self._looks < MOST_LOOKS and monotonic() < self._until:
            self._schedule()
        else:
            self.end(False)

    def _schedule(self) -> None:
        self._scheduled = True
        self._loop.call_soon(self.turn)  # a loop with something to do does not sleep

"""Whether more connections to an origin bring more: a decision from measurements, without I/O."""

from __future__ import annotations

SHORT_S = 0.05  # how long a rate of answers is measured
LONG_S = 0.1  # how long growth waits for enough of them
ENOUGH = 1_000  # answers within LONG_S: fewer say that it is the server that takes its time
RISING = 1.1  # a rate that is this much above the one before is still on its way up
GAIN = 1.25  # by how much the last connections must have raised the rate; twice as many can double it
SETTLED_S = 60.0  # how long a finding is good for


class Growth:
    """What each number of connections achieved, of an origin whose requests wait for places.

    A server that takes its time answers more when it is asked more at once: there the answers within LONG_S are few,
    and nothing is held back. One that is busy, as this process may be itself, answers no more over more
    connections, and those cost both sides memory and time.

    >>> growth = Growth()
    >>> growth.look(1, 0, 0.0), growth.look(1, 5_000, 0.05)  # when to look again
    (0.05, 0.1)
    >>> growth.look(1, 10_000, 0.1)  # open more
    0.0
    >>> growth.look(2, 10_000, 1.0), growth.look(2, 15_100, 1.05)
    (1.05, 1.1)
    >>> growth.look(2, 20_200, 1.125)  # no more than before: the finding stands
    61.125
    """

    __slots__ = (
        "answers",
        "asked_at",
        "before",
        "connections",
        "latest_answers",
        "latest_at",
        "latest_rate",
        "rate_before",
        "settled_until",
        "since",
    )

    def __init__(self) -> None:
        self.connections = 0  # watched now
        self.since = self.asked_at = 0.0
        self.answers = 0  # there had been then
        self.latest_at = 0.0  # the same of the latest measurement, and what it found
        self.latest_answers = 0
        self.latest_rate = 0.0
        self.before = 0  # connections, fewer
        self.rate_before = 0.0  # and what they achieved, answers/s
        self.settled_until = 0.0

    def look(self, connections: int, answers: int, now: float) -> float:
        """0.0: open more. Otherwise when to look again.

        ``connections``: how many are usable; ``answers``: how many requests they have had answered in all.
        """
        if now < self.settled_until and connections >= self.connections:
            return self.settled_until
        if connections != self.connections or now > self.asked_at + 2.0 * LONG_S:
            self.connections = connections
            self.since = self.latest_at = self.asked_at = now
            self.answers = self.latest_answers = answers
            self.latest_rate = self.settled_until = 0.0
            return now + SHORT_S
        self.asked_at = now
        if now < self.latest_at + SHORT_S:
            return self.latest_at + SHORT_S
        if answers - self.answers < ENOUGH:
            if now < self.since + LONG_S:
                return self.since + LONG_S
            return self._open(connections, 0.0)
        rate = (answers - self.latest_answers) / (now - self.latest_at)
        rising = rate > RISING * self.latest_rate
        self.latest_at = now
        self.latest_answers = answers
        self.latest_rate = max(rate, self.latest_rate)
        if rising:
            return now + SHORT_S
        if self.rate_before and self.before < connections and self.latest_rate < GAIN * self.rate_before:
            self.settled_until = now + SETTLED_S
            return self.settled_until
        return self._open(connections, self.latest_rate)

    def _open(self, connections: int, rate: float) -> float:
        self.before = connections
        self.rate_before = rate
        return 0.0

"""How good a connection is for the next request, and which connection takes it.

The value of a connection is the time, in seconds, that one more request is expected to cost there; lower is
better::

    value = (1 + outstanding / CROWD) * (latency + e * FAILURE_COST_S) / (1 - e) * age

``outstanding``
    requests under way. HTTP/2 answers side by side, so they are no queue in front of the new request, and where
    there is one behind the connection it shows in the latency: they only tip the balance, and spread the load among
    equals. Finagle's peak EWMA multiplies latency by their number; ten of them then make a back end of 8 ms look as
    slow as one of 100 ms.
``latency``
    the peak EWMA of the time to a response: a slower answer is believed at once, a faster one gradually, with
    weight 1 - w where w fades over DECAY_S since the last report, or with ANSWER_WEIGHT if that is more, lest one
    hiccup of a busy connection outweigh the hundred answers that follow. So a connection that turns bad is left
    within one answer and taken back carefully. What fades also without traffic is tried again some day
    (Finagle, ``PeakEwma``). A connection with requests under way that has been silent for longer than its
    latency counts as slow as its silence: the silence is a lower bound of what the oldest request will take.
    Finagle waits for the answer instead, and a connection that stalled keeps attracting requests meanwhile.
``e``
    the share of recent requests that failed, an EWMA per report (one report weighs FAILURE_WEIGHT) that fades
    like the latency. With retries until success, a request takes 1 / (1 - e) attempts and e / (1 - e)
    failures, each of which costs FAILURE_COST_S besides its time: that sum is the formula. Without it a back
    end that fails fast looks like the fastest of all.
``age``
    1, until the last tenth of the connection's permitted age; then it rises to 2, so that the connection is
    mostly idle when its time is over.

``Balancer`` takes the better of two connections picked at random (Mitzenmacher 2001, "The Power of Two
Choices in Randomized Load Balancing"): nearly as even as looking at all, at constant cost, and without the
herd that rushes to whatever looked best a moment ago. It ejects a connection that failed EJECT_AFTER times in
a row, or more than half of the time, for EJECTION_S x the number of its ejections, at most MAX_EJECTION_S,
and never more than MAX_EJECTED_SHARE of the connections (Envoy, "Outlier detection": 5, 30 s, 300 s; its cap
is 10 % of a cluster, which here would never eject one of two). When the time is over, one request probes it:
an answer restores it, a failure ejects it again.

Fading: w = (1 + t / 8 DECAY_S)^-8, which is exp(-t / DECAY_S) to within what matters here, and needs no C
library.

Nothing here locks: whoever owns a Balancer calls it, and the scores in it, from one thread at a time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from .._net.carrier import Tally

FailureKind = Literal["reset", "timeout", "broken", "status", "refused"]
"""What ended a request: RST_STREAM, a timeout, the transport, a 5xx status, or a refusal before any work."""

DECAY_S = 10.0  # Finagle's default decay time
ANSWER_WEIGHT = 1.0 / 64.0  # of an answer faster than was known
FAILURE_WEIGHT = 1.0 / 16.0  # sixteen reports replace two thirds of what was known
FAILURE_COST_S = 1.0  # a failure costs the caller a retry with its back-off, or an error
LEAST_LATENCY_S = 1e-5  # below it, outstanding requests alone decide
CROWD = 8.0  # requests under way that weigh as much as a latency twice as long
MAX_FAILURE_SHARE = 0.99  # keeps the value finite
AGE_KNEE = 0.9
EJECT_AFTER = 5
EJECT_SHARE = 0.5
EJECT_SHARE_REPORTS = 20  # a share of fewer reports is noise
EJECTION_S = 30.0
MAX_EJECTION_S = 300.0
MAX_EJECTED_SHARE = 0.5
UNLIMITED = 2**31 - 1

HEALTHY = 0
SUSPECT = 1  # does badly; ejected as soon as the cap allows
EJECTED = 2
PROBING = 3  # ejected, and one request is out to see whether it still should be

CONDITIONS = ("healthy", "suspect", "ejected", "probing")

# A refusal is pressure rather than failure, a status may be the resource's fault and not the back end's.
WEIGHTS: dict[str, float] = {"reset": 1.0, "timeout": 1.0, "broken": 1.0, "status": 0.5, "refused": 0.5}


@dataclass(frozen=True, slots=True)
class ScoreStats:
    """What is known of one connection: times in seconds, ``value`` as the module explains it."""

    value: float
    outstanding: int
    latency_s: float
    failure_share: float
    condition: str
    answers: int
    failures: int
    ejections: int


class ConnectionScore(Tally):
    """The record of one connection. Each ``sent`` ends with one of ``answered``, ``failed``, ``cancelled``.

    ``latency_s`` is a first guess, best the round trip measured by the handshake. ``limit`` is how many
    requests may be under way at once; the owner sets it when SETTINGS_MAX_CONCURRENT_STREAMS changes, and to
    0 when the connection takes no more. ``max_age_s`` of infinity means that age does not count.
    """

    __slots__ = (
        "answers",
        "born",
        "condition",
        "ejected_until",
        "ejections",
        "failure_share",
        "failures",
        "failures_in_a_row",
        "latency_s",
        "limit",
        "max_age_s",
        "outstanding",
        "quiet_since",
        "restored_at",
        "stamp",
    )

    def __init__(
        self, now: float, latency_s: float = 0.0, max_age_s: float = float("inf"), limit: int = UNLIMITED
    ) -> None:
        self.outstanding = 0
        self.limit = limit
        self.latency_s = latency_s
        self.failure_share = 0.0
        self.stamp = now
        self.quiet_since = now
        self.born = now
        self.max_age_s = max_age_s
        self.condition = HEALTHY
        self.failures_in_a_row = 0
        self.ejected_until = 0.0
        self.restored_at = now
        self.ejections = 0
        self.answers = 0
        self.failures = 0

    def sent(self, now: float) -> None:
        """A request was handed to the connection."""
        if self.outstanding == 0:
            self.quiet_since = now
        self.outstanding += 1
        if self.condition == EJECTED:
            self.condition = PROBING

    def heard(self, now: float) -> None:
        """The peer sent something for a request under way, so the connection is not stalled."""
        self.quiet_since = now

    def answered(self, now: float, latency_s: float) -> None:
        """A request is over and had its response: its header section came after ``latency_s``."""
        if self.outstanding <= 0:
            self._ended()
        self.outstanding -= 1
        self.quiet_since = now
        weight = 1.0 if now <= self.stamp else self._fade(now)
        if latency_s >= self.latency_s * weight:
            self.latency_s = latency_s
        else:
            faded = weight if weight < 1.0 - ANSWER_WEIGHT else 1.0 - ANSWER_WEIGHT
            self.latency_s = self.latency_s * faded + (1.0 - faded) * latency_s
        self.failure_share *= weight * (1.0 - FAILURE_WEIGHT)
        self.stamp = now
        self.failures_in_a_row = 0
        self.answers += 1
        if self.condition != HEALTHY:
            self._improved(now)

    def failed(self, now: float, kind: FailureKind) -> None:
        """A request is over without a usable response."""
        step = FAILURE_WEIGHT * WEIGHTS[kind]
        self._ended()
        weight = self._fade(now)
        self.latency_s *= weight
        self.failure_share = self.failure_share * weight * (1.0 - step) + step
        self.stamp = now
        self.failures_in_a_row += 1
        self.failures += 1
        if self.condition == PROBING:
            self.eject(now)
        elif self.condition == HEALTHY and self._does_badly():
            self.condition = SUSPECT

    def cancelled(self, now: float) -> None:
        """A request is over because the caller gave it up: no judgment."""
        self._ended()
        if self.condition == PROBING:
            self.condition = EJECTED  # the probe said nothing; the next request is one
            self.ejected_until = now

    def value(self, now: float) -> float:
        """The expected cost in seconds of one more request here; lower is better."""
        weight = self._fade(now)
        latency = self.latency_s * weight
        share = self.failure_share * weight
        if self.outstanding > 0 and now - self.quiet_since > latency:
            latency = now - self.quiet_since
        latency = max(latency, LEAST_LATENCY_S)
        share = min(share, MAX_FAILURE_SHARE)
        cost = (1.0 + self.outstanding / CROWD) * (latency + share * FAILURE_COST_S) / (1.0 - share)
        late = (now - self.born) - self.max_age_s * AGE_KNEE
        if late > 0.0:
            spell = self.max_age_s * (1.0 - AGE_KNEE)
            cost *= 2.0 if late >= spell else 1.0 + late / spell
        return cost

    def does_well(self) -> bool:
        """Nothing speaks against one more request here."""
        return self.condition == HEALTHY

    def eject(self, now: float) -> None:
        """Take no request until the ejection is over; each ejection is longer than the one before."""
        last_s = min(EJECTION_S * self.ejections, MAX_EJECTION_S)
        if self.ejections and self.condition != PROBING and now - self.restored_at > last_s:
            self.ejections = 0  # it was well for longer than it had been out
        self.ejections += 1
        self.ejected_until = now + min(EJECTION_S * self.ejections, MAX_EJECTION_S)
        self.condition = EJECTED

    def stats(self, now: float) -> ScoreStats:
        """The record as plain values."""
        weight = self._fade(now)
        return ScoreStats(
            value=self.value(now),
            outstanding=self.outstanding,
            latency_s=self.latency_s * weight,
            failure_share=self.failure_share * weight,
            condition=CONDITIONS[self.condition],
            answers=self.answers,
            failures=self.failures,
            ejections=self.ejections,
        )

    def _ended(self) -> None:
        if self.outstanding <= 0:
            raise RuntimeError("more requests ended on this connection than were sent")
        self.outstanding -= 1

    def _fade(self, now: float) -> float:
        elapsed = now - self.stamp
        if elapsed <= 0.0:
            return 1.0
        weight = 1.0 / (1.0 + elapsed / (8.0 * DECAY_S))
        weight *= weight
        weight *= weight
        return weight * weight

    def _does_badly(self) -> bool:
        if self.failures_in_a_row >= EJECT_AFTER:
            return True
        return self.failure_share > EJECT_SHARE and self.answers + self.failures >= EJECT_SHARE_REPORTS

    def _improved(self, now: float) -> None:
        if self.condition == PROBING:
            self.condition = HEALTHY
            self.failure_share = 0.0
            self.restored_at = now
        elif self.condition == SUSPECT and not self._does_badly():
            self.condition = HEALTHY


class Balancer:
    """The connections of one origin, and which of them takes the next request.

    ``random`` returns floats in [0, 1), like ``random.Random(seed).random``.

    >>> balancer = Balancer(lambda: 0.0)
    >>> slow, fast = ConnectionScore(0.0, latency_s=0.5), ConnectionScore(0.0, latency_s=0.01)
    >>> balancer.add(slow); balancer.add(fast)
    >>> balancer.choose(0.0) is fast
    True
    """

    __slots__ = ("random", "scores")

    def __init__(self, random: Callable[[], float]) -> None:
        self.random = random
        self.scores: list[ConnectionScore] = []

    def add(self, score: ConnectionScore) -> None:
        """A connection was opened."""
        self.scores.append(score)

    def remove(self, score: ConnectionScore) -> None:
        """A connection was closed."""
        self.scores.remove(score)

    def choose(self, now: float) -> ConnectionScore | None:
        """The connection for the next request; None when every one is full or ejected.

        A connection whose ejection is over comes first when it is picked: the request is its probe.
        """
        scores = self.scores
        count = len(scores)
        if count == 0:
            return None
        at = 0
        other = count - 1
        if count > 2:
            at = int(self.random() * count)
            other = int(self.random() * (count - 1))
            if other >= at:
                other += 1
        # A place that cannot be taken is replaced, not left out: else its partner would win unopposed.
        at = self._next_that_takes(at, -1, now)
        if at < 0:
            return None
        first = scores[at]
        if first.condition == EJECTED:
            return first
        other = self._next_that_takes(other, at, now)
        if other < 0:
            return first
        second = scores[other]
        if second.condition == EJECTED or second.value(now) < first.value(now):
            return second
        return first

    def least_bad(self, now: float) -> ConnectionScore | None:
        """The best connection with a free place, ejected or not: for when there is no other way."""
        best: ConnectionScore | None = None
        for score in self.scores:
            if score.outstanding < score.limit and (best is None or score.value(now) < best.value(now)):
                best = score
        return best

    def _takes(self, score: ConnectionScore, now: float) -> bool:
        if score.outstanding >= score.limit:
            return False
        if score.condition == HEALTHY:
            return True
        if score.condition == SUSPECT:
            if self._ejected() + 1 > MAX_EJECTED_SHARE * len(self.scores):
                return True
            score.eject(now)
            return False
        return score.condition == EJECTED and now >= score.ejected_until

    def _ejected(self) -> int:
        ejected = 0
        for score in self.scores:
            if score.condition >= EJECTED:
                ejected += 1
        return ejected

    def _next_that_takes(self, start: int, beside: int, now: float) -> int:
        """The first place from ``start`` on, round the end, not ``beside``, that takes a request; or -1."""
        scores = self.scores
        count = len(scores)
        at = start
        for _ in range(count):
            if at != beside and self._takes(scores[at], now):
                return at
            at = at + 1 if at + 1 < count else 0
        return -1

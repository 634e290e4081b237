"""A circuit breaker: stops asking an origin that fails, and finds out when it is well again.

::

              a threshold of BreakerPolicy is crossed
    closed ────────────────────────────────────────────► open ◄─────────────┐
      ▲                                                   │                 │
      │                                                   │ open_s x        │ one probe is bad
      │                                                   │ open_growth^n   │
      │                                                   ▼                 │
      └─────────────────────────────────────────────── half-open ───────────┘
                    ``probes`` probes are good

Each request asks for a permit and reports once how it went. A permit belongs to the spell of the state it was
given in: what a request of an earlier spell has to say comes too late to count, so an answer from before the
fall closes nothing and a failure from before it does not open again what has recovered. A permit that is not
reported within ``permit_s`` counts no more; if it was a probe, its place is free again.

The window of closed is a RollingCounts (Nygard, "Release It!", 2007, for the pattern; resilience4j for rates
over a window with a minimum volume, and for slow calls). An origin that opens again sooner than it had been
open for is open for longer; one that was well for that long starts from ``open_s``.

Nothing here locks and nothing reads a clock: the owner calls a breaker and its permits from one thread at a
time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from ..config import BreakerPolicy
from ..errors import CircuitOpen
from .rolling_counts import RollingCounts

State = Literal["closed", "open", "half-open"]
Mode = Literal["obey", "force", "off"]

CLOSED = 0
OPEN = 1
HALF_OPEN = 2
STATES: tuple[State, State, State] = ("closed", "open", "half-open")

GOOD = 0
BAD = 1
SLOW = 2

MAX_GROWTH_STEPS = 64  # keeps open_growth ** n finite; max_open_s caps it long before


@dataclass(frozen=True, slots=True)
class StateChange:
    """What a hook is told: ``origin`` went from ``before`` to ``after`` at ``now``, for ``reason``."""

    origin: str
    before: State
    after: State
    now: float
    reason: str


@dataclass(frozen=True, slots=True)
class BreakerStats:
    """One breaker. ``good``, ``bad`` and ``slow`` are those of the window; the rest counts since it was made."""

    origin: str
    state: State
    good: int
    bad: int
    slow: int
    permits: int
    refused: int
    expired: int
    late: int
    opened: int
    open_until: float


@dataclass(frozen=True, slots=True)
class BreakerRecord:
    """What outlives the process: times are since the epoch, in seconds. ``openings``: spells of open in succession."""

    state: State
    open_until: float
    openings: int
    changed: float
    version: int = 0


class Permit:
    """Leave to send one request. Report exactly one of success, failure, slow and ignored.

    A success that took longer than ``slow_call_s`` counts as slow. ``ignored`` is for a request that says
    nothing about the origin, such as one its caller cancelled.
    """

    __slots__ = ("breaker", "counted", "given", "probe", "reported", "slow_call_s", "spell")

    def __init__(
        self, breaker: Breaker, given: float, spell: int, probe: bool, counted: bool, slow_call_s: float
    ) -> None:
        self.breaker = breaker
        self.given = given
        self.spell = spell
        self.probe = probe
        self.counted = counted
        self.slow_call_s = slow_call_s
        self.reported = False

    def success(self, now: float) -> None:
        """The origin answered."""
        self._report(now, SLOW if now - self.given > self.slow_call_s else GOOD)

    def slow(self, now: float) -> None:
        """The origin answered, too late by the caller's measure."""
        self._report(now, SLOW)

    def failure(self, now: float) -> None:
        """The origin failed."""
        self._report(now, BAD)

    def ignored(self, now: float) -> None:
        """The request says nothing about the origin."""
        self._report(now, -1)

    def _report(self, now: float, result: int) -> None:
        if self.reported:
            raise RuntimeError("a permit is reported once")
        self.reported = True
        if self.counted:
            self.breaker.reported(self, now, result)


class Breaker:
    """The breaker of one origin.

    >>> breaker = Breaker("https://example.org", BreakerPolicy(failures_in_a_row=2))
    >>> for _ in range(2):
    ...     breaker.allow(0.0).failure(0.0)
    >>> breaker.state_at(0.0), breaker.state_at(5.0)
    ('open', 'half-open')
    """

    __slots__ = (
        "changed",
        "closed_at",
        "expired",
        "failure_count",
        "failure_share",
        "failures_in_a_row",
        "hooks",
        "in_a_row",
        "late",
        "minimum_calls",
        "open_for_s",
        "open_until",
        "opened",
        "openings",
        "origin",
        "permits",
        "policy",
        "probes",
        "probes_good",
        "refused",
        "slow_call_s",
        "slow_share",
        "spell",
        "state",
        "version",
        "window",
    )

    def __init__(self, origin: str, policy: BreakerPolicy) -> None:
        self.origin = origin
        self.policy = policy
        # The rules as numbers that are never reached when a rule is off, so that a report compares and does not ask.
        endless = 2**31 - 1
        self.failures_in_a_row = endless if policy.failures_in_a_row is None else policy.failures_in_a_row
        self.failure_count = endless if policy.failure_count is None else policy.failure_count
        self.failure_share = 2.0 if policy.failure_share is None else policy.failure_share
        self.slow_share = 2.0 if policy.slow_share is None else policy.slow_share
        self.slow_call_s = float("inf") if policy.slow_call_s is None else policy.slow_call_s
        self.minimum_calls = policy.minimum_calls
        self.window = RollingCounts(policy.window_s, 3)
        self.state = CLOSED
        self.spell = 0
        self.in_a_row = 0
        self.openings = 0
        self.open_until = 0.0
        self.open_for_s = 0.0
        self.closed_at = float("-inf")
        self.changed = float("-inf")
        self.probes: list[Permit] = []
        self.probes_good = 0
        self.hooks: list[Callable[[StateChange], object]] = []
        self.version = 0
        self.permits = 0
        self.refused = 0
        self.expired = 0
        self.late = 0
        self.opened = 0

    def allow(self, now: float, mode: Mode = "obey", slow_call_s: float | None = None) -> Permit:
        """Leave for one request, or CircuitOpen.

        ``mode`` is the request's own: "force" sends it even if the breaker is open, and its outcome counts
        while closed; "off" sends it and counts nothing. ``slow_call_s`` replaces the policy's for this
        request.
        """
        limit_s = self.slow_call_s if slow_call_s is None else slow_call_s
        if mode == "off":
            return Permit(self, now, self.spell, False, False, limit_s)
        if self.state == OPEN and now >= self.open_until:
            self._change(HALF_OPEN, now, "the origin is probed")
        probe = False
        if self.state != CLOSED and mode != "force":
            if self.state == OPEN or not self._has_place(now):
                self.refused += 1
                raise self._refusal(now)
            probe = True
        permit = Permit(self, now, self.spell, probe, True, limit_s)
        if probe:
            self.probes.append(permit)
        self.permits += 1
        return permit

    def state_at(self, now: float) -> State:
        """The state; open turns half-open when its time is over, asked or not."""
        if self.state == OPEN and now >= self.open_until:
            return STATES[HALF_OPEN]
        return STATES[self.state]

    def on_change(self, hook: Callable[[StateChange], object]) -> None:
        """Call ``hook`` after each change of state. What it raises reaches whoever asked or reported."""
        self.hooks.append(hook)

    def trip(self, now: float, reason: str = "opened by hand") -> None:
        """Open, whatever was counted."""
        if self.state != OPEN:
            self._open(now, reason)

    def reset(self, now: float) -> None:
        """Close, and forget what was counted."""
        self.openings = 0
        self.open_for_s = 0.0
        self.window.clear()
        self.in_a_row = 0
        if self.state != CLOSED:
            self._close(now, "closed by hand")

    def stats(self, now: float) -> BreakerStats:
        """What the breaker has counted."""
        return BreakerStats(
            origin=self.origin,
            state=self.state_at(now),
            good=self.window.total(GOOD, now),
            bad=self.window.total(BAD, now),
            slow=self.window.total(SLOW, now),
            permits=self.permits,
            refused=self.refused,
            expired=self.expired,
            late=self.late,
            opened=self.opened,
            open_until=self.open_until,
        )

    def record(self, now: float, wall_now: float) -> BreakerRecord:
        """The state in times that mean the same to another process. Half-open is stored as open, and due."""
        ahead = wall_now - now
        return BreakerRecord(
            state=STATES[CLOSED] if self.state == CLOSED else STATES[OPEN],
            open_until=0.0 if self.state == CLOSED else self.open_until + ahead,
            openings=self.openings,
            changed=wall_now if self.changed == float("-inf") else self.changed + ahead,
            version=self.version,
        )

    def restore(self, record: BreakerRecord, now: float, wall_now: float) -> None:
        """Take over a stored state. No stored time opens for longer than ``max_open_s`` from now."""
        ahead = wall_now - now
        policy = self.policy
        self.version = record.version
        self.openings = min(max(record.openings, 0), MAX_GROWTH_STEPS)
        if record.state == STATES[CLOSED]:
            if self.state != CLOSED:
                self._close(now, "closed by another process")
            return
        until = min(record.open_until - ahead, now + policy.max_open_s)
        self.open_for_s = self._open_s(self.openings)
        if self.state == OPEN:
            self.open_until = until
        elif self.state == CLOSED or until > now:
            self.open_until = until
            self.opened += 1
            self._change(OPEN, now, "opened by another process")

    def reported(self, permit: Permit, now: float, result: int) -> None:
        """A permit's report; only Permit calls this."""
        if permit.probe and permit.spell == self.spell:
            if permit not in self.probes:
                self.late += 1  # it expired, and its place was given away
                return
            self.probes.remove(permit)
        if permit.spell != self.spell:
            self.late += 1
            return
        if now - permit.given > self.policy.permit_s:
            self.expired += 1
            return
        if result < 0:
            return
        if self.state == CLOSED:
            self._count(now, result)
        elif permit.probe:
            self._judge_probe(now, result)

    def _count(self, now: float, result: int) -> None:
        window = self.window
        window.add(result, now)
        if result == GOOD:
            self.in_a_row = 0
            # A good report can still complete the minimum volume.
            if window.total(BAD, now) + window.total(SLOW, now) == 0:
                return
        elif result == BAD:
            self.in_a_row += 1
        else:
            self.in_a_row = 0
        bad = window.total(BAD, now)
        slow = window.total(SLOW, now)
        calls = window.total(GOOD, now) + bad + slow
        if self.in_a_row >= self.failures_in_a_row:
            self._open(now, f"{self.in_a_row} failures in a row")
        elif bad >= self.failure_count:
            self._open(now, f"{bad} failures in the window")
        elif calls >= self.minimum_calls:
            if bad >= self.failure_share * calls:
                self._open(now, f"{bad} of {calls} calls failed")
            elif slow >= self.slow_share * calls:
                self._open(now, f"{slow} of {calls} calls were slow")

    def _judge_probe(self, now: float, result: int) -> None:
        if result != GOOD:
            self._open(now, "a probe failed" if result == BAD else "a probe was slow")
            return
        self.probes_good += 1
        if self.probes_good >= self.policy.probes:
            self._close(now, "the probes are good")

    def _open(self, now: float, reason: str) -> None:
        if self.state == CLOSED and now - self.closed_at > self.open_for_s:
            self.openings = 0
        self.openings = min(self.openings + 1, MAX_GROWTH_STEPS)
        self.open_for_s = self._open_s(self.openings)
        self.open_until = now + self.open_for_s
        self.opened += 1
        self._change(OPEN, now, reason)

    def _close(self, now: float, reason: str) -> None:
        self.closed_at = now
        self._change(CLOSED, now, reason)

    def _change(self, state: int, now: float, reason: str) -> None:
        before = self.state
        self.state = state
        self.spell += 1
        self.changed = now
        self.probes.clear()
        self.probes_good = 0
        self.window.clear()
        self.in_a_row = 0
        if self.hooks:
            change = StateChange(self.origin, STATES[before], STATES[state], now, reason)
            for hook in self.hooks:
                hook(change)

    def _open_s(self, openings: int) -> float:
        policy = self.policy
        return min(policy.max_open_s, policy.open_s * policy.open_growth ** max(openings - 1, 0))

    def _has_place(self, now: float) -> bool:
        alive = [permit for permit in self.probes if now - permit.given <= self.policy.permit_s]
        self.expired += len(self.probes) - len(alive)
        self.probes[:] = alive
        return len(alive) + self.probes_good < self.policy.probes

    def _refusal(self, now: float) -> CircuitOpen:
        if self.state == OPEN:
            state = f"open for {self.open_until - now:.3g} s more"
        else:
            state = "half-open and its probes are under way"
        return CircuitOpen(f"the breaker of {self.origin} is {state}", request_processed=False)

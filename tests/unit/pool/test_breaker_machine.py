"""The breaker against a model that keeps every report, under random use (hypothesis state machine)."""

from __future__ import annotations

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from deuterium._pool.breaker import Breaker, Permit
from deuterium.config import BreakerPolicy
from deuterium.errors import CircuitOpen

POLICIES = st.builds(
    BreakerPolicy,
    failures_in_a_row=st.sampled_from([None, 2, 3]),
    failure_count=st.sampled_from([None, 3]),
    failure_share=st.sampled_from([None, 0.5, 1.0]),
    slow_share=st.sampled_from([None, 0.5]),
    minimum_calls=st.sampled_from([1, 4]),
    window_s=st.just(10.0),
    open_s=st.sampled_from([2.0, 5.0]),
    open_growth=st.sampled_from([1.0, 2.0]),
    max_open_s=st.just(8.0),
    probes=st.sampled_from([1, 2, 3]),
    permit_s=st.sampled_from([3.0, 20.0]),
)


class BreakerMachine(RuleBasedStateMachine):
    """Times are quarters of a second, so that the model's slots are those of the window."""

    @initialize(policy=POLICIES)
    def start(self, policy: BreakerPolicy) -> None:
        self.policy = policy
        self.breaker = Breaker("origin", policy)
        self.now = 0.0
        self.state = "closed"
        self.spell = 0
        self.calls: list[tuple[float, str]] = []
        self.open_until = 0.0
        self.openings = 0
        self.open_for_s = 0.0
        self.closed_at = float("-inf")
        self.good_probes = 0
        self.out: list[tuple[Permit, dict[str, Any]]] = []

    def live_probes(self) -> int:
        return sum(
            known["probe"] and known["spell"] == self.spell and self.now - known["given"] <= self.policy.permit_s
            for _, known in self.out
        )

    @rule(quarters=st.integers(1, 24))
    def time_passes(self, quarters: int) -> None:
        self.now += quarters / 4

    @precondition(lambda self: self.state == "open")
    @rule()
    def open_time_ends(self) -> None:
        self.now = max(self.now, self.open_until)

    @precondition(lambda self: self.state == "closed" and self.openings > 0)
    @rule()
    def well_for_as_long_as_it_was_open(self) -> None:
        self.now = max(self.now, self.closed_at + self.open_for_s)

    @rule(mode=st.sampled_from(["obey", "obey", "obey", "force", "off"]))
    def ask(self, mode: Any) -> None:
        if mode != "off" and self.state == "open" and self.now >= self.open_until:
            self.move("half-open")
        places = self.policy.probes - self.good_probes - self.live_probes()
        refused = mode == "obey" and (self.state == "open" or (self.state == "half-open" and places <= 0))
        try:
            permit = self.breaker.allow(self.now, mode)
        except CircuitOpen:
            assert refused
            return
        assert not refused
        probe = mode == "obey" and self.state == "half-open"
        assert permit.probe == probe
        self.out.append((permit, {"given": self.now, "spell": self.spell, "probe": probe, "off": mode == "off"}))

    @precondition(lambda self: self.out)
    @rule(
        data=st.data(),
        result=st.sampled_from(["success", "success", "success", "failure", "failure", "slow", "ignored"]),
    )
    def report(self, data: st.DataObject, result: str) -> None:
        permit, known = self.out.pop(data.draw(st.integers(0, len(self.out) - 1)))
        getattr(permit, result)(self.now)
        stale = known["spell"] != self.spell or self.now - known["given"] > self.policy.permit_s
        if known["off"] or stale or result == "ignored":
            return
        if self.state == "closed":
            self.calls.append((self.now, result))
            if self.crossed():
                self.fall()
        elif self.state == "half-open" and known["probe"]:
            if result != "success":
                self.fall()
            else:
                self.good_probes += 1
                if self.good_probes >= self.policy.probes:
                    self.closed_at = self.now
                    self.move("closed")

    @rule()
    def trip(self) -> None:
        self.breaker.trip(self.now)
        if self.state != "open":
            self.fall()

    def crossed(self) -> bool:
        policy = self.policy
        held = [result for at, result in self.calls if int(self.now) - int(at) < 10]
        bad, slow = held.count("failure"), held.count("slow")
        row = 0
        for _, result in reversed(self.calls):
            if result != "failure":
                break
            row += 1
        if policy.failures_in_a_row is not None and row >= policy.failures_in_a_row:
            return True
        if policy.failure_count is not None and bad >= policy.failure_count:
            return True
        if len(held) < policy.minimum_calls:
            return False
        return (policy.failure_share is not None and bad > 0 and bad >= policy.failure_share * len(held)) or (
            policy.slow_share is not None and slow > 0 and slow >= policy.slow_share * len(held)
        )

    def fall(self) -> None:
        if self.state == "closed" and self.now - self.closed_at > self.open_for_s:
            self.openings = 0
        self.openings += 1
        policy = self.policy
        self.open_for_s = min(policy.max_open_s, policy.open_s * policy.open_growth ** (self.openings - 1))
        self.open_until = self.now + self.open_for_s
        self.move("open")

    def move(self, state: str) -> None:
        self.state = state
        self.spell += 1
        self.calls = []
        self.good_probes = 0

    @invariant()
    def state_is_the_models(self) -> None:
        if not hasattr(self, "state"):
            return
        due = self.state == "open" and self.now >= self.open_until
        assert self.breaker.state_at(self.now) == ("half-open" if due else self.state)
        assert self.breaker.stats(self.now).open_until == self.open_until
        assert len(self.breaker.probes) <= self.policy.probes


TestBreakerMachine = BreakerMachine.TestCase
TestBreakerMachine.settings = settings(max_examples=150, stateful_step_count=60, deadline=None)

"""Tail latency and errors of the balancer against round robin, in seeded models of bad back ends.

In one, requests come as they come; in the other each of some workers sends its next when it has its answer.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from deuterium._pool.score import Balancer, ConnectionScore


@dataclass
class Backend:
    """Serves each request after a random delay; fails a share of them after ``failure_s``."""

    mean_s: float
    failing: float = 0.0
    failure_s: float = 0.0005
    bad_from_s: float = 0.0
    bad_until_s: float = 1e9
    seen: int = 0

    def serve(self, now: float, dice: random.Random) -> tuple[float, bool]:
        self.seen += 1
        bad = self.bad_from_s <= now < self.bad_until_s
        if bad and dice.random() < self.failing:
            return self.failure_s, False
        mean_s = self.mean_s if bad else 0.005
        return mean_s * (0.5 + dice.random()), True


@dataclass
class Crowded(Backend):
    """Serves ``at_once`` requests side by side; the others wait for their turn."""

    at_once: int = 4
    free_at: list[float] = field(default_factory=list)

    def serve(self, now: float, dice: random.Random) -> tuple[float, bool]:
        takes_s, good = Backend.serve(self, now, dice)
        begin = now if len(self.free_at) < self.at_once else max(now, heapq.heappop(self.free_at))
        heapq.heappush(self.free_at, begin + takes_s)
        return begin + takes_s - now, good


@dataclass
class Outcome:
    latencies_s: list[float] = field(default_factory=list)
    errors: int = 0

    def p99_s(self) -> float:
        return sorted(self.latencies_s)[int(len(self.latencies_s) * 0.99)]


def run(backends: list[Backend], choice: str, seed: int, requests: int = 6000, per_s: float = 200.0) -> Outcome:
    """Poisson arrivals at ``per_s``; each request is served by the back end its connection leads to."""
    dice = random.Random(seed)
    arrivals: list[float] = []
    for _ in range(requests):
        arrivals.append((arrivals[-1] if arrivals else 0.0) + dice.expovariate(per_s))
    return serve(backends, choice, seed, dice, arrivals, requests, False)


def run_workers(backends: list[Backend], choice: str, seed: int, workers: int, requests: int = 4000) -> Outcome:
    """Each of ``workers`` sends its next request when the last one is answered, over connections of 100 streams."""
    return serve(backends, choice, seed, random.Random(seed), [0.0] * workers, requests, True)


def serve(
    backends: list[Backend],
    choice: str,
    seed: int,
    dice: random.Random,
    begins: list[float],
    requests: int,
    again: bool,
) -> Outcome:
    """One request at each time of ``begins``, and ``again`` when it is over."""
    balancer = Balancer(random.Random(seed + 1).random)
    scores = [ConnectionScore(0.0, latency_s=0.001, limit=100) for _ in backends]
    for score in scores:
        balancer.add(score)
    turn = 0

    def round_robin() -> int:
        nonlocal turn
        turn += 1
        return turn % len(backends)

    def scored() -> int:
        chosen = balancer.choose(now)
        assert chosen is not None
        return scores.index(chosen)

    pick: Callable[[], int] = scored if choice == "scored" else round_robin
    outcome = Outcome()
    ends: list[tuple[float, int, int, float, bool]] = []
    heapq.heapify(begins)
    for number in range(requests):
        now = heapq.heappop(begins)
        while ends and ends[0][0] <= now:
            at, _, which, latency_s, good = heapq.heappop(ends)
            if good:
                scores[which].answered(at, latency_s)
            else:
                scores[which].failed(at, "status")
        which = pick()
        latency_s, good = backends[which].serve(now, dice)
        scores[which].sent(now)
        heapq.heappush(ends, (now + latency_s, number, which, latency_s, good))
        if again:
            heapq.heappush(begins, now + latency_s)
        if good:
            outcome.latencies_s.append(latency_s)
        else:
            outcome.errors += 1
    return outcome


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_balancer_beside_a_slow_backend_cuts_the_tail(seed: int) -> None:
    def pool() -> list[Backend]:
        return [Backend(0.005), Backend(0.5)]

    scored, turns = run(pool(), "scored", seed), run(pool(), "round robin", seed)
    assert turns.p99_s() > 0.5
    assert scored.p99_s() < turns.p99_s() / 10


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_balancer_beside_a_backend_that_fails_fast_cuts_errors(seed: int) -> None:
    def pool() -> list[Backend]:
        return [Backend(0.005), Backend(0.005, failing=0.9)]

    scored, turns = run(pool(), "scored", seed), run(pool(), "round robin", seed)
    assert turns.errors > 2000
    assert scored.errors < turns.errors / 50


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_balancer_with_one_slow_and_one_failing_of_four_cuts_both(seed: int) -> None:
    def pool() -> list[Backend]:
        return [Backend(0.005), Backend(0.005), Backend(0.5), Backend(0.005, failing=0.9)]

    scored, turns = run(pool(), "scored", seed), run(pool(), "round robin", seed)
    assert scored.p99_s() < turns.p99_s() / 10
    assert scored.errors < turns.errors / 20


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_balancer_leaves_a_backend_that_stalls_before_its_first_late_answer(seed: int) -> None:
    def caught(choice: str) -> int:
        stalling = Backend(10.0, bad_from_s=10.0)
        outcome = run([Backend(0.005), stalling], choice, seed)
        return sum(latency_s > 1.0 for latency_s in outcome.latencies_s)

    assert caught("round robin") > 1000
    assert caught("scored") < 5


def test_balancer_takes_back_a_backend_that_recovered() -> None:
    failing = Backend(0.005, failing=1.0, bad_until_s=10.0)
    slow = Backend(0.5, bad_until_s=10.0)
    for recovering in (failing, slow):
        outcome = run([Backend(0.005), recovering], "scored", 4, requests=24_000)
        before = recovering.seen
        assert outcome.errors < 30
        assert before > 24_000 * 0.2, "half of the time it was well, and it got its share of that"


def test_balancer_among_equals_spreads_evenly() -> None:
    backends = [Backend(0.005) for _ in range(4)]
    run(backends, "scored", 5)
    assert min(backend.seen for backend in backends) > 6000 / 4 * 0.8


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize(("slow_s", "workers"), [(0.024, 10), (0.1, 10), (0.1, 50), (0.5, 50)])
def test_many_requests_at_once_do_not_drive_some_to_a_slower_backend(slow_s: float, workers: int, seed: int) -> None:
    def pool() -> list[Backend]:
        return [Backend(0.008), Backend(slow_s)]

    scored, turns = run_workers(pool(), "scored", seed, workers), run_workers(pool(), "round robin", seed, workers)
    assert turns.p99_s() > slow_s
    assert scored.p99_s() <= 0.012  # the slowest of the good one


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("workers", [16, 60])
def test_backends_that_queue_get_as_much_as_each_can_take(workers: int, seed: int) -> None:
    for capacities in ((4, 4), (4, 2), (4, 4, 4, 4)):
        sets: list[list[Backend]] = [[Crowded(0.008, at_once=each) for each in capacities] for _ in range(2)]
        scored = run_workers(sets[0], "scored", seed, workers)
        turns = run_workers(sets[1], "round robin", seed, workers)
        # Equals could not be served better than in turn.
        assert scored.p99_s() < turns.p99_s() * (0.9 if 2 in capacities else 1.2)
        for backend, capacity in zip(sets[0], capacities, strict=True):
            assert backend.seen == pytest.approx(4000 * capacity / sum(capacities), rel=0.1)


def test_equals_share_the_requests_of_many_workers_evenly() -> None:
    backends: list[Backend] = [Backend(0.008) for _ in range(4)]
    run_workers(backends, "scored", 6, 40)
    assert min(backend.seen for backend in backends) > 4000 / 4 * 0.9

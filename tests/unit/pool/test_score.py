"""The connection score and the balancer: single reports, one at a time."""

from __future__ import annotations

import math
import random

import pytest

from deuterium._pool.score import Balancer, ConnectionScore


def answered(score: ConnectionScore, now: float, latency_s: float) -> None:
    score.sent(now)
    score.answered(now, latency_s)


def failed(score: ConnectionScore, now: float, times: int = 1) -> None:
    for _ in range(times):
        score.sent(now)
        score.failed(now, "reset")


def pair(latency_s: float = 0.01) -> tuple[Balancer, ConnectionScore, ConnectionScore]:
    balancer = Balancer(random.Random(1).random)
    first, second = ConnectionScore(0.0, latency_s), ConnectionScore(0.0, latency_s)
    balancer.add(first)
    balancer.add(second)
    return balancer, first, second


@pytest.mark.parametrize("limit", [1, 100, 2**31 - 1])
def test_score_value_rises_with_outstanding_requests(limit: int) -> None:
    score = ConnectionScore(0.0, latency_s=0.08, limit=limit)
    values = []
    for _ in range(9):
        values.append(score.value(0.0))
        score.sent(0.0)
    assert values == pytest.approx([0.08 + 0.01 * each for each in range(9)])


def test_score_slower_answer_is_believed_at_once() -> None:
    score = ConnectionScore(0.0, latency_s=0.01)
    answered(score, 1.0, 0.5)
    assert score.latency_s == 0.5


def test_score_faster_answer_is_believed_gradually() -> None:
    score = ConnectionScore(0.0, latency_s=0.5)
    answered(score, 0.1, 0.01)
    assert 0.48 < score.latency_s < 0.5
    for step in range(600):
        answered(score, 0.2 + step * 0.1, 0.01)
    assert score.latency_s == pytest.approx(0.01, rel=0.2)


def test_score_hiccup_of_a_busy_connection_is_forgotten_after_some_hundred_answers() -> None:
    score = ConnectionScore(0.0, latency_s=0.01)
    answered(score, 0.1, 0.5)
    for step in range(1, 301):
        answered(score, 0.1 + step * 0.001, 0.01)
    assert score.latency_s == pytest.approx(0.01 + 0.49 * (63 / 64) ** 300)


@pytest.mark.parametrize("elapsed_s", [0.0, 1.0, 5.0, 10.0, 20.0])
def test_score_fading_follows_the_exponential(elapsed_s: float) -> None:
    score = ConnectionScore(0.0, latency_s=1.0)
    assert score.value(elapsed_s) == pytest.approx(math.exp(-elapsed_s / 10.0), abs=0.04)


def test_score_clock_that_steps_back_changes_nothing() -> None:
    score = ConnectionScore(100.0, latency_s=1.0)
    assert score.value(50.0) == 1.0


def test_score_silent_connection_counts_as_slow_as_its_silence() -> None:
    score = ConnectionScore(0.0, latency_s=0.01)
    score.sent(10.0)
    assert score.value(13.0) == pytest.approx(9 / 8 * 3.0)
    score.heard(13.0)
    assert score.value(13.0) < 0.03


def test_score_idle_connection_is_not_silent() -> None:
    score = ConnectionScore(0.0, latency_s=0.01)
    answered(score, 1.0, 0.01)
    assert score.value(500.0) < 0.01


def test_score_failure_costs_more_than_its_latency_says() -> None:
    fast_failing, slow = ConnectionScore(0.0, latency_s=0.001), ConnectionScore(0.0, latency_s=0.05)
    failed(fast_failing, 0.0, 2)
    answered(slow, 0.0, 0.05)
    assert fast_failing.value(0.0) > slow.value(0.0)


@pytest.mark.parametrize(("heavier", "lighter"), [("reset", "refused"), ("timeout", "status"), ("broken", "refused")])
def test_score_failure_kinds_weigh_differently(heavier: str, lighter: str) -> None:
    shares = []
    for kind in (heavier, lighter):
        score = ConnectionScore(0.0)
        score.sent(0.0)
        score.failed(0.0, kind)  # type: ignore[arg-type]
        shares.append(score.failure_share)
    assert shares[0] > shares[1]


def test_score_unknown_failure_kind_raises_and_changes_nothing() -> None:
    score = ConnectionScore(0.0)
    score.sent(0.0)
    with pytest.raises(KeyError):
        score.failed(0.0, "odd")  # type: ignore[arg-type]
    assert score.outstanding == 1


def test_score_value_stays_finite_under_endless_failures() -> None:
    score = ConnectionScore(0.0)
    failed(score, 0.0, 5000)
    assert score.value(0.0) == pytest.approx((1e-5 + 0.99) / 0.01)


@pytest.mark.parametrize(("age_s", "factor"), [(0.0, 1.0), (90.0, 1.0), (95.0, 1.5), (100.0, 2.0), (500.0, 2.0)])
def test_score_age_raises_the_value_in_the_last_tenth(age_s: float, factor: float) -> None:
    score = ConnectionScore(0.0, latency_s=1.0, max_age_s=100.0)
    plain = ConnectionScore(0.0, latency_s=1.0)
    assert score.value(age_s) == pytest.approx(plain.value(age_s) * factor)


def test_score_zero_permitted_age_is_late_at_once() -> None:
    score = ConnectionScore(0.0, latency_s=1.0, max_age_s=0.0)
    assert score.value(0.0) == 1.0
    assert score.value(1.0) == pytest.approx(2 * ConnectionScore(0.0, latency_s=1.0).value(1.0))


@pytest.mark.parametrize("end", ["answered", "failed", "cancelled"])
def test_score_more_ends_than_sent_raises(end: str) -> None:
    score = ConnectionScore(0.0)
    arguments = {"answered": (0.0, 0.1), "failed": (0.0, "reset"), "cancelled": (0.0,)}
    score.sent(0.0)
    getattr(score, end)(*arguments[end])
    with pytest.raises(RuntimeError, match="more requests ended"):
        getattr(score, end)(*arguments[end])
    assert score.outstanding == 0


def test_score_cancelled_request_is_no_judgment() -> None:
    score = ConnectionScore(0.0, latency_s=0.1)
    before = score.stats(0.0)
    score.sent(0.0)
    score.cancelled(0.0)
    assert score.stats(0.0) == before


def test_balancer_without_connections_chooses_none() -> None:
    assert Balancer(random.random).choose(0.0) is None


def test_balancer_last_free_place_is_given_and_no_more() -> None:
    balancer = Balancer(random.random)
    score = ConnectionScore(0.0, limit=2)
    balancer.add(score)
    score.sent(0.0)
    assert balancer.choose(0.0) is score
    score.sent(0.0)
    assert balancer.choose(0.0) is None
    assert balancer.least_bad(0.0) is None
    score.limit = 3
    assert balancer.choose(0.0) is score


@pytest.mark.parametrize("count", [2, 3, 16])
def test_balancer_finds_the_only_free_connection(count: int) -> None:
    balancer = Balancer(random.Random(3).random)
    scores = [ConnectionScore(0.0, limit=0) for _ in range(count)]
    for score in scores:
        balancer.add(score)
    scores[1].limit = 1
    assert all(balancer.choose(0.0) is scores[1] for _ in range(50))


def test_balancer_removed_connection_is_never_chosen() -> None:
    balancer, first, second = pair()
    balancer.remove(first)
    assert all(balancer.choose(0.0) is second for _ in range(20))


def test_balancer_two_choices_pick_every_pair() -> None:
    balancer = Balancer(random.Random(5).random)
    scores = [ConnectionScore(0.0, latency_s=0.01) for _ in range(5)]
    for score in scores:
        balancer.add(score)
    for _ in range(1000):
        chosen = balancer.choose(0.0)
        assert chosen is not None
        chosen.sent(0.0)
    assert max(score.outstanding for score in scores) - min(score.outstanding for score in scores) <= 5


def test_balancer_four_failures_eject_nothing_the_fifth_does() -> None:
    balancer, first, second = pair()
    failed(first, 0.0, 4)
    balancer.choose(0.0)
    assert first.stats(0.0).condition == "healthy"
    failed(first, 0.0)
    assert balancer.choose(0.0) is second
    assert first.stats(0.0).condition == "ejected"


def test_balancer_half_of_many_failing_ejects() -> None:
    balancer, first, second = pair()
    for _ in range(40):
        failed(first, 0.0, 4)
        answered(first, 0.0, 0.01)
    assert balancer.choose(0.0) is second
    assert first.stats(0.0).condition in ("ejected", "suspect")


def test_balancer_never_ejects_the_only_connection() -> None:
    balancer = Balancer(random.random)
    only = ConnectionScore(0.0)
    balancer.add(only)
    failed(only, 0.0, 100)
    assert balancer.choose(0.0) is only


@pytest.mark.parametrize(("count", "most"), [(1, 0), (2, 1), (3, 1), (4, 2), (7, 3)])
def test_balancer_ejects_at_most_half(count: int, most: int) -> None:
    balancer = Balancer(random.Random(7).random)
    scores = [ConnectionScore(0.0) for _ in range(count)]
    for score in scores:
        balancer.add(score)
        failed(score, 0.0, 10)
    for _ in range(200):
        assert balancer.choose(0.0) is not None
    assert sum(score.stats(0.0).condition == "ejected" for score in scores) == most


def eject_first() -> tuple[Balancer, ConnectionScore, ConnectionScore]:
    balancer, first, second = pair()
    failed(first, 0.0, 5)
    assert balancer.choose(0.0) is second
    return balancer, first, second


def test_balancer_ejection_over_sends_one_probe() -> None:
    balancer, first, second = eject_first()
    assert balancer.choose(29.9) is second
    assert balancer.choose(30.0) is first
    first.sent(30.0)
    assert all(balancer.choose(30.0) is second for _ in range(20))


def test_balancer_good_probe_restores() -> None:
    balancer, first, _ = eject_first()
    balancer.choose(30.0)
    first.sent(30.0)
    first.answered(30.1, 0.01)
    assert first.stats(30.1).condition == "healthy"
    assert first.stats(30.1).failure_share == 0.0


def test_balancer_bad_probe_ejects_for_longer() -> None:
    balancer, first, second = eject_first()
    first.sent(30.0)
    first.failed(30.0, "timeout")
    assert balancer.choose(89.9) is second
    assert balancer.choose(90.0) is first


def test_balancer_ejection_grows_to_its_cap_and_no_further() -> None:
    _, first, _ = eject_first()
    now = 30.0
    for _ in range(20):
        first.sent(now)
        first.failed(now, "reset")
        now = first.ejected_until
    assert first.ejected_until - 300.0 == pytest.approx(first.stamp)


def test_balancer_cancelled_probe_is_followed_by_another() -> None:
    balancer, first, _ = eject_first()
    first.sent(30.0)
    first.cancelled(31.0)
    assert balancer.choose(31.0) is first


def test_balancer_connection_long_well_is_ejected_like_the_first_time() -> None:
    balancer, first, _ = eject_first()
    first.sent(30.0)
    first.answered(30.0, 0.01)
    failed(first, 100.0, 5)
    balancer.choose(100.0)
    assert first.ejected_until == 130.0


def test_balancer_suspect_that_answers_again_is_not_ejected() -> None:
    balancer, first, _ = pair()
    failed(first, 0.0, 5)
    answered(first, 0.0, 0.01)
    balancer.choose(0.0)
    assert first.stats(0.0).condition == "healthy"


def test_balancer_all_ejected_or_full_offers_the_least_bad() -> None:
    balancer, first, second = eject_first()
    second.limit = 0
    assert balancer.choose(1.0) is None
    assert balancer.least_bad(1.0) is first

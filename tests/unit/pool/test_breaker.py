"""The circuit breaker: each rule with its last legal and first illegal value."""

from __future__ import annotations

from typing import Any

import pytest

from deuterium._pool.breaker import Breaker, BreakerRecord, StateChange
from deuterium.config import BreakerPolicy
from deuterium.errors import CircuitOpen

QUIET: dict[str, Any] = {"failures_in_a_row": None, "failure_share": None, "slow_share": None}


def breaker(**options: Any) -> Breaker:
    return Breaker("https://origin.test", BreakerPolicy(**options))


def report(subject: Breaker, results: str, now: float = 0.0) -> None:
    """One call per letter: g(ood), b(ad), s(low), i(gnored)."""
    verbs = {"g": "success", "b": "failure", "s": "slow", "i": "ignored"}
    for letter in results:
        getattr(subject.allow(now), verbs[letter])(now)


def opened(**options: Any) -> Breaker:
    subject = breaker(failures_in_a_row=1, **options)
    report(subject, "b")
    return subject


@pytest.mark.parametrize(
    ("options", "results", "state"),
    [
        ({"failures_in_a_row": 3}, "bb", "closed"),
        ({"failures_in_a_row": 3}, "bbb", "open"),
        ({"failures_in_a_row": 3}, "bbgbb", "closed"),
        ({"failures_in_a_row": 3}, "bbsbb", "closed"),
        ({"failures_in_a_row": 3}, "bbib", "open"),
        ({"failure_count": 3}, "bgbgg", "closed"),
        ({"failure_count": 3}, "bgbgb", "open"),
        ({"failure_share": 0.5, "minimum_calls": 4}, "bbb", "closed"),
        ({"failure_share": 0.5, "minimum_calls": 4}, "bbgg", "open"),
        ({"failure_share": 0.5, "minimum_calls": 4}, "ggbg", "closed"),
        ({"failure_share": 0.5, "minimum_calls": 4}, "ggbgb", "closed"),
        ({"failure_share": 0.5, "minimum_calls": 4}, "ggbgbb", "open"),
        ({"failure_share": 0.5, "minimum_calls": 4}, "bbbi", "closed"),
        ({"failure_share": 1.0, "minimum_calls": 2}, "gbbbb", "closed"),
        ({"slow_share": 0.5, "minimum_calls": 4}, "sss", "closed"),
        ({"slow_share": 0.5, "minimum_calls": 4}, "sgsg", "open"),
        ({"slow_share": 0.5, "minimum_calls": 4}, "sggg", "closed"),
        ({}, "b" * 100, "closed"),
        ({"slow_share": None}, "s" * 100, "closed"),
    ],
)
def test_breaker_threshold(options: dict[str, Any], results: str, state: str) -> None:
    subject = breaker(**{**QUIET, **options})
    report(subject, results[:-1])
    assert subject.state_at(0.0) == "closed"
    report(subject, results[-1])
    assert subject.state_at(0.0) == state


@pytest.mark.parametrize(("later", "state"), [(9.9, "open"), (10.0, "closed")])
def test_breaker_failures_leave_with_the_window(later: float, state: str) -> None:
    subject = breaker(**{**QUIET, "failure_count": 2, "window_s": 10.0})
    report(subject, "b", 0.0)
    report(subject, "b", later)
    assert subject.state_at(later) == state


@pytest.mark.parametrize(("took_s", "slow"), [(1.0, 0), (1.001, 1)])
def test_breaker_success_past_the_limit_counts_as_slow(took_s: float, slow: int) -> None:
    subject = breaker(slow_call_s=1.0)
    subject.allow(0.0).success(took_s)
    assert subject.stats(took_s).slow == slow


def test_breaker_request_overrides_the_slow_limit() -> None:
    subject = breaker(slow_call_s=1.0)
    subject.allow(0.0, slow_call_s=30.0).success(29.0)
    assert (subject.stats(29.0).good, subject.stats(29.0).slow) == (1, 0)


def test_breaker_open_refuses_until_its_time_is_over() -> None:
    subject = opened(open_s=5.0)
    with pytest.raises(CircuitOpen, match=r"https://origin\.test is open for 0\.1 s more") as caught:
        subject.allow(4.9)
    assert caught.value.request_processed is False
    assert caught.value.initiator == "library"
    assert subject.state_at(4.9) == "open"
    assert subject.state_at(5.0) == "half-open"
    assert subject.allow(5.0).probe


def test_breaker_half_open_sends_so_many_probes_and_no_more() -> None:
    subject = opened(probes=2)
    subject.allow(5.0)
    subject.allow(5.0)
    with pytest.raises(CircuitOpen, match="probes are under way"):
        subject.allow(5.0)
    assert subject.stats(5.0).refused == 1


def test_breaker_all_probes_good_closes() -> None:
    subject = opened(probes=2)
    first, second = subject.allow(5.0), subject.allow(5.0)
    first.success(5.1)
    assert subject.state_at(5.1) == "half-open"
    with pytest.raises(CircuitOpen):
        subject.allow(5.1)
    second.success(5.2)
    assert subject.state_at(5.2) == "closed"


@pytest.mark.parametrize("verb", ["failure", "slow"])
def test_breaker_one_bad_probe_opens_for_longer(verb: str) -> None:
    subject = opened(probes=2, open_s=5.0, open_growth=3.0)
    first, second = subject.allow(5.0), subject.allow(5.0)
    first.success(5.0)
    getattr(second, verb)(6.0)
    assert subject.state_at(20.9) == "open"
    assert subject.state_at(21.0) == "half-open"


def test_breaker_open_time_grows_to_its_cap_and_no_further() -> None:
    subject = opened(open_s=1.0, open_growth=10.0, max_open_s=50.0, probes=1)
    spells = [subject.open_until]
    for _ in range(400):
        now = subject.open_until
        subject.allow(now).failure(now)
        spells.append(subject.open_until - now)
    assert spells[:4] == pytest.approx([1.0, 10.0, 50.0, 50.0])
    assert spells[-1] == 50.0


@pytest.mark.parametrize(("well_s", "open_s"), [(5.0, 10.0), (5.1, 5.0)])
def test_breaker_growth_is_forgotten_after_as_long_well_as_open(well_s: float, open_s: float) -> None:
    subject = opened(open_s=5.0, probes=1)
    subject.allow(5.0).success(5.0)
    report(subject, "b", 5.0 + well_s)
    assert subject.open_until - (5.0 + well_s) == pytest.approx(open_s)


def test_breaker_ignored_probe_gives_its_place_back() -> None:
    subject = opened(probes=1)
    subject.allow(5.0).ignored(5.0)
    assert subject.allow(5.0).probe


@pytest.mark.parametrize(("later", "free"), [(65.0, False), (65.1, True)])
def test_breaker_probe_never_reported_expires(later: float, free: bool) -> None:
    subject = opened(probes=1, permit_s=60.0)
    lost = subject.allow(5.0)
    if not free:
        with pytest.raises(CircuitOpen):
            subject.allow(later)
        return
    subject.allow(later)
    lost.failure(later)
    assert subject.state_at(later) == "half-open"
    assert (subject.stats(later).expired, subject.stats(later).late) == (1, 1)


@pytest.mark.parametrize(("later", "bad"), [(60.0, 1), (60.1, 0)])
def test_breaker_report_after_expiry_does_not_count(later: float, bad: int) -> None:
    subject = breaker(permit_s=60.0)
    subject.allow(0.0).failure(later)
    assert subject.stats(later).bad == bad


@pytest.mark.parametrize("second", ["success", "failure", "slow", "ignored"])
@pytest.mark.parametrize("first", ["success", "failure", "slow", "ignored"])
def test_permit_reported_twice_raises_and_counts_once(first: str, second: str) -> None:
    subject = breaker()
    permit = subject.allow(0.0)
    getattr(permit, first)(0.0)
    before = subject.stats(0.0)
    with pytest.raises(RuntimeError, match="once"):
        getattr(permit, second)(0.0)
    assert subject.stats(0.0) == before


def test_breaker_report_of_an_earlier_spell_changes_nothing() -> None:
    subject = breaker(failures_in_a_row=1, probes=1)
    early_bad, early_good = subject.allow(0.0), subject.allow(0.0)
    report(subject, "b")
    early_good.success(1.0)
    assert subject.state_at(1.0) == "open"
    subject.allow(5.0).success(5.0)
    early_bad.failure(6.0)
    assert subject.state_at(6.0) == "closed"
    assert subject.stats(6.0).late == 2


def test_breaker_forced_request_goes_through_and_changes_nothing_while_open() -> None:
    subject = opened()
    subject.allow(1.0, mode="force").success(1.0)
    assert subject.state_at(1.0) == "open"
    subject.allow(1.0, mode="force").failure(1.0)
    assert subject.open_until == 5.0


def test_breaker_forced_request_takes_no_probe_place() -> None:
    subject = opened(probes=1)
    subject.allow(5.0, mode="force").failure(5.0)
    assert subject.state_at(5.0) == "half-open"
    assert subject.allow(5.0).probe


def test_breaker_forced_request_counts_while_closed() -> None:
    subject = breaker(failures_in_a_row=1)
    subject.allow(0.0, mode="force").failure(0.0)
    assert subject.state_at(0.0) == "open"


def test_breaker_off_for_a_request_counts_nothing() -> None:
    subject = breaker(failures_in_a_row=1)
    subject.allow(0.0, mode="off").failure(0.0)
    assert subject.state_at(0.0) == "closed"
    subject.trip(0.0)
    subject.allow(0.0, mode="off").success(0.0)
    assert subject.stats(0.0).permits == 0


def test_breaker_hooks_are_told_every_change() -> None:
    subject = breaker(failures_in_a_row=2, probes=1)
    seen: list[StateChange] = []
    subject.on_change(seen.append)
    report(subject, "bb", 1.0)
    subject.allow(6.0).success(6.5)
    assert [(change.before, change.after, change.now) for change in seen] == [
        ("closed", "open", 1.0),
        ("open", "half-open", 6.0),
        ("half-open", "closed", 6.5),
    ]
    assert seen[0].reason == "2 failures in a row"
    assert seen[0].origin == "https://origin.test"


def test_breaker_hook_that_raises_leaves_the_change_made() -> None:
    subject = breaker(failures_in_a_row=1)

    def hook(change: StateChange) -> None:
        raise ZeroDivisionError

    subject.on_change(hook)
    with pytest.raises(ZeroDivisionError):
        report(subject, "b")
    assert subject.state_at(0.0) == "open"


def test_breaker_by_hand() -> None:
    subject = breaker(failures_in_a_row=3)
    subject.trip(0.0)
    assert subject.state_at(0.0) == "open"
    subject.trip(1.0)
    assert subject.open_until == 5.0
    subject.reset(2.0)
    assert subject.state_at(2.0) == "closed"
    report(subject, "bb", 2.0)
    subject.reset(2.0)
    report(subject, "bb", 2.0)
    assert subject.state_at(2.0) == "closed"


def test_breaker_record_moves_to_another_clock() -> None:
    subject = opened(open_s=5.0)
    record = subject.record(now=1.0, wall_now=1001.0)
    assert (record.state, record.open_until, record.openings) == ("open", 1005.0, 1)
    other = breaker(open_s=5.0)
    other.restore(record, now=50.0, wall_now=1002.0)
    assert other.state_at(52.9) == "open"
    assert other.state_at(53.0) == "half-open"
    other.allow(53.0).failure(53.0)
    assert other.open_until == 63.0, "the growth goes on where the other process was"


def test_breaker_record_of_half_open_is_open_and_due() -> None:
    subject = opened()
    subject.allow(5.0)
    record = subject.record(6.0, 106.0)
    assert (record.state, record.open_until) == ("open", 105.0)


def test_breaker_record_of_closed_closes_another() -> None:
    other = opened()
    other.restore(breaker().record(0.0, 100.0), 1.0, 101.0)
    assert other.state_at(1.0) == "closed"


def test_breaker_stored_time_far_ahead_is_capped() -> None:
    subject = breaker(max_open_s=60.0)
    subject.restore(BreakerRecord("open", 1e18, 10**6, 0.0), 0.0, 1000.0)
    assert subject.state_at(59.9) == "open"
    assert subject.state_at(60.0) == "half-open"

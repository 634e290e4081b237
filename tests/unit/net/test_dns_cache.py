"""The DNS cache: lives, shared resolutions, failures, bounds."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deuterium._net.dns_cache import DnsCache, Failed, Found, Resolve, Ticket, Wait

NAME = "origin.test"
ONE, TWO = "192.0.2.1", "192.0.2.2"


class Sleeper:
    def __init__(self, then: Callable[[], object] = lambda: None) -> None:
        self.woken = 0
        self.then = then

    def wake(self) -> None:
        self.woken += 1
        self.then()


def start(cache: DnsCache[str], now: float = 0.0) -> Ticket[str]:
    decision = cache.look_up(NAME, now, Sleeper())
    assert isinstance(decision, Resolve)
    return decision.ticket


def wait(cache: DnsCache[str], now: float = 0.0) -> tuple[Ticket[str], Sleeper]:
    sleeper = Sleeper()
    decision = cache.look_up(NAME, now, sleeper)
    assert isinstance(decision, Wait)
    return decision.ticket, sleeper


def known(now: float = 0.0, **options: float) -> DnsCache[str]:
    cache: DnsCache[str] = DnsCache(**options)  # type: ignore[arg-type]
    cache.resolved(start(cache, now), [ONE, TWO], now)
    return cache


@pytest.mark.parametrize(("now", "held"), [(0.0, True), (59.9, True), (60.0, False), (1e9, False)])
def test_dns_cache_answer_lives_as_long_as_told(now: float, held: bool) -> None:
    decision = known(life_s=60.0).look_up(NAME, now, Sleeper())
    assert decision == Found((ONE, TWO)) if held else isinstance(decision, Resolve)


@pytest.mark.parametrize(("life_s", "until"), [(5.0, 5.0), (600.0, 60.0), (0.0, 0.0), (-1.0, 0.0)])
def test_dns_cache_time_to_live_of_the_resolver_is_capped(life_s: float, until: float) -> None:
    cache: DnsCache[str] = DnsCache(life_s=60.0)
    cache.resolved(start(cache), [ONE], 0.0, life_s)
    if until:
        assert isinstance(cache.look_up(NAME, until - 0.1, Sleeper()), Found)
    assert isinstance(cache.look_up(NAME, until, Sleeper()), Resolve)


def test_dns_cache_concurrent_callers_share_one_resolution() -> None:
    cache: DnsCache[str] = DnsCache()
    mine = start(cache)
    others = [wait(cache) for _ in range(3)]
    cache.resolved(mine, [ONE], 0.1)
    assert all(ticket.result == Found((ONE,)) and sleeper.woken == 1 for ticket, sleeper in others)
    assert (cache.stats().misses, cache.stats().shared, cache.stats().resolving) == (1, 3, 0)


def test_dns_cache_that_keeps_nothing_still_shares() -> None:
    cache: DnsCache[str] = DnsCache(life_s=0.0)
    mine = start(cache)
    ticket, _ = wait(cache)
    cache.resolved(mine, [ONE], 0.0)
    assert ticket.result == Found((ONE,))
    assert isinstance(cache.look_up(NAME, 0.0, Sleeper()), Resolve)


def test_dns_cache_names_are_resolved_apart() -> None:
    cache: DnsCache[str] = DnsCache()
    start(cache)
    assert isinstance(cache.look_up("other.test", 0.0, Sleeper()), Resolve)


@pytest.mark.parametrize(("now", "held"), [(2.9, True), (3.0, False)])
def test_dns_cache_failure_is_kept_shortly(now: float, held: bool) -> None:
    cache: DnsCache[str] = DnsCache(negative_life_s=3.0)
    error = OSError("no such name")
    mine = start(cache)
    ticket, sleeper = wait(cache)
    cache.failed(mine, error, 0.0)
    assert ticket.result == Failed(error)
    assert sleeper.woken == 1
    decision = cache.look_up(NAME, now, Sleeper())
    assert decision == Failed(error) if held else isinstance(decision, Resolve)


def test_dns_cache_no_address_is_a_failure() -> None:
    cache: DnsCache[str] = DnsCache()
    cache.resolved(start(cache), [], 0.0)
    decision = cache.look_up(NAME, 0.0, Sleeper())
    assert isinstance(decision, Failed)
    assert NAME in str(decision.error)


@pytest.mark.rfc("8767", "4")
@pytest.mark.parametrize(("now", "served"), [(60.0, True), (359.9, True), (360.0, False)])
def test_dns_cache_stale_answer_serves_while_the_resolver_is_down(now: float, served: bool) -> None:
    cache = known(life_s=60.0, stale_life_s=300.0)
    mine = start(cache, now)
    ticket, _ = wait(cache, now)
    error = OSError("resolver down")
    cache.failed(mine, error, now)
    expected = Found((ONE, TWO), stale=True) if served else Failed(error)
    assert ticket.result == expected
    assert cache.look_up(NAME, now, Sleeper()) == expected
    assert isinstance(cache.look_up(NAME, now + 3.0, Sleeper()), Resolve), "and asks again soon"


def test_dns_cache_recovery_replaces_the_failure() -> None:
    cache = known()
    cache.failed(start(cache, 60.0), OSError(), 60.0)
    cache.resolved(start(cache, 63.0), [TWO], 63.0)
    assert cache.look_up(NAME, 63.0, Sleeper()) == Found((TWO,))


def test_dns_cache_abandoned_resolution_goes_to_the_first_waiter() -> None:
    cache: DnsCache[str] = DnsCache()
    mine = start(cache)
    decisions: list[object] = []
    for _ in range(3):
        cache.look_up(NAME, 0.0, Sleeper(lambda: decisions.append(cache.look_up(NAME, 1.0, Sleeper()))))
    cache.abandoned(mine)
    assert [type(decision).__name__ for decision in decisions] == ["Resolve", "Wait", "Wait"]
    assert mine.result is None


@pytest.mark.parametrize(("now", "lost"), [(30.0, False), (30.1, True)])
def test_dns_cache_resolution_never_reported_is_taken_over(now: float, lost: bool) -> None:
    cache: DnsCache[str] = DnsCache()
    old = start(cache)
    _, sleeper = wait(cache)
    decision = cache.look_up(NAME, now, Sleeper())
    assert isinstance(decision, Resolve if lost else Wait)
    assert sleeper.woken == lost
    assert cache.stats().lost == lost
    if isinstance(decision, Resolve):
        cache.resolved(decision.ticket, [TWO], now)
        cache.failed(old, OSError("late"), now)
        assert cache.look_up(NAME, now, Sleeper()) == Found((TWO,)), "the late failure changes nothing"
        assert sleeper.woken == 1


def test_dns_cache_late_answer_of_a_lost_resolution_is_still_an_answer() -> None:
    cache: DnsCache[str] = DnsCache()
    old = start(cache)
    new = start(cache, 31.0)
    cache.resolved(old, [ONE], 32.0)
    assert cache.look_up(NAME, 32.0, Sleeper()) == Found((ONE,))
    cache.resolved(new, [TWO], 33.0)
    assert cache.look_up(NAME, 33.0, Sleeper()) == Found((TWO,))


def test_dns_cache_waiter_that_left_is_not_woken() -> None:
    cache: DnsCache[str] = DnsCache()
    mine = start(cache)
    ticket, gone = wait(cache)
    _, stays = wait(cache)
    cache.leave(ticket, gone)
    cache.leave(ticket, gone)
    cache.resolved(mine, [ONE], 0.0)
    assert (gone.woken, stays.woken) == (0, 1)


def test_dns_cache_second_report_of_a_ticket_wakes_nobody_again() -> None:
    cache: DnsCache[str] = DnsCache()
    mine = start(cache)
    _, sleeper = wait(cache)
    cache.resolved(mine, [ONE], 0.0)
    cache.failed(mine, OSError(), 0.0)
    cache.abandoned(mine)
    assert sleeper.woken == 1
    assert cache.look_up(NAME, 0.0, Sleeper()) == Found((ONE,))


def test_dns_cache_unreachable_address_is_tried_last() -> None:
    cache = known()
    cache.demote(NAME, ONE)
    assert cache.look_up(NAME, 1.0, Sleeper()) == Found((TWO, ONE))
    cache.demote(NAME, "192.0.2.9")
    cache.demote("other.test", ONE)
    assert cache.look_up(NAME, 1.0, Sleeper()) == Found((TWO, ONE))


def test_dns_cache_forgotten_name_is_resolved_anew_and_kept_in_reserve() -> None:
    cache = known()
    cache.forget(NAME)
    cache.failed(start(cache, 1.0), OSError(), 1.0)
    assert cache.look_up(NAME, 1.0, Sleeper()) == Found((ONE, TWO), stale=True)


def test_dns_cache_last_place_is_kept_and_the_next_evicts_the_least_used() -> None:
    cache: DnsCache[str] = DnsCache(max_names=2)
    for name in ("a", "b", "c"):
        if name == "c":
            assert cache.stats().evicted == 0
            cache.look_up("a", 0.0, Sleeper())
        decision = cache.look_up(name, 0.0, Sleeper())
        assert isinstance(decision, Resolve)
        cache.resolved(decision.ticket, [ONE], 0.0)
    assert cache.stats().evicted == 1
    assert isinstance(cache.look_up("a", 0.0, Sleeper()), Found)
    assert isinstance(cache.look_up("b", 0.0, Sleeper()), Resolve)


def test_dns_cache_without_a_place_raises() -> None:
    with pytest.raises(ValueError, match="max_names"):
        DnsCache(max_names=0)


@given(st.lists(st.tuples(st.sampled_from(["ask", "resolved", "failed", "abandoned"]), st.floats(0, 20)), max_size=60))
def test_dns_cache_every_waiter_is_woken_once_and_one_resolves_at_a_time(steps: list[tuple[str, float]]) -> None:
    cache: DnsCache[str] = DnsCache(life_s=5.0, stale_life_s=0.0)
    resolving: list[Ticket[str]] = []
    sleepers: list[Sleeper] = []
    now = 0.0
    for step, pause_s in steps:
        now += pause_s
        if step == "ask":
            sleeper = Sleeper()
            decision = cache.look_up(NAME, now, sleeper)
            if isinstance(decision, Resolve):
                assert all(ticket.over or now - ticket.since > 30.0 for ticket in resolving)
                resolving.append(decision.ticket)
            elif isinstance(decision, Wait):
                sleepers.append(sleeper)
        elif resolving:
            ticket = resolving.pop()
            if step == "resolved":
                cache.resolved(ticket, [ONE], now)
            elif step == "failed":
                cache.failed(ticket, OSError(), now)
            else:
                cache.abandoned(ticket)
    while resolving:
        cache.abandoned(resolving.pop())
    assert [sleeper.woken for sleeper in sleepers] == [1] * len(sleepers)
    assert cache.stats().resolving == 0

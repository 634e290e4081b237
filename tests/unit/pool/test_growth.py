"""Whether more connections bring more, against servers that are models of three kinds."""

from __future__ import annotations

from random import Random

import pytest

from deuterium._pool.growth import LONG_S, SETTLED_S, SHORT_S, Growth


def grow(rate_of: dict[int, float], seconds: float, most: int = 8, rise_s: float = 0.0, seed: int = 0) -> list[int]:
    """The number of connections after each step, when ``rate_of`` many answer so much a second and dials take 10 ms.

    ``rise_s``: how long it takes until a rate is reached; it is then met within 5 %.
    """
    growth, random = Growth(), Random(seed)
    now = answers = 0.0
    connections, opened_at, steps = 1, 0.0, [1]
    while now < seconds:
        again = growth.look(connections, int(answers), now)
        pause = 0.01 if again == 0.0 else max(0.001, min(again, seconds) - now)
        risen = min(1.0, (now - opened_at) / rise_s) if rise_s else 1.0
        answers += pause * rate_of[connections] * risen * random.uniform(0.97, 1.03)
        now += pause
        if again == 0.0:
            if connections == most:
                return steps
            connections = min(2 * connections, most)
            opened_at = now if len(steps) == 1 else opened_at
            steps.append(connections)
    return steps


@pytest.mark.parametrize("seed", range(10))
def test_server_that_waits_for_something_gets_all_connections_soon(seed: int) -> None:
    rates = {connections: connections * 100 / 0.05 for connections in (1, 2, 4, 8)}  # 100 streams, 50 ms each
    assert grow(rates, 4 * (LONG_S + 0.02), seed=seed) == [1, 2, 4, 8]


@pytest.mark.parametrize("seed", range(10))
def test_server_that_takes_half_a_minute_is_not_waited_for(seed: int) -> None:
    rates = {connections: connections * 100 / 30 for connections in (1, 2, 4, 8)}
    assert grow(rates, 4 * (LONG_S + 0.02), seed=seed) == [1, 2, 4, 8]


@pytest.mark.parametrize("rise_s", [0.0, 0.2])
@pytest.mark.parametrize("seed", range(10))
def test_busy_server_is_left_at_what_one_connection_does_and_one_trial(rise_s: float, seed: int) -> None:
    rates = dict.fromkeys((1, 2, 4, 8), 250_000.0)
    assert grow(rates, SETTLED_S / 2, rise_s=rise_s, seed=seed) == [1, 2]


@pytest.mark.parametrize("seed", range(10))
def test_server_with_two_processes_gets_a_connection_for_each_and_one_trial(seed: int) -> None:
    rates = {1: 30_000.0, 2: 60_000.0, 4: 61_000.0, 8: 61_000.0}
    assert grow(rates, SETTLED_S / 2, seed=seed) == [1, 2, 4]


@pytest.mark.parametrize(("rate", "more"), [(50_000, False), (120_000, True)])
def test_finding_is_looked_into_again_after_a_while(rate: int, more: bool) -> None:
    growth = Growth()
    growth.look(1, 0, 0.0), growth.look(1, 2_500, 0.05)
    assert growth.look(1, 5_000, 0.1) == 0.0
    growth.look(2, 5_000, 1.0), growth.look(2, 7_500, 1.05)
    assert growth.look(2, 10_000, 1.1) == 1.1 + SETTLED_S
    growth.look(2, 10_000, 62.0), growth.look(2, 10_000 + rate // 16, 62.0625)
    assert (growth.look(2, 10_000 + rate // 8, 62.125) == 0.0) is more


def test_fewer_connections_than_the_finding_was_about_begin_anew() -> None:
    growth = Growth()
    growth.connections, growth.settled_until = 4, 60.0
    assert growth.look(4, 0, 1.0) == 60.0
    assert growth.look(5, 0, 1.0) == 60.0
    assert growth.look(2, 0, 1.0) == 1.0 + SHORT_S
    growth.look(2, 0, 1.0 + LONG_S)
    assert growth.look(2, 0, 1.0 + 2 * LONG_S) == 0.0


def test_crowd_that_comes_later_is_measured_by_itself() -> None:
    growth = Growth()
    growth.look(1, 0, 0.0)
    assert growth.look(1, 50_000, 0.05) > 0.0
    # An hour without a queue: what was answered meanwhile says nothing.
    assert growth.look(1, 60_000, 3600.0) == 3600.0 + SHORT_S
    assert growth.look(1, 85_000, 3600.1) > 3600.1
    assert growth.look(1, 110_000, 3600.2) == 0.0


@pytest.mark.parametrize("answers", [0, 1, 999])
def test_few_answers_hold_nothing_back_for_longer_than_that(answers: int) -> None:
    growth = Growth()
    assert growth.look(1, 0, 0.0) == SHORT_S
    assert growth.look(1, answers, SHORT_S) == LONG_S
    assert growth.look(1, answers, LONG_S) == 0.0


@pytest.mark.parametrize("seed", range(20))
def test_moment_it_names_is_never_the_one_it_is_asked_at(seed: int) -> None:
    """Or a timer would fire for ever, where the clock stands still between two events."""
    random = Random(seed)
    growth, now, answers = Growth(), random.uniform(0.0, 1e6), 0
    for _ in range(1000):
        again = growth.look(random.choice((1, 2)), answers, now)
        assert again == 0.0 or again > now
        now = again or now + 0.01
        answers += random.choice((0, 10, 5_000))

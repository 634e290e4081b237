"""BusyPoll and TurnPoll: when to look, for how long, and how soon it stops where that is in vain."""

from __future__ import annotations

import threading
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

from deuterium import TransportOptions
from deuterium._net.busy_poll import BusyPoll, TurnPoll

LONG_S = 100.0
MOST_LOOKS = 256
MOST_SKIPPED = 1024


def nothing(timeout_ms: float) -> list[Any]:
    assert timeout_ms == 0
    return []


def ready_at(look: int) -> Callable[[float], list[Any]]:
    """A poll that is ready when asked for the ``look``-th time, and fails when asked again."""
    asked = 0

    def poll(timeout_ms: float) -> list[Any]:
        nonlocal asked
        asked += 1
        assert asked <= look
        return [(3, 1)] if asked == look else []

    return poll


class Loop:
    """As much of an event loop as is needed to take turns by hand."""

    def __init__(self) -> None:
        self.due: list[Callable[[], None]] = []

    def call_soon(self, callback: Callable[[], None]) -> None:
        self.due.append(callback)

    def turn(self) -> None:
        due, self.due = self.due, []
        for callback in due:
            callback()


def vain(poll: BusyPoll) -> bool:
    """One request without an answer in time; whether there was a poll."""
    if not poll.begin():
        return False
    poll.end(False)
    return True


def test_answer_that_comes_is_what_look_returns() -> None:
    poll = BusyPoll(LONG_S)
    for look in (1, 2, 100):
        assert poll.look(ready_at(look)) == [(3, 1)]
    assert (poll.polls, poll.answers) == (3, 3)


@pytest.mark.parametrize("limit_s", [LONG_S, 1e-6])
def test_look_ends_without_an_answer(limit_s: float) -> None:
    poll = BusyPoll(limit_s)
    looks = 0

    def count(timeout_ms: float) -> list[Any]:
        nonlocal looks
        looks += 1
        return []

    assert not poll.look(count)
    assert looks == MOST_LOOKS if limit_s == LONG_S else looks < MOST_LOOKS
    assert (poll.polls, poll.answers) == (1, 0)


def test_nobody_looks_when_the_limit_is_zero() -> None:
    poll = BusyPoll(0.0)
    assert poll.look(ready_at(0)) is None
    assert not poll.begin()
    assert poll.polls == 0


def test_one_poll_at_a_time() -> None:
    poll = BusyPoll(LONG_S)
    assert poll.begin()
    assert not poll.begin()
    poll.end(True)
    assert poll.begin()


def test_vain_polls_become_twice_as_rare_each_time() -> None:
    poll = BusyPoll(LONG_S)
    begun = [number for number in range(10_000) if vain(poll)]
    gaps = [later - earlier - 1 for earlier, later in pairwise(begun)]
    assert gaps[:11] == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024]
    assert set(gaps[10:]) == {MOST_SKIPPED}


def test_answers_make_up_for_vain_polls() -> None:
    poll = BusyPoll(LONG_S)
    while vain(poll) or poll.polls < 5:
        pass  # the sixth request in a row that would be skipped for sixteen
    while not poll.begin():
        pass
    for _ in range(5):
        poll.end(True)
        assert poll.begin()
    poll.end(False)
    assert [vain(poll), vain(poll)] == [False, True]  # one is skipped, as after the first


def test_interrupted_look_is_over() -> None:
    poll = BusyPoll(LONG_S)

    def interrupted(timeout_ms: float) -> list[Any]:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        poll.look(interrupted)
    assert poll.look(ready_at(1)) is None  # counted as vain: one is skipped
    assert poll.look(ready_at(1)) == [(3, 1)]


def test_threads_that_take_turns_do_not_look() -> None:
    poll = BusyPoll(LONG_S)
    looked: list[bool] = []

    def ask() -> None:
        looked.append(bool(poll.look(ready_at(1))))

    ask()
    for _ in range(3):
        thread = threading.Thread(target=ask)
        thread.start()
        thread.join()
        ask()
    assert looked == [True] + [False] * 6
    for _ in range(MOST_SKIPPED - 1):
        ask()
    assert True not in looked[7:]
    ask()
    assert looked[-1]  # it is alone


def test_turns_are_taken_until_something_is_heard() -> None:
    loop = Loop()
    poll = TurnPoll(loop, LONG_S)
    poll.watch()
    for _ in range(5):
        assert len(loop.due) == 1
        loop.turn()
    poll.heard()
    loop.turn()
    assert not loop.due
    assert (poll.polls, poll.answers) == (1, 1)


def test_request_after_an_answer_in_the_same_turn_takes_no_second_turn() -> None:
    loop = Loop()
    poll = TurnPoll(loop, LONG_S)
    for number in range(1, 6):
        poll.watch()
        assert len(loop.due) == 1
        poll.heard()
        assert poll.answers == number
    loop.turn()
    assert not loop.due


def test_requests_meanwhile_share_the_turns() -> None:
    loop = Loop()
    poll = TurnPoll(loop, LONG_S)
    for _ in range(3):
        poll.watch()
        loop.turn()
    assert (poll.polls, len(loop.due)) == (1, 1)


@pytest.mark.parametrize("limit_s", [LONG_S, 1e-6])
def test_turns_end_without_an_answer(limit_s: float) -> None:
    loop = Loop()
    poll = TurnPoll(loop, limit_s)
    poll.watch()
    turns = 0
    while loop.due:
        loop.turn()
        turns += 1
    assert turns == MOST_LOOKS if limit_s == LONG_S else turns < MOST_LOOKS
    poll.heard()  # later
    assert (poll.polls, poll.answers) == (1, 0)
    poll.watch()
    assert not loop.due  # one request goes without


def test_nothing_heard_while_nobody_watches_counts() -> None:
    poll = TurnPoll(Loop(), LONG_S)
    poll.heard()
    assert (poll.polls, poll.answers) == (0, 0)


@pytest.mark.parametrize("seconds", [-1e-9, 0.0011, float("nan")])
def test_limit_out_of_range_is_refused(seconds: float) -> None:
    with pytest.raises(ValueError, match="busy_poll_s must be from 0 to"):
        TransportOptions(busy_poll_s=seconds)

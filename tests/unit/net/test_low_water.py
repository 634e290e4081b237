"""LowWater: the mark by the rate, and the window that is widened where content comes very fast."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from deuterium._http.engine import Engine
from deuterium._net.busy_poll import TurnPoll
from deuterium._net.low_water import LowWater

KIB = 1024
MIB = 1024 * KIB


class Content(Engine):
    """An engine whose only exchange has ``due`` octets to come."""

    def __init__(self, due: int) -> None:
        super().__init__()
        self.due = due
        self.widened = 0

    def content_due(self) -> int:
        return self.due

    def widen(self) -> None:
        self.widened += 1


class Loop:
    """Timers and turns by hand."""

    def __init__(self) -> None:
        self.timers: list[Callable[[], None]] = []
        self.due: list[Callable[[], None]] = []

    def call_soon(self, callback: Callable[[], None]) -> None:
        self.due.append(callback)

    def call_later(self, delay_s: float, callback: Callable[[], None]) -> object:
        self.timers.append(callback)
        return callback


@pytest.fixture
def low_water() -> Iterator[LowWater]:
    one, other = socket.socketpair()
    with one, other:
        low_water = LowWater(Loop())
        low_water.socket = one
        yield low_water


def mark(low_water: LowWater) -> int:
    sock: Any = low_water.socket
    set_to: int = sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT)
    return set_to


def test_mark_is_highest_and_the_window_wide_for_what_comes_very_fast(low_water: LowWater) -> None:
    engine = Content(100 * MIB)
    for _ in range(3):
        low_water.note(engine, MIB)
    assert mark(low_water) == 512 * KIB
    assert engine.widened >= 1


@pytest.mark.parametrize(("pause_s", "marks"), [(0.0055, {128, 256}), (0.0105, {128}), (0.0205, set())])
def test_mark_is_lower_for_what_comes_slower(low_water: LowWater, pause_s: float, marks: set[int]) -> None:
    engine = Content(100 * MIB)
    low_water.note(engine, MIB)  # since when, nobody knows
    for _ in range(3):
        time.sleep(pause_s)
        low_water.note(engine, MIB)
    assert mark(low_water) in {1, *(each * KIB for each in marks)}  # a busy machine sleeps longer
    assert engine.widened == 0


@pytest.mark.parametrize(("due", "raised"), [(2 * MIB, True), (2 * MIB - 1, False)])
def test_mark_is_low_where_little_is_due(low_water: LowWater, due: int, raised: bool) -> None:
    engine = Content(due)
    for _ in range(3):
        low_water.note(engine, MIB)
    assert (mark(low_water) > 1) is raised
    assert (engine.widened > 0) is raised


def test_window_stays_as_it_is_without_a_socket_whose_mark_can_be_set() -> None:
    low_water = LowWater(Loop())
    engine = Content(100 * MIB)
    for _ in range(3):
        low_water.note(engine, MIB)
    assert (low_water.raised, engine.widened) == (False, 0)


def test_lowered_mark_is_raised_again(low_water: LowWater) -> None:
    engine = Content(100 * MIB)
    for _ in range(2):
        for _ in range(2):
            low_water.note(engine, MIB)
        assert mark(low_water) == 512 * KIB
        low_water.lower()
        assert mark(low_water) == 1


def test_nobody_sleeps_while_the_mark_is_raised(low_water: LowWater) -> None:
    loop = Loop()
    low_water.poll = poll = TurnPoll(loop, 100.0)
    engine = Content(100 * MIB)
    low_water.note(engine, MIB)
    assert (poll.polls, loop.due) == (0, [])  # since when, nobody knows
    for reads in range(1, 6):
        low_water.note(engine, MIB)
        assert (poll.polls, poll.answers) == (reads, reads - 1)
        assert len(loop.due) == 1
    engine.due = 0
    low_water.note(engine, MIB)
    assert (poll.polls, poll.answers) == (5, 5)
    loop.due.pop()()
    assert loop.due == []

"""The order in which sleeping threads are let through."""

from __future__ import annotations

from typing import Any

from deuterium._net.gate import LockGate
from deuterium._net.gate_queue import GateQueue

HASTY = 64


def opened(gate: Any) -> bool:
    return bool(gate.wait(0))


def filled(count: int) -> tuple[GateQueue, list[Any]]:
    """A queue with so many gates due."""
    queue = GateQueue()
    queue.holding = True
    several = [LockGate() for _ in range(count)]
    for gate in several:
        queue.add(gate)
    queue.holding = False
    return queue, several


def test_gate_added_while_nobody_holds_the_queue_is_opened_at_once() -> None:
    queue = GateQueue()
    gate = LockGate()
    queue.add(gate)
    assert opened(gate)
    assert (len(queue.due), queue.awake) == (0, 1)


def test_gates_added_while_the_queue_is_held_are_taken_in_their_order() -> None:
    queue, several = filled(3)
    assert not any(opened(gate) for gate in several)
    assert [queue.take_next() for _ in range(3)] == [[gate] for gate in several]
    assert (queue.awake, queue.passed) == (3, 3)


def test_sleeper_chosen_to_read_goes_first_and_the_one_that_watches_last() -> None:
    queue, several = filled(2)
    reader, last = LockGate(), LockGate()
    queue.watch(last)
    assert queue.guard is last
    queue.choose(reader)
    assert queue.guard is reader
    assert queue.take_all() == [reader, *several, last]


def test_sleeper_that_returned_is_not_awake_any_more() -> None:
    queue, several = filled(2)
    queue.take_next()
    queue.returned(several[0], True)
    assert (queue.awake, list(queue.due)) == (0, several[1:])


def test_sleeper_whose_time_was_up_before_its_turn_leaves_the_queue() -> None:
    queue, several = filled(2)
    queue.returned(several[0], False)
    assert (queue.awake, list(queue.due)) == (0, several[1:])


def test_sleeper_whose_time_was_up_as_it_was_opened_is_counted_once() -> None:
    queue, several = filled(1)
    queue.take_next()
    queue.returned(several[0], False)
    assert queue.awake == 0


def test_guard_that_returned_is_guard_no_more() -> None:
    queue, _ = filled(0)
    gate = LockGate()
    queue.watch(gate)
    queue.take_all()
    queue.returned(gate, True)
    assert queue.guard is None


def test_queue_is_stuck_only_when_gates_are_due_and_none_was_taken() -> None:
    empty, _ = filled(0)
    assert not empty.is_stuck(empty.passed)
    queue, _ = filled(3)
    seen = queue.passed
    queue.take_next()
    assert not queue.is_stuck(seen)
    assert queue.hasty == 0
    assert queue.is_stuck(queue.passed)
    assert queue.hasty == HASTY


def test_queue_that_was_stuck_lets_all_through_for_a_while() -> None:
    queue, _ = filled(1)
    assert queue.is_stuck(queue.passed)
    for _ in range(HASTY):
        several = [LockGate(), LockGate()]
        queue.holding = True
        for gate in several:
            queue.add(gate)
        assert queue.take_next()[-2:] == several
    queue.add(LockGate())
    queue.add(LockGate())
    assert len(queue.take_next()) == 1


def test_open_all_opens_what_is_due() -> None:
    queue, several = filled(70)
    queue.open_all()
    assert all(opened(gate) for gate in several)
    queue.open_all()
    assert queue.awake == 70

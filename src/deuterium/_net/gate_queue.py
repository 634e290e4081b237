"""The order in which threads that sleep on one connection are let through.

Threads that run at once only wait for the GIL, and each such wait costs two more switches. So those answered together
are let through one by one: the reader opens the first gate, and each thread, when it sleeps again, the next. Some do
not sleep again soon. Therefore, while gates are due, one thread watches for GUARD_S whether any was opened: the reader,
or, where nobody reads, the last that did. If none was, all are opened at once, now and the next HASTY times.
"""

from __future__ import annotations

from collections import deque
from typing import Any

from . import gate as gates

HASTY = 64
SPARE = 64  # shut gates that are kept


class GateQueue:
    """Gates to open. Everything here but the opening itself happens under the client's lock."""

    __slots__ = ("awake", "due", "gate_type", "guard", "hasty", "holding", "passed", "spare")

    def __init__(self) -> None:
        self.gate_type = gates.gate_type()
        self.spare: list[Any] = []  # gates whose sleepers have passed
        self.due: deque[Any] = deque()
        self.holding = False  # whoever has the lock opens what is due when the lock is free
        self.awake = 0  # threads that were let through and have not come back to the lock yet
        self.guard: Any = None  # the gate of the thread that is to read, or that watches where nobody reads
        self.hasty = 0  # how many times more all are let through at once
        self.passed = 0  # how often some were

    def shut_gate(self) -> Any:
        """A gate to sleep at."""
        return self.spare.pop() if self.spare else self.gate_type()

    def add(self, gate: Any) -> None:
        """Its sleeper is to run again: now, or when its turn comes."""
        if self.holding:
            self.due.append(gate)
        else:
            self.awake += 1
            self.passed += 1
            gate.open()

    def choose(self, gate: Any) -> None:
        """Its sleeper is to read: before the others run."""
        self.guard = gate
        self.due.appendleft(gate)

    def watch(self, gate: Any) -> None:
        """Its sleeper was the last to read and watches: it is let through after the others."""
        self.guard = gate
        self.due.append(gate)

    def returned(self, gate: Any, opened: bool) -> None:
        """The sleeper of a gate that was added is back; ``opened``: it was let through, else its time was up."""
        if gate is self.guard:
            self.guard = None
        if opened:
            self.awake -= 1
            if len(self.spare) < SPARE:
                self.spare.append(gate)  # nobody else knows it, and passing it has shut it
        elif gate in self.due:
            self.due.remove(gate)
        else:
            self.awake -= 1

    def take_next(self) -> list[Any]:
        """What is to be opened once the lock is free: the next gate, or all."""
        if self.hasty:
            return self.take_all()
        self.awake += 1
        self.passed += 1
        return [self.due.popleft()]

    def take_all(self) -> list[Any]:
        """All gates, to be opened once the lock is free."""
        if self.hasty:
            self.hasty -= 1
        due = list(self.due)
        self.due.clear()
        self.awake += len(due)
        self.passed += 1
        return due

    def is_stuck(self, passed: int) -> bool:
        """Whether gates are due and none was taken since ``passed`` was what it was."""
        if not self.due or passed != self.passed:
            return False
        self.hasty = HASTY
        return True

    def open_all(self) -> None:
        """Let everybody through now."""
        if self.due:
            gates.open_all(self.take_all())

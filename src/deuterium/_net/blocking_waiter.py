"""What ends a thread's wait for an exchange."""

from __future__ import annotations

from typing import Any

from .._http.exchange import Exchange, Waiter
from .gate_queue import GateQueue


class ThreadWaiter(Waiter):
    """One thread that waits until it is woken. Everything here happens under the client's lock.

    ``gate`` is where the thread sleeps, or None while it does not. Whoever ends its sleep takes the gate away, so that
    it is opened once: at once, or, where the thread sleeps on a connection, by the connection's ``queue``. A nudge ends
    the sleep without being the event waited for: there is something else to do, such as to read for all.
    """

    __slots__ = ("gate", "queue", "woken")

    def __init__(self) -> None:
        self.woken = False
        self.gate: Any = None
        self.queue: GateQueue | None = None

    def wake(self, exchange: Exchange) -> None:
        """What was waited for has happened."""
        self.woken = True
        if self.gate is not None:
            self._end_sleep()

    def nudge(self) -> None:
        """End the sleep, so that the thread looks around."""
        if self.gate is not None:
            self._end_sleep()

    def _end_sleep(self) -> None:
        gate = self.gate
        self.gate = None
        if self.queue is None:
            gate.open()
        else:
            self.queue.add(gate)

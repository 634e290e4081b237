"""Who waits for an exchange in a thread."""

from __future__ import annotations

from typing import Any

from .._http.exchange import Exchange, Waiter


class ThreadWaiter(Waiter):
    """One thread that waits until it is woken. Everything here happens under the client's lock.

    ``gate`` is a locked ``threading.Lock`` on which the thread sleeps, or None while it does not. Whoever ends its
    sleep takes the gate away and releases it, so that it is released once. A nudge ends the sleep without being the
    event waited for: there is something else to do, such as to read for all.
    """

    __slots__ = ("gate", "woken")

    def __init__(self) -> None:
        self.woken = False
        self.gate: Any = None

    def wake(self, exchange: Exchange) -> None:
        """What was waited for has happened."""
        self.woken = True
        gate = self.gate
        if gate is not None:
            self.gate = None
            gate.release()

    def nudge(self) -> None:
        """End the sleep, so that the thread looks around."""
        gate = self.gate
        if gate is not None:
            self.gate = None
            gate.release()

"""The race between addresses, waited for in the calling thread."""

from __future__ import annotations

import select
import socket

from .blocking_poll import POLLOUT, open_poll
from .race import Race


def run_race(race: Race, deadline: float) -> socket.socket:
    """The socket connected first, non-blocking. Raises the last attempt's error, or Expired."""
    steps = race.steps(deadline)
    try:
        wait_s = next(steps)
        while True:
            wait_s = steps.send(_ended(race.running, wait_s))
    except StopIteration as end:
        sock: socket.socket = end.value
        return sock
    finally:
        steps.close()


def _ended(running: list[socket.socket], wait_s: float | None) -> list[socket.socket]:
    """Those of the attempts that come to an end within the time."""
    if len(running) == 1:
        poll = open_poll()
        poll.register(running[0].fileno(), POLLOUT)
        return running[:] if poll.poll(None if wait_s is None else max(0.0, wait_s) * 1000 + 1) else []
    _, writable, broken = select.select([], running, running, wait_s)
    return [sock for sock in running if sock in writable or sock in broken]

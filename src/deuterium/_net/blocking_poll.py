"""Waiting for a socket: ``select.poll`` where there is one, else ``select.select`` behind the same verbs."""

from __future__ import annotations

import select
from typing import Any, Final

POLLIN: Final = getattr(select, "POLLIN", 1)
POLLOUT: Final = getattr(select, "POLLOUT", 4)


class SelectPoll:
    """The verbs of ``select.poll`` for one socket, over ``select.select``."""

    __slots__ = ("events", "fd")

    def __init__(self) -> None:
        self.fd = -1
        self.events = 0

    def register(self, fd: int, events: int) -> None:
        """Wait for ``events`` of ``fd``."""
        self.fd = fd
        self.events = events

    modify = register

    def poll(self, timeout_ms: float) -> list[tuple[int, int]]:
        """What is ready within the time."""
        reading = [self.fd] if self.events & POLLIN else []
        writing = [self.fd] if self.events & POLLOUT else []
        readable, writable, broken = select.select(reading, writing, [self.fd], timeout_ms / 1000)
        came = (POLLIN if readable or broken else 0) | (POLLOUT if writable else 0)
        return [(self.fd, came)] if came else []


def open_poll() -> Any:
    """A poll object for one thread at a time. Looked up when called, so that a library may have replaced it."""
    return select.poll() if hasattr(select, "poll") else SelectPoll()

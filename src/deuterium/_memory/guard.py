"""Mutual exclusion for the few steps in which a pool changes its books.

Interpreted, a ``Guard`` is a re-entrant lock: a finalizer or a signal handler may come back into the pool on
the same thread, and finds it whole, because a guarded step makes no call between reading its books and
writing them. Compiled without a GIL it is a ``PyMutex``. Compiled with a GIL it is nothing at all: a guarded
step is C integers, list items and dictionaries of ``str``, no Python code and no allocation that can start
the garbage collector, so the GIL is not given up between ``acquire`` and ``release``.

``cython.pymutex`` would also do; on CPython 3.11 it is a semaphore and costs 31 ns a turn, this costs 3.
Building with ``-DDEUTERIUM_GUARD_MUTEX`` on CPython 3.13 or later uses the mutex under a GIL too, so that its
path can be tested there.
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

"""Mutual exclusion for the few steps in which a pool changes its books.

Interpreted, ``Guard`` is a ``threading.RLock`` within ``InterpretedGuard``: a finalizer or a signal handler may come
back into the pool on the same thread, and finds it whole, because a guarded step makes no call between reading its
books and writing them. Compiled without a GIL it is a ``PyMutex``. Compiled with a GIL it is nothing at all: a guarded
step is C integers, list items and dictionaries of ``str``, no Python code and no allocation that can start
the garbage collector, so the GIL is not given up between ``acquire`` and ``release``.

``cython.pymutex`` would also do; on CPython 3.11 it is a semaphore and costs 31 ns a turn, this costs 3.
Building with ``-DDEUTERIUM_GUARD_MUTEX`` on CPython 3.13 or later uses the mutex under a GIL too, so that its
path can be tested there.
"""

from __future__ import annotations

COMPILED = not __file__.endswith((".py", ".pyc"))


class Guard:
    """A lock with two verbs. The names that neither Python nor a reader finds here are C, in ``guard.pxd``."""

    __slots__ = ()

    def acquire(self) -> None:
        """Wait until nobody else is inside."""
        guard_lock(self)  # type: ignore[name-defined]  # noqa: F821

    def release(self) -> None:
        """Let the next one in."""
        guard_unlock(self)  # type: ignore[name-defined]  # noqa: F821


if not COMPILED:
    from .interpreted_guard import InterpretedGuard

    globals()["Guard"] = InterpretedGuard

"""Engine objects that are used again: acquired from a pool, reset, put back.

Only objects that never leave the engine are pooled, so that recycling cannot be seen from outside. Each
pooled object remembers which pool holds it out: a second release, or a release to another pool, raises and
never makes a second holder. (Once someone else has acquired the object, a late release by its former holder
looks like the new holder's own; buffers, which do leave the engine, have handles of one life instead.)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from deuterium._memory.guard import Guard
from deuterium._memory.stats import ObjectStats


class ObjectReleased(RuntimeError):
    """An object was released to a pool that does not hold it out."""


class Poolable:
    """Base of what an :class:`ObjectPool` holds. A subclass with an ``__init__`` calls this one."""

    __slots__ = ("_pooled_by",)

    def __init__(self) -> None:
        self._pooled_by: ObjectPool | None = None

    def reset(self) -> None:
        """Forget the last holder's state; runs before the object is put back."""


class ObjectPool:
    """At most ``bound`` free objects made by ``factory``; safe from any thread.

    ``shared=False``: under a GIL, where one thread at a time uses it, nothing is locked; a step that changes the books
    calls nothing.
    ``enabled=False`` calls the factory on every ``acquire`` and keeps nothing; ``reset`` and the checks
    stay.

    >>> pool = ObjectPool(Poolable)
    >>> stream = pool.acquire()
    >>> pool.release(stream)
    >>> pool.acquire() is stream
    True
    """

    __slots__ = (
        "_bound",
        "_count",
        "_created",
        "_dropped",
        "_factory",
        "_guard",
        "_outstanding",
        "_places",
        "_reused",
    )

    def __init__(
        self, factory: Callable[[], Poolable], *, bound: int = 256, enabled: bool = True, shared: bool = True
    ) -> None:
        if bound < 0:
            raise ValueError(f"bound must be >= 0, not {bound}")
        self._factory = factory
        self._guard: Any = Guard() if shared else None
        self._bound = bound if enabled else 0
        self._count = 0
        self._places: list[Poolable | None] = [None] * self._bound
        self._created = 0
        self._reused = 0
        self._dropped = 0
        self._outstanding = 0

    def acquire(self) -> Poolable:
        """A reset object, or a new one from the factory."""
        item = None
        guard = self._guard
        if guard is not None:
            guard.acquire()
        count = self._count - 1
        if count >= 0:
            self._count = count
            item = self._places[count]
            self._places[count] = None
            self._reused += 1
            self._outstanding += 1
        if guard is not None:
            guard.release()
        if item is None:
            item = self._factory()
            if guard is not None:
                guard.acquire()
            self._created += 1
            self._outstanding += 1
            if guard is not None:
                guard.release()
        item._pooled_by = self
        return item

    def release(self, item: Poolable) -> None:
        """Reset ``item`` and put it back, or drop it when the pool is full.

        Raises ObjectReleased when this pool does not hold ``item`` out. When ``reset`` raises, the object
        is dropped and the exception goes on.
        """
        guard = self._guard
        if guard is not None:
            guard.acquire()
        held = item._pooled_by is self
        if held:
            item._pooled_by = None
            self._outstanding -= 1
        if guard is not None:
            guard.release()
        if not held:
            raise ObjectReleased("released an object that this pool does not hold out")
        try:
            item.reset()
        except BaseException:
            if guard is not None:
                guard.acquire()
            self._dropped += 1
            if guard is not None:
                guard.release()
            raise
        if guard is not None:
            guard.acquire()
        count = self._count
        if count < self._bound:
            self._places[count] = item
            self._count = count + 1
        else:
            self._dropped += 1
        if guard is not None:
            guard.release()

    def stats(self) -> ObjectStats:
        """The counters, all of one moment."""
        guard = self._guard
        if guard is not None:
            guard.acquire()
        created = self._created
        reused = self._reused
        dropped = self._dropped
        outstanding = self._outstanding
        free = self._count
        if guard is not None:
            guard.release()
        return ObjectStats(created=created, reused=reused, dropped=dropped, outstanding=outstanding, free=free)

"""Receive and outbound memory that is used again, and never while anyone can still see it.

A :class:`BufferPool` keeps ``bytearray`` objects in four size classes. ``acquire`` wraps one in a new
:class:`PooledBuffer`, a handle with a reference count. The last ``release`` parts the handle from its
memory: the memory goes back to the pool, the handle is dead for good. So a handle that is used too late
meets an exception, never the next holder's memory. Memory of which a view is still alive lingers: it is
used again only after the view is gone, so a view keeps its contents for as long as it lives.
"""

from __future__ import annotations

from typing import Final

from deuterium._memory import octets
from deuterium._memory.guard import Guard
from deuterium._memory.stats import BufferStats

SIZE_CLASSES: Final = (4096, 16384, 65536, 262144)
SMALL = 4096  # a small response, or the read cap while many streams are open
MEDIUM = 16384  # one DATA frame of default size, one TLS record
LARGE = 65536  # one read of a large body
HUGE = 262144  # what a TLS driver wants at once

POISON: Final = b"\xdb"


class BufferReleased(RuntimeError):
    """A buffer was used, or released again, after its last release."""


class PooledBuffer:
    """Memory with a reference count; made by :meth:`BufferPool.acquire` with a count of one.

    ``data`` has ``capacity`` octets, is never resized, and is None after the last release. Any thread may
    hold a reference; each ``retain`` is paired with one ``release``.
    """

    __slots__ = ("_lent", "_pool", "_references", "_shelf", "capacity", "data")

    data: bytearray
    capacity: int
    _lent: bool
    _references: int
    _shelf: Shelf
    _pool: BufferPool

    def retain(self) -> None:
        """Count one more holder. Raises BufferReleased after the last release."""
        pool = self._pool
        pool._guard.acquire()
        references = self._references
        if references > 0:
            self._references = references + 1
        pool._guard.release()
        if references <= 0:
            raise BufferReleased("retain after the last release")

    def release(self) -> None:
        """Count one holder less; the last gives the memory back. Raises BufferReleased when there is none."""
        pool = self._pool
        pool._guard.acquire()
        references = self._references - 1
        if references >= 0:
            self._references = references
        pool._guard.release()
        if references == 0:
            data = self.data
            self.data = None  # type: ignore[assignment]  # a dead handle reaches no memory
            pool._take_back(data, self._shelf, self.capacity)
        elif references < 0:
            raise BufferReleased("released more often than retained")

    @property
    def references(self) -> int:
        """How many holders there are; zero after the last release."""
        return self._references

    def lend(self, start: int, end: int) -> memoryview:
        """A read-only view of octets ``start`` up to ``end``, for zero-copy bodies.

        The view does not count as a holder. One that outlives the last release keeps its octets; their
        memory is then not used again. Raises IndexError outside the capacity, BufferReleased after the
        last release.
        """
        if self._references <= 0:
            raise BufferReleased("lend after the last release")
        if start < 0 or start > end or end > self.capacity:
            raise IndexError("octets outside the buffer")
        self._lent = True
        return octets.window(self.data, start, end, False)

    def is_lent(self) -> bool:
        """Whether a view made by ``lend``, or a slice of one, may still be alive: write nothing below it then."""
        if self._lent and not is_viewed(self.data):
            self._lent = False
        return self._lent

    def view(self, start: int = 0, end: int = -1) -> memoryview:
        """A writable view of octets ``start`` up to ``end``, to receive into; let it go before the last ``release``.

        ``end=-1``: up to the capacity.

        Raises IndexError outside the capacity, BufferReleased after the last release.
        """
        if self._references <= 0:
            raise BufferReleased("view after the last release")
        return octets.window(self.data, start, self.capacity if end == -1 else end, True)


class Shelf:
    """The memory of one size class that nobody holds, at most ``bound`` pieces of ``size`` octets.

    ``places`` is a stack of ``count`` free pieces, of fixed length, so that a busy stack never pays for a
    list that shrinks and grows. ``lingering`` are the ``waiting`` pieces of which a view was alive at
    their last release, oldest first. Of both together, ``spare`` were left over whenever one was taken since the last
    trim.
    """

    __slots__ = ("bound", "count", "lingering", "places", "size", "spare", "waiting")

    def __init__(self, size: int, bound: int) -> None:
        self.size = size
        self.bound = bound
        self.count = 0
        self.places: list[bytearray | None] = [None] * bound
        self.waiting = 0
        self.lingering: list[bytearray] = []
        self.spare = 0

    def took_one(self) -> None:
        """One is taken."""
        left = self.count + self.waiting
        self.spare = min(self.spare, left)


def is_viewed(data: bytearray) -> bool:
    """Whether a view of ``data`` is alive: while one is, a ``bytearray`` keeps its size (PEP 3118)."""
    try:
        data.append(data.pop())  # one octet off and on again reallocates nothing
    except BufferError:
        return True
    return False


class BufferPool:
    """Buffers of 4, 16, 64 and 256 KiB, at most ``bounds`` of each kept; safe from any thread.

    ``enabled=False`` allocates on every ``acquire`` and keeps nothing, with the same answers otherwise.
    ``poison=True`` overwrites memory that comes back, so that a read through a stale pointer shows at
    once.

    >>> pool = BufferPool()
    >>> buffer = pool.acquire(5000)
    >>> buffer.capacity
    16384
    >>> buffer.release()
    >>> pool.stats().free
    1
    """

    __slots__ = (
        "_bytes_created",
        "_bytes_held",
        "_created",
        "_dropped",
        "_dropped_in_use",
        "_exact",
        "_guard",
        "_huge",
        "_large",
        "_medium",
        "_outstanding",
        "_poison",
        "_reused",
        "_small",
    )

    def __init__(
        self,
        *,
        enabled: bool = True,
        bounds: tuple[int, int, int, int] = (64, 64, 32, 16),
        poison: bool = False,
    ) -> None:
        if len(bounds) != len(SIZE_CLASSES) or min(bounds) < 0:
            raise ValueError(f"bounds must be {len(SIZE_CLASSES)} counts >= 0, not {bounds!r}")
        self._guard = Guard()
        self._poison = poison
        self._small = Shelf(SMALL, bounds[0] if enabled else 0)
        self._medium = Shelf(MEDIUM, bounds[1] if enabled else 0)
        self._large = Shelf(LARGE, bounds[2] if enabled else 0)
        self._huge = Shelf(HUGE, bounds[3] if enabled else 0)
        self._exact = Shelf(0, 0)
        self._created = 0
        self._reused = 0
        self._dropped = 0
        self._dropped_in_use = 0
        self._outstanding = 0
        self._bytes_created = 0
        self._bytes_held = 0

    def acquire(self, size: int) -> PooledBuffer:
        """A buffer of at least ``size`` octets, with a count of one; beyond 256 KiB exact and never pooled.

        The contents are unspecified. Raises ValueError when ``size`` is negative.
        """
        if size <= SMALL:
            if size < 0:
                raise ValueError(f"size must be >= 0, not {size}")
            shelf = self._small
            capacity = SMALL
        elif size <= MEDIUM:
            shelf = self._medium
            capacity = MEDIUM
        elif size <= LARGE:
            shelf = self._large
            capacity = LARGE
        elif size <= HUGE:
            shelf = self._huge
            capacity = HUGE
        else:
            shelf = self._exact
            capacity = size
        buffer = PooledBuffer.__new__(PooledBuffer)
        data = self._reuse(shelf)
        if data is None:
            data = self._create(capacity)
        buffer.data = data
        buffer.capacity = capacity
        buffer._lent = False
        buffer._references = 1
        buffer._shelf = shelf
        buffer._pool = self
        return buffer

    def clear(self) -> None:
        """Let go of the memory that nobody holds. What is held comes back as ever."""
        for shelf in (self._small, self._medium, self._large, self._huge):
            places: list[bytearray | None] = [None] * shelf.bound
            lingering: list[bytearray] = []
            self._guard.acquire()
            shelf.places, places = places, shelf.places
            shelf.lingering, lingering = lingering, shelf.lingering
            self._dropped += shelf.count
            self._dropped_in_use += shelf.waiting
            self._bytes_held -= (shelf.count + shelf.waiting) * shelf.size
            shelf.count = 0
            shelf.waiting = 0
            shelf.spare = 0
            self._guard.release()

    def trim(self) -> None:
        """Let go of half of what nobody needed since the last ``trim``; to be called every ten seconds or so.

        So what a burst left behind is gone within a minute, and what is needed now and then stays.
        """
        for shelf in (self._small, self._medium, self._large, self._huge):
            surplus: list[bytearray | None] = []  # goes when the guard is released
            self._guard.acquire()
            left = (shelf.spare + 1) // 2
            self._bytes_held -= left * shelf.size
            while left > 0 and shelf.waiting > 0:
                left -= 1
                shelf.waiting -= 1
                surplus.append(shelf.lingering.pop(0))
                self._dropped_in_use += 1
            while left > 0:
                left -= 1
                shelf.count -= 1
                surplus.append(shelf.places[shelf.count])
                shelf.places[shelf.count] = None
                self._dropped += 1
            shelf.spare = shelf.count + shelf.waiting
            self._guard.release()

    def _reuse(self, shelf: Shelf) -> bytearray | None:
        data = None
        lingering = None
        self._guard.acquire()
        count = shelf.count - 1
        if count >= 0:
            shelf.count = count
            data = shelf.places[count]
            shelf.places[count] = None
            shelf.took_one()
            self._reused += 1
            self._outstanding += 1
        elif shelf.waiting > 0:
            shelf.waiting -= 1
            shelf.took_one()
            lingering = shelf.lingering.pop(0)
        self._guard.release()
        if lingering is not None:
            data = self._reuse_lingering(lingering, shelf)
        return data

    def _reuse_lingering(self, data: bytearray, shelf: Shelf) -> bytearray | None:
        """``data`` if its views are gone; else it lingers on."""
        viewed = is_viewed(data)
        if self._poison and not viewed:
            data[:] = POISON * len(data)
        self._guard.acquire()
        if not viewed:
            self._reused += 1
            self._outstanding += 1
        elif shelf.count + shelf.waiting < shelf.bound:
            shelf.waiting += 1
            shelf.lingering.append(data)
        else:
            self._dropped_in_use += 1
            self._bytes_held -= shelf.size
        self._guard.release()
        return None if viewed else data

    def _create(self, capacity: int) -> bytearray:
        data = bytearray(capacity)
        self._guard.acquire()
        self._created += 1
        self._bytes_created += capacity
        self._bytes_held += capacity
        self._outstanding += 1
        self._guard.release()
        return data

    def _take_back(self, data: bytearray, shelf: Shelf, capacity: int) -> None:
        """The last release: only the caller, and views that outlived their holders, can reach ``data``."""
        viewed = is_viewed(data)
        whole = len(data) == shelf.size  # a holder may have resized it, against the rule
        if self._poison and not viewed:
            data[:] = POISON * len(data)
        self._guard.acquire()
        self._outstanding -= 1
        count = shelf.count
        if viewed:
            if count + shelf.waiting < shelf.bound:
                shelf.waiting += 1
                shelf.lingering.append(data)
            else:
                self._dropped_in_use += 1
                self._bytes_held -= capacity
        elif count < shelf.bound and whole:
            if count + shelf.waiting == shelf.bound:
                # Free memory is worth more than memory that may become free.
                self._dropped_in_use += 1
                self._bytes_held -= shelf.size
                shelf.waiting -= 1
                del shelf.lingering[0]
            shelf.places[count] = data
            shelf.count = count + 1
        else:
            self._dropped += 1
            self._bytes_held -= capacity
        self._guard.release()

    def stats(self) -> BufferStats:
        """The counters, all of one moment."""
        self._guard.acquire()
        small = self._small.count
        medium = self._medium.count
        large = self._large.count
        huge = self._huge.count
        lingering = self._small.waiting + self._medium.waiting + self._large.waiting + self._huge.waiting
        created = self._created
        reused = self._reused
        dropped = self._dropped
        dropped_in_use = self._dropped_in_use
        outstanding = self._outstanding
        bytes_created = self._bytes_created
        bytes_held = self._bytes_held
        self._guard.release()
        return BufferStats(
            created=created,
            reused=reused,
            dropped=dropped,
            dropped_in_use=dropped_in_use,
            outstanding=outstanding,
            lingering=lingering,
            free=small + medium + large + huge,
            bytes_free=small * SMALL + medium * MEDIUM + large * LARGE + huge * HUGE,
            bytes_created=bytes_created,
            bytes_held=bytes_held,
        )

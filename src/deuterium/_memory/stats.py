"""What each pool can say about itself, as frozen values."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BufferStats:
    """Counters of a :class:`~deuterium._memory.buffer_pool.BufferPool` since it was made.

    ``created``, ``bytes_created``: buffers allocated, and their memory. ``bytes_held``: that of the outstanding, free
    and lingering ones. ``reused``: acquisitions served
    from the pool. ``outstanding``: acquired and not yet released for the last time. ``free``,
    ``bytes_free``: waiting in the pool. ``lingering``: waiting for a view to go that outlived the last
    release. ``dropped``: given back to the allocator because the class was full, the size has no class,
    the pool is off, or nobody needed it any more. ``dropped_in_use``: the same while a view was alive, not
    counted in ``dropped``. At rest, ``created`` is the sum of ``outstanding``, ``free``, ``lingering``,
    ``dropped`` and ``dropped_in_use``.
    """

    created: int
    reused: int
    dropped: int
    dropped_in_use: int
    outstanding: int
    lingering: int
    free: int
    bytes_free: int
    bytes_created: int
    bytes_held: int


@dataclass(frozen=True, slots=True)
class ObjectStats:
    """Counters of an :class:`~deuterium._memory.object_pool.ObjectPool` since it was made."""

    created: int
    reused: int
    dropped: int
    outstanding: int
    free: int


@dataclass(frozen=True, slots=True)
class StringStats:
    """Counters of a :class:`~deuterium._memory.string_pool.StringPool` since it was made.

    ``hits``: strings answered with one already shared. ``misses``: strings taken in. ``refused``: strings
    handed back as they came. ``size``: strings held now.
    """

    hits: int
    misses: int
    refused: int
    size: int

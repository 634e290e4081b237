# cython: nonecheck=False, boundscheck=False
"""What was made of octets, found again by the octets.

A decoder that meets octets it has decoded before needs no string made of them to know it. Compiled, the octets are
looked up where they were received: a hash, one comparison, no object. Places come in pairs: what is new replaces the
second of its pair, what is found there moves to the first. So a peer that sends a flood of new octets, or octets chosen
to have one hash, only costs others a decoding; no chain grows. What comes for the first time leaves one octet of its
hash and is kept when it comes again: octets that never repeat cost neither memory nor time.

Interpreted it is a dictionary, emptied when it is full. Compiled, ``data`` is a pointer (to Python still an object with
a buffer), and whoever calls knows that the octets exist.

Nothing here needs a lock: an entry is never changed once it has its place, and a place lost in a race is a decoding.
"""

from __future__ import annotations

from typing import Any

COMPILED = not __file__.endswith((".py", ".pyc"))


class Entry:
    """What was made of ``octets``."""

    __slots__ = ("made", "mark", "octets")

    made: Any
    mark: Any
    octets: bytes


class OctetCache:
    """At most ``bound`` things, 0 or a power of two.

    >>> cache, data = OctetCache(8), bytearray(b"deuterium")
    >>> mark = mark_of(data, 0, 4)
    >>> for _ in range(2):
    ...     cache.put(data, 0, 4, mark, "made of deut")
    >>> cache.find(data, 0, 4, mark)
    'made of deut'
    """

    __slots__ = ("_bound", "_known", "_pairs", "_places", "_seen")

    def __init__(self, bound: int) -> None:
        if bound < 0 or bound == 1 or bound & bound - 1:
            raise ValueError("bound must be 0 or a power of two")
        self._bound = bound
        self._pairs = bound // 2
        self._known: dict[Any, Any] = {}
        self._places: list[Entry | None] = [None] * bound if COMPILED else []
        self._seen = bytearray(self._pairs if COMPILED else 0)

    def find(self, data: bytearray, start: int, end: int, mark: Any) -> Any:
        """What was made of the octets ``start`` up to ``end``, whose :func:`mark_of` is ``mark``; or None."""
        if not COMPILED:
            return self._known.get(mark)
        if not self._bound:
            return None
        place = 2 * (mark & self._pairs - 1)
        entry = self._places[place]
        if entry is None:
            return None
        if entry.mark == mark and is_same(entry.octets, data, start, end):
            return entry.made
        other = self._places[place + 1]
        if other is not None and other.mark == mark and is_same(other.octets, data, start, end):
            self._places[place] = other
            self._places[place + 1] = entry
            return other.made
        return None

    def wants(self, mark: Any) -> bool:
        """Whether ``put`` would keep what has this mark; if not, it is noted as seen."""
        if not COMPILED or not self._bound:
            return self._bound > 0
        pair = mark & self._pairs - 1
        octet = mark >> 56
        if self._seen[pair] == octet:
            return True
        self._seen[pair] = octet
        return False

    def put(self, data: bytearray, start: int, end: int, mark: Any, made: Any) -> None:
        """``find`` gave None; ``made`` is not None."""
        if not self.wants(mark):
            return
        if not COMPILED:
            if len(self._known) >= self._bound:
                self._known.clear()
            self._known[mark] = made
            return
        pair = mark & self._pairs - 1
        entry = Entry.__new__(Entry)
        entry.octets = data[start:end]  # type: ignore[assignment]  # compiled: a pointer, whose slice is bytes
        entry.mark = mark
        entry.made = made
        if self._places[2 * pair] is None:
            self._places[2 * pair] = entry
        else:
            self._places[2 * pair + 1] = entry


def mark_of(data: bytearray, start: int, end: int) -> Any:
    """What octets are looked up by: compiled their hash, interpreted the octets themselves."""
    if not COMPILED:
        return bytes(data[start:end])
    return hash_of(data + start, end - start)  # type: ignore[name-defined,operator]  # noqa: F821


def is_same(known: bytes, data: bytearray, start: int, end: int) -> bool:
    """Compiled only: whether these are the octets ``start`` up to ``end``."""
    ours = known
    size = end - start
    return len(known) == size and memcmp(ours, data + start, size) == 0  # type: ignore[name-defined,operator]  # noqa: F821

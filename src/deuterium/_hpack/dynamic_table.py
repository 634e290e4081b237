# cython: nonecheck=False, boundscheck=False
"""The decoder's dynamic table (RFC 7541 sections 2.3 and 4).

The newest entry stands at the end of a list and the oldest are cleared at its beginning, so that neither an insertion
nor an eviction moves the others; what is cleared is cut off when it is half the list.
"""

from __future__ import annotations

from deuterium._hpack.errors import HpackError
from deuterium._hpack.static_table import FIRST_DYNAMIC_INDEX, STATIC_FIELDS
from deuterium._http.field import Field

CLEARED = 64  # not cut off below that


class DynamicTable:
    """``size`` and ``max_size`` in octets (RFC 7541 section 4.1); ``entries``: oldest first, from ``oldest`` on.

    ``changes`` counts what may have given an index another field.
    """

    __slots__ = ("changes", "entries", "max_size", "oldest", "size")

    changes: int
    entries: list[Field]
    oldest: int
    size: int
    max_size: int

    def __init__(self, max_size: int) -> None:
        self.changes = 0
        self.entries = []
        self.oldest = 0
        self.size = 0
        self.max_size = max_size

    def find(self, index: int) -> Field:
        """The field with this index, static or dynamic (RFC 7541 section 2.3.3). Raises HpackError if none has it."""
        field = None
        if 0 < index < FIRST_DYNAMIC_INDEX:
            field = STATIC_FIELDS[index]
        elif index > 0:
            place = len(self.entries) - 1 - (index - FIRST_DYNAMIC_INDEX)
            if place >= self.oldest:
                field = self.entries[place]
        if field is None:
            raise HpackError(f"RFC 7541 2.3.3: there is no index {index}")
        return field

    def insert(self, field: Field) -> None:
        """Add ``field`` as the newest entry (RFC 7541 section 4.4): one larger than the table empties it."""
        self.changes += 1
        if self.size + field.size > self.max_size:
            self._evict(self.max_size - field.size)
        if field.size <= self.max_size:
            self.entries.append(field)
            self.size += field.size

    def resize(self, max_size: int) -> None:
        """Change the maximum size (RFC 7541 section 4.3)."""
        self.changes += 1
        self.max_size = max_size
        self._evict(max_size)

    def dynamic_fields(self) -> list[Field]:
        """The entries by index, from 62 on."""
        return self.entries[self.oldest :][::-1]

    def _evict(self, size: int) -> None:
        """Drop the oldest entries until ``size`` octets are left at most, or none."""
        entries = self.entries
        oldest = self.oldest
        while self.size > size and oldest < len(entries):
            field = entries[oldest]
            entries[oldest] = None  # type: ignore[call-overload]  # nobody looks before the oldest
            oldest += 1
            self.size -= field.size
        if oldest > CLEARED and 2 * oldest > len(entries):
            del entries[:oldest]
            oldest = 0
        self.oldest = oldest

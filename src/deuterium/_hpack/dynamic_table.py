"""The decoder's address space: static table, then dynamic table (RFC 7541 sections 2.3 and 4).

One list in the order of the indexes, so that an indexed field line is one list access. An insertion moves
the entries behind it: at most 128 pointers in a table of 4 KiB, 8 KiB of memory in one of 32 KiB. A ring
would save that and pay with a subtraction, a mask and a second test on every access; accesses outnumber
insertions.
"""

from __future__ import annotations

from deuterium._hpack.static_table import FIRST_DYNAMIC_INDEX, STATIC_FIELDS
from deuterium._http.field import Field


class DynamicTable:
    """``fields``: by index, 0 unused; ``size`` and ``max_size`` in octets (RFC 7541 section 4.1)."""

    __slots__ = ("fields", "max_size", "size")

    fields: list[Field]
    size: int
    max_size: int

    def __init__(self, max_size: int) -> None:
        self.fields = list(STATIC_FIELDS)
        self.size = 0
        self.max_size = max_size

    def insert(self, field: Field) -> None:
        """Add ``field`` as the newest entry (RFC 7541 section 4.4): one larger than the table empties it."""
        self._evict(self.max_size - field.size)
        if field.size <= self.max_size:
            self.fields.insert(FIRST_DYNAMIC_INDEX, field)
            self.size += field.size

    def resize(self, max_size: int) -> None:
        """Change the maximum size (RFC 7541 section 4.3)."""
        self.max_size = max_size
        self._evict(max_size)

    def _evict(self, size: int) -> None:
        """Drop the oldest entries until ``size`` octets are left at most, or none."""
        fields = self.fields
        while self.size > size and self.size > 0:
            oldest = fields.pop()
            self.size -= oldest.size

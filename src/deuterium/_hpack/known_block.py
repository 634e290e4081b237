"""What a field block gave that may come again."""

from __future__ import annotations

from deuterium._hpack.dynamic_table import DynamicTable
from deuterium._http.field_section import FieldSection


class KnownBlock:
    """The fields of a block that changed nothing: its octets name the same ones until the dynamic table changes.

    A server of files answers with the same block again and again. ``size``: what :class:`FieldSection` counted.
    """

    __slots__ = ("changes", "content_length", "kinds", "pairs", "size", "status")

    changes: int
    pairs: list[tuple[str, str]]
    kinds: int
    status: int
    content_length: int
    size: int

    def keep(self, section: FieldSection, table: DynamicTable) -> None:
        """Take what is in a section that broke no rule and no limit."""
        self.changes = table.changes
        self.pairs = section.pairs[:]
        self.kinds = section.kinds
        self.status = section.status
        self.content_length = section.content_length
        self.size = section.size

    def recall(self, section: FieldSection) -> None:
        """Fill a section that is new, no trailer section, and has room for ``size``."""
        section.pairs = self.pairs[:]  # whoever takes it owns it
        section.kinds = self.kinds
        section.status = self.status
        section.content_length = self.content_length
        section.size = self.size

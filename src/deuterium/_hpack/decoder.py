"""Decoding field blocks (RFC 7541 sections 3 and 6)."""

from __future__ import annotations

from deuterium._hpack import huffman, integers
from deuterium._hpack.dynamic_table import DynamicTable
from deuterium._hpack.errors import HpackError
from deuterium._http import field as fields
from deuterium._http.field_section import FieldSection
from deuterium._memory import octets
from deuterium._memory.string_pool import StringPool

DEFAULT_TABLE_SIZE = 4096  # RFC 9113 section 6.5.2; a larger table begins with the peer's size update
LINE_OVERHEAD = 32  # RFC 7541 section 4.1
STATIC_END = 62  # the first index of the dynamic table
MEMO_OCTETS = 48  # of a literal worth remembering: dates have 31
MEMO_FIELDS = 64  # remembered at once
SCRATCH_BYTES = 1024  # decodes Huffman strings of half that; longer ones get memory of their own


class Decoder:
    """One connection's decoding side.

    ``max_table_size``: the limit of the dynamic table until :meth:`set_limit`; the table begins with that, or with
    4096 if that is less. ``strings``: a pool for literal names and for values that may be indexed, or None.
    """

    __slots__ = (
        "limit",
        "lowest_limit",
        "memo",
        "octets",
        "position",
        "reduction_due",
        "scratch",
        "strings",
        "table",
    )

    def __init__(self, max_table_size: int = 4096, strings: StringPool | None = None) -> None:
        self.table = DynamicTable(min(max_table_size, DEFAULT_TABLE_SIZE))
        self.strings = strings
        self.limit = max_table_size
        self.lowest_limit = max_table_size
        self.reduction_due = False
        self.memo: dict[bytes, fields.Field] = {}
        self.scratch = bytearray(SCRATCH_BYTES)
        self.position = 0
        self.octets = 0

    def set_limit(self, size: int) -> None:
        """The peer acknowledged ``size`` as our SETTINGS_HEADER_TABLE_SIZE.

        If its table may have been larger, its next block has to begin with a reduction (RFC 7541 section
        4.2).
        """
        self.limit = size
        if size < self.table.max_size:
            self.lowest_limit = min(size, self.lowest_limit) if self.reduction_due else size
            self.reduction_due = True

    def decode(self, data: bytearray, start: int, end: int, section: FieldSection) -> int:
        """Decode the block in the octets ``start`` up to ``end`` of ``data`` and add its fields to
        ``section``.

        Raises HpackError; the connection cannot go on then. What is wrong with the fields is in
        ``section.error``.
        """
        if start < 0 or end < start or end > len(data):
            raise ValueError("block outside the buffer")
        block = data
        position = start
        if self.reduction_due or (position < end and block[position] & 0xE0 == 0x20):
            position = self._size_updates(data, position, end)
        table = self.table.fields
        pairs = section.pairs
        limit = section.limit
        size = section.size
        while position < end:
            octet = block[position]
            if octet < 0x80:
                section.size = size
                position = self._literal(data, position, end, section)
                size = section.size
                continue
            position += 1
            index = octet & 0x7F
            if index == 0x7F:
                index = self._long_integer(data, position, end, 0x7F)
                position = self.position
            if index == 0 or index >= len(table):
                raise HpackError(f"RFC 7541 2.3.3: there is no index {index}")
            field = table[index]
            if field.kind:
                section.size = size
                section.add(field)
                size = section.size
                continue
            size += field.size
            if size <= limit:
                pairs.append(field.pair)
            else:
                section.overflow = True
        section.size = size
        return 0

    def _size_updates(self, data: bytearray, position: int, end: int) -> int:
        """The dynamic table size updates a block begins with (RFC 7541 sections 4.2 and 6.3)."""
        block = data
        updates = 0
        while position < end and block[position] & 0xE0 == 0x20:
            size = block[position] & 0x1F
            position += 1
            if size == 0x1F:
                size = self._long_integer(data, position, end, 0x1F)
                position = self.position
            updates += 1
            if updates > 2:
                raise HpackError("RFC 7541 4.2: more than two dynamic table size updates")
            if size > self.limit:
                raise HpackError(f"RFC 7541 6.3: dynamic table size {size} is above the limit {self.limit}")
            if self.reduction_due and size <= self.lowest_limit:
                self.reduction_due = False
            self.table.resize(size)
        if self.reduction_due:
            raise HpackError("RFC 7541 4.2: the dynamic table was not reduced to the limit acknowledged")
        return position

    def _literal(self, data: bytearray, position: int, end: int, section: FieldSection) -> int:
        """One literal field line (RFC 7541 section 6.2); returns the position behind it."""
        block = data
        octet = block[position]
        if octet & 0x40:
            prefix = 0x3F
        elif octet & 0x20:
            raise HpackError("RFC 7541 4.2: dynamic table size update inside a block")
        else:
            prefix = 0x0F
        start = position
        position += 1
        index = octet & prefix
        if index == prefix:
            index = self._long_integer(data, position, end, prefix)
            position = self.position
        stop = 0
        if 0 < index < STATIC_END and not octet & 0x50 and position < end and not section.overflow:
            # Without indexing, a static name: content-length, etag and the like. The same octets mean the same field,
            # and short ones do come again.
            stop = position + 1 + (block[position] & 0x7F)
            if stop <= end and stop - start <= MEMO_OCTETS:
                key = octets.take(data, start, stop)
                known = self.memo.get(key)
                if known is not None:
                    section.add(known)
                    return stop
            else:
                stop = 0
        # A field that is neither stored nor inserted is only counted.
        wanted = prefix == 0x3F or not section.overflow
        if index:
            if index >= len(self.table.fields):
                raise HpackError(f"RFC 7541 2.3.3: there is no index {index}")
            named = self.table.fields[index]
            name = named.name
            kind = named.name_kind
            name_octets = len(name)
        else:
            name = self._string(data, position, end, wanted)
            position = self.position
            name_octets = self.octets
            if wanted and self.strings is not None:
                name = self.strings.name(name)
            kind = fields.kind_of_name(name)
        value = self._string(data, position, end, wanted)
        if not wanted:
            section.size += name_octets + self.octets + LINE_OVERHEAD
            return self.position
        # Servers that insert nothing (nginx) send the same values with every response; secrets are never indexed.
        if self.strings is not None and (prefix == 0x3F or not octet & 0x10):
            value = self.strings.value(name, value)
        field = fields.build_field(name, kind, value)
        if prefix == 0x3F:
            self.table.insert(field)
        elif stop:
            if len(self.memo) >= MEMO_FIELDS:
                self.memo.clear()
            self.memo[key] = field
        section.add(field)
        return self.position

    def _string(self, data: bytearray, position: int, end: int, wanted: bool) -> str:
        """A string literal (RFC 7541 section 5.2), "" unless wanted; its length goes to ``octets``."""
        if position >= end:
            raise HpackError("RFC 7541 5.2: the block ends before a string")
        block = data
        first = block[position]
        position += 1
        length = first & 0x7F
        if length == 0x7F:
            length = self._long_integer(data, position, end, 0x7F)
            position = self.position
        if length > end - position:
            raise HpackError("RFC 7541 5.2: a string is longer than the block")
        stop = position + length
        self.position = stop
        self.octets = length
        if first & 0x80 and not octets.COMPILED:
            coded = huffman.decode_text(data[position:stop])
            self.octets = len(coded)
            return coded
        if first & 0x80:
            out = self.scratch
            if 2 * length > len(out):
                out = bytearray(2 * length)
            length = huffman.decode_huffman(data, position, stop, out)
            self.octets = length
            if wanted:
                text = out
                return text[:length].decode("latin-1")
        elif wanted:
            return block[position:stop].decode("latin-1")
        return ""

    def _long_integer(self, data: bytearray, position: int, end: int, prefix: int) -> int:
        """An integer that did not fit its prefix; ``position`` is set behind it."""
        packed = integers.decode_integer(data, position, end, prefix)
        self.position = position + (packed & 0xF)
        return packed >> 4

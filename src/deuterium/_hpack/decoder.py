"""Decoding field blocks (RFC 7541 sections 3 and 6)."""

from __future__ import annotations

from deuterium._hpack import huffman, integers
from deuterium._hpack.dynamic_table import DynamicTable
from deuterium._hpack.errors import HpackError
from deuterium._hpack.known_block import KnownBlock
from deuterium._hpack.static_table import STATIC_FIELDS
from deuterium._http import field as fields
from deuterium._http import octet_class
from deuterium._http.field import Field
from deuterium._http.field_section import FieldSection
from deuterium._http.octet_class import ILLEGAL, NOT_ASCII
from deuterium._memory import octet_cache, octets, string_pool
from deuterium._memory.octet_cache import OctetCache
from deuterium._memory.string_pool import StringPool

DEFAULT_TABLE_SIZE = 4096  # RFC 9113 section 6.5.2; a larger table begins with the peer's size update
LINE_OVERHEAD = 32  # RFC 7541 section 4.1
STATIC_END = 62  # the first index of the dynamic table
NEVER_INDEXED = 0x10  # RFC 7541 section 6.2.3
INSERTED = 0x40  # RFC 7541 section 6.2.1
LITERAL_OCTETS = 64  # of a literal worth remembering: dates have 31, a name and a common value 50
NAME_OCTETS = 48
OWN_FIELDS = 64  # remembered of one connection
OWN_NAMES = 32
BLOCKS = 16  # remembered of one connection, of up to BLOCK_OCTETS
BLOCK_OCTETS = 64
SP = 32
HTAB = 9
SCRATCH_BYTES = 512  # of each idle connection: for Huffman strings of half that; longer ones get memory of their own


class Decoder:
    """One connection's decoding side.

    ``max_table_size``: the limit of the dynamic table until :meth:`set_limit`; the table begins with that, or with
    4096 if that is less. ``strings``: a pool for literal names and for values that may be indexed, or None.
    """

    __slots__ = (
        "blocks",
        "illegal",
        "limit",
        "lowest_limit",
        "names",
        "own",
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
        self.blocks: OctetCache | None = None
        self.own: OctetCache | None = None  # made when there is something to remember
        self.names: OctetCache | None = None if strings is None else strings.names
        self.illegal = False
        self.scratch = bytearray(SCRATCH_BYTES)
        self.position = 0

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
        table = self.table
        mark = 0
        memorable = False
        known: KnownBlock | None = None
        if self.reduction_due or (position < end and block[position] & 0xE0 == 0x20):
            position = self._size_updates(block, position, end)
        elif end <= start + BLOCK_OCTETS and not section.size and not section.trailers:
            if self.blocks is None:
                self.blocks = OctetCache(BLOCKS)
            memorable = True
            mark = octet_cache.mark_of(block, start, end)
            known = self.blocks.find(block, start, end, mark)
            if known is not None and known.changes == table.changes and known.size <= section.limit:
                known.recall(section)
                return 0
        changes = table.changes
        entries = table.entries
        oldest = table.oldest
        newest = len(entries) + 0xBD  # the octet of an index and the place of its entry make this
        pairs = section.pairs
        limit = section.limit
        size = section.size
        while position < end:
            octet = block[position]
            if octet < 0x80:
                if octet & 0xF0 == NEVER_INDEXED:
                    memorable = False  # a secret is not remembered
                section.size = size
                position = self._literal(block, position, end, section)
                size = section.size
                oldest = table.oldest
                newest = len(entries) + 0xBD
                continue
            position += 1
            place = newest - octet
            if 0xBE <= octet < 0xFF and place >= oldest:  # an index from 62 on, in one octet
                field = entries[place]
            else:
                index = octet & 0x7F
                if index == 0x7F:
                    index = self._long_integer(block, position, end, 0x7F)
                    position = self.position
                field = STATIC_FIELDS[index] if 0 < index < STATIC_END else table.find(index)
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
        if memorable and changes == table.changes and not section.overflow and not section.error:
            self._remember_block(block, start, end, mark, known, section)
        return 0

    def _remember_block(
        self, block: bytearray, start: int, end: int, mark: int, known: KnownBlock | None, section: FieldSection
    ) -> None:
        """Keep what the block gave, if it came before; ``known``: what it gave with another dynamic table, or None."""
        cache = self.blocks
        if known is not None:
            known.keep(section, self.table)
        elif cache is not None and cache.wants(mark):
            known = KnownBlock.__new__(KnownBlock)
            known.keep(section, self.table)
            cache.put(block, start, end, mark, known)

    def _size_updates(self, block: bytearray, position: int, end: int) -> int:
        """The dynamic table size updates a block begins with (RFC 7541 sections 4.2 and 6.3)."""
        updates = 0
        while position < end and block[position] & 0xE0 == 0x20:
            size = block[position] & 0x1F
            position += 1
            if size == 0x1F:
                size = self._long_integer(block, position, end, 0x1F)
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

    def _literal(self, block: bytearray, position: int, end: int, section: FieldSection) -> int:
        """One literal field line (RFC 7541 section 6.2); returns the position behind it."""
        start = position
        octet = block[position]
        position += 1
        prefix = 0x3F if octet & INSERTED else 0x0F
        index = octet & prefix
        if index == prefix:
            index = self._long_integer(block, position, end, prefix)
            position = self.position
        elif octet & 0xE0 == 0x20:
            raise HpackError("RFC 7541 4.2: dynamic table size update inside a block")
        # Octets that name nothing of the dynamic table mean the same field each time. Secrets are not remembered.
        stop = 0
        mark = 0
        if (
            index < STATIC_END
            and (self.strings is not None if octet & INSERTED else not octet & NEVER_INDEXED)
            and not section.overflow
        ):
            stop = self._end_of_literal(block, position, end, index == 0)
            if stop > start + LITERAL_OCTETS:
                stop = 0
            if stop:
                mark = octet_cache.mark_of(block, start, stop)
                known = self._known(block, start, stop, mark)
                if known is not None:
                    if octet & INSERTED:
                        self.table.insert(known)
                    section.add(known)
                    return stop
        # A field that is neither stored nor inserted is only counted.
        wanted = octet & INSERTED != 0 or not section.overflow
        if not wanted:
            return self._count(block, position, end, index, section)
        if 0 < index < STATIC_END:
            named = STATIC_FIELDS[index]
        elif index:
            named = self.table.find(index)
        else:
            named = self._name(block, position, end)
            position = self.position
        value = self._string(block, position, end)
        shared = False
        # Servers that insert nothing (nginx) send the same values with every response; secrets are never indexed.
        if self.strings is not None and octet & 0x50 != NEVER_INDEXED:
            if not named.sharing:
                named.sharing = string_pool.sharing_of_name(named.name)
            shared = string_pool.is_shared(named.sharing, value)
            value = self.strings.share(value, shared)
        field = fields.build_field(named.name, named.name_kind, named.sharing, value, self.illegal)
        if octet & INSERTED:
            self.table.insert(field)
        section.add(field)
        if stop:
            self._remember(block, start, stop, mark, field, shared)
        return self.position

    def _end_of_literal(self, block: bytearray, position: int, end: int, with_name: bool) -> int:
        """The position behind the strings of a literal, 0 if one is long or not all there."""
        if with_name and position < end:
            position += 1 + (block[position] & 0x7F)
        if position < end:
            position += 1 + (block[position] & 0x7F)
            if position <= end:
                return position
        return 0

    def _known(self, block: bytearray, start: int, stop: int, mark: int) -> Field | None:
        """The field that these octets of a literal were before, on any connection or on this one."""
        known = None
        if self.strings is not None:
            known = self.strings.fields.find(block, start, stop, mark)
        if known is None and self.own is not None:
            known = self.own.find(block, start, stop, mark)
        return known

    def _remember(self, block: bytearray, start: int, stop: int, mark: int, field: Field, shared: bool) -> None:
        """Keep what is shared for all connections, and for this one what is not but may come as a literal again."""
        if shared and self.strings is not None:
            self.strings.fields.put(block, start, stop, mark, field)
        elif not block[start] & INSERTED:
            if self.own is None:
                self.own = OctetCache(OWN_FIELDS)
            self.own.put(block, start, stop, mark, field)

    def _count(self, block: bytearray, position: int, end: int, index: int, section: FieldSection) -> int:
        """A literal past the limit of ``section``: only its size matters, and that it is right."""
        if index:
            size = len(self.table.find(index).name)
        else:
            size = len(self._string(block, position, end))
            position = self.position
        section.size += size + len(self._string(block, position, end)) + LINE_OVERHEAD
        return self.position

    def _name(self, block: bytearray, position: int, end: int) -> Field:
        """A field with the name that is a string literal here; its value is another's."""
        stop = 0
        mark = 0
        if self.names is None:
            self.names = OctetCache(OWN_NAMES)
        if position < end:
            stop = position + 1 + (block[position] & 0x7F)
            if stop > end or stop > position + NAME_OCTETS:
                stop = 0
        if stop:
            mark = octet_cache.mark_of(block, position, stop)
            known: Field | None = self.names.find(block, position, stop, mark)
            if known is not None:
                self.position = stop
                return known
        name = self._string(block, position, end)
        if self.strings is not None:
            name = self.strings.name(name)
        named = fields.make_field(name, "")
        if stop:
            self.names.put(block, position, stop, mark, named)
        return named

    def _string(self, block: bytearray, position: int, end: int) -> str:
        """A string literal (RFC 7541 section 5.2); ``illegal`` is set to whether a value may not be so."""
        if position >= end:
            raise HpackError("RFC 7541 5.2: the block ends before a string")
        first = block[position]
        position += 1
        length = first & 0x7F
        if length == 0x7F:
            length = self._long_integer(block, position, end, 0x7F)
            position = self.position
        if length > end - position:
            raise HpackError("RFC 7541 5.2: a string is longer than the block")
        stop = position + length
        self.position = stop
        if not octets.COMPILED:
            coded = block[position:stop]
            text = huffman.decode_text(coded) if first & 0x80 else coded.decode("latin-1")
            self.illegal = fields.has_illegal_octet(text, len(text))
            return text
        source = block
        if first & 0x80:
            room = self.scratch
            if 2 * length > len(room):
                room = bytearray(2 * length)
            target = room
            classes = huffman.decode_octets(block, position, stop, target)
            source = target
            position = 0
            length = classes >> 2
            classes &= 3
        else:
            classes = octet_class.classes_of(block, position, stop)
        self.illegal = classes & ILLEGAL != 0
        if length:
            before = source[position]
            behind = source[position + length - 1]
            # RFC 9113 section 8.2.1: no whitespace at either end.
            if before in (SP, HTAB) or behind in (SP, HTAB):
                self.illegal = True
        return octets.text(source, position, position + length, classes & NOT_ASCII == 0)

    def _long_integer(self, block: bytearray, position: int, end: int, prefix: int) -> int:
        """An integer that did not fit its prefix; ``position`` is set behind it."""
        packed = integers.read_integer(block, position, end, prefix)
        self.position = position + (packed & 0xF)
        return packed >> 4

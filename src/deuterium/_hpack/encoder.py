"""Encoding field sections (RFC 7541 section 6).

A client repeats itself: method, scheme, authority and its common fields are the same from request to
request, and only the path changes. So the encoded forms of both groups are kept for as long as the dynamic
table stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterable

from deuterium._hpack import huffman, integers
from deuterium._hpack.search_table import SearchTable
from deuterium._hpack.static_table import INDEX_OF_NAME, INDEX_OF_PAIR
from deuterium._memory import octets

DEFAULT_TABLE_SIZE = 4096  # RFC 9113 section 6.5.2
SCRATCH_BYTES = 512  # of each idle connection; a larger field section makes room when it comes
SCRATCH_LIMIT = 128 * SCRATCH_BYTES  # kept after a large field section
STRING_OVERHEAD = integers.INTEGER_OCTETS + 4  # encode_huffman's room
LITERAL_OVERHEAD = 2 * STRING_OVERHEAD + integers.INTEGER_OCTETS

INDEXED = 0x80  # RFC 7541 section 6.1
INSERTED = 0x40  # RFC 7541 section 6.2.1
SIZE_UPDATE = 0x20  # RFC 7541 section 6.3
NEVER_INDEXED = 0x10  # RFC 7541 section 6.2.3
NOT_INDEXED = 0x00  # RFC 7541 section 6.2.2
PATH = 4  # the static table's index of :path

# RFC 7541 section 7.1.3: what an attacker who shares the table must not be able to guess byte by byte.
SENSITIVE = frozenset({"authorization", "proxy-authorization", "cookie", "set-cookie"})

# Values that seldom repeat would only push out those that do.
UNREPEATED = frozenset(
    {
        "content-length", "content-range", "date", "etag", "if-match", "if-modified-since", "if-none-match",
        "if-range", "if-unmodified-since", "last-modified", "range",
    }
)  # fmt: skip


class Encoder:
    """One connection's encoding side. Names come lower-case, names and values checked.

    ``max_table_size``: what we use of the peer's table at most; ``sensitive``: names whose fields are
    always sent as never-indexed literals.
    """

    __slots__ = (
        "authority",
        "block",
        "block_generation",
        "common",
        "common_octets",
        "extra",
        "head_end",
        "head_generation",
        "lowest_size",
        "max_table_size",
        "method",
        "out",
        "path",
        "protocol",
        "scheme",
        "sensitive",
        "table",
        "tail_generation",
        "update_due",
    )

    def __init__(
        self, max_table_size: int = DEFAULT_TABLE_SIZE, sensitive: frozenset[str] = SENSITIVE
    ) -> None:
        self.max_table_size = max_table_size
        self.sensitive = sensitive
        self.table = SearchTable(DEFAULT_TABLE_SIZE)
        self.lowest_size = DEFAULT_TABLE_SIZE
        self.update_due = False
        self.out = bytearray(SCRATCH_BYTES)
        self.method = self.scheme = self.authority = self.protocol = ""
        self.path = ""
        self.block = b""  # of the last request, if it can be sent again as it is
        self.block_generation = -1
        self.head_end = 0
        self.head_generation = -1
        self.common: tuple[tuple[str, str], ...] = ()
        self.common_octets = b""
        self.extra: tuple[tuple[str, str], ...] = ()
        self.tail_generation = -1
        self.set_peer_limit(DEFAULT_TABLE_SIZE)

    def set_peer_limit(self, size: int) -> None:
        """The peer's SETTINGS_HEADER_TABLE_SIZE.

        The next block announces what we make of it (RFC 7541 section 4.2).
        """
        size = min(size, self.max_table_size)
        if size == self.table.max_size and not self.update_due:
            return
        self.lowest_size = min(size, self.lowest_size) if self.update_due else size
        self.update_due = True
        self.table.resize(size)

    def encode_request(
        self,
        method: str,
        scheme: str,
        authority: str,
        path: str,
        common: tuple[tuple[str, str], ...],
        extra: tuple[tuple[str, str], ...],
        protocol: str = "",
    ) -> bytes:
        """The field block of a request's header section (RFC 9113 section 8.3.1).

        ``common``: fields that the same tuple object will be given for again; ``extra``: this request's own, or
        those of the one before, if it is the same object. An empty ``scheme``, ``path`` or ``authority`` is left
        out, as CONNECT wants it (RFC 9113 section 8.5); ``protocol`` is that of an extended CONNECT (RFC 8441
        section 4).

        Raises UnicodeEncodeError for a character outside latin-1; the encoder can go on being used.
        """
        table = self.table
        if (
            self.block_generation == table.generation
            and self.path == path
            and self.common is common
            and self.extra is extra
            and self.method == method
            and self.scheme == scheme
            and self.authority == authority
            and self.protocol == protocol
        ):
            return self.block  # the last request once more
        try:
            # The scratch buffer still begins with the last request's head.
            if (
                self.head_generation == table.generation
                and self.method == method
                and self.scheme == scheme
                and self.authority == authority
                and self.protocol == protocol
            ):
                position = self.head_end
            else:
                position = self._head(method, scheme, authority, protocol)
            if path:
                position = self._path(position, path)
            if self.tail_generation == table.generation and self.common is common:
                position = self._copy(position, self.common_octets)
            else:
                position = self._tail(position, common)
            for pair in extra:
                position = self._field(position, pair)
        except BaseException:
            self._forget()
            raise
        block = self._take(position)
        if self.head_generation == table.generation and self.tail_generation == table.generation:
            self.path = path
            self.extra = extra
            self.block = block
            self.block_generation = table.generation
        else:
            self.block_generation = -1  # method, scheme and authority are another request's now
        return block

    def encode(self, fields: Iterable[tuple[str, str]]) -> bytes:
        """The field block of any other section. Raises as :meth:`encode_request` does."""
        self.head_generation = -1
        try:
            position = self._size_updates()
            for pair in fields:
                position = self._field(position, pair)
        except BaseException:
            self._forget()
            raise
        return self._take(position)

    def _head(self, method: str, scheme: str, authority: str, protocol: str) -> int:
        position = self._size_updates()
        updated = position > 0
        generation = self.table.generation
        position = self._field(position, (":method", method))
        if protocol:
            position = self._field(position, (":protocol", protocol))
        if scheme:
            position = self._field(position, (":scheme", scheme))
        if authority:
            position = self._field(position, (":authority", authority))
        self.method = method
        self.scheme = scheme
        self.authority = authority
        self.protocol = protocol
        self.head_end = position
        # Octets that insert something, or update the table's size, may not be sent again.
        self.head_generation = -1 if updated or generation != self.table.generation else generation
        return position

    def _path(self, position: int, path: str) -> int:
        """``:path`` is never inserted: there are too many, and they would push out what repeats."""
        if path == "/":
            self.out[position] = INDEXED | PATH
            return position + 1
        self.out[position] = NOT_INDEXED | PATH
        return self._string(position + 1, path)

    def _tail(self, position: int, common: tuple[tuple[str, str], ...]) -> int:
        start = position
        generation = self.table.generation
        for pair in common:
            position = self._field(position, pair)
        if generation == self.table.generation:
            self.common = common
            self.common_octets = octets.take(self.out, start, position)
            self.tail_generation = generation
        return position

    def _field(self, position: int, pair: tuple[str, str]) -> int:
        """Any field line, in the form that suits it."""
        name, value = pair
        if name in self.sensitive:
            return self._literal(position, NEVER_INDEXED, 0x0F, name, value)
        known = INDEX_OF_PAIR.get(pair)
        index = self.table.find(pair) if known is None else known
        if index:
            return integers.encode_integer(self.out, position, INDEXED, 0x7F, index)
        # One that fills a quarter of the table would push out too many others.
        if (
            name in UNREPEATED
            or 4 * (len(name) + len(value) + 32) > self.table.max_size
            or not self.table.repeats(name)
        ):
            return self._literal(position, NOT_INDEXED, 0x0F, name, value)
        position = self._literal(position, INSERTED, 0x3F, name, value)
        self.table.insert(pair)
        return position

    def _literal(self, position: int, form: int, prefix: int, name: str, value: str) -> int:
        known = INDEX_OF_NAME.get(name)
        index = self.table.find_name(name) if known is None else known
        position = integers.encode_integer(self.out, position, form, prefix, index)
        if not index:
            position = self._string(position, name)
        return self._string(position, value)

    def _string(self, position: int, text: str) -> int:
        """A string literal, Huffman-coded when that is shorter (RFC 7541 section 5.2)."""
        data = text.encode("latin-1")
        size = len(data)
        self._reserve(position, size + LITERAL_OVERHEAD)
        out = self.out
        if size < 0x7F:
            # Either form's length takes one octet, so the code can be written before its length is known.
            stop = huffman.encode_huffman(data, out, position + 1)
            if stop >= 0:
                out[position] = 0x80 | (stop - position - 1)
                return stop
            out[position] = size
            return self._copy(position + 1, data)
        coded = huffman.huffman_size(data)
        if coded < size:
            position = integers.encode_integer(out, position, 0x80, 0x7F, coded)
            return huffman.encode_huffman(data, out, position)
        position = integers.encode_integer(out, position, 0, 0x7F, size)
        return self._copy(position, data)

    def _size_updates(self) -> int:
        """Begin a block with what the peer has to know of the table's size."""
        if not self.update_due:
            return 0
        self.update_due = False
        position = 0
        if self.lowest_size < self.table.max_size:
            position = integers.encode_integer(self.out, 0, SIZE_UPDATE, 0x1F, self.lowest_size)
        return integers.encode_integer(self.out, position, SIZE_UPDATE, 0x1F, self.table.max_size)

    def _forget(self) -> None:
        """Part of a block was encoded and is thrown away: have both sides begin with an empty table again."""
        size = self.table.max_size
        self.table.resize(0)
        self.table.resize(size)
        self.lowest_size = 0
        self.update_due = True

    def _copy(self, position: int, data: bytes) -> int:
        size = len(data)
        self._reserve(position, size)
        octets.put(self.out, position, data, 0, size)
        return position + size

    def _reserve(self, position: int, size: int) -> None:
        """Room for ``size`` octets at ``position`` and LITERAL_OVERHEAD behind them.

        Whoever writes a string calls this; what comes before the next string always fits the overhead.
        """
        needed = position + size + LITERAL_OVERHEAD
        if needed > len(self.out):
            self.out.extend(bytes(needed))

    def _take(self, position: int) -> bytes:
        block = octets.take(self.out, 0, position)
        if len(self.out) > SCRATCH_LIMIT:
            self.out = bytearray(SCRATCH_BYTES)
            self.head_generation = -1
        return block

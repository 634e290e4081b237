"""Field blocks as the scripted peer reads and writes them (RFC 7541)."""

from __future__ import annotations

from collections.abc import Iterable

from .._hpack import huffman, integers
from .._hpack.dynamic_table import DynamicTable
from .._http.field import make_field

INTEGER_OCTETS = 6  # the most a length takes

Fields = list[tuple[str, str]]


class BlockReader:
    """Decodes the field blocks of one connection, pseudo-header fields among the others."""

    def __init__(self) -> None:
        self.table: DynamicTable = DynamicTable(4096)
        self.block = bytearray()
        self.at = 0

    def read(self, block: bytes) -> Fields:
        """The fields in order. Raises HpackError."""
        self.block = bytearray(block)
        self.at = 0
        fields: Fields = []
        while self.at < len(self.block):
            octet = self.block[self.at]
            if octet & 0x80:
                fields.append(self.table.find(self._integer(0x7F)).pair)
            elif octet & 0xE0 == 0x20:
                self.table.resize(self._integer(0x1F))
            else:
                index = self._integer(0x3F if octet & 0x40 else 0x0F)
                name = self.table.find(index).name if index else self._string()
                field = make_field(name, self._string())
                if octet & 0x40:
                    self.table.insert(field)
                fields.append(field.pair)
        return fields

    def _integer(self, prefix: int) -> int:
        value = self.block[self.at] & prefix
        self.at += 1
        if value == prefix:
            value, octets = divmod(integers.decode_integer(self.block, self.at, len(self.block), prefix), 16)
            self.at += octets
        return value

    def _string(self) -> str:
        coded = self.block[self.at] & 0x80
        length = self._integer(0x7F)
        self.at += length
        octets = self.block[self.at - length : self.at]
        if coded:
            out = bytearray(2 * length)
            octets = out[: huffman.decode_huffman(octets, 0, length, out) >> 2]
        return octets.decode("latin-1")


def write_block(fields: Iterable[tuple[str, str]]) -> bytes:
    """A block of literals without indexing: blocks can be written in any order, and names and values may be wrong."""
    out = bytearray()
    for name, value in fields:
        out.append(0)
        for text in (name, value):
            octets = text.encode("latin-1")
            prefix = bytearray(INTEGER_OCTETS)
            out += prefix[: integers.encode_integer(prefix, 0, 0, 0x7F, len(octets))]
            out += octets
    return bytes(out)

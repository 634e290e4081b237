"""Octets read as field blocks of one HPACK decoder: fields or an HpackError, tables within bounds, nothing read behind,
and a decoder that shares a pool with all before it reads the same.

The first octet chooses limits; each block is preceded by two octets of its length.
"""

from __future__ import annotations

from deuterium._hpack.decoder import Decoder
from deuterium._hpack.encoder import Encoder
from deuterium._hpack.errors import HpackError
from deuterium._http.field_section import FieldSection
from deuterium._memory.string_pool import StringPool

TABLE_SIZES = (0, 40, 200, 4_096)
LIST_LIMITS = (64, 1_000, 8_192, 262_144)
MAX_BLOCKS = 64
POOL = StringPool()


def decode(decoder: Decoder, block: bytes, behind: bytes, limit: int) -> list[tuple[str, str]]:
    """What a block says; ``behind`` lies in the same memory and must not matter."""
    section = FieldSection()
    section.begin(limit, True)
    data = bytearray(b"\0" + block + behind)
    decoder.decode(data, 1, 1 + len(block), section)
    assert sum(len(name) + len(value) + 32 for name, value in section.pairs) <= limit
    assert section.size <= limit or section.overflow
    return section.pairs


def run(octets: bytes) -> None:
    """Raises for a finding."""
    if not octets:
        return
    size, limit = TABLE_SIZES[octets[0] & 3], LIST_LIMITS[octets[0] >> 2 & 3]
    decoder, twin, pooled = Decoder(size), Decoder(size), Decoder(size, POOL)
    position = 1
    for _ in range(MAX_BLOCKS):
        if position >= len(octets):
            return
        length = int.from_bytes(octets[position : position + 2], "big") % 2_048
        block = octets[position + 2 : position + 2 + length]
        position += 2 + length
        try:
            pairs = decode(decoder, block, b"", limit)
        except HpackError:
            pairs = None
        for other in (twin, pooled):
            try:
                assert decode(other, block, b"\xff\x82\x01", limit) == pairs
            except HpackError:
                assert pairs is None
        table = decoder.table
        assert (
            table.size == sum(field.size for field in table.dynamic_fields()) <= table.max_size <= max(size, 4_096)
        )
        if pairs is None:
            return
        again = decode(Decoder(), Encoder().encode(pairs), b"", 1 << 24)
        assert again == pairs

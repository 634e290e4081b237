"""Which values the decoder shares between connections: those that may be indexed."""

from __future__ import annotations

import pytest

from deuterium._hpack.decoder import Decoder
from deuterium._http.field_section import FieldSection
from deuterium._memory.string_pool import StringPool

NAME = b"x-region"
VALUE = b"eu-central"


def decoded_value(first_octet: int, pool: StringPool) -> str:
    """The value of one literal field line with a new name (RFC 7541 section 6.2), on a connection of its own."""
    block = bytes([first_octet, len(NAME)]) + NAME + bytes([len(VALUE)]) + VALUE
    section = FieldSection()
    section.begin(16384, False)
    Decoder(4096, pool).decode(bytearray(block), 0, len(block), section)
    ((name, value),) = section.pairs
    assert (name, value) == (NAME.decode(), VALUE.decode())
    return value


@pytest.mark.parametrize("first_octet", [0x40, 0x00], ids=["with indexing", "without indexing"])
@pytest.mark.rfc("7541", "6.2")
def test_value_that_may_be_indexed_is_one_string_for_all_connections(first_octet: int) -> None:
    pool = StringPool()
    assert decoded_value(first_octet, pool) is decoded_value(first_octet, pool)


@pytest.mark.rfc("7541", "6.2.3")
def test_value_that_is_never_indexed_is_not_pooled() -> None:
    pool = StringPool()
    assert decoded_value(0x10, pool) is not decoded_value(0x10, pool)
    assert pool.stats().size == 1  # the name

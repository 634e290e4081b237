"""Which values the decoder shares between connections: those that may be indexed."""

from __future__ import annotations

import pytest

from deuterium._hpack.decoder import Decoder
from deuterium._hpack.huffman import encode_huffman
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


def literal(first_octet: int, name: bytes, value: bytes) -> bytearray:
    return bytearray(bytes([first_octet, len(name)]) + name + bytes([len(value)]) + value)


def decoded_pair(decoder: Decoder, block: bytearray) -> tuple[str, str]:
    section = FieldSection()
    section.begin(16384, False)
    decoder.decode(block, 0, len(block), section)
    (pair,) = section.pairs
    return pair


@pytest.mark.parametrize("first_octet", [0x40, 0x00], ids=["with indexing", "without indexing"])
def test_field_whose_value_repeats_is_one_object_for_all_connections(first_octet: int) -> None:
    pool = StringPool()
    block = literal(first_octet, NAME, VALUE)
    pairs = [decoded_pair(Decoder(4096, pool), block) for _ in range(4)]
    assert set(pairs) == {(NAME.decode(), VALUE.decode())}
    assert pairs[3] is pairs[2]


@pytest.mark.parametrize("first_octet", [0x40, 0x00], ids=["with indexing", "without indexing"])
@pytest.mark.parametrize("name", [b"set-cookie", b"etag", b"x-request-id"])
def test_value_that_changes_is_never_shared_between_connections(first_octet: int, name: bytes) -> None:
    pool = StringPool()
    block = literal(first_octet, name, b"abcdef")
    values = [decoded_pair(Decoder(4096, pool), block)[1] for _ in range(4)]
    assert values == ["abcdef"] * 4
    assert len({id(value) for value in values}) == 4


@pytest.mark.rfc("7541", "7.1.3")
def test_field_that_is_never_indexed_is_not_remembered() -> None:
    decoder = Decoder(4096, StringPool())
    block = literal(0x10, NAME, VALUE)
    values = [decoded_pair(decoder, block)[1] for _ in range(4)]
    assert values == [VALUE.decode()] * 4
    assert len({id(value) for value in values}) == 4


def test_field_without_indexing_is_remembered_by_its_connection_only() -> None:
    block = literal(0x00, b"etag", b'"5f3b"')
    decoder, other = Decoder(), Decoder()
    pairs = [decoded_pair(decoder, block) for _ in range(4)]
    assert pairs[3] is pairs[2]
    assert decoded_pair(other, block) is not pairs[3]


@pytest.mark.rfc("7541", "6.2.1")
def test_remembered_field_with_indexing_is_inserted_each_time() -> None:
    pool = StringPool()
    for count in range(1, 5):
        decoder = Decoder(4096, pool)
        block = literal(0x40, NAME, VALUE)
        for _ in range(count):
            decoded_pair(decoder, block)
        assert decoder.table.size == count * (len(NAME) + len(VALUE) + 32)
        assert decoded_pair(decoder, bytearray([0x80 | 62])) == (NAME.decode(), VALUE.decode())


@pytest.mark.rfc("9113", "8.2.1")
@pytest.mark.parametrize("value", [b"a\rb", b"a\nb", b"a\0b", b" a", b"a ", b"\ta", b"a\t", b" ", b"\n"])
@pytest.mark.parametrize("pool", [None, StringPool()], ids=["no pool", "pool"])
def test_illegal_value_is_reported_each_time(value: bytes, pool: StringPool | None) -> None:
    coded = bytearray(200)
    size = encode_huffman(value, coded, 0)
    blocks = [literal(0x00, NAME, value), literal(0x40, NAME, value)]
    if size > 0:
        blocks.append(bytearray(b"\x40" + bytes([len(NAME)]) + NAME + bytes([0x80 | size]) + coded[:size]))
    for block in blocks:
        for _ in range(4):
            section = FieldSection()
            section.begin(16384, True)
            Decoder(4096, pool).decode(block, 0, len(block), section)
            assert section.error.startswith("RFC 9113 8.2.1")


@pytest.mark.parametrize("octet", [0x7F, 0x80, 0xE9, 0xFF])
def test_value_outside_ascii_is_latin_1_however_it_is_coded(octet: int) -> None:
    value = b"text and more text " * 3 + bytes([octet])
    coded = bytearray(200)
    size = encode_huffman(value, coded, 0)
    assert size > 0
    plain = literal(0x40, NAME, value)
    huffman = bytearray(b"\x40" + bytes([len(NAME)]) + NAME + bytes([0x80 | size]) + coded[:size])
    for block in (plain, huffman):
        text = decoded_pair(Decoder(), block)[1]
        assert text == value.decode("latin-1")
        assert text.isascii() == (octet < 0x80)
        assert hash(text) == hash(value.decode("latin-1"))

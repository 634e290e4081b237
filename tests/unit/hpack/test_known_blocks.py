"""Blocks that come again: what was decoded once is given again, and only while it means the same."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deuterium._hpack.decoder import Decoder
from deuterium._hpack.encoder import Encoder
from deuterium._hpack.errors import HpackError
from deuterium._http.field_section import FieldSection
from deuterium._memory.string_pool import StringPool

INSERT_A_1 = bytes.fromhex("4001610131")  # "a: 1", inserted
INSERT_B_2 = bytes.fromhex("4001620132")
STATUS_AND_NEWEST = bytes.fromhex("88be")
AGAIN = 4  # a block is kept when it comes for the second time


def decode(decoder: Decoder, block: bytes, limit: int = 1 << 16, trailers: bool = False) -> FieldSection:
    section = FieldSection()
    section.begin(limit, trailers)
    decoder.decode(bytearray(block), 0, len(block), section)
    return section


def seen(section: FieldSection) -> tuple[object, ...]:
    return (
        section.pairs,
        section.kinds,
        section.status,
        section.content_length,
        section.size,
        section.overflow,
        section.error,
    )


@pytest.mark.parametrize(
    "block",
    [
        "88be",
        "88be0f0d03313030",
        "88be0f0d83081a7f",
        "8800016301" + "33",
        "88be10016301" + "33",
        "be88",
        "88be88",
        "8800",
    ],
    ids=["indices", "length", "coded", "literal", "never-indexed", "late-status", "two-statuses", "cut"],
)
def test_block_that_comes_again_gives_the_same(block: str) -> None:
    decoder = Decoder(strings=StringPool())
    decode(decoder, INSERT_A_1, trailers=True)
    octets = bytes.fromhex(block)
    if block == "8800":
        for _ in range(AGAIN):
            with pytest.raises(HpackError):
                decode(decoder, octets)
        return
    first = seen(decode(decoder, octets))
    for _ in range(AGAIN):
        assert seen(decode(decoder, octets)) == first


def test_every_section_owns_its_fields() -> None:
    decoder = Decoder()
    decode(decoder, INSERT_A_1, trailers=True)
    for _ in range(AGAIN):
        section = decode(decoder, STATUS_AND_NEWEST)
        assert section.pairs == [("a", "1")]
        section.pairs.append(("mine", "alone"))


@pytest.mark.rfc("7541", "2.3.3")
def test_block_means_something_else_once_the_table_has_changed() -> None:
    decoder = Decoder()
    for _ in range(3):
        decode(decoder, INSERT_A_1, trailers=True)
        for _ in range(AGAIN):
            assert decode(decoder, STATUS_AND_NEWEST).pairs == [("a", "1")]
        decode(decoder, INSERT_B_2, trailers=True)
        for _ in range(AGAIN):
            assert decode(decoder, STATUS_AND_NEWEST).pairs == [("b", "2")]
    decode(decoder, b"\x20", trailers=True)  # the table is emptied
    for _ in range(AGAIN):
        with pytest.raises(HpackError):
            decode(decoder, STATUS_AND_NEWEST)


def test_known_block_still_has_to_keep_the_limit() -> None:
    decoder = Decoder()
    decode(decoder, INSERT_A_1, trailers=True)
    for _ in range(AGAIN):
        assert not decode(decoder, STATUS_AND_NEWEST).overflow
    size = decode(decoder, STATUS_AND_NEWEST).size
    assert not decode(decoder, STATUS_AND_NEWEST, limit=size).overflow
    assert decode(decoder, STATUS_AND_NEWEST, limit=size - 1).overflow


@pytest.mark.rfc("9113", "8.1")
def test_known_block_is_no_trailer_section() -> None:
    decoder = Decoder()
    decode(decoder, INSERT_A_1, trailers=True)
    for _ in range(AGAIN):
        assert decode(decoder, STATUS_AND_NEWEST).error == ""
    assert "trailer" in decode(decoder, STATUS_AND_NEWEST, trailers=True).error


FIELDS = st.lists(
    st.tuples(st.sampled_from(["a", "server", "date", "x-id", "set-cookie"]), st.sampled_from(["", "1", "2", "three"])),
    max_size=5,
)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(FIELDS, min_size=1, max_size=6), st.lists(st.integers(0, 5), max_size=40), st.sampled_from([0, 64, 4096])
)
def test_many_sections_in_any_order_come_out_as_they_went_in(
    sections: list[list[tuple[str, str]]], order: list[int], table_size: int
) -> None:
    encoder, decoder = Encoder(), Decoder(strings=StringPool())
    encoder.set_peer_limit(table_size)
    for number in order:
        fields = [(":status", "200"), *sections[number % len(sections)]]
        section = decode(decoder, encoder.encode(fields))
        assert [(":status", str(section.status)), *section.pairs] == fields
        assert section.size == sum(len(name) + len(value) + 32 for name, value in fields)

"""Octets nobody meant as a field block: an HpackError or fields, never anything else, and never what lies behind."""

import hpack
from hypothesis import given, settings
from hypothesis import strategies as st

from deuterium._hpack.decoder import Decoder
from deuterium._hpack.encoder import Encoder
from deuterium._hpack.errors import HpackError
from deuterium._http.field_section import FieldSection

FIELDS = st.lists(
    st.tuples(
        st.text("abcdefghijklmnop-", min_size=1, max_size=20), st.text(st.characters(max_codepoint=255), max_size=60)
    ),
    min_size=1,
    max_size=8,
)


def decode(decoder: Decoder, block: bytes, behind: bytes, limit: int = 4096) -> list[tuple[str, str]] | None:
    section = FieldSection()
    section.begin(limit, True)
    data = bytearray(b"\x00" + block + behind)
    try:
        decoder.decode(data, 1, 1 + len(block), section)
    except HpackError:
        return None
    assert section.size <= limit or section.overflow
    assert sum(len(name) + len(value) + 32 for name, value in section.pairs) <= limit
    table = decoder.table
    assert table.size == sum(field.size for field in table.dynamic_fields()) <= table.max_size
    return section.pairs


@settings(max_examples=500)
@given(st.lists(st.binary(max_size=60), max_size=6), st.sampled_from([0, 40, 200, 4096]))
def test_random_octets_end_in_fields_or_an_hpack_error(blocks, limit):
    decoder = Decoder()
    for block in blocks:
        if decode(decoder, block, b"\x01a\x01b" * 9, limit) is None:
            break


@given(FIELDS, st.data())
def test_block_cut_anywhere_reads_nothing_behind_it(pairs, data):
    block = Encoder().encode(pairs)
    cut = data.draw(st.integers(0, len(block)))
    results = [decode(Decoder(), block[:cut], behind) for behind in (b"", block[cut:], b"\xff" * 50, b"\x00" * 50)]
    assert all(result == results[0] for result in results)
    assert results[0] is None or results[0] == pairs[: len(results[0])]


@given(FIELDS, st.data())
def test_block_with_one_octet_changed_is_read_as_hpack_reads_it(pairs, data):
    block = bytearray(Encoder().encode(pairs))
    block[data.draw(st.integers(0, len(block) - 1))] = data.draw(st.integers(0, 255))
    ours = decode(Decoder(), bytes(block), b"", 1 << 20)
    try:
        read = hpack.Decoder(max_header_list_size=1 << 20).decode(bytes(block), raw=True)
    except hpack.HPACKError:
        return
    if ours is None:
        # We limit integers; hpack does not.
        return
    theirs = [(bytes(name).decode("latin-1"), bytes(value).decode("latin-1")) for name, value in read]
    assert ours == [pair for pair in theirs if not pair[0].startswith(":")]

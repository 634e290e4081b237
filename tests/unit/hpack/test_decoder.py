"""The decoder: forms, errors, size updates, and the list limit."""

import pytest

from deuterium._hpack.decoder import Decoder
from deuterium._hpack.errors import HpackError
from deuterium._http.field_section import FieldSection
from deuterium._memory.string_pool import StringPool

INSERT_A_1 = "40016101" + "31"  # "a: 1", inserted, plain
A_1 = ("a", "1")


def decode(decoder: Decoder, block: str, limit: int = 1 << 16, trailers: bool = True) -> FieldSection:
    section = FieldSection()
    section.begin(limit, trailers)
    data = bytearray.fromhex(block)
    decoder.decode(data, 0, len(data), section)
    return section


def entries(decoder: Decoder) -> list[tuple[str, str]]:
    return [field.pair for field in decoder.table.dynamic_fields()]


def test_decode_of_an_empty_block_adds_nothing():
    assert decode(Decoder(), "").pairs == []


def test_decode_of_a_part_of_the_buffer_leaves_the_rest():
    section = FieldSection()
    section.begin(1000, False)
    assert Decoder().decode(bytearray.fromhex("ff88ff"), 1, 2, section) == 0
    assert section.status == 200


@pytest.mark.parametrize(("start", "end"), [(-1, 1), (0, 4), (2, 1), (4, 4)])
def test_decode_outside_the_buffer_is_refused(start, end):
    with pytest.raises(ValueError, match="outside"):
        Decoder().decode(bytearray(3), start, end, FieldSection())


@pytest.mark.rfc("7541", "6.2")
def test_decode_inserts_only_literals_with_incremental_indexing():
    decoder = Decoder()
    assert decode(decoder, INSERT_A_1 + "00016201" + "32" + "10016301" + "33").pairs == [A_1, ("b", "2"), ("c", "3")]
    assert entries(decoder) == [A_1]
    assert decode(decoder, "be").pairs == [A_1]


@pytest.mark.rfc("7541", "6.2.1")
def test_decode_names_a_literal_after_a_dynamic_entry():
    decoder = Decoder()
    decode(decoder, INSERT_A_1)
    assert decode(decoder, "7e0132").pairs == [("a", "2")]
    assert entries(decoder) == [("a", "2"), A_1]


@pytest.mark.rfc("7541", "2.3.3")
def test_decode_last_index_is_found_and_the_next_refused():
    decoder = Decoder()
    assert decode(decoder, "bd").pairs == [("www-authenticate", "")]
    with pytest.raises(HpackError, match="no index 62"):
        decode(decoder, "be")
    decode(decoder, INSERT_A_1)
    assert decode(decoder, "be").pairs == [A_1]
    with pytest.raises(HpackError, match="no index 63"):
        decode(decoder, "bf")


@pytest.mark.rfc("7541", "6.1")
def test_decode_index_zero_is_refused():
    with pytest.raises(HpackError, match="no index 0"):
        decode(Decoder(), "80")


@pytest.mark.rfc("7541", "2.3.3")
@pytest.mark.parametrize("block", ["7e0131", "0f2f0131", "1f2f0131", "7f80808008" + "0131"])
def test_decode_name_index_behind_the_table_is_refused(block):
    with pytest.raises(HpackError, match="no index"):
        decode(Decoder(), block)


def test_decode_index_of_several_octets_is_found():
    decoder = Decoder()
    for number in range(100):
        decode(decoder, f"400161{2:02x}{format(number, '02d').encode().hex()}")
    assert decode(decoder, "ff" + format(62 + 99 - 127, "02x")).pairs == [("a", "00")]
    with pytest.raises(HpackError, match="no index 162"):
        decode(decoder, "ff" + format(162 - 127, "02x"))


@pytest.mark.rfc("7541", "5.2")
@pytest.mark.parametrize(
    "block", ["40", "4001", "400161", "40016102" + "31", "4001617f", "4001617f00", "408161", "50", "0f", "ff", "7f"]
)
def test_decode_of_a_block_cut_off_is_refused(block):
    with pytest.raises(HpackError):
        decode(Decoder(), block)


def test_decode_string_up_to_the_end_is_read_and_one_octet_longer_refused():
    assert decode(Decoder(), "000161" + "7f00" + "78" * 127).pairs == [("a", "x" * 127)]
    with pytest.raises(HpackError, match="longer than the block"):
        decode(Decoder(), "000161" + "7f01" + "78" * 127)


def test_decode_string_longer_than_the_scratch_buffer_is_read():
    value = "0" * 10000  # five bits each
    coded = bytes(10000 * 5 // 8)
    length = len(coded) - 0x7F
    block = "000161" + "ff" + bytes([length & 0x7F | 0x80, length >> 7]).hex() + coded.hex()
    assert decode(Decoder(), block).pairs == [("a", value)]


@pytest.mark.rfc("7541", "4.3")
def test_decode_size_update_at_the_limit_is_taken_and_above_refused():
    decoder = Decoder(100)
    decode(decoder, "3f45")
    assert decoder.table.max_size == 100
    with pytest.raises(HpackError, match="above the limit 100"):
        decode(decoder, "3f46")


@pytest.mark.rfc("7541", "4.2")
def test_decode_table_grows_past_the_default_only_with_a_size_update():
    decoder = Decoder(8192)
    assert (decoder.limit, decoder.table.max_size) == (8192, 4096)
    decode(decoder, "3fe13f")
    assert decoder.table.max_size == 8192


@pytest.mark.rfc("7541", "4.2")
def test_decode_two_size_updates_are_taken_and_three_refused():
    decoder = Decoder()
    decode(decoder, INSERT_A_1)
    assert decode(decoder, "203fe11f" + "82").error != ""
    assert (decoder.table.max_size, entries(decoder)) == (4096, [])
    with pytest.raises(HpackError, match="more than two"):
        decode(decoder, "202020")


@pytest.mark.rfc("7541", "4.2")
def test_decode_size_update_behind_a_field_is_refused():
    with pytest.raises(HpackError, match="inside a block"):
        decode(Decoder(), "8820")


@pytest.mark.rfc("7541", "4.2")
def test_decode_without_the_reduction_acknowledged_is_refused():
    decoder = Decoder()
    decoder.set_limit(100)
    with pytest.raises(HpackError, match="not reduced"):
        decode(decoder, "88")


@pytest.mark.rfc("7541", "4.2")
def test_decode_with_the_reduction_acknowledged_goes_on_and_asks_no_second():
    decoder = Decoder()
    decoder.set_limit(100)
    decode(decoder, "3f45" + "88")
    assert decode(decoder, "88", trailers=False).status == 200


@pytest.mark.rfc("7541", "4.2")
def test_decode_after_limit_went_down_and_up_needs_the_lowest():
    decoder = Decoder()
    decoder.set_limit(100)
    decoder.set_limit(50)
    decoder.set_limit(4096)
    with pytest.raises(HpackError, match="not reduced"):
        decode(decoder, "3f45")
    decoder = Decoder()
    decoder.set_limit(50)
    decoder.set_limit(4096)
    decode(decoder, "3f13" + "3fe11f")
    assert decoder.table.max_size == 4096


@pytest.mark.rfc("7541", "4.2")
def test_decode_limit_at_or_above_the_size_in_use_needs_no_update():
    decoder = Decoder(100)
    decoder.set_limit(4096)
    decoder.set_limit(100)
    assert decode(decoder, "88", trailers=False).status == 200
    assert decoder.table.max_size == 100


@pytest.mark.rfc("7541", "4.4")
def test_decode_entry_as_large_as_the_table_stays_and_one_octet_larger_empties_it():
    decoder = Decoder(34)
    decode(decoder, INSERT_A_1)
    assert entries(decoder) == [A_1]
    assert decode(decoder, "40016102" + "3132").pairs == [("a", "12")]
    assert (entries(decoder), decoder.table.size) == ([], 0)


@pytest.mark.rfc("7541", "4.4")
def test_decode_literal_named_after_the_entry_it_evicts_keeps_the_name():
    decoder = Decoder(34)
    decode(decoder, INSERT_A_1)
    assert decode(decoder, "7e0132").pairs == [("a", "2")]
    assert entries(decoder) == [("a", "2")]


def test_decode_past_the_list_limit_stores_nothing_but_keeps_the_table_right():
    decoder = Decoder()
    block = "0001610131" + "40016201" + "32" + "0001630133" + "be" + "88"
    section = decode(decoder, block, limit=34)
    assert section.overflow
    assert section.pairs == [A_1]
    assert section.size == 4 * 34 + 42
    assert entries(decoder) == [("b", "2")]


def test_decode_past_the_list_limit_still_checks_the_strings():
    with pytest.raises(HpackError, match="padding"):
        decode(Decoder(), "0001610131" + "00016101" + "31" + "000162" + "81ff", limit=34)
    section = decode(Decoder(), "0001610131" * 2 + "000162" + "826402", limit=34)
    assert section.overflow


def test_decode_field_that_http_forbids_is_an_error_of_the_section_not_of_hpack():
    section = decode(Decoder(), "88" + "00" + "014101" + "31", trailers=False)
    assert "8.2.1" in section.error


def test_decode_value_of_octets_above_ascii_is_latin_1():
    assert decode(Decoder(), "000161" + "02e9ff").pairs == [("a", "\xe9\xff")]


def test_decode_with_a_string_pool_shares_what_is_inserted():
    strings = StringPool()
    first, second = Decoder(4096, strings), Decoder(4096, strings)
    block = "40" + "0578" + b"-one".hex() + "04" + b"fast".hex()
    one = decode(first, block).pairs[0]
    two = decode(second, block).pairs[0]
    assert one == two == ("x-one", "fast")
    assert one[0] is two[0]
    assert one[1] is two[1]

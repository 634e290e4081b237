"""Prefix integers at their limits."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deuterium._hpack.errors import HpackError
from deuterium._hpack.integers import decode_integer, encode_integer

LARGEST = 2**31 - 1
PREFIXES = [0x0F, 0x1F, 0x3F, 0x7F]


def decoded(octets: str, prefix: int = 0x7F) -> tuple[int, int]:
    data = bytearray.fromhex(octets)
    return divmod(decode_integer(data, 0, len(data), prefix), 16)


@given(st.integers(0, LARGEST), st.sampled_from(PREFIXES), st.integers(0, 5))
def test_integer_written_is_read_back(value, prefix, position):
    out = bytearray(position + 6)
    end = encode_integer(out, position, 0, prefix, value)
    if value < prefix:
        assert (end, out[position]) == (position + 1, value)
    else:
        assert out[position] == prefix
        assert divmod(decode_integer(out, position + 1, end, prefix), 16) == (value, end - position - 1)


@pytest.mark.rfc("7541", "5.1")
def test_integer_largest_value_is_read_and_the_next_refused():
    out = bytearray(6)
    end = encode_integer(out, 0, 0, 0x7F, LARGEST)
    assert divmod(decode_integer(out, 1, end, 0x7F), 16) == (LARGEST, end - 1)
    assert decoded("80ffffff07") == (LARGEST, 5)
    with pytest.raises(HpackError, match="too large"):
        decoded("81ffffff07")


@pytest.mark.rfc("7541", "5.1")
def test_integer_of_five_octets_is_read_and_of_six_refused():
    assert decoded("8080808000") == (0x7F, 5)
    with pytest.raises(HpackError, match="too large"):
        decoded("808080808000")


@pytest.mark.rfc("7541", "5.1")
@pytest.mark.parametrize("octets", ["", "80", "ffff", "80808080"])
def test_integer_cut_off_is_refused(octets):
    with pytest.raises(HpackError, match="ends inside an integer"):
        decoded(octets)


def test_integer_outside_the_buffer_is_not_read_or_written():
    with pytest.raises(ValueError, match="outside"):
        decode_integer(bytearray(3), 0, 4, 0x7F)
    with pytest.raises(ValueError, match="outside"):
        decode_integer(bytearray(3), -1, 3, 0x7F)
    with pytest.raises(ValueError, match="no room"):
        encode_integer(bytearray(6), 1, 0, 0x7F, 1)


def test_hpack_error_ends_the_connection_with_compression_error():
    with pytest.raises(HpackError) as caught:
        decoded("")
    assert (caught.value.code, caught.value.scope, caught.value.initiator) == (0x9, "connection", "remote")

"""The Huffman code against its definition, another implementation, and its padding rules."""

import pytest
from hpack.huffman import HuffmanEncoder
from hpack.huffman_constants import REQUEST_CODES, REQUEST_CODES_LENGTH
from hpack.huffman_table import decode_huffman as other_decode
from hypothesis import given
from hypothesis import strategies as st

from deuterium._hpack.errors import HpackError
from deuterium._hpack.huffman import decode_huffman, encode_huffman, huffman_size
from deuterium._hpack.tables import HUFFMAN_CODES, HUFFMAN_LENGTHS

OTHER = HuffmanEncoder(REQUEST_CODES, REQUEST_CODES_LENGTH)


def decoded(octets: bytes) -> bytes:
    out = bytearray(2 * len(octets))
    data = bytearray(b"<" + octets + b">")
    return bytes(out[: decode_huffman(data, 1, 1 + len(octets), out) >> 2])


def from_bits(bits: str) -> bytes:
    assert len(bits) % 8 == 0
    return bytes(int(bits[start : start + 8], 2) for start in range(0, len(bits), 8))


def code(symbol: int) -> str:
    return format(HUFFMAN_CODES[symbol], f"0{HUFFMAN_LENGTHS[symbol]}b")


@given(st.binary(max_size=200))
def test_huffman_of_any_octets_is_what_hpack_makes_of_them(text):
    expected = OTHER.encode(text)
    assert huffman_size(text) == len(expected)
    out = bytearray(len(text) + 4 + 3)
    end = encode_huffman(text, out, 3)
    if len(expected) < len(text):
        assert out[3:end] == expected
    else:
        assert end == -1
    assert decoded(expected) == text


@given(st.binary(max_size=40))
def test_huffman_of_arbitrary_bits_is_read_as_hpack_reads_it_or_refused_as_well(octets):
    try:
        expected = other_decode(octets)
    except Exception:
        with pytest.raises(HpackError):
            decoded(octets)
    else:
        assert decoded(octets) == expected


@pytest.mark.parametrize("symbol", range(256))
def test_huffman_every_symbol_in_every_bit_position_is_read(symbol):
    for before in range(8):
        bits = code(ord("0")) * before + code(symbol)
        bits += "1" * (-len(bits) % 8)
        assert decoded(from_bits(bits)) == b"0" * before + bytes([symbol])


@pytest.mark.rfc("7541", "5.2")
def test_huffman_padding_of_seven_ones_is_read_and_of_eight_refused():
    # Five bits a letter: after five of them, 25 bits, seven are missing.
    letters = code(ord("a")) * 5
    assert decoded(from_bits(letters + "1" * 7)) == b"aaaaa"
    with pytest.raises(HpackError, match="padding"):
        decoded(from_bits(code(ord("&")) + "1" * 8))
    with pytest.raises(HpackError, match="padding"):
        decoded(b"\xff")


@pytest.mark.rfc("7541", "5.2")
@pytest.mark.parametrize("padding", ["0000000", "1111110", "1111101"])
def test_huffman_padding_that_is_not_the_start_of_eos_is_refused(padding):
    with pytest.raises(HpackError, match="padding"):
        decoded(from_bits(code(ord("a")) * 5 + padding))


@pytest.mark.rfc("7541", "5.2")
@pytest.mark.parametrize("before", range(8))
def test_huffman_eos_in_the_text_is_refused(before):
    bits = code(ord("0")) * before + code(256)
    with pytest.raises(HpackError, match="EOS"):
        decoded(from_bits(bits + "1" * (-len(bits) % 8)))
    bits += code(ord("a"))
    with pytest.raises(HpackError, match="EOS"):
        decoded(from_bits(bits + "1" * (-len(bits) % 8)))


def test_huffman_empty_text_is_empty():
    assert decoded(b"") == b""
    assert huffman_size(b"") == 0
    assert encode_huffman(b"", bytearray(4), 0) == -1


def test_huffman_without_room_or_outside_the_buffer_is_refused():
    with pytest.raises(ValueError, match="outside"):
        decode_huffman(bytearray(4), 0, 4, bytearray(7))
    with pytest.raises(ValueError, match="outside"):
        decode_huffman(bytearray(4), 0, 5, bytearray(99))
    with pytest.raises(ValueError, match="outside"):
        decode_huffman(bytearray(4), -1, 2, bytearray(99))
    with pytest.raises(ValueError, match="no room"):
        encode_huffman(b"aaaa", bytearray(7), 0)
    with pytest.raises(ValueError, match="no room"):
        encode_huffman(b"aaaa", bytearray(99), -1)

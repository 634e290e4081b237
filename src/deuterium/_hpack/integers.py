"""Prefix integers (RFC 7541 section 5.1).

The callers handle what fits the prefix themselves, in one comparison; what is here is the rest.
"""

from __future__ import annotations

from deuterium._hpack.errors import HpackError

# RFC 7541 section 5.1 asks for limits on value and on octet length. No index, string or table size that is
# legal here is larger (and 31 bits fit a Py_ssize_t everywhere); no such value needs more octets.
VALUE_LIMIT = 0x7FFFFFFF
OCTETS_LIMIT = 5
INTEGER_OCTETS = 1 + OCTETS_LIMIT  # the most that encode_integer writes


def decode_integer(data: bytearray, position: int, end: int, prefix: int) -> int:
    """Read on at ``position`` after a prefix whose bits, ``prefix``, were all ones.

    Returns ``value * 16 + octets read``: two results without a tuple. Raises HpackError.

    >>> divmod(decode_integer(bytearray([154, 10]), 0, 2, 31), 16)
    (1337, 2)
    """
    if position < 0 or end > len(data):
        raise ValueError("block outside the buffer")
    return read_integer(data, position, end, prefix)


def read_integer(octets: bytearray, position: int, end: int, prefix: int) -> int:
    """The same for a caller that has checked ``end``: compiled, ``octets`` is a pointer."""
    value = prefix
    shift = 0
    count = 0
    while count < OCTETS_LIMIT:
        if position + count >= end:
            raise HpackError("RFC 7541 5.1: the block ends inside an integer")
        octet = octets[position + count]
        value += (octet & 0x7F) << shift
        count += 1
        if value > VALUE_LIMIT:
            break
        if octet < 0x80:
            return value * 16 + count
        shift += 7
    raise HpackError("RFC 7541 5.1: an integer is too large")


def encode_integer(out: bytearray, position: int, first: int, prefix: int, value: int) -> int:
    """Write ``value`` at ``position``, its prefix or-ed into ``first``; ``prefix`` is the mask of the
    prefix's bits.

    Returns the position behind it. ``out`` has room for INTEGER_OCTETS.
    """
    if position < 0 or position + INTEGER_OCTETS > len(out):
        raise ValueError("no room for an integer")
    octets = out
    if value < prefix:
        octets[position] = first | value
        return position + 1
    octets[position] = first | prefix
    position += 1
    value -= prefix
    while value >= 0x80:
        octets[position] = (value & 0x7F) | 0x80
        position += 1
        value >>= 7
    octets[position] = value
    return position + 1

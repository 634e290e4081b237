"""Huffman-coded string literals (RFC 7541 section 5.2 and appendix B).

Decoding is an automaton that takes eight bits a step. Its states are the 256 inner nodes of the code's
tree, its table is expanded from the code when this module is imported. An entry, 32 bits, is laid out as

    next state (8) | failed (1) accepting (1) . . . . symbols (2) | second symbol (8) | first symbol (8)

No eight bits complete more than two symbols: the shortest code has five.
"""

from __future__ import annotations

from array import array

from deuterium._hpack.errors import HpackError
from deuterium._hpack.tables import HUFFMAN_CODES, HUFFMAN_LENGTHS

EOS = 256
FAILED = 1 << 23
ACCEPTING = 1 << 22
ONE_SYMBOL = 1 << 16
STATES = 256
PADDING_LIMIT = 7  # bits; RFC 7541 section 5.2


def _tree() -> list[list[int]]:
    """The code's inner nodes, root first: node -> [child at 0, child at 1]; symbol s is the child -1 - s."""
    tree = [[0, 0]]
    for symbol, (code, length) in enumerate(zip(HUFFMAN_CODES, HUFFMAN_LENGTHS, strict=True)):
        node = 0
        for shift in range(length - 1, 0, -1):
            bit = code >> shift & 1
            if not tree[node][bit]:
                tree.append([0, 0])
                tree[node][bit] = len(tree) - 1
            node = tree[node][bit]
        tree[node][code & 1] = -1 - symbol
    return tree


def _nibble_row(tree: list[list[int]], start: int, accepting: set[int]) -> list[int]:
    """The entries of four bits out of ``start``: at most one symbol each."""
    row = []
    for nibble in range(16):
        node = start
        symbols = 0
        for shift in (3, 2, 1, 0):
            node = tree[node][nibble >> shift & 1]
            if node < 0:
                if -1 - node == EOS:
                    symbols = FAILED
                    break
                symbols = ONE_SYMBOL | (-1 - node)
                node = 0
        if symbols == FAILED:
            row.append(FAILED)
        else:
            row.append(node << 24 | (ACCEPTING if node in accepting else 0) | symbols)
    return row


def _automaton() -> array[int]:
    """Entry by ``state * 256 + octet``, put together from steps of four bits."""
    tree = _tree()
    # RFC 7541 section 5.2: a string ends in at most seven ones, the start of EOS's code.
    accepting = {0}
    node = 0
    for _ in range(PADDING_LIMIT):
        node = tree[node][1]
        accepting.add(node)
    plain = [_nibble_row(tree, state, accepting) for state in range(STATES)]
    # The same rows behind a first symbol: what they emit is the second one.
    second = [[(entry & 0xFFFF0000) + ONE_SYMBOL | (entry & 0xFF) << 8 for entry in row] for row in plain]
    table = array("I")
    for row in plain:
        for first in row:
            if first & FAILED:
                table.extend([FAILED] * 16)
            elif first & ONE_SYMBOL:
                symbol = first & 0xFF
                table.extend([entry | symbol for entry in second[first >> 24]])
            else:
                table.extend(plain[first >> 24])
    return table


AUTOMATON = _automaton()
CODES = HUFFMAN_CODES[:EOS]
LENGTHS = HUFFMAN_LENGTHS[:EOS]


def decode_huffman(data: bytearray, start: int, end: int, out: bytearray) -> int:
    """Decode the octets ``start`` up to ``end`` into ``out``, which is at least twice as long.

    Returns the number of octets written. Raises HpackError for EOS inside the string, padding that is not
    EOS's start, and padding longer than seven bits.
    """
    if start < 0 or end > len(data) or 2 * (end - start) > len(out):
        raise ValueError("octets outside the buffer")
    octets = data
    text = out
    count = 0
    entry = ACCEPTING
    for position in range(start, end):
        entry = AUTOMATON[(entry >> 16 & 0xFF00) | octets[position]]
        if entry & FAILED:
            raise HpackError("RFC 7541 5.2: EOS inside a Huffman-coded string")
        text[count] = entry & 0xFF
        text[count + 1] = entry >> 8 & 0xFF
        count += entry >> 16 & 3
    if not entry & ACCEPTING:
        raise HpackError("RFC 7541 5.2: wrong padding of a Huffman-coded string")
    return count


def huffman_size(data: bytes) -> int:
    """Octets ``data`` takes when it is Huffman-coded."""
    octets = data
    bits = 7
    for position in range(len(data)):
        bits += LENGTHS[octets[position]]
    return bits >> 3


def encode_huffman(data: bytes, out: bytearray, position: int) -> int:
    """Write ``data`` Huffman-coded at ``position``, if that makes it shorter.

    Returns the position behind it, or -1 when it would not be shorter. ``out`` has room for the octets of
    ``data`` and four more.
    """
    size = len(data)
    if position < 0 or position + size + 4 > len(out):
        raise ValueError("no room for a string")
    octets = data
    text = out
    stop = position + size
    pending = 0
    bits = 0
    for index in range(size):
        octet = octets[index]
        length = LENGTHS[octet]
        pending = pending << length | CODES[octet]
        bits += length
        if bits >= 32:
            if position >= stop:
                return -1
            bits -= 32
            text[position] = pending >> bits + 24 & 0xFF
            text[position + 1] = pending >> bits + 16 & 0xFF
            text[position + 2] = pending >> bits + 8 & 0xFF
            text[position + 3] = pending >> bits & 0xFF
            position += 4
            pending &= 0xFFFFFFFF
    if position + (bits + 7 >> 3) >= stop:
        return -1
    while bits >= 8:
        bits -= 8
        text[position] = pending >> bits & 0xFF
        position += 1
    if bits:
        text[position] = (pending << 8 - bits | 0xFF >> bits) & 0xFF
        position += 1
    return position

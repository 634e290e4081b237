"""Huffman-coded string literals (RFC 7541 section 5.2 and appendix B).

Decoding is an automaton that takes eight bits a step. Its states are the 256 inner nodes of the code's
tree; its table is expanded from the code when this module is imported (2.7 ms compiled, 3.6 ms interpreted). An
entry has 32 bits:

    second symbol (8) | first symbol (8) | next state (8) | . . classes (2) failed (1) accepting (1) symbols (2)

No eight bits complete more than two symbols: the shortest code has five. The classes
(:mod:`deuterium._http.octet_class`) of both are or-ed, so that decoding a value checks it too.

(Twelve bits a step out of a 64-bit window, in a table of 16 KiB, took 1.6 times as long.)

The loops over octets exist twice, once for C and once in calls that the interpreter runs three times faster.
"""

from __future__ import annotations

import sys
from array import array

from deuterium._hpack.errors import HpackError
from deuterium._hpack.tables import HUFFMAN_CODES, HUFFMAN_LENGTHS
from deuterium._http import octet_class
from deuterium._memory import octets

EOS = 256
STATES = 256
PADDING_LIMIT = 7  # bits; RFC 7541 section 5.2
WORD = 0xFFFFFFFF

# An entry.
SYMBOLS = 3
ACCEPTING = 4
FAILED = 8
CLASS_SHIFT = 4
STATE = 0xFF00
FIRST_SHIFT = 16
SECOND_SHIFT = 24


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
                symbols = FAILED if -1 - node == EOS else 1 | _first(-1 - node)
                node = 0
        if symbols & FAILED:
            row.append(FAILED)
        else:
            row.append(node << 8 | (ACCEPTING if node in accepting else 0) | symbols)
    return row


def _first(symbol: int) -> int:
    """The bits of an entry that a first symbol sets."""
    return symbol << FIRST_SHIFT | octet_class.OCTET_CLASSES[symbol] << CLASS_SHIFT


def _automaton() -> array[int]:
    """Entry by ``state * 256 + octet``, put together from steps of four bits."""
    tree = _tree()
    # RFC 7541 section 5.2: a string ends in at most seven ones, the start of EOS's code.
    accepting = {0}
    node = 0
    for _ in range(PADDING_LIMIT):
        node = tree[node][1]
        accepting.add(node)
    plain = [array("I", _nibble_row(tree, state, accepting)) for state in range(STATES)]
    # The same rows behind a first symbol: what they emit is the second one. Each is one integer of 16 lanes, so
    # that the first symbol is put into all of them at once.
    second = [
        _lanes([(entry & 0xFFFF) + (not entry & FAILED) | entry >> 16 << SECOND_SHIFT for entry in row])
        for row in plain
    ]
    every_lane = _lanes([1] * 16)
    table = array("I")
    for row in plain:
        for first in row:
            state = (first & STATE) >> 8
            if first & SYMBOLS:
                lanes = second[state] | _first(first >> FIRST_SHIFT) * every_lane
                table.frombytes(lanes.to_bytes(16 * table.itemsize, sys.byteorder))
            elif first & FAILED:
                table.extend([FAILED] * 16)
            else:
                table.extend(plain[state])
    return table


def _lanes(entries: list[int]) -> int:
    return int.from_bytes(array("I", entries).tobytes(), sys.byteorder)


AUTOMATON = _automaton()
CODES = HUFFMAN_CODES[:EOS]
LENGTHS = HUFFMAN_LENGTHS[:EOS]
BITS = tuple(format(code, f"0{length}b") for code, length in zip(HUFFMAN_CODES, HUFFMAN_LENGTHS, strict=True))


def decode_huffman(data: bytearray, start: int, end: int, out: bytearray) -> int:
    """Decode the octets ``start`` up to ``end`` into ``out``, which is at least twice as long.

    Returns ``octets written * 4 + their classes, or-ed``: two results without a tuple. Raises HpackError for EOS
    inside the string, padding that is not EOS's start, and padding longer than seven bits.
    """
    if start < 0 or end > len(data) or 2 * (end - start) > len(out):
        raise ValueError("octets outside the buffer")
    return decode_octets(data, start, end, out)


def decode_octets(data: bytearray, start: int, end: int, out: bytearray) -> int:
    """The same for a caller that has checked both ranges: compiled, ``data`` and ``out`` are pointers."""
    if not octets.COMPILED:
        decoded = decode_text(data[start:end]).encode("latin-1")
        out[: len(decoded)] = decoded
        return len(decoded) * 4 + octet_class.classes_of(out, 0, len(decoded))
    count = 0
    seen = 0
    entry = ACCEPTING
    for position in range(start, end):
        entry = AUTOMATON[(entry & 0xFF00) | data[position]]
        # Both symbols are always written: no branch depends on the text. (And a literal is faster than a name,
        # which C reads from memory in every turn.)
        out[count] = entry >> 16 & 0xFF
        out[count + 1] = entry >> 24
        count += entry & 3
        seen |= entry
        if entry & 8:
            break
    if not entry & 4:
        raise HpackError(_mistake(entry))
    return count * 4 + (seen >> 4 & 3)


class _Row(dict[int, tuple["_Row", str]]):
    """One state for the interpreter: octet -> (next state, text). Filled by use, up to the automaton's own size."""

    def __init__(self, state: int) -> None:
        self.state = state

    def __missing__(self, octet: int) -> tuple[_Row, str]:
        entry = AUTOMATON[self.state << 8 | octet]
        if entry & FAILED:
            raise HpackError(_mistake(entry))
        symbols = (entry >> FIRST_SHIFT & 0xFF, entry >> SECOND_SHIFT)[: entry & SYMBOLS]
        step = self[octet] = (_ROWS[entry >> 8 & 0xFF], bytes(symbols).decode("latin-1"))
        return step


_ROWS = [_Row(state) for state in range(STATES)]
_ACCEPTING = frozenset(entry >> 8 & 0xFF for entry in AUTOMATON if entry & ACCEPTING)


def decode_text(octets: bytearray) -> str:
    """The same for the interpreter: the text of ``octets``, latin-1. Raises HpackError."""
    row = _ROWS[0]
    parts = []
    for octet in octets:
        row, text = row[octet]
        parts.append(text)
    if row.state not in _ACCEPTING:
        raise HpackError(_mistake(0))
    return "".join(parts)


def _mistake(entry: int) -> str:
    if entry & FAILED:
        return "RFC 7541 5.2: EOS inside a Huffman-coded string"
    return "RFC 7541 5.2: wrong padding of a Huffman-coded string"


def huffman_size(data: bytes) -> int:
    """Octets ``data`` takes when it is Huffman-coded."""
    source = data
    bits = 7
    for position in range(len(data)):
        bits += LENGTHS[source[position]]
    return bits >> 3


def encode_huffman(data: bytes, out: bytearray, position: int) -> int:
    """Write ``data`` Huffman-coded at ``position``, if that makes it shorter.

    Returns the position behind it, or -1 when it would not be shorter. ``out`` has room for the octets of
    ``data`` and four more.
    """
    size = len(data)
    if position < 0 or position + size + 4 > len(out):
        raise ValueError("no room for a string")
    if not octets.COMPILED:
        return _encode_interpreted(data, out, position)
    source = data
    target = out
    stop = position + size
    pending = 0
    bits = 0
    for index in range(size):
        octet = source[index]
        pending = pending << LENGTHS[octet] | CODES[octet]
        bits += LENGTHS[octet]
        if bits >= 32:
            if position >= stop:
                return -1
            bits -= 32
            target[position] = pending >> bits + 24 & 0xFF
            target[position + 1] = pending >> bits + 16 & 0xFF
            target[position + 2] = pending >> bits + 8 & 0xFF
            target[position + 3] = pending >> bits & 0xFF
            position += 4
            pending &= WORD
    if position + (bits + 7 >> 3) >= stop:
        return -1
    while bits >= 8:
        bits -= 8
        target[position] = pending >> bits & 0xFF
        position += 1
    if bits:
        target[position] = (pending << 8 - bits | 0xFF >> bits) & 0xFF
        position += 1
    return position


def _encode_interpreted(data: bytes, out: bytearray, position: int) -> int:
    text = "".join([BITS[octet] for octet in data])
    size = len(text) + 7 >> 3
    if size >= len(data):
        return -1
    padding = 8 * size - len(text)
    value = int(text, 2) << padding | 0xFF >> 8 - padding
    out[position : position + size] = value.to_bytes(size, "big")
    return position + size

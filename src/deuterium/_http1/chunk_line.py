"""The line before each chunk: its size and extensions (RFC 9112 section 7.1)."""

from __future__ import annotations

from ..errors import RemoteProtocolError
from .constants import CHUNK_ALLOWANCE, MAX_CHUNK_EXCESS, MAX_CHUNK_LINE, MAX_CHUNK_SIZE

_digit_octets = bytes(int(chr(octet), 16) if chr(octet) in "0123456789abcdefABCDEF" else 255 for octet in range(256))
DIGIT = _digit_octets  # compiled: a pointer
NO_DIGIT = 255
CR, LF, HTAB, SP, SEMICOLON, DEL = 13, 10, 9, 32, 59, 127
LARGEST_BEFORE_DIGIT = MAX_CHUNK_SIZE >> 4


class ChunkLine:
    """Reads one line after the other; ``size`` is the last one's.

    ``excess``: what lines have cost so far beyond what their chunks allow.
    """

    __slots__ = ("excess", "size")

    def __init__(self) -> None:
        self.size = 0
        self.excess = 0

    def begin(self) -> None:
        """Expect the first chunk of a message."""
        self.size = 0
        self.excess = 0

    def read(self, data: bytearray, start: int, end: int) -> int:
        """The offset behind the line that begins at ``start``; -1: it goes on behind ``end``.

        Raises RemoteProtocolError.
        """
        if start < 0 or end > len(data):
            raise IndexError("octets outside the buffer")
        line = data
        limit = min(end, start + MAX_CHUNK_LINE)
        position = start
        size = 0
        while position < limit:
            digit = DIGIT[line[position]]
            if digit == NO_DIGIT:
                break
            if size > LARGEST_BEFORE_DIGIT:
                raise _fault("a chunk size above 2^63-1")
            size = size << 4 | digit
            position += 1
        if position < limit:
            if position == start:
                raise _fault("a chunk without a size")
            if line[position] != CR:
                position = self._extension(data, position, limit)
        if position + 1 < limit:
            if line[position + 1] != LF:
                raise _fault("a line before a chunk that does not end with CR LF")
            self.size = size
            self._account(position + 2 - start)
            return position + 2
        if limit - start == MAX_CHUNK_LINE:
            raise _fault(f"a line longer than {MAX_CHUNK_LINE} octets before a chunk")
        return -1

    def _extension(self, data: bytearray, start: int, limit: int) -> int:
        """Read over chunk extensions (section 7.1.1); the offset of the CR that ends them, or ``limit``."""
        line = data
        position = start
        # Whitespace here is "bad", but a recipient reads over it, and it cannot hide anything.
        while position < limit and (line[position] == SP or line[position] == HTAB):
            position += 1
        if position < limit and line[position] != SEMICOLON and line[position] != CR:
            raise _fault("a chunk size that is no hexadecimal number")
        while position < limit:
            octet = line[position]
            if octet == CR:
                break
            if (octet < SP and octet != HTAB) or octet == DEL:
                raise _fault("a control character in a chunk extension")
            position += 1
        return position

    def _account(self, octets: int) -> None:
        # Bounded before it is doubled: no size of a chunk can overflow.
        allowed = CHUNK_ALLOWANCE + 2 * min(self.size, MAX_CHUNK_EXCESS)
        self.excess = max(0, self.excess + octets - allowed)
        if self.excess > MAX_CHUNK_EXCESS:
            raise _fault("more octets of chunk extensions than of content")


def _fault(rule: str) -> RemoteProtocolError:
    return RemoteProtocolError(f"RFC 9112 7.1: {rule}", scope="connection")

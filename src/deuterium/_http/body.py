"""Content collected into one bytes object, without a join and without a second copy."""

from __future__ import annotations

from .._memory import octets

COMPILED = not __file__.endswith(".py")

# A content-length is a promise: memory is reserved up to this much at once (untouched pages cost nothing), beyond it
# the content is collected as it comes.
MAX_RESERVED = 1 << 30


class Body:
    """Pieces of content in the order they arrive.

    ``expected``: the content-length, or -1. Compiled, the octets go straight into the ``bytes`` object that ``finish``
    returns, whose memory nobody sees before it is filled; interpreted, and when the length is unknown, the pieces are
    joined.
    """

    __slots__ = ("filled", "memory", "pieces")

    def __init__(self, expected: int) -> None:
        self.filled = 0
        self.memory = b""
        self.pieces: list[bytes] = []
        if COMPILED and 0 < expected <= MAX_RESERVED:
            self.memory = reserve(expected)  # type: ignore[name-defined]  # noqa: F821

    def append(self, data: bytearray, start: int, end: int) -> None:
        """Copy ``data[start:end]`` to the end."""
        if end < start or start < 0 or end > len(data):
            raise IndexError("content outside its buffer")
        size = end - start
        if not size:
            return
        if self.filled + size <= len(self.memory):
            # Only compiled code has memory reserved: nobody else holds this object yet, so filling it is sound.
            target = self.memory
            source = data
            octets.copy_octets(target + self.filled, source + start, size)  # type: ignore[attr-defined,operator]
        else:
            self.pieces.append(octets.take(data, start, end))
        self.filled += size

    def finish(self) -> bytes:
        """All of it. The collector is empty afterwards."""
        memory = self.memory
        pieces = self.pieces
        self.memory = b""
        self.pieces = []
        size = self.filled
        self.filled = 0
        if not pieces:
            return memory if size == len(memory) else memory[:size]
        if memory:
            pieces.insert(0, memory[: size - sum(map(len, pieces))])
        return b"".join(pieces) if len(pieces) > 1 else pieces[0]

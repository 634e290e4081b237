"""Frames waiting to leave: small ones packed into leased buffers, large content by reference.

``take`` hands all of it to the writer, in order, and leaves nothing leased, so that an idle connection holds no memory.
"""

from __future__ import annotations

from struct import Struct
from typing import Any

from .._memory import octets
from .._memory.buffer_pool import BufferPool, PooledBuffer
from .constants import FRAME_HEADER_LENGTH

COMPILED = not __file__.endswith((".py", ".pyc"))
HEADER = Struct(">IBI")  # a frame header, RFC 9113 section 4.1: length and type as one number, flags, stream
SEGMENT = 16 * 1024
CONTENT_SEGMENT = 64 * 1024


class Outbound:
    """The send side's queue of octets.

    ``by_reference``: content of at least this many octets is queued as it is, not copied; 0 means always copied (under
    TLS, where the record layer copies anyway and short records cost more than the copy).
    """

    __slots__ = ("buffer", "by_reference", "data", "end", "octets", "pool", "segments", "tap")

    def __init__(self, pool: BufferPool, by_reference: int) -> None:
        self.pool = pool
        self.by_reference = by_reference
        self.buffer: PooledBuffer | None = None
        self.data = bytearray()
        self.end = 0
        self.segments: list[Any] = []
        self.octets = 0
        self.tap: Any = None  # told of every frame header when set

    def frame(self, kind: int, flags: int, stream_id: int, payload: bytes) -> None:
        """Queue one whole frame whose payload is small."""
        if COMPILED or self.tap is not None:
            self.frame_header(len(payload), kind, flags, stream_id)
            self.write(payload)
            return
        # Interpreted, one assignment costs less than eleven.
        size = len(payload)
        at = self.end
        end = at + FRAME_HEADER_LENGTH + size
        if end > len(self.data):
            self._lease(FRAME_HEADER_LENGTH + size)
            at = 0
            end = FRAME_HEADER_LENGTH + size
        self.data[at:end] = HEADER.pack(size << 8 | kind, flags, stream_id) + payload
        self.end = end
        self.octets += end - at

    def frame_header(self, length: int, kind: int, flags: int, stream_id: int) -> None:
        """Queue the nine octets of RFC 9113 section 4.1."""
        if self.end + FRAME_HEADER_LENGTH > len(self.data):
            self._lease(FRAME_HEADER_LENGTH)
        at = self.end
        p = self.data
        p[at] = length >> 16 & 255
        p[at + 1] = length >> 8 & 255
        p[at + 2] = length & 255
        p[at + 3] = kind
        p[at + 4] = flags
        p[at + 5] = stream_id >> 24 & 127
        p[at + 6] = stream_id >> 16 & 255
        p[at + 7] = stream_id >> 8 & 255
        p[at + 8] = stream_id & 255
        self.end = at + FRAME_HEADER_LENGTH
        if self.tap is not None:
            self.tap(True, length, kind, flags, stream_id)
        self.octets += FRAME_HEADER_LENGTH

    def write(self, payload: bytes) -> None:
        """Queue a copy of ``payload``."""
        size = len(payload)
        if self.end + size > len(self.data):
            self._lease(size)
        octets.put(self.data, self.end, payload, 0, size)
        self.end += size
        self.octets += size

    def content(self, piece: bytes, start: int, end: int) -> None:
        """Queue ``piece[start:end]``: by reference when it is large enough to pay for it."""
        size = end - start
        if self.by_reference and size >= self.by_reference:
            self._seal()
            self.segments.append(memoryview(piece)[start:end])
            self.octets += size
            return
        self.octets += size
        while size:  # every segment is filled: a whole number of TLS records, and the fewest
            room = min(len(self.data) - self.end, size)
            if not room:
                self._lease(CONTENT_SEGMENT)
                continue
            octets.put(self.data, self.end, piece, end - size, end - size + room)
            self.end += room
            size -= room

    def take(self) -> list[Any]:
        """Everything queued, as bytes and memoryviews in order; the queue is empty afterwards."""
        if self.buffer is not None:
            self._seal()
        segments = self.segments
        self.segments = []
        self.octets = 0
        return segments

    def _lease(self, size: int) -> None:
        self._seal()
        # Once content flows, larger segments: whole TLS records and fewer of them.
        buffer = self.pool.acquire(size if size > SEGMENT else SEGMENT)
        self.buffer = buffer
        self.data = buffer.data

    def _seal(self) -> None:
        """Close the current buffer: its octets become one segment, the buffer goes back."""
        buffer = self.buffer
        if buffer is not None:
            if self.end:
                self.segments.append(octets.take(self.data, 0, self.end))
            self.buffer = None
            self.data = NOTHING
            self.end = 0
            buffer.release()


NOTHING = bytearray()

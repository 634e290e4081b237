"""Which streams are open, which requests wait for one, and which streams we reset lately."""

from __future__ import annotations

from collections import deque

from .._http.exchange import Exchange
from .._memory.object_pool import ObjectPool
from .constants import MAX_RESET_MEMORY, MAX_STREAM_ID
from .states import CLOSED
from .stream import Stream

# From CROWD open streams on, each is also kept at one of NEAR places by its identifier: two looks into a dictionary for
# each response cost half of what decoding its field section does. Identifiers ascend, so few streams share a place.
CROWD = 8
NEAR = 128


class StreamTable:
    """Streams by identifier, in the order they were opened, and the FIFO of requests that wait for a place."""

    __slots__ = ("forgotten_below", "near", "next_id", "pool", "resets", "streams", "waiting")

    def __init__(self, pool: ObjectPool) -> None:
        self.pool = pool
        self.streams: dict[int, Stream] = {}
        self.near: list[Stream | None] = []
        self.waiting: deque[Exchange] = deque()
        self.next_id = 1
        self.resets: dict[int, bool] = {}
        self.forgotten_below = 0

    def open(self, exchange: Exchange, send_window: int, receive_window: int) -> Stream:
        """A new stream for ``exchange``, idle, with the next odd identifier (RFC 9113 section 5.1.1)."""
        stream = self.pool.acquire()
        assert isinstance(stream, Stream)
        key = self.next_id
        stream.open(self.next_id, key, exchange, send_window, receive_window)
        self.streams[key] = stream
        if self.near:
            self.near[self.next_id // 2 % NEAR] = stream
        elif len(self.streams) == CROWD:
            self.near = [None] * NEAR
        self.next_id += 2
        return stream

    def find(self, stream_id: int) -> Stream | None:
        """The open stream of that identifier."""
        if self.near:
            stream = self.near[stream_id // 2 % NEAR]
            if stream is not None and stream.id == stream_id:
                return stream
        return self.streams.get(stream_id)

    def close(self, stream: Stream, by_us: bool) -> None:
        """Take the stream out and recycle it; ``by_us``: late frames for it are to be expected."""
        del self.streams[stream.key]
        if not self.streams:
            self.near = []  # an idle connection keeps no memory it does not need
        elif self.near and self.near[stream.id // 2 % NEAR] is stream:
            self.near[stream.id // 2 % NEAR] = None
        if by_us:
            self.resets[stream.id] = True
            if len(self.resets) > MAX_RESET_MEMORY:
                oldest = next(iter(self.resets))
                del self.resets[oldest]
                self.forgotten_below = max(self.forgotten_below, oldest + 1)
        stream.state = CLOSED
        self.pool.release(stream)

    def is_idle(self, stream_id: int) -> bool:
        """Never opened: a client's streams are odd and ascend; a server's would be promised, and push is refused."""
        return stream_id >= self.next_id or stream_id & 1 == 0

    def may_be_late(self, stream_id: int) -> bool:
        """A frame for this closed stream may have been under way when we reset it (section 5.4.2)."""
        return stream_id < self.forgotten_below or stream_id in self.resets

    def exhausted(self) -> bool:
        """No identifier is left for another request."""
        return self.next_id > MAX_STREAM_ID

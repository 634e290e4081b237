"""Which streams are open, which requests wait for one, and which streams we reset lately."""

from __future__ import annotations

from collections import deque

from .._http.exchange import Exchange
from .._memory.object_pool import ObjectPool
from .constants import MAX_RESET_MEMORY, MAX_STREAM_ID
from .states import CLOSED
from .stream import Stream

# From CROWD open streams on they stand in a ring, each at the place its identifier gives it: identifiers ascend, so few
# ask for the same place. A dictionary, asked four times for each response, costs as much as decoding its field section.
CROWD = 8
RING = 128  # places, doubled when half of them are taken
LARGEST_RING = 2**15


class StreamTable:
    """Streams by identifier, and the FIFO of requests that wait for a place."""

    __slots__ = ("_beyond", "_mask", "_ring", "count", "forgotten_below", "next_id", "pool", "resets", "waiting")

    def __init__(self, pool: ObjectPool) -> None:
        self.pool = pool
        self.count = 0  # open streams
        self._ring: list[Stream | None] = []
        self._mask = 0  # the ring's length less one
        self._beyond: dict[int, Stream] = {}  # those that stand nowhere in the ring
        self.waiting: deque[Exchange] = deque()
        self.next_id = 1
        self.resets: dict[int, bool] = {}
        self.forgotten_below = 0

    def open(self, exchange: Exchange, send_window: int, receive_window: int) -> Stream:
        """A new stream for ``exchange``, idle, with the next odd identifier (RFC 9113 section 5.1.1)."""
        stream: Stream = self.pool.acquire()  # type: ignore[assignment]
        stream_id = self.next_id
        stream.open(stream_id, exchange, send_window, receive_window)
        self.next_id = stream_id + 2
        count = self.count + 1
        self.count = count
        places = len(self._ring)
        if places:
            if count + count > places and places < LARGEST_RING:
                self._make_ring(2 * places)
        elif count == CROWD:
            self._make_ring(RING)
        ring = self._ring
        if ring and ring[stream_id >> 1 & self._mask] is None:
            ring[stream_id >> 1 & self._mask] = stream
        else:
            self._beyond[stream_id] = stream
        return stream

    def find(self, stream_id: int) -> Stream | None:
        """The open stream of that identifier."""
        ring = self._ring
        if ring:
            stream = ring[stream_id >> 1 & self._mask]
            if stream is not None and stream.id == stream_id:
                return stream
        return self._beyond.get(stream_id) if self._beyond else None

    def all(self) -> list[Stream]:
        """The open streams, in the order they were opened; a list of its own."""
        found = [stream for stream in self._ring if stream is not None]
        found.extend(self._beyond.values())
        found.sort(key=_id_of)
        return found

    def close(self, stream: Stream, by_us: bool) -> None:
        """Take the stream out and recycle it; ``by_us``: late frames for it are to be expected."""
        ring = self._ring
        if ring and ring[stream.id >> 1 & self._mask] is stream:
            ring[stream.id >> 1 & self._mask] = None
        else:
            del self._beyond[stream.id]
        count = self.count - 1
        self.count = count
        if not count:
            self._ring = []  # an idle connection keeps no memory it does not need
        if by_us:
            self.resets[stream.id] = True
            if len(self.resets) > MAX_RESET_MEMORY:
                oldest = next(iter(self.resets))
                del self.resets[oldest]
                self.forgotten_below = max(self.forgotten_below, oldest + 1)
        stream.state = CLOSED
        self.pool.release(stream)

    def _make_ring(self, places: int) -> None:
        streams = self.all()
        self._ring = [None] * places
        self._mask = places - 1
        self._beyond.clear()
        for stream in streams:
            at = stream.id >> 1 & self._mask
            if self._ring[at] is None:
                self._ring[at] = stream
            else:
                self._beyond[stream.id] = stream

    def is_idle(self, stream_id: int) -> bool:
        """Never opened: a client's streams are odd and ascend; a server's would be promised, and push is refused."""
        return stream_id >= self.next_id or stream_id & 1 == 0

    def may_be_late(self, stream_id: int) -> bool:
        """A frame for this closed stream may have been under way when we reset it (section 5.4.2)."""
        return stream_id < self.forgotten_below or stream_id in self.resets

    def exhausted(self) -> bool:
        """No identifier is left for another request."""
        return self.next_id > MAX_STREAM_ID


def _id_of(stream: Stream) -> int:
    return stream.id

"""Whose content leaves next: by urgency (RFC 9218 section 4.1), in turn within one urgency."""

from __future__ import annotations

from collections import deque
from typing import Any

from .stream import Stream

URGENCIES = 8


class Scheduler:
    """Streams that have content to send and room in their window.

    Lower urgency numbers go first. Streams of the same urgency take turns, one frame each: a large upload cannot hold
    up a small one. (RFC 9218 would send non-incremental ones whole, one after the other; its receiver is a server's
    cache, ours is a client's caller, who waits for each.)
    """

    __slots__ = ("length", "queues")

    def __init__(self) -> None:
        # A deque takes 624 octets even when empty, and most connections send no content: made when first needed.
        self.queues: list[Any] = [None] * URGENCIES
        self.length = 0

    def add(self, stream: Stream) -> None:
        """Queue the stream behind the others of its urgency, once."""
        if not stream.scheduled and stream.exchange is not None:
            stream.scheduled = True
            queue = self.queues[stream.exchange.urgency & 7]
            if queue is None:
                queue = self.queues[stream.exchange.urgency & 7] = deque()
            queue.append(stream)
            self.length += 1

    def next(self) -> Stream | None:
        """The stream whose turn it is, taken off its queue; None when nobody wants to send."""
        if self.length:
            for queue in self.queues:
                if queue:
                    self.length -= 1
                    stream: Stream = queue.popleft()
                    stream.scheduled = False
                    return stream
        return None

    def put_back(self, stream: Stream) -> None:
        """Return the stream to the head of its queue: it could not use its turn."""
        if stream.exchange is not None:
            stream.scheduled = True
            self.queues[stream.exchange.urgency & 7].appendleft(stream)
            self.length += 1

    def remove(self, stream: Stream) -> None:
        """Take a stream that is being closed out of its queue."""
        if stream.scheduled and stream.exchange is not None:
            stream.scheduled = False
            self.queues[stream.exchange.urgency & 7].remove(stream)
            self.length -= 1

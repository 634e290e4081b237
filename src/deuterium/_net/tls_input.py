"""The way of received octets into a TLS object, and how many whole records it holds, told by their headers alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from .receive_buffer import ReceiveBuffer

HEADER: Final = 5  # type, version (2), length (2): RFC 8446 section 5.1; the same in every version
LONGEST: Final = 16384 + 2048  # RFC 5246 section 6.2.3; RFC 8446 allows less


class TlsInput:
    """Feeds ``write``, a TLS object's, and follows the record headers in what it feeds.

    To ask Python's ``ssl`` for content when no record is whole costs an exception. ``whole`` is never too low, so
    nothing lies unread: whoever reads counts down by one at a record's end, and sets it to zero when ``ssl`` wants more
    octets. What is no record counts as a whole one: ``ssl`` says what is wrong with it. ``follows=False``: ``write``
    counts by itself.
    """

    __slots__ = ("_follows", "_known", "_left", "_size", "_write", "whole")

    def __init__(self, write: Callable[[Any], Any], follows: bool = True) -> None:
        self.whole = 0
        self._write = write
        self._follows = follows
        self._left = 0  # octets of a record that are still to come
        self._known = 0  # octets of its header that are there, while it is not all there
        self._size = 0  # what they say of its length

    def take(self, received: ReceiveBuffer) -> None:
        """Feed all that was received and not yet consumed."""
        if received.start < received.end:
            if self._follows:
                self._follow(received.buffer.data, received.start, received.end)
            self._write(received.received())
            received.consume(received.end)

    def feed(self, octets: Any) -> None:
        """Feed any octets."""
        if self._follows:
            self._follow(bytearray(octets), 0, len(octets))
        self._write(octets)

    def _follow(self, data: bytearray, start: int, end: int) -> None:
        at = start
        while at < end:
            if self._left:
                if end - at < self._left:
                    self._left -= end - at
                    return
                at += self._left
                self._left = 0
                self.whole += 1
                continue
            octet = data[at]
            at += 1
            if self._known == 0 and not 20 <= octet <= 23:
                self.whole += 1
            elif self._known == 3:
                self._size = octet << 8
            self._known += 1
            if self._known == HEADER:
                self._known = 0
                self._left = self._size | octet
                if self._left == 0 or self._left > LONGEST:
                    self.whole += 1

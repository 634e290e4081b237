"""The memory a connection receives into: leased while there is work, none while it is idle."""

from __future__ import annotations

from typing import Any

from .._memory.buffer_pool import BufferPool
from .sizes import CLEAR_READ, LARGE_READ, NORMAL_READ, SMALL_READ


class ReceiveBuffer:
    """Octets ``start`` to ``end`` of a leased buffer are received and not yet consumed.

    ``space`` gives memory to receive into, ``commit`` says how much arrived, ``consume`` how far the engine came.
    Memory of which the engine lent slices is never written again: the rest moves on to another buffer.
    """

    __slots__ = ("buffer", "end", "largest", "pool", "start")

    def __init__(self, pool: BufferPool, clear: bool = False) -> None:
        """``clear``: the transport's octets are HTTP, without TLS."""
        self.pool = pool
        self.largest = CLEAR_READ if clear else LARGE_READ
        self.buffer: Any = None  # a PooledBuffer
        self.start = 0
        self.end = 0

    def next_read(self, last_read: int) -> int:
        """How much to read after a read that brought ``last_read``."""
        return self.largest if last_read >= NORMAL_READ else NORMAL_READ

    def space(self, wanted: int) -> Any:
        """A writable view of up to ``wanted`` octets behind what is there."""
        if self.buffer is None:
            self._lease(wanted)
        elif self.start == self.end:
            if self.buffer.references > 1:
                # Slices of it are lent: what lies behind them is still free.
                if self.buffer.capacity - self.end < SMALL_READ:
                    self.release()
                    self._lease(wanted)
            elif self.buffer.capacity < wanted or self.buffer.is_lent():
                # Too small; or a consumer kept a slice of what it gave back, which stays as it is.
                self.release()
                self._lease(wanted)
            else:
                self.start = 0
                self.end = 0
        elif self.buffer.capacity - self.end < min(wanted, SMALL_READ):
            self._move(wanted)
        return self.buffer.view(self.end, min(self.end + wanted, self.buffer.capacity))

    def received(self) -> Any:
        """A view of what was received and not yet consumed."""
        return self.buffer.view(self.start, self.end)

    def commit(self, octets: int) -> None:
        """``octets`` more were received into the last ``space``."""
        self.end += octets

    def consume(self, position: int) -> None:
        """Everything below ``position`` is done with."""
        self.start = position

    def release(self) -> None:
        """Give the buffer back; what was not consumed is dropped."""
        buffer = self.buffer
        if buffer is not None:
            self.buffer = None
            self.start = 0
            self.end = 0
            buffer.release()

    def _lease(self, wanted: int) -> None:
        self.buffer = self.pool.acquire(wanted)
        self.start = 0
        self.end = 0

    def _move(self, wanted: int) -> None:
        """Carry the unconsumed octets, less than a frame, to the head of another buffer."""
        old = self.buffer
        start = self.start
        rest = self.end - start
        self.buffer = self.pool.acquire(rest + wanted)
        self.buffer.data[:rest] = old.data[start : start + rest]
        self.start = 0
        self.end = rest
        old.release()

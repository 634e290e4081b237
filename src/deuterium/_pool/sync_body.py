"""The content of one exchange in a thread: read piece by piece, or sent piece by piece."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .._http.announced import Announced
from .._http.exchange import Exchange
from .._http.phases import FINISHED
from .._net.blocking_waiter import ThreadWaiter
from .sync_pool import SyncPool


class SyncBody:
    """The content of a streamed response. Whoever stops reading closes it, and the stream is reset."""

    __slots__ = ("closed", "exchange", "pool", "taken")

    def __init__(self, pool: SyncPool, exchange: Exchange) -> None:
        self.pool = pool
        self.exchange = exchange
        self.taken = False
        self.closed = False

    def pieces(self) -> Iterator[Any]:
        """bytes, or LentPiece that the taker must release; the window is given back as they are taken."""
        self.taken = True
        exchange = self.exchange
        driver = exchange.carrier
        upload = exchange.uploader
        try:
            while True:
                piece = driver.next_piece(exchange)
                if piece is not None:
                    yield piece
                    continue
                waiter = ThreadWaiter()
                if upload is not None and upload.step(waiter):
                    continue
                if self.pool.expect(exchange, waiter):
                    self.pool.wait(exchange, waiter)
                elif not exchange.chunks:
                    # ``expect`` saw the end under the lock: what the reader of the connection said of it is all here.
                    if exchange.error is not None:
                        raise exchange.error
                    return
        finally:
            self.close()

    def close(self) -> None:
        """Reset the stream unless it is over; give back what was not read."""
        if not self.closed:
            self.closed = True
            exchange = self.exchange
            if exchange.phase != FINISHED or exchange.unread:
                self.pool.cancel(exchange, None)


def hear_news(pool: SyncPool, hear: Any) -> None:
    """Carry out a flow's ``Hear``, and send content meanwhile."""
    exchange = hear.exchange
    upload = exchange.uploader
    while not hear.has_news():
        waiter = ThreadWaiter()
        if upload is not None and upload.step(waiter):
            continue
        if expect_news(pool, hear, waiter):
            pool.wait(exchange, waiter)


def expect_news(pool: SyncPool, hear: Any, waiter: ThreadWaiter) -> bool:
    """Have ``waiter`` woken by the exchange's next event; False: there is one already."""
    with pool.lock:
        if hear.has_news():
            return False
        hear.exchange.waiter = waiter
        return True


class Upload:
    """Streamed content on its way out, driven by the thread that waits for the response."""

    __slots__ = ("announced", "exchange", "over", "pieces")

    def __init__(self, exchange: Exchange) -> None:
        stream = exchange.request.pieces
        if not hasattr(stream, "__iter__"):
            raise TypeError("an async iterator cannot be sent by a sync client")
        self.exchange = exchange
        self.pieces = iter(stream)
        self.announced = Announced(exchange.extra)
        self.over = False

    def step(self, waiter: ThreadWaiter) -> bool:
        """Send one piece; False: nothing to send, or no room, and ``waiter`` is woken when there is some.

        What the iterator raises ends the exchange and goes on.
        """
        exchange = self.exchange
        driver = exchange.carrier
        if self.over:
            return False
        room = driver.room(exchange, waiter)
        if room < 0:
            self.over = True
            return False
        if room == 0:
            return False
        exchange.request.stream_started = True
        for piece in self.pieces:
            if piece:
                content = piece.encode() if isinstance(piece, str) else bytes(piece)
                self.announced.take(len(content))
                driver.send_content(exchange, content, False)
                driver.glance()  # the answer may come, or begin, before the content is over
                return True
        self.announced.finish()
        self.over = True
        trailers = exchange.request.trailers
        if trailers:
            driver.send_trailers(exchange, trailers)
        else:
            driver.send_content(exchange, b"", True)
        return True

"""The content of one exchange under asyncio: read piece by piece, or sent piece by piece."""

from __future__ import annotations

from typing import Any

from .._http.announced import Announced
from .._http.exchange import Exchange
from .._http.phases import FINISHED
from .._net.carrier import Carrier
from .._net.waiters import FutureWaiter
from .async_pieces import AsyncPieces


class AsyncBody:
    """The content of a streamed response. Whoever stops reading closes it, and the stream is reset."""

    __slots__ = ("answered", "closed", "exchange", "loop", "taken")

    def __init__(self, loop: Any, answered: Any, exchange: Exchange) -> None:
        """``answered``: a Future of the loop that is done, for a loop of asyncio's; else None."""
        self.loop = loop
        self.answered = answered
        self.exchange = exchange
        self.taken = False
        self.closed = False

    def pieces(self) -> AsyncPieces:
        """bytes, or LentPiece that the taker must release."""
        self.taken = True
        return AsyncPieces(self, views=False)

    def buffers(self) -> AsyncPieces:
        """Views, each valid until the next is asked for."""
        self.taken = True
        return AsyncPieces(self, views=True)

    def close(self) -> None:
        """Reset the stream unless it is over; give back what was not read."""
        if not self.closed:
            self.closed = True
            exchange = self.exchange
            if exchange.uploader is not None:
                exchange.uploader.cancel()
            if exchange.phase != FINISHED or exchange.unread:
                exchange.carrier.cancel(exchange, None)


async def send_stream(loop: Any, exchange: Exchange) -> None:
    """Send content from an iterator, sync or async, no faster than the peer takes it.

    Ends early when the exchange is over: an answer may come before the content is complete.
    """
    request = exchange.request
    stream = request.pieces
    if not await _room(loop, exchange):
        return
    request.stream_started = True
    announced = Announced(exchange.extra)
    if hasattr(stream, "__aiter__"):
        async for piece in stream:
            if _room_now(exchange) <= 0 and not await _room(loop, exchange):
                return
            _send_piece(exchange, piece, announced)
    else:
        for piece in stream:
            if _room_now(exchange) <= 0 and not await _room(loop, exchange):
                return
            _send_piece(exchange, piece, announced)
    if exchange.phase == FINISHED or not await _room(loop, exchange):
        return
    announced.finish()
    trailers = request.trailers
    if trailers:
        exchange.carrier.send_trailers(exchange, trailers)
    else:
        exchange.carrier.send_content(exchange, b"", True)


def upload_over(task: Any, exchange: Exchange) -> None:
    """The content's iterator is at its end, or raised: then the exchange fails with its exception."""
    if not task.cancelled() and task.exception() is not None and exchange.phase != FINISHED:
        exchange.carrier.cancel(exchange, task.exception())


async def hear_news(loop: Any, hear: Any) -> None:
    """Carry out a flow's ``Hear``; ``upload_over`` ends the exchange if its content fails."""
    exchange = hear.exchange
    while not hear.has_news():
        future = loop.create_future()
        exchange.waiter = FutureWaiter(future)
        await future
    if exchange.phase == FINISHED and exchange.uploader is not None:
        exchange.uploader.cancel()


def _send_piece(exchange: Exchange, piece: Any, announced: Announced) -> None:
    """Queue one piece."""
    content = piece.encode() if isinstance(piece, str) else bytes(piece)
    announced.take(len(content))
    if content:
        exchange.carrier.send_content(exchange, content, False)


def _room_now(exchange: Exchange) -> int:
    """Octets that may be queued; 0: none yet; -1: the exchange takes no more."""
    if exchange.phase == FINISHED:
        return -1
    carrier: Carrier = exchange.carrier
    return 0 if carrier is None else carrier.engine.room(exchange)  # type: ignore[no-any-return]


async def _room(loop: Any, exchange: Exchange) -> bool:
    """Wait until the stream is open and its queue has room; False: the exchange takes no more."""
    while True:
        room = _room_now(exchange)
        if room:
            return room > 0
        future = loop.create_future()
        exchange.writer = FutureWaiter(future)
        await future

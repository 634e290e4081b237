"""The content of a streamed response under asyncio, piece by piece, without a generator's objects for each."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from .._http.exchange import Exchange, LentPiece
from .._http.phases import FINISHED
from .._net.carrier import Carrier
from .._net.task_waiter import TaskWaiter
from .._net.waiters import FutureWaiter

COMPILED = not __file__.endswith((".py", ".pyc"))


class AsyncPieces:
    """An asynchronous iterator over the content of ``body``, an AsyncBody; the window is given back as it is taken.

    ``views=False``: bytes, or LentPiece that the taker must release. ``views=True``: views, each valid until the next
    is asked for. Whoever stops iterating closes the body, and its stream is reset.
    """

    __slots__ = ("_body", "_exchange", "_held", "_views", "_waiting")

    def __init__(self, body: Any, views: bool) -> None:
        self._body = body
        self._exchange: Exchange = body.exchange
        self._views = views
        self._held: LentPiece | None = None  # what the view given out last belongs to
        self._waiting = False

    def __aiter__(self) -> AsyncPieces:
        return self

    def __anext__(self) -> Any:
        """Itself, if there is a piece to be had: to wait for what is there takes no coroutine."""
        if self._held is not None:
            self._let_go()
        if self._exchange.chunks and not self._waiting:
            return self
        return self._wait()

    def __await__(self) -> AsyncPieces:
        return self

    def __next__(self) -> Any:
        raise StopIteration(self._take())

    async def aclose(self) -> None:
        """Stop iterating."""
        self._let_go()
        self._body.close()

    def __del__(self) -> None:
        # Who left the loop may look at the view until the event loop's next turn; and another thread may collect this.
        if self._held is not None or not self._body.closed:
            with suppress(RuntimeError):  # the loop is closed
                self._body.loop.call_soon_threadsafe(_leave, self._body, self._held)

    async def _wait(self) -> Any:
        exchange = self._exchange
        body = self._body
        if self._waiting:
            raise RuntimeError("the content is being waited for already")
        self._waiting = True
        try:
            while not exchange.chunks:
                if exchange.phase == FINISHED:
                    if exchange.error is not None and not body.closed:
                        raise exchange.error
                    raise StopAsyncIteration
                waiter = self._waiter()
                exchange.waiter = waiter
                await waiter
        except BaseException:
            body.close()
            raise
        finally:
            self._waiting = False
        return self._take()

    def _waiter(self) -> Any:
        body = self._body
        if COMPILED and body.answered is not None:  # interpreted, a Future costs less: it is written in C
            return TaskWaiter(body.loop, body.answered)
        return FutureWaiter(body.loop.create_future())

    def _take(self) -> Any:
        exchange = self._exchange
        piece = exchange.chunks.popleft()
        carrier: Carrier = exchange.carrier
        carrier.consumed(exchange, len(piece))
        if not self._views:
            return piece
        if type(piece) is bytes:
            return memoryview(piece)
        lent: LentPiece = piece
        self._held = lent
        return lent.view

    def _let_go(self) -> None:
        held, self._held = self._held, None
        if held is not None:
            held.release()


def _leave(body: Any, held: LentPiece | None) -> None:
    if held is not None:
        held.release()
    body.close()

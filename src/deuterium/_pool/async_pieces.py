"""The content of a streamed response under asyncio, piece by piece, without a generator's objects for each."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from .._http.exchange import Exchange, LentPiece
from .._http.phases import FINISHED
from .._net.carrier import Carrier
from .._net.step import thrown
from .._net.task_waiter import TaskWaiter
from .._net.waiters import FutureWaiter

COMPILED = not __file__.endswith((".py", ".pyc"))


class AsyncPieces(TaskWaiter):
    """An asynchronous iterator over the content of ``body``, an AsyncBody; the window is given back as it is taken.

    ``views=False``: bytes, or LentPiece that the taker must release. ``views=True``: views, each valid until the next
    is asked for. Whoever stops iterating closes the body, and its stream is reset.

    Compiled, under asyncio, a Task that has to wait for a piece waits for the iterator itself.
    """

    __slots__ = ("_body", "_exchange", "_held", "_views", "_waiting", "over")

    def __init__(self, body: Any, views: bool) -> None:
        self.prepare(body.loop, body.answered)
        self._asyncio_future_blocking = None  # not a Future to anybody, but while a Task waits for it
        self.over = False
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
        if not self._waiting and (self._exchange.chunks or (COMPILED and self.answered is not None)):
            return self
        return self._wait()

    def __next__(self) -> Any:
        return self.send(None)

    def send(self, value: Any) -> Any:
        """Go on, as a coroutine does."""
        step = advance(self, value)
        if self.over:
            raise StopIteration(step)
        return step

    def throw(self, kind: Any, value: Any = None, traceback: Any = None) -> Any:
        """Raise an exception where it waits, as in a coroutine; that ends the stream."""
        self.close()
        raise thrown(kind, value, traceback)

    def close(self) -> None:
        """End the stream: whoever waited for a piece is gone."""
        self.woken = True
        self._stop_waiting()
        self._body.close()

    async def aclose(self) -> None:
        """Stop iterating."""
        self._let_go()
        self._body.close()

    def __del__(self) -> None:
        # Who left the loop may look at the view until the event loop's next turn; and another thread may collect this.
        if self._held is not None or not self._body.closed:
            with suppress(RuntimeError):  # the loop is closed
                self._body.loop.call_soon_threadsafe(_leave, self._body, self._held)

    def _advance(self) -> Any:
        """What to wait for; or a piece, and ``over`` is set. Raises StopAsyncIteration at the end."""
        if self._waiting and not self.woken:
            raise RuntimeError("the content is being waited for already")
        exchange = self._exchange
        if exchange.chunks:
            self._stop_waiting()
            self.over = True
            return self._take()
        if exchange.phase == FINISHED:
            self._stop_waiting()
            self._end()
        self.over = False
        self.again()
        self._waiting = True
        self._asyncio_future_blocking = True
        exchange.waiter = self
        return self

    def _stop_waiting(self) -> None:
        self._waiting = False
        self._asyncio_future_blocking = None

    def _end(self) -> None:
        """All of the content was taken, or no more comes."""
        error = None if self._body.closed else self._exchange.error
        self._body.close()
        raise StopAsyncIteration if error is None else error

    async def _wait(self) -> Any:
        """The same with Futures: of another loop than asyncio's, or interpreted, where they cost less."""
        exchange = self._exchange
        if self._waiting:
            raise RuntimeError("the content is being waited for already")
        self._waiting = True
        try:
            while not exchange.chunks:
                if exchange.phase == FINISHED:
                    self._end()
                waiter = FutureWaiter(self._body.loop.create_future())
                exchange.waiter = waiter
                await waiter
        except BaseException:
            self._body.close()
            raise
        finally:
            self._waiting = False
        return self._take()

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


def advance(pieces: Any, value: Any) -> Any:
    """One step of a piece that is awaited."""
    awaited: AsyncPieces = pieces
    return awaited._advance()


def is_over(pieces: Any) -> bool:
    """Whether the step was the last."""
    awaited: AsyncPieces = pieces
    return awaited.over


def _leave(body: Any, held: LentPiece | None) -> None:
    if held is not None:
        held.release()
    body.close()


if COMPILED:
    step_in_c(AsyncPieces, advance, is_over)  # type: ignore[name-defined]  # noqa: F821

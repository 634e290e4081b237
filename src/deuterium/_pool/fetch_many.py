"""Many requests, a bounded number in flight, responses in the order they complete, and no Task for any of them."""

from __future__ import annotations

from collections import deque
from typing import Any

from .._http.exchange import Exchange, Waiter
from .._http.phases import FINISHED


class FetchMany(Waiter):
    """An async iterator of responses. ``start(item)`` makes and submits an exchange; ``finish(exchange)`` a response."""

    __slots__ = (
        "_concurrency",
        "_done",
        "_exhausted",
        "_finish",
        "_future",
        "_in_flight",
        "_items",
        "_loop",
        "_return_errors",
        "_start",
        "_stop",
    )

    def __init__(
        self, loop: Any, items: Any, concurrency: int, return_errors: bool, start: Any, stop: Any, finish: Any
    ) -> None:
        self._loop = loop
        self._items = items
        self._concurrency = concurrency
        self._return_errors = return_errors
        self._start = start
        self._stop = stop
        self._finish = finish
        self._done: deque[Exchange] = deque()
        self._in_flight: set[Exchange] = set()
        self._exhausted = False
        self._future: Any = None

    def wake(self, exchange: Exchange) -> None:
        """One more is complete."""
        self._done.append(exchange)
        future = self._future
        if future is not None:
            self._future = None
            if not future.done():
                future.set_result(None)

    def __aiter__(self) -> FetchMany:
        return self

    async def __anext__(self) -> Any:
        while not self._done:
            if not self._exhausted:
                self._fill()
            if self._done:
                break
            if not self._in_flight:
                raise StopAsyncIteration
            future = self._loop.create_future()
            self._future = future
            await future
        exchange = self._done.popleft()
        self._in_flight.discard(exchange)
        if exchange.error is not None:
            if self._return_errors:
                return exchange.error
            self.close()
            raise exchange.error
        return self._finish(exchange)

    def _fill(self) -> None:
        """Start requests up to the concurrency."""
        in_flight = self._in_flight
        while len(in_flight) < self._concurrency:
            try:
                item = next(self._items)
            except StopIteration:
                self._exhausted = True
                return
            exchange = self._start(item, self)
            in_flight.add(exchange)

    def close(self) -> None:
        """Give up what is in flight; the streams are reset."""
        self._exhausted = True
        for exchange in list(self._in_flight):
            exchange.waiter = None
            if exchange.phase != FINISHED:
                self._stop(exchange)
        self._in_flight.clear()
        self._done.clear()

    async def aclose(self) -> None:
        """The same, as a coroutine."""
        self.close()

"""Many requests, a bounded number in flight, responses in the order they complete, and no Task for any of them."""

from __future__ import annotations

from collections import deque
from typing import Any

from .._http.exchange import Exchange, Waiter
from .._http.phases import FINISHED
from .._net.batched_writer import PORTION, PORTIONS


class FetchMany(Waiter):
    """An async iterator of responses.

    ``start(item, waiter)`` makes and submits an exchange, ``stop(exchange)`` gives it up, ``finish(exchange)`` makes a
    response of it, or a coroutine when there is more to do (a redirect, a retry): that runs in a Task of its own.
    ``whole(item)``, unless None, is used instead of all this: a coroutine for the whole request.
    """

    __slots__ = (
        "_concurrency",
        "_done",
        "_exhausted",
        "_finish",
        "_future",
        "_in_flight",
        "_items",
        "_loop",
        "_low",
        "_return_errors",
        "_start",
        "_stop",
        "_whole",
    )

    def __init__(
        self,
        loop: Any,
        items: Any,
        concurrency: int,
        return_errors: bool,
        start: Any,
        stop: Any,
        finish: Any,
        whole: Any,
    ) -> None:
        self._loop = loop
        self._items = items
        self._concurrency = concurrency
        self._low = concurrency - max(PORTION, concurrency // PORTIONS)  # so few in flight call for more
        self._return_errors = return_errors
        self._start = start
        self._stop = stop
        self._finish = finish
        self._whole = whole
        self._done: deque[Any] = deque()  # exchanges and Tasks that are over
        self._in_flight: set[Any] = set()
        self._exhausted = False
        self._future: Any = None

    def wake(self, exchange: Exchange) -> None:
        """One more is complete."""
        self._done.append(exchange)
        self._notify()

    def __aiter__(self) -> FetchMany:
        return self

    async def __anext__(self) -> Any:
        while True:
            if not self._exhausted and (not self._done or len(self._in_flight) <= self._low):
                self._fill()
            if not self._done:
                if not self._in_flight:
                    raise StopAsyncIteration
                future = self._loop.create_future()
                self._future = future
                await future
                continue
            over = self._done.popleft()
            self._in_flight.discard(over)
            try:
                if isinstance(over, Exchange):
                    response = self._finish(over)
                    if hasattr(response, "send"):
                        self._run(response)
                        continue
                    return response
                return over.result()
            except Exception as error:
                if self._return_errors:
                    return error
                self.close()
                raise

    def _fill(self) -> None:
        """Start requests up to the concurrency."""
        in_flight = self._in_flight
        while len(in_flight) < self._concurrency:
            try:
                item = next(self._items)
            except StopIteration:
                self._exhausted = True
                return
            if self._whole is None:
                in_flight.add(self._start(item, self))
            else:
                self._run(self._whole(item))

    def _run(self, coroutine: Any) -> None:
        """Carry a request with more than one step on in a Task."""
        task = self._loop.create_task(coroutine)
        self._in_flight.add(task)
        task.add_done_callback(self._task_over)

    def _task_over(self, task: Any) -> None:
        if task in self._in_flight:
            self._done.append(task)
            self._notify()

    def _notify(self) -> None:
        future = self._future
        if future is not None:
            self._future = None
            if not future.done():
                future.set_result(None)

    def close(self) -> None:
        """Give up what is in flight; the streams are reset."""
        self._exhausted = True
        in_flight = self._in_flight
        self._in_flight = set()
        self._done.clear()
        for one in in_flight:
            if not isinstance(one, Exchange):
                one.cancel()
            elif one.phase != FINISHED:
                one.waiter = None
                self._stop(one)

    async def aclose(self) -> None:
        """The same, as a coroutine."""
        self.close()

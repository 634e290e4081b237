"""Many requests from one thread: a bounded number in flight, responses in the order they complete."""

from __future__ import annotations

import select
import socket
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from heapq import heappop, heappush
from itertools import count
from time import monotonic
from typing import Any

from .._http.exchange import Exchange
from .._http.phases import FINISHED, NEVER
from .._net.blocking_driver import BlockingDriver
from .._net.blocking_waiter import ThreadWaiter
from .._net.ticks import TICK_S
from .sync_pool import SyncPool


class ManyWaiter(ThreadWaiter):
    """Collects exchanges that are over. Its thread sleeps on a gate, or polls sockets and is called by a bell."""

    __slots__ = ("bell", "done")

    def __init__(self) -> None:
        super().__init__()
        self.done: deque[Exchange] = deque()
        self.bell: socket.socket | None = None

    def wake(self, exchange: Exchange) -> None:
        """One more is over."""
        self.done.append(exchange)
        super().wake(exchange)
        self.ring()

    def nudge(self) -> None:
        """There is something else to do."""
        super().nudge()
        self.ring()

    def ring(self) -> None:
        """End a poll."""
        if self.bell is not None:
            with suppress(BlockingIOError):  # it rings already
                self.bell.send(b"\0")


class SyncMany:
    """An iterator of responses.

    ``start(item, waiter)`` submits an exchange or gives a flow; ``follow(exchange)`` a flow when the exchange asks for
    more than a response; ``finish(exchange)`` the response. ``advance(flow, error)`` carries a flow's actions out until
    it gives an exchange to send, a delay in seconds, or its response.
    """

    def __init__(
        self,
        pool: SyncPool,
        items: Iterator[Any],
        concurrency: int,
        return_errors: bool,
        start: Callable[[Any, ThreadWaiter], Any],
        follow: Callable[[Exchange], Any],
        finish: Callable[[Exchange], Any],
        advance: Callable[[Any, BaseException | None, ThreadWaiter], Any],
    ) -> None:
        self._pool = pool
        self._items = items
        self._concurrency = concurrency
        self._return_errors = return_errors
        self._start = start
        self._follow = follow
        self._finish = finish
        self._advance = advance
        self._waiter = ManyWaiter()
        self._flows: dict[Exchange, Any] = {}  # what is in flight, with its flow if it has one
        self._pauses: list[tuple[float, int, Any]] = []  # flows that wait until a time
        self._turn = count()
        self._results: deque[Any] = deque()
        self._exhausted = False

    def __iter__(self) -> SyncMany:
        return self

    def __next__(self) -> Any:
        try:
            while not self._results:
                self._fill()
                if self._results:
                    break
                if not self._flows and not self._pauses:
                    raise StopIteration
                self._collect()
        except BaseException:
            self.close()
            raise
        result = self._results.popleft()
        if isinstance(result, Exception) and not self._return_errors:
            self.close()
            raise result
        return result

    def close(self) -> None:
        """Give up what is in flight; the streams are reset."""
        self._exhausted = True
        flows, self._flows = self._flows, {}
        pauses, self._pauses = self._pauses, []
        self._results.clear()
        for exchange, flow in flows.items():
            exchange.waiter = None
            if exchange.phase != FINISHED:
                self._pool.cancel(exchange, None)
            if flow is not None:
                flow.close()
        for _, _, flow in pauses:
            flow.close()

    # -- steps -------------------------------------------------------------------------------------------------------

    def _fill(self) -> None:
        """Start requests up to the concurrency."""
        while not self._exhausted and len(self._flows) + len(self._pauses) < self._concurrency:
            try:
                item = next(self._items)
            except StopIteration:
                self._exhausted = True
                return
            try:
                started = self._start(item, self._waiter)
            except Exception as error:
                self._results.append(error)
                return
            if isinstance(started, Exchange):
                self._flows[started] = None
            else:
                self._carry_on(started, None)

    def _carry_on(self, flow: Any, error: BaseException | None) -> None:
        """Let a flow decide what comes next."""
        try:
            result = self._advance(flow, error, self._waiter)
        except Exception as failure:
            self._results.append(failure)
            return
        if isinstance(result, Exchange):
            self._flows[result] = flow
        elif isinstance(result, float):
            heappush(self._pauses, (monotonic() + result, next(self._turn), flow))
        else:
            self._results.append(result)

    def _collect(self) -> None:
        """Wait until something is over, and take it."""
        waiter = self._waiter
        until = self._pauses[0][0] if self._pauses else NEVER
        if not waiter.done:
            self._wait(until)
        while waiter.done:
            exchange = waiter.done.popleft()
            flow = self._flows.pop(exchange)
            if flow is None:
                flow = self._follow(exchange)
            if flow is not None:
                self._carry_on(flow, None)
            else:
                try:
                    self._results.append(self._finish(exchange))
                except Exception as error:
                    self._results.append(error)
        while self._pauses and self._pauses[0][0] <= monotonic():
            self._carry_on(heappop(self._pauses)[2], None)

    def _wait(self, until: float) -> None:
        """Until an exchange is over or ``until`` has come, or a while: the caller looks again."""
        pool = self._pool
        waiter = self._waiter
        with pool.lock:
            if waiter.done:
                return
            waiter.woken = False
        drivers: dict[BlockingDriver, None] = {}
        homeless = None
        for exchange in self._flows:
            if exchange.carrier is not None:
                drivers[exchange.carrier] = None
            elif homeless is None:
                homeless = exchange
        if homeless is not None and pool.find_place(homeless, waiter, not drivers):
            return
        if len(drivers) == 1 and until == NEVER:
            next(iter(drivers)).wait(None, waiter)
        else:
            self._serve(list(drivers), until)

    def _serve(self, drivers: list[BlockingDriver], until: float) -> None:
        """Read on every connection that nobody else reads on, until one of them had something."""
        waiter = self._waiter
        led = []
        bell, waiter.bell = socket.socketpair()
        try:
            bell.setblocking(False)
            waiter.bell.setblocking(False)
            poll = select.poll()
            poll.register(bell.fileno(), select.POLLIN)
            now = monotonic()
            until = min(until, now + TICK_S)
            by_fd: dict[int, BlockingDriver] = {}
            for driver in drivers:
                driver.flush()
                if driver.lead():
                    led.append(driver)
                    fd, events = driver.sock.fileno(), driver.events_wanted()
                    by_fd[fd] = driver
                    poll.register(fd, events)
                until = min(until, driver.due())
            if waiter.done:
                return
            for fd, came in poll.poll(max(0.0, until - monotonic()) * 1000 + 1):
                served = by_fd.get(fd)
                if served is not None:
                    served.serve(came)
            now = monotonic()
            for driver in drivers:
                driver.expire(now)
        finally:
            with self._pool.lock:
                bells = (bell, waiter.bell)
                waiter.bell = None
            for driver in led:
                driver.follow()
            for one in bells:
                one.close()

"""``deuterium load``: many requests over a fixed number of connections, and what came of them."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain, repeat
from time import monotonic, process_time
from typing import Any, Final

from ..client import AsyncClient
from ..config import Limits
from ..errors import ConnectError, ConnectTimeout, HTTPError
from .settings import Settings
from .tally import Tally

# A lane looks whether it must stop each time it has taken so many requests.
LOOK_EVERY: Final = 64
# A lane whose dials fail so often in a row gives up what it had left.
DIALS_IN_VAIN: Final = 10
REPORT_EVERY_S: Final = 0.2
ONE_CONNECTION: Final = Limits(max_connections=1)
UNCODED: Final = {"accept-encoding": "identity"}  # a load generator would measure its own decompressor


@dataclass(frozen=True, slots=True)
class Plan:
    """How much load: ``requests`` in all, or as many as fit into ``duration_s``."""

    requests: int | None
    duration_s: float | None
    connections: int
    streams: int


@dataclass(slots=True)
class Outcome:
    """What was measured. ``stopped``: by Ctrl-C, before the plan was carried out."""

    tally: Tally
    elapsed_s: float
    cpu_s: float
    stopped: bool
    streams: int  # in flight on each connection; 1 over HTTP/1.1


class LoadRun:
    """One run. ``started`` and ``progress()`` are for whoever watches it."""

    def __init__(self, settings: Settings, plan: Plan) -> None:
        self._settings = settings
        self._plan = plan
        self._stopping = False
        self._lanes: list[_Lane] = []
        self.started = 0.0

    async def run(self, watch: Callable[[LoadRun], None] | None = None) -> Outcome:
        """Carry the plan out; ``watch`` is called now and then while it lasts."""
        plan = self._plan
        content = self._settings.content()
        share, more = divmod(plan.requests or 0, plan.connections)
        for number in range(plan.connections):
            count = None if plan.requests is None else share + (number < more)
            if count != 0:
                self._lanes.append(_Lane(self._settings, content, count, plan.streams, self._is_stopping))
        cpu_began = process_time()
        self.started = monotonic()
        tasks = [asyncio.create_task(lane.run()) for lane in self._lanes]
        stopped = await self._wait(tasks, watch)
        elapsed_s = monotonic() - self.started
        cpu_s = process_time() - cpu_began
        for lane in self._lanes:
            await lane.client.aclose()
        total = Tally()
        for lane in self._lanes:
            total.merge(lane.tally)
        return Outcome(total, elapsed_s, cpu_s, stopped, max(lane.streams for lane in self._lanes))

    def progress(self) -> tuple[int, int]:
        """Responses and errors so far."""
        return (
            sum(lane.tally.responses for lane in self._lanes),
            sum(sum(lane.tally.errors.values()) for lane in self._lanes),
        )

    def _is_stopping(self) -> bool:
        return self._stopping

    async def _wait(self, tasks: list[asyncio.Task[None]], watch: Callable[[LoadRun], None] | None) -> bool:
        """Until all lanes are done, the time is over, or Ctrl-C; True for the last."""
        loop = asyncio.get_running_loop()
        interrupted = asyncio.Event()
        with suppress(NotImplementedError, RuntimeError):  # not on Windows, nor outside the main thread
            loop.add_signal_handler(signal.SIGINT, interrupted.set)
        end = None if self._plan.duration_s is None else self.started + self._plan.duration_s
        pending: set[asyncio.Task[Any]] = set(tasks)
        interrupt: asyncio.Task[Any] = asyncio.create_task(interrupted.wait())
        try:
            while pending and not interrupted.is_set() and (end is None or monotonic() < end):
                pause_s = REPORT_EVERY_S if end is None else min(REPORT_EVERY_S, max(0.0, end - monotonic()))
                done, _ = await asyncio.wait(
                    {interrupt, *pending}, timeout=pause_s, return_when=asyncio.FIRST_COMPLETED
                )
                pending -= done
                if watch is not None:
                    watch(self)
        finally:
            self._stopping = True
            interrupt.cancel()
            for task in pending:
                task.cancel()
            outcomes = await asyncio.gather(*tasks, return_exceptions=True)
            with suppress(NotImplementedError, RuntimeError):
                loop.remove_signal_handler(signal.SIGINT)
        for outcome in outcomes:
            if isinstance(outcome, Exception):
                raise outcome
        return interrupted.is_set()


class _Lane:
    """One connection: a client of its own that may open no second one beside it."""

    def __init__(
        self, settings: Settings, content: bytes | None, count: int | None, streams: int, stopping: Callable[[], bool]
    ) -> None:
        self.client: AsyncClient = settings.client(limits=ONE_CONNECTION, headers=UNCODED)
        self.tally = Tally()
        self.streams = streams
        self._left = count
        self._stopping = stopping
        self._gave_up = False
        self._item: Any = settings.url
        fields = settings.fields()
        if settings.verb() != "GET" or content is not None or fields:
            self._item = self.client.build_request(settings.verb(), settings.url, headers=fields, content=content)

    async def run(self) -> None:
        """The first request alone: it opens the connection and tells the protocol; then all the others."""
        first = await self._fetch(iter((self._item,)), 1)
        if self._left is not None:
            self._left -= 1
        if first is not None:
            self._gave_up = isinstance(first, ConnectError | ConnectTimeout)
        if "HTTP/2" not in self.tally.protocols and self.tally.responses:
            self.streams = 1
        if not self._gave_up:
            await self._fetch(chain.from_iterable(self._batches()), self.streams)

    def _batches(self) -> Iterator[Iterator[Any]]:
        """The same request again and again, until the count is reached or the run stops."""
        while self._left != 0 and not self._gave_up and not self._stopping():
            number = LOOK_EVERY if self._left is None else min(LOOK_EVERY, self._left)
            if self._left is not None:
                self._left -= number
            yield repeat(self._item, number)

    async def _fetch(self, items: Iterator[Any], concurrency: int) -> HTTPError | None:
        """Count what comes back; the last error, if the last outcome was one."""
        add = self.tally.add
        add_error = self.tally.add_error
        many: Any = self.client.fetch_many(items, concurrency=concurrency, return_exceptions=True)
        in_vain = 0
        error: HTTPError | None = None
        try:
            async for response in many:
                if isinstance(response, HTTPError):
                    error = response
                    add_error(error)
                    in_vain = in_vain + 1 if isinstance(error, ConnectError | ConnectTimeout) else 0
                    if in_vain >= DIALS_IN_VAIN * concurrency:
                        self._gave_up = True
                else:
                    add(response)
                    if error is not None:
                        error = None
                        in_vain = 0
        finally:
            many.close()
        return error

"""In-process answers on an event loop: what the pool takes for connections."""

from __future__ import annotations

from time import monotonic
from typing import Any

from .._http.exchange import Exchange
from .._http.phases import FINISHED, NEVER
from .._net.carrier import Carrier
from .._net.loops import lock, running_loop
from .._net.waiting import gathered
from .engine import InProcessEngine, Visit


class AsyncStage:
    """What AsyncPool takes for a dialer. ``transport`` answers; its lifespan is that of the client."""

    def __init__(self, loop: Any, transport: Any) -> None:
        self.loop = loop
        self.transport = transport
        self.lifespan: Any = None
        self.opening = lock(loop)

    async def dial(self, origin: Any, workshop: Any, timeout_s: float | None) -> AsyncCarrier:
        """A connection at once, unless a lifespan has to begin first."""
        async with self.opening:
            if self.lifespan is None:
                lifespan = self.transport.lifespan()
                await lifespan.begin()
                self.lifespan = lifespan
        return AsyncCarrier(self.loop, self.transport)

    def on_loop(self, loop: Any) -> AsyncStage:
        """One like it on another loop."""
        return AsyncStage(loop, self.transport)

    def forget(self, origin: Any) -> None:
        """There is no name to resolve."""

    async def aclose(self) -> None:
        """End the lifespan."""
        if self.lifespan is not None:
            await self.lifespan.end()


class AsyncCarrier(Carrier):
    """One origin's exchanges, each answered in a Task."""

    octets_read = 0  # there is no transport
    transport = None

    def __init__(self, loop: Any, transport: Any) -> None:
        Carrier.__init__(self)
        self.loop = loop
        self.answering = transport
        self.engine = InProcessEngine(self._after, collects=transport.collects)
        self.opened_at = self.used_at = monotonic()
        self.tasks: set[Any] = set()
        self.timer: Any = None
        self.timer_at = NEVER

    # -- what the client's side calls --------------------------------------------------------------------------------

    def submit(self, exchange: Exchange, now: float) -> None:
        """Have the request answered."""
        exchange.carrier = self
        self.used_at = now
        self.engine.send_request(exchange, now)
        visit = self.engine.visits[exchange]
        task = self.loop.create_task(perform(self.answering, visit))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        self._after()

    def send_content(self, exchange: Exchange, piece: bytes, end: bool) -> None:
        """Content of the request."""
        self.engine.send_content(exchange, piece, end, monotonic())
        self._after()

    def send_trailers(self, exchange: Exchange, trailers: tuple[tuple[str, str], ...]) -> None:
        """The end of the request's content."""
        self.engine.send_trailers(exchange, trailers, monotonic())
        self._after()

    def cancel(self, exchange: Exchange, error: Any) -> None:
        """The client gives the exchange up."""
        now = monotonic()
        if exchange.phase != FINISHED and not exchange.settled:
            exchange.settled = True
            self.tally.cancelled(now)
        self.engine.cancel(exchange, error, now)
        self._after()

    def consumed(self, exchange: Exchange, octets: int) -> None:
        """The application took content."""
        self.engine.consumed(exchange, octets, monotonic())
        self._after()

    def carry_out(self, verb: str) -> None:
        """Nothing is gained by closing what costs nothing while it is idle."""

    def forsake(self) -> None:
        """It belongs to another process, or to an event loop that is closed."""
        self.lost = True

    def close(self) -> None:
        """The client is closed: whatever still answers is cancelled."""
        if self.lost:
            return
        self.lost: bool = True
        self.engine.close(monotonic())
        self._after()
        for task in list(self.tasks):
            task.cancel()
        if self.on_lost is not None:
            self.on_lost(self)

    def gone(self) -> Any:
        """A Future that is done once nothing answers any more."""
        return gathered(self.loop, self.tasks)

    # -- what the answering side causes ------------------------------------------------------------------------------

    def _after(self) -> None:
        engine = self.engine
        now = monotonic()
        self.used_at: float = now
        for exchange in engine.take_ready():
            if exchange.phase == FINISHED:
                self.settle(exchange, now)
            waiter, exchange.waiter = exchange.waiter, None
            if waiter is not None:
                waiter.wake(exchange)
        for exchange in engine.take_writable():
            waiter, exchange.writer = exchange.writer, None
            if waiter is not None:
                waiter.wake(exchange)
        if self.on_room is not None and not self.lost:
            self.on_room(self)
        if engine.deadline < self.timer_at:
            if self.timer is not None:
                self.timer.cancel()
            self.timer_at = engine.deadline
            self.timer = self.loop.call_later(max(0.0, engine.deadline - now), self._on_timer)

    def _on_timer(self) -> None:
        self.timer = None
        self.timer_at = NEVER
        self.engine.expire(monotonic())
        self._after()


async def perform(transport: Any, visit: Visit) -> None:
    """Have one visit answered; what goes wrong is its error."""
    try:
        await transport.answer(visit)
    except Exception as error:
        if not visit.fail(error):
            running_loop().call_exception_handler(
                {"message": f"{transport!r} raised after the exchange was over", "exception": error}
            )

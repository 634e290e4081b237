"""In-process answers in threads: what the pool takes for connections."""

from __future__ import annotations

from threading import Lock
from time import monotonic
from typing import Any

from .._http.exchange import Exchange
from .._http.phases import FINISHED
from .._net.blocking_driver import BlockingDriver
from .._net.blocking_waiter import ThreadWaiter
from .._net.carrier import Carrier
from .._net.gate import LockGate
from .._net.ticks import TICK_S
from .async_carrier import perform
from .engine import InProcessEngine, Visit
from .portal import Portal


class SyncStage:
    """What SyncPool takes for a dialer. An event loop in a thread of its own answers, unless the caller's can."""

    def __init__(self, transport: Any) -> None:
        self.transport = transport
        self.opening = Lock()
        self.portal: Portal | None = None
        self.lifespan: Any = None

    def dial(self, origin: Any, workshop: Any, lock: Any, timeout_s: float | None) -> SyncCarrier:
        """A connection at once, unless a lifespan has to begin first."""
        with self.opening:
            if self.portal is None and not self.transport.in_thread:
                self.portal = self._begin()
        return SyncCarrier(self.transport, self.portal, lock)

    def _begin(self) -> Portal:
        portal = Portal()
        try:
            self.lifespan = self.transport.lifespan()
            portal.call(self.lifespan.begin())
        except BaseException:
            portal.close()
            raise
        return portal

    def forget(self, origin: Any) -> None:
        """There is no name to resolve."""

    def close(self) -> None:
        """End the lifespan and its loop. Not under the client's lock."""
        with self.opening:
            portal, self.portal = self.portal, None
        if portal is not None:
            try:
                portal.call(self.lifespan.end())
            finally:
                portal.close()


class SyncCarrier(BlockingDriver):
    """One origin's exchanges; a driver without a socket."""

    octets_read = 0
    sock = None
    tls = None

    def __init__(self, transport: Any, portal: Portal | None, lock: Any) -> None:
        Carrier.__init__(self)
        self.transport = transport
        self.portal = portal
        self.lock = lock
        self.engine = InProcessEngine(self._after, lock, transport.collects)
        self.opened_at = self.used_at = monotonic()
        self.on_tick = None
        self.given_up: list[Exchange] = []
        self.left: list[Any] = []  # steps nobody will take any more

    @property
    def abandoned(self) -> list[Exchange]:  # type: ignore[override]
        """Exchanges given up by a finalizer that ran while its own thread held the lock."""
        return self.given_up

    # -- what the pool calls, under the lock -------------------------------------------------------------------------

    def submit(self, exchange: Exchange, now: float) -> None:
        """Have the request answered: by the loop, or by whoever waits."""
        exchange.carrier = self
        self.used_at = now
        engine = self.engine
        engine.send_request(exchange, now)
        visit = engine.visits[exchange]
        if self.portal is not None:
            self.portal.spawn(perform(self.transport, visit))
        else:
            visit.steps = self.transport.steps(visit)

    def close(self) -> None:
        """The client is closed."""
        if not self.lost:
            self.lost = True
            self.engine.close(monotonic())
            self._after()
            if self.on_lost is not None:
                self.on_lost(self)

    def leave_to_parent(self, lock: Any) -> None:
        """In a child process the loop's thread does not exist."""
        self.lost: bool = True
        self.lock: Any = lock

    def carry_out(self, verb: str) -> None:
        """Nothing is gained by closing what costs nothing while it is idle."""

    def look(self, now: float) -> None:
        """There is no peer that could have closed it."""

    def cancel(self, exchange: Exchange, error: Any) -> None:
        """The client gives the exchange up."""
        now = monotonic()
        if exchange.phase != FINISHED and not exchange.settled:
            exchange.settled = True
            self.tally.cancelled(now)
        visits: dict[Exchange, Visit] = self.engine.visits
        visit = visits.get(exchange)
        if visit is not None and visit.steps is not None and not visit.running:
            self.left.append(visit.steps)
        self.engine.cancel(exchange, error, now)
        self._after()

    def consumed(self, exchange: Exchange, octets: int) -> None:
        """The application took content."""
        self.engine.consumed(exchange, octets, monotonic())

    # -- what a thread with an exchange calls ------------------------------------------------------------------------

    def wait(self, exchange: Exchange | None, waiter: ThreadWaiter) -> None:
        """Return once ``waiter`` is woken; meanwhile answer, if this thread may, or sleep."""
        while True:
            gate = LockGate()
            with self.lock:
                self._sweep()
                if waiter.woken or self.lost:
                    return
                visit = self._next(exchange)
                now = monotonic()
                if visit is not None:
                    visit.running = True
                else:
                    limit = self.engine.deadline if exchange is None else exchange.limit()
                    if limit <= now:
                        self.engine.expire(now)
                        self._after()
                        continue
                    waiter.gate = gate
                    waiter.queue = None
            if visit is not None:
                self._step(visit)
                continue
            try:
                gate.wait(min(limit - now, TICK_S))
            finally:
                with self.lock:
                    waiter.gate = None

    def glance(self) -> None:
        """There is no network that something could have come from."""

    def lead(self) -> bool:
        """Answer all there is; there is no socket to read from."""
        while True:
            with self.lock:
                visit = self._next(None)
                if visit is None:
                    return False
                visit.running = True
            self._step(visit)

    def follow(self) -> None:
        """``lead`` took no role."""

    def expire(self, now: float) -> None:
        """End the exchanges whose time is up."""
        with self.lock:
            if self.engine.deadline <= now:
                self.engine.expire(now)
                self._after()

    def flush(self) -> None:
        """Let go of answers nobody waits for."""
        while self.left:
            self.left.pop().close()

    def next_piece(self, exchange: Exchange) -> Any:
        """The next piece of content, or None."""
        with self.lock:
            self._sweep()
            if not exchange.chunks:
                return None
            piece = exchange.chunks.popleft()
            self.engine.consumed(exchange, len(piece), monotonic())
            return piece

    def room(self, exchange: Exchange, waiter: ThreadWaiter) -> int:
        """Octets of content that may be queued; -1: no more are taken; 0: ``waiter`` is woken when some are."""
        with self.lock:
            if exchange.phase == FINISHED:
                return -1
            room: int = self.engine.room(exchange)
            if room == 0:
                exchange.writer = waiter
            return room

    def send_content(self, exchange: Exchange, piece: bytes, end: bool) -> None:
        """Content of the request."""
        with self.lock:
            self.engine.send_content(exchange, piece, end, monotonic())

    def send_trailers(self, exchange: Exchange, trailers: tuple[tuple[str, str], ...]) -> None:
        """The end of the request's content."""
        with self.lock:
            self.engine.send_trailers(exchange, trailers, monotonic())

    # -- steps -------------------------------------------------------------------------------------------------------

    def _next(self, exchange: Exchange | None) -> Visit | None:
        """A visit this thread could go on with: of the exchange, or of any. Under the lock."""
        visits: dict[Exchange, Visit] = self.engine.visits
        if exchange is None:
            return next((visit for visit in visits.values() if _is_due(visit)), None)
        visit = visits.get(exchange)
        return visit if visit is not None and _is_due(visit) else None

    def _step(self, visit: Visit) -> None:
        """Take one step in this thread. What it raises ends the exchange."""
        try:
            next(visit.steps)
        except StopIteration:
            visit.steps = None
        except Exception as error:
            visit.steps = None
            visit.fail(error)
        finally:
            with self.lock:
                visit.running = False
                if visit.over and visit.steps is not None:
                    self.left.append(visit.steps)
                    visit.steps = None
        self.flush()

    def _sweep(self) -> None:
        while self.given_up:
            exchange = self.given_up.pop()
            if exchange.phase != FINISHED or exchange.unread:
                self.cancel(exchange, None)

    def _after(self) -> None:
        """Wake everyone who has to look. Under the lock."""
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


def _is_due(visit: Visit) -> bool:
    return visit.steps is not None and not visit.running and visit.content_ended

"""The connections of one Client: carries out in threads what the routes decide."""

from __future__ import annotations

from threading import RLock
from time import monotonic
from typing import Any

from .._http.exchange import Exchange
from .._http.phases import FINISHED, NEVER
from .._net.blocking_driver import BlockingDriver
from .._net.blocking_waiter import ThreadWaiter
from .._net.gate import LockGate
from .._net.ticks import TICK_S
from ..errors import ConnectError, RequestError
from .housekeeping import Housekeeping
from .route import Route
from .score import ConnectionScore
from .workshop import Workshop

# An idle connection that was used this recently is used again without asking the socket whether the peer closed it.
FRESH_S = 0.05


class SyncPool:
    """Routes by origin, for any number of threads.

    ``lock`` is the client's only lock for short work: it guards the pool, its routes, and every connection with its
    engine and score. A thread dials without it, and waits without it.
    """

    __slots__ = (
        "closed",
        "connections",
        "dialer",
        "housekeeping",
        "limits",
        "lock",
        "next_tick",
        "parked",
        "routes",
        "workshop",
    )

    def __init__(self, workshop: Workshop, dialer: Any) -> None:
        self.lock = RLock()
        self.workshop = workshop
        self.limits = workshop.limits
        self.housekeeping = Housekeeping(workshop.limits, workshop.budget, workshop.buffers)
        self.dialer = dialer
        self.routes: dict[str, Route] = {}
        self.connections = 0  # open or being opened
        self.parked: dict[Exchange, ThreadWaiter] = {}  # threads that sleep until their exchange has a place
        self.next_tick = 0.0
        self.closed = False

    # -- exchanges ---------------------------------------------------------------------------------------------------

    def submit(self, exchange: Exchange, connect_s: Any, now: float) -> None:
        """Give the exchange to a connection, or queue it; ``wait`` opens connections and writes."""
        with self.lock:
            self.enqueue(exchange, connect_s, now)

    def enqueue(self, exchange: Exchange, connect_s: Any, now: float) -> None:
        """``submit`` for a caller that holds the lock."""
        if self.closed:
            raise RuntimeError("the client is closed")
        if now >= self.next_tick:
            self._tick(now)
        route = self.routes.get(exchange.origin.key)
        if route is None:
            route = self._route(exchange.origin)
        for carrier in route.carriers:
            if now - carrier.used_at > FRESH_S and carrier.engine.active() == 0:
                self._look(route, now)
                break
        exchange.route = route
        if not route.submit(exchange, now):
            route.connect_s = connect_s

    def wait(self, exchange: Exchange, waiter: ThreadWaiter) -> None:
        """Return once the waiter is woken: dial, write, read for all, or sleep."""
        while not waiter.woken:
            driver = exchange.carrier
            if driver is not None:
                driver.wait(exchange, waiter)
                if driver.lost and not waiter.woken:
                    return
            else:
                self._wait_for_place(exchange, waiter)

    def place(self, exchange: Exchange, waiter: ThreadWaiter) -> None:
        """Return once the exchange has a connection, or is over."""
        while exchange.carrier is None and not waiter.woken:
            self._wait_for_place(exchange, waiter)

    def find_place(self, exchange: Exchange, waiter: ThreadWaiter, alone: bool) -> bool:
        """Dial for the exchange if that is wanted; ``alone``: else sleep. False: there is nothing to do for it."""
        if not alone:
            with self.lock:
                route = exchange.route
                for carrier in route.carriers:
                    carrier.on_room = self._on_room
                if exchange.carrier is not None or route.dials_wanted() <= 0 or not self._may_open():
                    return False
        self._wait_for_place(exchange, waiter)
        return True

    def expect(self, exchange: Exchange, waiter: ThreadWaiter) -> bool:
        """Have ``waiter`` woken by the next event of the exchange; False: something is there already."""
        with self.lock:
            if exchange.chunks or exchange.phase == FINISHED:
                return False
            exchange.waiter = waiter
            return True

    def flush(self, exchange: Exchange) -> None:
        """Write what the exchange's connection has to write."""
        driver = exchange.carrier
        if driver is not None:
            driver.flush()

    def cancel(self, exchange: Exchange, error: Any) -> None:
        """End the exchange from our side, wherever it is."""
        lock: Any = self.lock
        driver = exchange.carrier
        if lock._is_owned():
            # A finalizer, run by the garbage collector in the middle of our own work.
            if driver is not None:
                driver.abandoned.append(exchange)
            return
        with self.lock:
            driver = exchange.carrier
            if driver is None:
                route = exchange.route
                if route is not None and route.withdraw(exchange, error):
                    self._wake(route)
                return
            driver.cancel(exchange, error)
        driver.flush()

    def warm_up(self, origin: Any, connect_s: Any) -> None:
        """Have one connection to ``origin`` open, unless there is one."""
        with self.lock:
            route = self.routes.get(origin.key) or self._route(origin)
            if route.carriers or route.dialing:
                return
            route.connect_s = connect_s
            self._begin_dial(route)
        self._dial(route, None, connect_s)

    def close(self) -> None:
        """Close every connection; open exchanges fail."""
        with self.lock:
            self.closed = True
            for route in list(self.routes.values()):
                for carrier in list(route.carriers):
                    carrier.close()
                for exchange in list(route.waiting):
                    route.withdraw(exchange, ConnectError("the client was closed", request_processed=False))
                self._wake(route)
        self.workshop.buffers.clear()  # a closed client may be kept

    def forsake(self) -> None:
        """In a child process: close the inherited descriptors and say nothing to anybody."""
        self.lock = RLock()  # a thread that does not exist here may have held the other
        for route in self.routes.values():
            for carrier in route.carriers:
                carrier.leave_to_parent(self.lock)
        self.routes = {}

    # -- carrying out ------------------------------------------------------------------------------------------------

    def _route(self, origin: Any) -> Route:
        most = self.limits.max_connections or 1_000_000
        route = Route(
            origin,
            min(most, self.limits.max_connections_per_host or most),
            self.limits.max_http2_connections_per_host,
        )
        self.routes[origin.key] = route
        return route

    def _look(self, route: Route, now: float) -> None:
        """Hear what idle connections were told since they were used."""
        for carrier in list(route.carriers):
            if now - carrier.used_at > FRESH_S and carrier.engine.active() == 0:
                carrier.look(now)

    def _wait_for_place(self, exchange: Exchange, waiter: ThreadWaiter) -> None:
        """Dial if a connection is wanted; else sleep until the exchange has a place or is over."""
        route = exchange.route
        gate = LockGate()
        with self.lock:
            if exchange.carrier is not None or waiter.woken:
                return
            now = monotonic()
            if route.deadline <= now:
                route.expire(now)
                self._wake(route)
                return
            dials = route.dials_wanted() > 0 and self._may_open()
            if dials:
                self._begin_dial(route)
                route.bind(exchange)
                connect_s = route.connect_s
            else:
                waiter.gate = gate
                waiter.queue = None
                self.parked[exchange] = waiter
                for carrier in route.carriers:
                    carrier.on_room = self._on_room
        if dials:
            self._dial(route, exchange, connect_s)
            return
        try:
            gate.wait(min(route.deadline - now, TICK_S))
        finally:
            with self.lock:
                self.parked.pop(exchange, None)
                waiter.gate = None
                if self.next_tick <= now:
                    self._tick(now)

    def _may_open(self) -> bool:
        """Whether the client's limit allows one more connection; an idle one elsewhere makes room."""
        most = self.limits.max_connections
        if most is None or self.connections < most:
            return True
        idle = self.housekeeping.longest_idle(self.routes.values())
        if idle is None:
            return False
        idle.close()
        return True

    def _begin_dial(self, route: Route) -> None:
        route.dial_started()
        self.connections += 1

    def _dial(self, route: Route, exchange: Exchange | None, connect_s: float | None) -> None:
        """Open a connection in this thread, for its own exchange and whoever waits beside it."""
        if exchange is not None and exchange.deadline != NEVER:
            left_s = max(0.0, exchange.deadline - monotonic())
            connect_s = left_s if connect_s is None else min(connect_s, left_s)
        try:
            driver = self.dialer.dial(route.origin, self.workshop, self.lock, connect_s)
        except BaseException as error:
            cancelled = not isinstance(error, Exception)
            failure: Any = ConnectError("the dial was interrupted", request_processed=False) if cancelled else error
            with self.lock:
                self.connections -= 1
                if exchange is not None:
                    route.unbind(exchange)
                if cancelled:
                    # Only the thread that was interrupted gives up; another one dials.
                    if exchange is not None:
                        route.withdraw(exchange, failure)
                    route.dial_given_up()
                else:
                    route.dial_failed(failure)
                self._wake(route)
                self._stir(route)
            if exchange is None or cancelled or not isinstance(error, RequestError):
                raise
            return
        now = monotonic()
        score = ConnectionScore(now, now - driver.opened_at, self.limits.max_connection_age or NEVER)
        driver.on_lost = self._on_lost
        driver.on_tick = self._tick
        with self.lock:
            if exchange is not None:
                route.unbind(exchange)
            route.dial_succeeded(driver, driver.engine.http_version == "HTTP/2", score, now)
            if self.closed:
                driver.close()
            elif route.waiting:
                driver.on_room = self._on_room
            self._wake(route)
            self._stir(route)

    def _stir(self, route: Route) -> None:
        """Wake the threads whose exchange got a place, and as many more as dials are wanted."""
        dials = route.dials_wanted()
        for exchange, waiter in list(self.parked.items()):
            if exchange.route is route and exchange.carrier is not None:
                del self.parked[exchange]
                waiter.nudge()
            elif dials > 0 and exchange.route is route:
                dials -= 1
                waiter.nudge()

    def _on_room(self, driver: BlockingDriver) -> None:
        route = driver.route
        route.admit(monotonic())
        self._stir(route)
        if not route.waiting:
            for carrier in route.carriers:
                carrier.on_room = None
        if route.refused:
            self._wake(route)

    def _on_lost(self, driver: BlockingDriver) -> None:
        self.connections -= 1
        driver.route.lost(driver)
        self._stir(driver.route)
        most = self.limits.max_connections
        if most is not None and self.connections == most - 1:
            for route in self.routes.values():
                if route.waiting:
                    self._stir(route)

    def _wake(self, route: Route) -> None:
        for exchange in route.take_refused():
            waiter = exchange.waiter
            if waiter is not None:
                exchange.waiter = None
                waiter.wake(exchange)
            waiter = exchange.writer
            if waiter is not None:
                exchange.writer = None
                waiter.wake(exchange)

    def _tick(self, now: float) -> None:
        """Look at connections that are idle, old or silent. Under the lock."""
        if now < self.next_tick:
            return
        self.next_tick = now + TICK_S
        for carrier, verb in self.housekeeping.look(self.routes.values(), now):
            if verb == "retire" and not carrier.engine.draining:
                self.dialer.forget(carrier.route.origin)  # so that its successor sees a change of address
            if verb == "restore":
                carrier.engine.draining = False
                self._stir(carrier.route)
                continue
            carrier.carry_out(verb)

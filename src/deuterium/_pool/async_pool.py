"""The connections of one AsyncClient: carries out on its event loop what the routes decide."""

from __future__ import annotations

from time import monotonic
from typing import Any

from .._http.exchange import Exchange
from .._http.phases import FINISHED, NEVER
from .._net.carrier import leave
from .._net.driver import AsyncDriver
from .._net.waiting import all_done
from ..errors import ConnectError, RequestError, TransportError
from .abandoned import watch
from .housekeeping import Housekeeping
from .route import Route
from .score import ConnectionScore
from .workshop import Workshop

TICK_S = 1.0  # how often idle, old and silent connections are looked at


class AsyncPool:
    """Routes by origin, on one event loop."""

    __slots__ = (
        "__weakref__",
        "closed",
        "connections",
        "dialer",
        "dials",
        "housekeeping",
        "limits",
        "loop",
        "recent",
        "routes",
        "starved",
        "tick",
        "timer",
        "timer_at",
        "workshop",
    )

    def __init__(self, loop: Any, workshop: Workshop, dialer: Any) -> None:
        self.loop = loop
        self.closed = False
        self.workshop = workshop
        self.limits = workshop.limits
        self.housekeeping = Housekeeping(workshop.limits, workshop.budget, workshop.buffers)
        self.dialer = dialer
        self.routes: dict[str, Route] = {}
        self.recent: Any = None  # the route of the request before: mostly the next goes there too
        self.starved: list[Route] = []  # may not dial until a connection of another route is idle
        self.connections = 0  # open or being opened
        self.dials: set[Any] = set()
        self.timer: Any = None
        self.timer_at = NEVER
        self.tick: Any = None
        watch(self)

    def submit(self, exchange: Exchange, connect_s: Any, now: float) -> None:
        """Send the exchange, or queue it and open a connection for it."""
        origin = exchange.origin
        route = self.recent
        if route is None or route.origin is not origin:
            route = self.routes.get(origin.key)
            if route is None:
                if self.closed:
                    self._refuse(exchange)
                    return
                route = self._route(origin)
            self.recent = route
        exchange.route = route
        if not route.submit(exchange, now):
            route.connect_s = connect_s
            if not route.saturated:
                self._follow(route)
            elif route.deadline < self.timer_at:
                self._arm(route.deadline)

    def cancel(self, exchange: Exchange, error: Any) -> None:
        """End the exchange from our side, wherever it is."""
        if exchange.carrier is not None:
            exchange.carrier.cancel(exchange, error)
            return
        route = exchange.route
        if route is not None and route.withdraw(exchange, error):
            self._wake(route)

    async def warm_up(self, origin: Any, connect_s: Any) -> None:
        """Have one connection to ``origin`` open, unless there is one."""
        if self.closed:
            raise _closed_error()
        route = self.routes.get(origin.key) or self._route(origin)
        if not route.carriers and not route.dialing:
            route.connect_s = connect_s
            self._count_dial(route)
            await self._dial(route, True)

    async def aclose(self) -> None:
        """Close every connection; open exchanges fail, and so does whatever is submitted from now on."""
        self.closed = True
        routes = list(self.routes.values())
        self.routes.clear()
        self.recent = None
        for timer in (self.timer, self.tick):
            if timer is not None:
                timer.cancel()
        self.timer = self.tick = None
        # Everything is said and closed before the first wait: under trio a cancelled scope lets none end.
        dials = list(self.dials)
        for task in dials:
            task.cancel()
        gone = []
        self.starved.clear()
        for route in routes:
            # First, or the end of a full connection would have another one dialed for those that wait.
            for exchange in list(route.waiting):
                route.withdraw(exchange, _closed_error())
            self._wake(route)
            for carrier in list(route.carriers):
                gone.append(carrier.gone())
                carrier.close()
        await all_done(self.loop, dials)
        await all_done(self.loop, gone, 1.0)
        self.workshop.buffers.clear()  # a closed client may be kept

    def forsake(self) -> None:
        """The event loop is closed, or this is a child process and the loop is its parent's: drop the connections and
        say nothing to anybody."""
        for route in self.routes.values():
            for exchange in route.waiting:
                leave(exchange)
            for carrier in route.carriers:
                carrier.forsake()
                carrier.drop_exchanges()
        self.routes = {}
        self.recent = None

    def on_loop(self, loop: Any) -> AsyncPool:
        """An empty pool for another loop."""
        return AsyncPool(loop, self.workshop, self.dialer.on_loop(loop))

    # -- carrying out ------------------------------------------------------------------------------------------------

    def _refuse(self, exchange: Exchange) -> None:
        """The client is closed: a request that comes late ends at once, or it would open a connection again."""
        exchange.phase = FINISHED
        exchange.error = _closed_error()
        waiter = exchange.waiter
        if waiter is not None:
            exchange.waiter = None
            waiter.wake(exchange)

    def _route(self, origin: Any) -> Route:
        most = self.limits.max_connections or 1_000_000
        route = Route(
            origin,
            min(most, self.limits.max_connections_per_host or most),
            self.limits.max_http2_connections_per_host,
        )
        self.routes[origin.key] = route
        return route

    def _follow(self, route: Route) -> None:
        """The route has waiting requests: dial if it says so, and be told of free places."""
        if self.closed:
            return
        for _ in range(route.worth_opening(monotonic())):
            if not self._may_open():
                self._starve(route)
                break
            self._count_dial(route)
            task = self.loop.create_task(self._dial(route, False))
            self.dials.add(task)
            task.add_done_callback(self.dials.discard)
        for carrier in route.carriers:
            carrier.on_room = self._on_room
        route.saturated = route.look_at < NEVER or route.at_most()
        if min(route.deadline, route.look_at) < self.timer_at:
            self._arm(min(route.deadline, route.look_at))

    def _starve(self, route: Route) -> None:
        """Have the route looked at again when any connection is idle and could make room."""
        if route not in self.starved:
            self.starved.append(route)
        for other in self.routes.values():
            for carrier in other.carriers:
                carrier.on_room = self._on_room

    def _feed(self) -> None:
        """A connection is idle: whoever could not open one may now."""
        starved, self.starved = self.starved, []
        for route in starved:
            if route.waiting:
                self._follow(route)

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

    def _count_dial(self, route: Route) -> None:
        # Before the task first runs: until then every request of the same turn would ask for a dial of its own.
        route.dial_started()
        self.connections += 1

    async def _dial(self, route: Route, warm: bool) -> None:
        try:
            driver = await self.dialer.dial(route.origin, self.workshop, route.connect_s)
            if self.closed:
                driver.close()
                raise _closed_error()
            if driver.lost:
                raise driver.failure or ConnectError("the connection was lost at once", request_processed=False)
        except BaseException as error:
            self.connections -= 1
            cancelled = not isinstance(error, Exception)
            route.dial_failed(
                error
                if isinstance(error, Exception)
                else ConnectError("the client was closed", request_processed=False)
            )
            self._wake(route)
            if route.waiting and not cancelled:
                self._follow(route)
            if warm or cancelled or not isinstance(error, RequestError):
                raise
            return
        now = monotonic()
        score = ConnectionScore(now, now - driver.opened_at, self.limits.max_connection_age or NEVER)
        driver.on_lost = self._on_lost
        route.dial_succeeded(driver, driver.engine.http_version == "HTTP/2", score, now)
        if route.waiting:
            self._follow(route)
        self._wake(route)
        if self.tick is None:
            self.tick = self.loop.call_later(TICK_S, self._on_tick)

    def _on_room(self, driver: AsyncDriver) -> None:
        route = driver.route
        route.admit(monotonic())
        if route.waiting:
            if driver.engine.draining or driver.engine.closed:
                self._follow(route)
        elif not self.starved:
            route.saturated = False
            for carrier in route.carriers:
                carrier.on_room = None
        elif not driver.engine.active():
            self.loop.call_soon(self._feed)  # not from within the driver: the idle connection is closed
        if route.refused:
            self._wake(route)

    def _on_lost(self, driver: AsyncDriver) -> None:
        self.connections -= 1
        driver.route.lost(driver)
        if self.starved:
            self._feed()  # before the route whose connection it was, or that would take the place again
        most = self.limits.max_connections
        if driver.route.waiting:
            self._follow(driver.route)
        if most is not None and self.connections == most - 1:
            for route in self.routes.values():
                if route.waiting:
                    self._follow(route)

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

    # -- time --------------------------------------------------------------------------------------------------------

    def _arm(self, deadline: float) -> None:
        if self.timer is not None:
            self.timer.cancel()
        self.timer_at = deadline
        self.timer = self.loop.call_later(max(0.0, deadline - monotonic()), self._on_timer)

    def _on_timer(self) -> None:
        """Requests that waited too long for a place."""
        self.timer = None
        self.timer_at = NEVER
        now = monotonic()
        earliest = NEVER
        for route in self.routes.values():
            if route.deadline <= now:
                route.expire(now)
                self._wake(route)
            if route.look_at <= now:
                self._follow(route)
            earliest = min(earliest, route.deadline, route.look_at)
        if earliest < NEVER:
            self._arm(earliest)

    def _on_tick(self) -> None:
        """Connections that are idle, old or silent."""
        self.tick = None
        if not self.connections:
            self.workshop.buffers.clear()
            return
        for carrier, verb in self.housekeeping.look(self.routes.values(), monotonic()):
            if verb == "restore":
                carrier.engine.draining = False
                self._on_room(carrier)
                continue
            if verb == "retire" and not carrier.engine.draining:
                self.dialer.forget(carrier.route.origin)  # so that its successor sees a change of address
            carrier.carry_out(verb)
        self.tick = self.loop.call_later(TICK_S, self._on_tick)


def _closed_error() -> TransportError:
    return TransportError("the client was closed", initiator="user", request_processed=False)

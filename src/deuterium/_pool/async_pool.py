"""The connections of one AsyncClient: carries out under asyncio what the routes decide."""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import Any

from .._http.exchange import Exchange
from .._http.phases import NEVER
from .._http2.connection import Connection
from .._http2.stream import Stream
from .._memory.buffer_pool import BufferPool
from .._memory.object_pool import ObjectPool
from .._memory.string_pool import StringPool
from .._net.dialer import AsyncDialer
from .._net.driver import AsyncDriver
from .._net.tls import ALPN_H2
from ..config import Http2Options, Limits, PoolOptions
from ..errors import ConnectError, RequestError, UnsupportedProtocol
from .route import Route

# Content of at least this size leaves a clear-text connection without being copied.
BY_REFERENCE = 16 * 1024


class AsyncPool:
    """Routes by origin, on one event loop."""

    __slots__ = (
        "buffers",
        "connect_timeout_s",
        "context",
        "dialer",
        "dials",
        "http2_options",
        "limits",
        "loop",
        "plain_http2",
        "routes",
        "streams",
        "strings",
        "tap",
        "timer",
        "timer_at",
    )

    def __init__(
        self,
        loop: Any,
        context: Any,
        limits: Limits,
        http2_options: Http2Options,
        pools: PoolOptions,
        plain_http2: bool,
        connect_timeout_s: float | None,
        tap: Any = None,
    ) -> None:
        self.loop = loop
        self.context = context
        self.limits = limits
        self.http2_options = http2_options
        self.plain_http2 = plain_http2
        self.connect_timeout_s = connect_timeout_s  # for dials that follow a lost connection
        self.tap = tap
        self.buffers = BufferPool(enabled=pools.buffers)
        self.streams: Any = ObjectPool(Stream, bound=4096, enabled=pools.objects)
        self.strings = StringPool(enabled=pools.strings)
        self.dialer = AsyncDialer(loop, self.buffers)
        self.routes: dict[str, Route] = {}
        self.dials: set[Any] = set()
        self.timer: Any = None
        self.timer_at = NEVER

    def submit(self, exchange: Exchange, connect_timeout_s: Any, now: float) -> None:
        """Send the exchange, or queue it and open a connection for it."""
        origin = exchange.origin
        route = self.routes.get(origin.key)
        if route is None:
            route = Route(origin, self.limits.max_connections_per_host or 1_000_000)
            self.routes[origin.key] = route
        exchange.route = route
        if not route.submit(exchange, now):
            self._follow(route, connect_timeout_s)

    def cancel(self, exchange: Exchange, error: Any) -> None:
        """End the exchange from our side, wherever it is."""
        if exchange.carrier is not None:
            exchange.carrier.cancel(exchange, error)
            return
        route = exchange.route
        if route is not None and route.withdraw(exchange, error):
            self._wake(route)

    async def aclose(self) -> None:
        """Close every connection; open exchanges fail."""
        for task in list(self.dials):
            task.cancel()
        if self.dials:
            await asyncio.gather(*self.dials, return_exceptions=True)
        for route in list(self.routes.values()):
            for carrier in list(route.carriers):
                carrier.close()
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None
        self.routes.clear()
        await asyncio.sleep(0)

    # -- carrying out ------------------------------------------------------------------------------------------------

    def _follow(self, route: Route, connect_timeout_s: Any) -> None:
        """The route has waiting requests: dial if it says so, and be told of free places."""
        for _ in range(route.dials_wanted()):
            route.dial_started()
            task = self.loop.create_task(self._dial(route, connect_timeout_s))
            self.dials.add(task)
            task.add_done_callback(self.dials.discard)
        for carrier in route.carriers:
            carrier.on_room = self._on_room
        if route.deadline < self.timer_at:
            self._arm(route.deadline)

    async def _dial(self, route: Route, connect_timeout_s: Any) -> None:
        origin = route.origin
        context = self.context() if origin.scheme == "https" else None
        try:
            driver = await self.dialer.dial(origin.host, origin.port, context, self._choose, connect_timeout_s)
        except RequestError as error:
            route.dial_failed(error)
            self._wake(route)
            return
        except BaseException as error:
            route.dial_failed(
                error
                if isinstance(error, Exception)
                else ConnectError("the client was closed", request_processed=False)
            )
            self._wake(route)
            raise
        if driver.lost:
            route.dial_failed(driver.failure or UnsupportedProtocol("the connection was lost at once"))
            self._wake(route)
            return
        driver.on_lost = self._on_lost
        driver.route = route
        route.dial_succeeded(driver, monotonic())
        if route.waiting:
            self._follow(route, connect_timeout_s)
        self._wake(route)

    def _choose(self, protocol: str) -> Any:
        """The engine for what ALPN chose; h2c with prior knowledge when there is no TLS (RFC 9113 section 3.3)."""
        if protocol == ALPN_H2 or (not protocol and self.plain_http2):
            engine = Connection(
                self.http2_options, self.buffers, self.streams, self.strings, 0 if protocol else BY_REFERENCE
            )
            if self.tap is not None:
                engine.set_tap(self.tap)
            return engine
        raise UnsupportedProtocol(
            f"the origin speaks {protocol or 'HTTP/1.1'}, not HTTP/2", initiator="remote", request_processed=False
        )

    def _on_room(self, driver: AsyncDriver) -> None:
        route = driver.route
        route.admit(monotonic())
        if not route.waiting:
            for carrier in route.carriers:
                carrier.on_room = None
        if route.refused:
            self._wake(route)

    def _on_lost(self, driver: AsyncDriver) -> None:
        route = driver.route
        route.lost(driver)
        if route.waiting:
            self._follow(route, self.connect_timeout_s)

    def _wake(self, route: Route) -> None:
        for exchange in route.take_refused():
            waiter = exchange.waiter
            if waiter is not None:
                exchange.waiter = None
                waiter.wake(exchange)

    def _arm(self, deadline: float) -> None:
        if self.timer is not None:
            self.timer.cancel()
        self.timer_at = deadline
        self.timer = self.loop.call_later(max(0.0, deadline - monotonic()), self._on_timer)

    def _on_timer(self) -> None:
        self.timer = None
        self.timer_at = NEVER
        now = monotonic()
        earliest = NEVER
        for route in self.routes.values():
            if route.deadline <= now:
                route.expire(now)
                self._wake(route)
            earliest = min(earliest, route.deadline)
        if earliest < NEVER:
            self._arm(earliest)

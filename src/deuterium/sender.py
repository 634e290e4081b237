"""The request path of AsyncClient: from a URL or a Request to an exchange under way, in compiled code."""

from __future__ import annotations

from asyncio import get_running_loop
from time import monotonic
from typing import Any

from ._http.exchange import Exchange
from ._http.phases import NEVER
from ._net.waiters import FutureWaiter
from ._pool.async_pool import AsyncPool
from .config import Timeout
from .request import checked_method
from .url import UrlCache

KNOWN_METHODS = frozenset(("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE", "QUERY"))


class AsyncSender:
    """What every request of one client shares: its pool, its parsed URLs, its default fields and timeouts."""

    __slots__ = (
        "base_url",
        "common",
        "connect_s",
        "loop",
        "pool",
        "pool_s",
        "read_s",
        "timeout",
        "total_s",
        "urls",
        "write_s",
    )

    def __init__(
        self, loop: Any, pool: AsyncPool, urls: UrlCache, base_url: str, common: tuple[tuple[str, str], ...], timeout: Timeout
    ) -> None:
        self.loop = loop
        self.pool = pool
        self.urls = urls
        self.base_url = base_url
        self.common = common
        self._set_timeout(timeout)

    def waiter(self) -> FutureWaiter:
        """Something to await. Raises RuntimeError on another event loop than the client's own."""
        if get_running_loop() is not self.loop:
            raise RuntimeError("this client belongs to another event loop: make one client for each loop")
        return FutureWaiter(self.loop.create_future())

    def plain_exchange(self, method: str, url: str) -> Exchange:
        """An exchange without anything but the client's defaults."""
        if method not in KNOWN_METHODS:
            method = checked_method(method)
        if self.base_url and "://" not in url:
            url = self.base_url + (url if url.startswith("/") or not url else "/" + url)
        origin, target = self.urls.split(url)
        exchange = Exchange(method, origin.scheme, origin.authority, target, self.common)
        exchange.origin = origin
        return exchange

    def submit(self, exchange: Exchange, waiter: Any, connect_s: Any) -> None:
        """Send an exchange whose deadlines are set; the waiter is woken when it is answered or has failed."""
        exchange.waiter = waiter
        self.pool.submit(exchange, connect_s, monotonic())

    def start_plain(self, method: str, url: str, waiter: Any, timeout: Any) -> Exchange:
        """An exchange without anything but the client's defaults, under way."""
        if timeout is not self.timeout:
            self._set_timeout(timeout)
        exchange = self.plain_exchange(method, url)
        now = monotonic()
        exchange.waiter = waiter
        exchange.deadline = now + self.total_s
        exchange.pool_timeout = self.pool_s
        exchange.read_timeout = self.read_s
        exchange.write_timeout = self.write_s
        self.pool.submit(exchange, self.connect_s, now)
        return exchange

    def _set_timeout(self, timeout: Timeout) -> None:
        """Keep the limits as C numbers; requests in a row mostly have the same."""
        self.timeout = timeout
        self.connect_s = timeout.connect
        self.total_s = NEVER if timeout.total is None else timeout.total
        self.pool_s = NEVER if timeout.pool is None else timeout.pool
        self.read_s = NEVER if timeout.read is None else timeout.read
        self.write_s = NEVER if timeout.write is None else timeout.write

"""The request path of both clients: from a URL or a Request to an exchange under way, in compiled code."""

from __future__ import annotations

from asyncio import Future, _get_running_loop
from time import monotonic, time
from typing import Any

from ._http.exchange import Exchange
from ._http.field import check_value
from ._http.field_kind import SET_COOKIE
from ._http.phases import NEVER
from ._memory import collector
from ._net.blocking_waiter import ThreadWaiter
from ._net.loops import running_loop
from ._net.task_waiter import loop_getter
from ._net.waiters import FutureWaiter
from ._pool.async_pool import AsyncPool
from ._pool.retry import MISDIRECTED
from ._pool.sync_pool import SyncPool
from .config import Timeout
from .request import plain_method
from .response import Response

COMPILED = not __file__.endswith((".py", ".pyc"))
KNOWN_METHODS = frozenset(("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE", "QUERY"))


class Sender:
    """What every request of one client shares: its parsed URLs, its default fields and timeouts."""

    __slots__ = (
        "base_url",
        "brings_cookies",
        "client_timeout",
        "common",
        "connect_s",
        "cookie_store",
        "cookies",
        "cookies_edition",
        "cookies_known",
        "pool_s",
        "read_s",
        "request_hooks",
        "response_hooks",
        "retry_statuses",
        "simple",
        "timeout",
        "total_s",
        "urls",
        "write_s",
    )

    def __init__(self, core: Any) -> None:
        self.urls = core.urls
        self.base_url = core.base_url
        self.refresh(core)

    def refresh(self, core: Any) -> None:
        """The client's options changed."""
        self.common = core.common_fields()
        self.cookies = core.cookies
        self.cookie_store = core.cookies.store
        self.cookies_edition = core.cookies.edition
        # What the last request with cookies was given: its origin, the edition, until when or None, the fields.
        self.cookies_known: tuple[Any, Any, float | None, tuple[tuple[str, str], ...]] | None = None
        self.brings_cookies = "cookie" in dict(self.common)
        self.request_hooks = core.event_hooks["request"]
        self.response_hooks = core.event_hooks["response"]
        self.retry_statuses = core.retry.statuses
        self.simple = core.is_simple()
        self.client_timeout = core.timeout
        self._set_timeout(core.timeout)

    def is_plain(self) -> bool:
        """Nothing has to be decided before a request is sent, nor added to it but cookies."""
        return self.simple and not self.request_hooks and not self.response_hooks

    def is_final(self, exchange: Exchange) -> bool:
        """The exchange ended in a response to hand over as it is."""
        status = exchange.status
        if exchange.error is not None or exchange.kinds & SET_COOKIE or status > 300:
            return exchange.error is None and not exchange.kinds & SET_COOKIE and self._is_final(status)
        return True

    def _is_final(self, status: int) -> bool:
        return not 300 < status < 400 and status != MISDIRECTED and status not in self.retry_statuses

    def plain_exchange(self, method: str, url: str) -> Exchange:
        """An exchange without anything but the client's defaults, its cookies among them."""
        if method != "GET" and method not in KNOWN_METHODS:
            method = plain_method(method)
        if self.base_url and "://" not in url:
            url = self.base_url + (url if url.startswith("/") or not url else "/" + url)
        origin, target = self.urls.split(url)
        exchange = Exchange(method, origin.scheme, origin.authority, target, self.common)
        exchange.origin = origin
        if COMPILED:
            collector.untrack(exchange)  # until somebody asks for its Request, it holds nothing of the user's
        if self.cookie_store:
            self._add_cookies(exchange, origin, target)
        return exchange

    def _add_cookies(self, exchange: Exchange, origin: Any, target: str) -> None:
        known = self.cookies_known
        edition = self.cookies_edition[0]
        if known is not None and known[0] is origin and known[1] is edition and (known[2] is None or time() < known[2]):
            exchange.extra = known[3]
            return
        secure = origin.scheme == "https"
        value = self.cookies.header_for(origin.host, target.partition("?")[0], secure=secure, now=time())
        if value and not self.brings_cookies:
            check_value(value)
            exchange.extra = (("cookie", value),)
        until = self.cookies.good_until(origin.host, secure=secure)
        if until is not None and edition is self.cookies_edition[0]:
            self.cookies_known = (origin, edition, None if until == NEVER else until, exchange.extra)

    def _bound(self, exchange: Exchange, timeout: Any, now: float) -> None:
        """Set its deadlines."""
        if timeout is not self.timeout:
            self._set_timeout(timeout)
        exchange.deadline = now + self.total_s
        exchange.pool_timeout = self.pool_s
        exchange.read_timeout = self.read_s
        exchange.write_timeout = self.write_s

    def _set_timeout(self, timeout: Timeout) -> None:
        """Keep the limits as C numbers; requests in a row mostly have the same."""
        self.timeout = timeout
        self.connect_s = timeout.connect
        self.total_s = NEVER if timeout.total is None else timeout.total
        self.pool_s = NEVER if timeout.pool is None else timeout.pool
        self.read_s = NEVER if timeout.read is None else timeout.read
        self.write_s = NEVER if timeout.write is None else timeout.write


class AsyncSender(Sender):
    """Sends on one event loop."""

    __slots__ = ("answered", "loop", "loop_getter", "pool", "standard")

    def __init__(self, loop: Any, pool: AsyncPool, core: Any) -> None:
        Sender.__init__(self, core)
        self._set_loop(loop)
        self.pool = pool

    async def fetch(self, client: Any, method: str, url: str, timeout: Any, follow_redirects: Any) -> Response:
        """A plain request, from its URL to its response. ``timeout``: a Timeout, or None for the client's.

        Compiled, ``Fetching`` does this instead, but for loops with Futures of their own.
        """
        self.match_loop()
        future = Future(loop=self.loop) if self.standard else self.loop.create_future()
        limits = self.client_timeout if timeout is None else timeout
        exchange = self.start_plain(method, url, FutureWaiter(future), limits)
        try:
            await future
        except BaseException:
            self.pool.cancel(exchange, None)
            raise
        if self.is_final(exchange):
            return Response(exchange, None, client)
        response: Response = await client.go_on(exchange, follow_redirects)
        return response

    def waiter(self) -> FutureWaiter:
        """Something to await. Raises RuntimeError on a loop that is not the client's, unless that is closed."""
        self.match_loop()
        if self.standard:
            return FutureWaiter(Future(loop=self.loop))
        return FutureWaiter(self.loop.create_future())

    def _set_loop(self, loop: Any) -> None:
        self.loop = loop
        self.answered = loop.create_future()
        self.answered.set_result(None)
        self.loop_getter = loop_getter(loop)
        self.standard = type(self.answered) is Future  # made directly they cost half as much under uvloop

    def match_loop(self) -> None:
        """``change_loop``, where the running loop is not the client's."""
        if _get_running_loop() is not self.loop:  # under trio it is None
            self.change_loop()

    def change_loop(self) -> None:
        """Go on with new connections on the running loop, if it is another one and the client's own is closed."""
        loop = running_loop()
        if loop is self.loop:
            return
        if not self.loop.is_closed():
            raise RuntimeError(
                "this AsyncClient is in use on another event loop, which still runs: make one client for each loop,"
                " or use deuterium.Client, which any number of threads may share"
            )
        self.pool.forsake()
        self.pool = self.pool.on_loop(loop)
        self._set_loop(loop)

    def submit(self, exchange: Exchange, waiter: Any, connect_s: Any) -> None:
        """Send an exchange whose deadlines are set; the waiter is woken when it is answered or has failed."""
        exchange.waiter = waiter
        self.pool.submit(exchange, connect_s, monotonic())

    def start_plain(self, method: str, url: str, waiter: Any, timeout: Any) -> Exchange:
        """An exchange without anything but the client's defaults, under way."""
        exchange = self.plain_exchange(method, url)
        now = monotonic()
        exchange.waiter = waiter
        self._bound(exchange, timeout, now)
        self.pool.submit(exchange, self.connect_s, now)
        return exchange


class SyncSender(Sender):
    """Sends from any thread."""

    __slots__ = ("pool",)

    def __init__(self, pool: SyncPool, core: Any) -> None:
        Sender.__init__(self, core)
        self.pool = pool

    def submit(self, exchange: Exchange, waiter: Any, connect_s: Any) -> None:
        """Queue an exchange whose deadlines are set; ``pool.wait`` sends it."""
        exchange.waiter = waiter
        self.pool.submit(exchange, connect_s, monotonic())

    def start_plain(self, method: str, url: str, waiter: Any, timeout: Any) -> Exchange:
        """An exchange without anything but the client's defaults, queued."""
        exchange = self.plain_exchange(method, url)
        exchange.waiter = waiter
        now = monotonic()
        with self.pool.lock:  # the limits kept here are every thread's
            self._bound(exchange, timeout, now)
            self.pool.enqueue(exchange, self.connect_s, now)
        return exchange

    def fetch_plain(self, method: str, url: str, timeout: Any) -> Exchange:
        """``start_plain``, and wait until it is over. Whatever interrupts the wait cancels the exchange."""
        waiter = ThreadWaiter()
        exchange = self.start_plain(method, url, waiter, timeout)
        try:
            self.pool.wait(exchange, waiter)
        except BaseException:
            self.pool.cancel(exchange, None)
            raise
        return exchange

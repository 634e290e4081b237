"""AsyncClient: the client layer under asyncio."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Coroutine, Iterable, Mapping
from contextlib import asynccontextmanager
from time import monotonic
from typing import Any

from yarl import URL

from ._http.exchange import Exchange
from ._http.phases import FINISHED, PIECES, WHOLE
from ._net.tls import ALPN_H2, ALPN_HTTP11, create_context
from ._net.waiters import FutureWaiter
from ._pool.async_body import AsyncBody, send_stream
from ._pool.async_pool import AsyncPool
from ._pool.fetch_many import FetchMany
from .config import USE_CLIENT_DEFAULT, Http2Options, Limits, PoolOptions, Timeout
from .errors import HTTPError
from .request import ContentTypes, HeaderTypes, Request, checked_fields, merged
from .response import Response
from .url import UrlCache

VERSION = "0.1.0"
DEFAULT_FIELDS = (("accept", "*/*"), ("user-agent", f"deuterium/{VERSION}"))

QueryTypes = Mapping[str, Any] | Iterable[tuple[str, Any]] | str | None


class AsyncClient:
    """An HTTP client for asyncio. One client keeps its connections; use it for many requests, then close it.

    >>> import asyncio
    >>> async def main() -> None:
    ...     async with AsyncClient() as client:
    ...         response = await client.get("https://example.org/")
    ...         print(response.status_code, response.http_version)
    """

    def __init__(
        self,
        *,
        headers: HeaderTypes | None = None,
        params: QueryTypes = None,
        timeout: Timeout | float | None | Any = USE_CLIENT_DEFAULT,
        limits: Limits | None = None,
        base_url: str = "",
        verify: ssl.SSLContext | str | bool = True,
        cert: Any = None,
        http1: bool = True,
        http2: bool = True,
        http2_options: Http2Options | None = None,
        pools: PoolOptions | None = None,
        trace: Any = None,
    ) -> None:
        """``verify``: True, False, a CA file, or an SSLContext. ``http1=False`` with an ``http://`` URL means h2c with
        prior knowledge. ``trace(outgoing, length, kind, flags, stream_id)`` is told of every HTTP/2 frame.
        """
        if not (http1 or http2):
            raise ValueError("http1 and http2 cannot both be off")
        own = checked_fields(headers) if headers is not None else ()
        common, own = merged(DEFAULT_FIELDS, own)
        self._common = (*common, *own)
        self._params = params
        self.timeout = _timeout(timeout)
        self.limits = limits or Limits()
        self._base_url = base_url.rstrip("/")
        self._verify = verify
        self._cert = cert
        self._alpn = tuple(name for name, on in ((ALPN_H2, http2), (ALPN_HTTP11, http1)) if on)
        self._plain_http2 = not http1
        self._http2_options = http2_options or Http2Options()
        self._pools = pools or PoolOptions()
        self._trace = trace
        self._urls = UrlCache()
        self._pool: AsyncPool | None = None
        self._loop: Any = None
        self._closed = False

    # -- verbs -------------------------------------------------------------------------------------------------------

    def get(self, url: str | URL, **options: Any) -> Coroutine[Any, Any, Response]:
        """GET (RFC 9110 section 9.3.1). Options as for ``request``, without content."""
        return self.request("GET", url, **options)

    def head(self, url: str | URL, **options: Any) -> Coroutine[Any, Any, Response]:
        """HEAD (section 9.3.2)."""
        return self.request("HEAD", url, **options)

    def options(self, url: str | URL, **options: Any) -> Coroutine[Any, Any, Response]:
        """OPTIONS (section 9.3.7)."""
        return self.request("OPTIONS", url, **options)

    def delete(self, url: str | URL, **options: Any) -> Coroutine[Any, Any, Response]:
        """DELETE (section 9.3.5)."""
        return self.request("DELETE", url, **options)

    def post(self, url: str | URL, **options: Any) -> Coroutine[Any, Any, Response]:
        """POST (section 9.3.3)."""
        return self.request("POST", url, **options)

    def put(self, url: str | URL, **options: Any) -> Coroutine[Any, Any, Response]:
        """PUT (section 9.3.4)."""
        return self.request("PUT", url, **options)

    def patch(self, url: str | URL, **options: Any) -> Coroutine[Any, Any, Response]:
        """PATCH (RFC 5789)."""
        return self.request("PATCH", url, **options)

    async def request(
        self,
        method: str,
        url: str | URL,
        *,
        params: QueryTypes = None,
        headers: HeaderTypes | None = None,
        content: ContentTypes | None = None,
        timeout: Timeout | float | None | Any = USE_CLIENT_DEFAULT,
        extensions: dict[str, Any] | None = None,
    ) -> Response:
        """Send a request and read the whole response.

        Raises InvalidURL or LocalProtocolError before a byte is sent, and the subclasses of TransportError after.
        """
        if params is None and headers is None and content is None and extensions is None and self._params is None:
            request = self._plain_request(method, url)
            if timeout is not USE_CLIENT_DEFAULT:
                request.timeout = _timeout(timeout)
            # The common case runs here, not in send(): one coroutine fewer for each request.
            waiter = self._waiter()
            exchange = self._start(request, waiter, WHOLE)
            try:
                await waiter.future
            except BaseException:
                self._abandon(exchange)
                raise
            return self._finish(exchange, None)
        request = self.build_request(
            method, url, params=params, headers=headers, content=content, timeout=timeout, extensions=extensions
        )
        return await self.send(request)

    def build_request(
        self,
        method: str,
        url: str | URL,
        *,
        params: QueryTypes = None,
        headers: HeaderTypes | None = None,
        content: ContentTypes | None = None,
        timeout: Timeout | float | None | Any = USE_CLIENT_DEFAULT,
        extensions: dict[str, Any] | None = None,
    ) -> Request:
        """A request with the client's defaults in it, checked, to be sent by ``send``."""
        url = str(url)
        for given in (self._params, params):
            if given:
                parsed = URL(self._base_url + url if "://" not in url else url, encoded=True)
                url = str(parsed.extend_query(given))
        request = self._plain_request(method, url)
        if headers is not None:
            request.common, request.extra = merged(request.common, checked_fields(headers))
        request.set_content(content)
        if timeout is not USE_CLIENT_DEFAULT:
            request.timeout = _timeout(timeout)
        request.extensions = extensions
        return request

    async def send(self, request: Request, *, stream: bool = False) -> Response:
        """Send a request made by ``build_request``; with ``stream`` the content is left to be iterated."""
        waiter = self._waiter()
        exchange = self._start(request, waiter, PIECES if stream else WHOLE)
        try:
            if request.stream is not None:
                await self._send_content(exchange, request, waiter.future)
            await waiter.future
            while stream and not exchange.headers_received and exchange.phase != FINISHED:
                exchange.waiter = waiter = self._waiter()
                await waiter.future
        except BaseException:
            self._abandon(exchange)
            raise
        return self._finish(exchange, AsyncBody(self._loop, exchange) if stream else None)

    @asynccontextmanager
    async def stream(self, method: str, url: str | URL, **options: Any) -> AsyncIterator[Response]:
        """A response whose content is read piece by piece inside the ``async with`` block."""
        timeout = options.pop("timeout", USE_CLIENT_DEFAULT)
        request = self.build_request(method, url, timeout=timeout, **options)
        response = await self.send(request, stream=True)
        try:
            yield response
        finally:
            await response.aclose()

    def fetch_many(
        self, requests: Iterable[str | URL | Request], *, concurrency: int = 100, return_exceptions: bool = False
    ) -> Any:
        """Send many requests, ``concurrency`` at a time; an async iterator of responses in completion order.

        A failure is raised and ends the iteration, or is yielded with ``return_exceptions``. ``response.request`` tells
        which request it answers. Requests are taken from the iterable as places come free.
        """
        if concurrency < 1:
            raise ValueError("concurrency must be at least 1")
        self._waiter()

        def start(item: Any, waiter: Any) -> Exchange:
            return self._start(item if isinstance(item, Request) else self._plain_request("GET", item), waiter, WHOLE)

        def finish(exchange: Exchange) -> Response:
            return Response(exchange.request, exchange, None)

        return FetchMany(self._loop, iter(requests), concurrency, return_exceptions, start, self._abandon, finish)

    # -- life --------------------------------------------------------------------------------------------------------

    async def aclose(self) -> None:
        """Close every connection. The client cannot be used afterwards."""
        self._closed = True
        pool, self._pool = self._pool, None
        if pool is not None:
            await pool.aclose()

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.aclose()

    # -- steps -------------------------------------------------------------------------------------------------------

    def _open_pool(self) -> AsyncPool:
        loop = asyncio.get_running_loop()
        if self._closed:
            raise RuntimeError("the client is closed")
        if self._pool is not None:
            raise RuntimeError("this client belongs to another event loop: make one client for each loop")
        self._loop = loop
        self._pool = AsyncPool(
            loop,
            self._context,
            self.limits,
            self._http2_options,
            self._pools,
            self._plain_http2,
            self.timeout.connect,
            self._trace,
        )
        return self._pool

    def _context(self) -> ssl.SSLContext:
        return create_context(self._verify, self._cert, self._alpn)

    def _plain_request(self, method: str, url: str | URL) -> Request:
        if type(url) is not str:
            url = str(url)
        if self._base_url and "://" not in url:
            url = self._base_url + (url if url.startswith("/") or not url else "/" + url)
        origin, target = self._urls.split(url)
        return Request(method, origin, target, self._common)

    def _waiter(self) -> FutureWaiter:
        """Something to await, on the client's own loop."""
        loop = asyncio.get_running_loop()
        if self._pool is None or self._loop is not loop:
            self._open_pool()
        return FutureWaiter(loop.create_future())

    def _start(self, request: Request, waiter: Any, delivery: int) -> Exchange:
        """Submit the request; the waiter is woken when it is answered or has failed."""
        exchange = self._exchange(request)
        exchange.waiter = waiter
        exchange.delivery = delivery
        timeout = request.timeout or self.timeout
        self._pool.submit(exchange, request.origin, timeout.connect)
        return exchange

    def _abandon(self, exchange: Exchange) -> None:
        """Nobody waits for it any more."""
        if self._pool is not None:
            self._pool.cancel(exchange, None)

    def _finish(self, exchange: Exchange, body: AsyncBody | None) -> Response:
        """The response, or its error."""
        error = exchange.error
        if error is not None and not (body is not None and exchange.headers_received):
            if isinstance(error, HTTPError):
                error.request = exchange.request
            raise error
        return Response(exchange.request, exchange, body)

    def _exchange(self, request: Request) -> Exchange:
        """The request as the engine takes it, with its deadlines."""
        common, extra, authority = request.wire_fields()
        origin = request.origin
        exchange = Exchange(request.method, origin.scheme, authority, request.target, common, extra)
        if request.stream is not None:
            exchange.has_content = True
        elif request.content:
            exchange.body = request.content
            exchange.has_content = True
        exchange.request = request
        timeout = request.timeout
        if timeout is None:
            timeout = self.timeout
        if timeout.total is not None:
            exchange.deadline = monotonic() + timeout.total
        if timeout.pool is not None:
            exchange.pool_timeout = timeout.pool
        if timeout.read is not None:
            exchange.read_timeout = timeout.read
        if timeout.write is not None:
            exchange.write_timeout = timeout.write
        return exchange

    async def _send_content(self, exchange: Exchange, request: Request, answered: Any) -> None:
        """Send streamed content beside waiting for the answer, which may come first."""
        trailers = (request.extensions or {}).get("trailers")
        sending = asyncio.ensure_future(
            send_stream(self._loop, exchange, request.stream, checked_fields(trailers) if trailers else None)
        )
        try:
            await asyncio.wait((sending, answered), return_when=asyncio.FIRST_COMPLETED)
            if sending.done():
                sending.result()  # the iterator's own exception, if it raised
        finally:
            sending.cancel()


def _timeout(given: Any) -> Timeout:
    if given is USE_CLIENT_DEFAULT:
        return Timeout()
    return given if isinstance(given, Timeout) else Timeout(given)



"""AsyncClient: the client layer under asyncio."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Coroutine, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from yarl import URL

from ._http.exchange import Exchange
from ._http.phases import FINISHED, PIECES, WHOLE
from ._net.dialer import AsyncDialer
from ._pool.async_body import AsyncBody, send_stream
from ._pool.async_pool import AsyncPool
from ._pool.fetch_many import FetchMany
from ._pool.workshop import Workshop
from .config import USE_CLIENT_DEFAULT, Http2Options, Limits, PoolOptions, Timeout
from .errors import HTTPError
from .request import ContentTypes, HeaderTypes, Request, checked_fields, merged
from .response import Response, request_of
from .sender import AsyncSender
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
        self._workshop = Workshop(
            limits=self.limits,
            http2_options=http2_options or Http2Options(),
            pools=pools or PoolOptions(),
            verify=verify,
            cert=cert,
            http1=http1,
            http2=http2,
            tap=trace,
        )
        self._urls = UrlCache()
        self._sender: AsyncSender | None = None
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
            # The common case runs here, not in send(): one coroutine fewer for each request.
            sender = self._sender or self._open()
            waiter = sender.waiter()
            exchange = sender.start_plain(
                method,
                url if type(url) is str else str(url),
                waiter,
                None if timeout is USE_CLIENT_DEFAULT else _timeout(timeout),
            )
            try:
                await waiter.future
            except BaseException:
                sender.pool.cancel(exchange, None)
                raise
            if exchange.error is not None:
                raise _failure(exchange)
            return Response(exchange, None)
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
        if self._base_url and "://" not in url:
            url = self._base_url + (url if url.startswith("/") or not url else "/" + url)
        origin, target = self._urls.split(url)
        request = Request(method, origin, target, self._common)
        if headers is not None:
            request.common, request.extra = merged(request.common, checked_fields(headers))
        request.set_content(content)
        if timeout is not USE_CLIENT_DEFAULT:
            request.timeout = _timeout(timeout)
        request.extensions = extensions
        return request

    async def send(self, request: Request, *, stream: bool = False) -> Response:
        """Send a request made by ``build_request``; with ``stream`` the content is left to be iterated."""
        sender = self._sender or self._open()
        waiter = sender.waiter()
        exchange = sender.exchange(request)
        sender.start(exchange, waiter, request.timeout or self.timeout, PIECES if stream else WHOLE)
        try:
            if request.stream is not None:
                await self._send_content(exchange, request, waiter.future)
            await waiter.future
            while stream and not exchange.headers_received and exchange.phase != FINISHED:
                exchange.waiter = waiter = sender.waiter()
                await waiter.future
        except BaseException:
            sender.pool.cancel(exchange, None)
            raise
        if exchange.error is not None and not (stream and exchange.headers_received):
            raise _failure(exchange)
        return Response(exchange, AsyncBody(sender.loop, exchange) if stream else None)

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
        sender = self._sender or self._open()
        timeout = self.timeout

        def start(item: Any, waiter: Any) -> Exchange:
            if isinstance(item, Request):
                exchange = sender.exchange(item)
                sender.start(exchange, waiter, item.timeout or timeout, WHOLE)
                return exchange
            return sender.start_plain("GET", item if type(item) is str else str(item), waiter, timeout)

        def stop(exchange: Exchange) -> None:
            sender.pool.cancel(exchange, None)

        def finish(exchange: Exchange) -> Response:
            return Response(exchange, None)

        return FetchMany(sender.loop, iter(requests), concurrency, return_exceptions, start, stop, finish)

    # -- life --------------------------------------------------------------------------------------------------------

    async def aclose(self) -> None:
        """Close every connection. The client cannot be used afterwards."""
        self._closed = True
        sender, self._sender = self._sender, None
        if sender is not None:
            await sender.pool.aclose()

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.aclose()

    # -- steps -------------------------------------------------------------------------------------------------------

    def _open(self) -> AsyncSender:
        """The pool, made when the first request tells which event loop the client belongs to."""
        if self._closed:
            raise RuntimeError("the client is closed")
        loop = asyncio.get_running_loop()
        pool = AsyncPool(loop, self._workshop, AsyncDialer(loop))
        self._sender = AsyncSender(loop, pool, self._urls, self._base_url, self._common, self.timeout)
        return self._sender

    async def _send_content(self, exchange: Exchange, request: Request, answered: Any) -> None:
        """Send streamed content beside waiting for the answer, which may come first."""
        trailers = (request.extensions or {}).get("trailers")
        sending = asyncio.ensure_future(
            send_stream(asyncio.get_running_loop(), exchange, request.stream, checked_fields(trailers) if trailers else None)
        )
        try:
            await asyncio.wait((sending, answered), return_when=asyncio.FIRST_COMPLETED)
            if sending.done():
                sending.result()  # the iterator's own exception, if it raised
        finally:
            sending.cancel()


def _failure(exchange: Exchange) -> Exception:
    """The error of the exchange, with its request."""
    error: Any = exchange.error
    if isinstance(error, HTTPError):
        error.request = request_of(exchange)
    return error  # type: ignore[no-any-return]


def _timeout(given: Any) -> Timeout:
    if given is USE_CLIENT_DEFAULT:
        return Timeout()
    return given if isinstance(given, Timeout) else Timeout(given)



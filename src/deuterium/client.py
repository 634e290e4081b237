"""AsyncClient: the client layer on an event loop, asyncio's or trio's."""

from __future__ import annotations

import inspect
import os
from collections.abc import AsyncIterator, Coroutine, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from time import monotonic
from typing import Any

from yarl import URL

from ._http.exchange import Exchange
from ._http.phases import FINISHED, NEVER, PIECES, WHOLE
from ._net.loops import running_loop
from ._net.waiting import first_done, sleep
from ._pool import forks
from ._pool.async_body import AsyncBody, hear_news, send_stream, upload_over
from ._pool.async_pool import AsyncPool
from ._pool.breaker_store import STORE_WAIT_S, StoreQuestion
from ._pool.fetch_many import FetchMany
from ._pool.stats import ClientStats, gather
from .auth import build_auth
from .config import USE_CLIENT_DEFAULT, Timeout
from .core import ClientCore, as_timeout
from .download import Download, Downloaded, ProgressTypes
from .errors import RequestError, TransportError
from .event_source import AsyncEventSource, Subscription
from .fetching import fetch
from .flow import Call, Consult, Drop, Flow, Flows, Hear, Pause, Race, Read, Send
from .request import HeaderTypes, Request
from .response import Response
from .sender import AsyncSender
from .websocket import AsyncWebSocket
from .websocket_opening import open_async


class AsyncClient(ClientCore):
    """An HTTP client for asyncio and trio. One client keeps its connections; use it for many requests, then close it.

    >>> async def main() -> None:
    ...     async with AsyncClient() as client:
    ...         response = await client.get("https://example.org/")
    ...         print(response.status_code, response.http_version)
    """

    asynchronous = True

    def __init__(self, **options: Any) -> None:
        """The options of :class:`ClientCore`. ``verify``: True, False, a CA file, or an SSLContext. ``http1=False``
        with an ``http://`` URL means h2c with prior knowledge. ``pins``: for a host, the certificates or public keys it
        may show (see Pins). ``uds``, ``local_address``, ``socket_options`` and ``resolver`` are those of
        TransportOptions, which ``transport`` gives whole; or ``transport`` is one of deuterium.testing.
        ``trace(outgoing, length, kind, flags, stream_id)`` is told of every HTTP/2 frame.
        """
        self._sender: AsyncSender | None = None
        self._closed = False
        super().__init__(**options)

    # -- verbs -------------------------------------------------------------------------------------------------------

    def get(self, url: str | URL, **options: Any) -> Coroutine[Any, Any, Response]:
        """GET (RFC 9110 section 9.3.1). Options as for ``request``."""
        return self.request("GET", url, **options) if options else start(self, "GET", url)

    def head(self, url: str | URL, **options: Any) -> Coroutine[Any, Any, Response]:
        """HEAD (section 9.3.2)."""
        return self.request("HEAD", url, **options) if options else start(self, "HEAD", url)

    def options(self, url: str | URL, **options: Any) -> Coroutine[Any, Any, Response]:
        """OPTIONS (section 9.3.7)."""
        return self.request("OPTIONS", url, **options) if options else start(self, "OPTIONS", url)

    def delete(self, url: str | URL, **options: Any) -> Coroutine[Any, Any, Response]:
        """DELETE (section 9.3.5)."""
        return self.request("DELETE", url, **options) if options else start(self, "DELETE", url)

    def post(self, url: str | URL, **options: Any) -> Coroutine[Any, Any, Response]:
        """POST (section 9.3.3)."""
        return self.request("POST", url, **options) if options else start(self, "POST", url)

    def put(self, url: str | URL, **options: Any) -> Coroutine[Any, Any, Response]:
        """PUT (section 9.3.4)."""
        return self.request("PUT", url, **options) if options else start(self, "PUT", url)

    def patch(self, url: str | URL, **options: Any) -> Coroutine[Any, Any, Response]:
        """PATCH (RFC 5789)."""
        return self.request("PATCH", url, **options) if options else start(self, "PATCH", url)

    async def request(
        self,
        method: str,
        url: str | URL,
        *,
        timeout: Any = USE_CLIENT_DEFAULT,
        auth: Any = USE_CLIENT_DEFAULT,
        follow_redirects: bool | Any = USE_CLIENT_DEFAULT,
        **options: Any,
    ) -> Response:
        """Send a request and read the whole response. Options as for ``build_request``.

        Raises InvalidURL or LocalProtocolError before a byte is sent, and the subclasses of TransportError after.
        """
        sender = self._sender or self._open()
        if options or auth is not USE_CLIENT_DEFAULT or not sender.is_plain():
            request = self.build_request(method, url, timeout=timeout, **options)
            return await self.send(request, auth=auth, follow_redirects=follow_redirects)
        limits = None if timeout is USE_CLIENT_DEFAULT else as_timeout(timeout)
        return await fetch(sender, self, method, str(url), limits, follow_redirects)

    def go_on(self, exchange: Exchange, follow_redirects: bool | Any) -> Coroutine[Any, Any, Response]:
        """What is left to do after the first exchange of a plain request."""
        follow = self.follow_redirects if follow_redirects is USE_CLIENT_DEFAULT else follow_redirects
        return self._run(self._flows(self._sender or self._open()).run(None, WHOLE, None, follow, exchange))

    async def send(
        self,
        request: Request,
        *,
        stream: bool = False,
        auth: Any = USE_CLIENT_DEFAULT,
        follow_redirects: bool | Any = USE_CLIENT_DEFAULT,
    ) -> Response:
        """Send a request made by ``build_request``; with ``stream`` the content is left to be iterated.

        The client's ``middleware`` stands around it, the first outermost: ``async middleware(request, call_next)``
        returns a response, its own or that of ``await call_next(request)``, which may be called again.
        """
        if self.middleware:
            deliver: Any = partial(self._deliver, stream, auth, follow_redirects)
            for layer in reversed(self.middleware):
                deliver = partial(_through, layer, deliver)
            through: Response = await deliver(request)
            return through
        return await self._deliver(stream, auth, follow_redirects, request)

    async def _deliver(self, stream: bool, auth: Any, follow_redirects: bool | Any, request: Request) -> Response:
        """Run the request's flow."""
        flow = self._flows(self._sender or self._open()).run(
            request,
            PIECES if stream else WHOLE,
            self.auth if auth is USE_CLIENT_DEFAULT else build_auth(auth),
            self.follow_redirects if follow_redirects is USE_CLIENT_DEFAULT else follow_redirects,
        )
        return await self._run(flow)

    @asynccontextmanager
    async def stream(
        self,
        method: str,
        url: str | URL,
        *,
        auth: Any = USE_CLIENT_DEFAULT,
        follow_redirects: bool | Any = USE_CLIENT_DEFAULT,
        **options: Any,
    ) -> AsyncIterator[Response]:
        """A response whose content is read piece by piece inside the ``async with`` block."""
        request = self.build_request(method, url, **options)
        response = await self.send(request, stream=True, auth=auth, follow_redirects=follow_redirects)
        try:
            yield response
        finally:
            await response.aclose()

    def sse(
        self,
        url: str | URL,
        *,
        method: str = "GET",
        headers: HeaderTypes | None = None,
        last_event_id: str = "",
        reconnect: bool = True,
        attempts: int = 5,
        max_retry_s: float = 60.0,
        **options: Any,
    ) -> AsyncEventSource:
        """The events of a ``text/event-stream``, also after the connection broke; see :class:`AsyncEventSource`.

        ``attempts``: how many connections in a row may bring no event; ``max_retry_s``: the longest wait between two,
        whatever the server asks for. Options as for ``stream``; an event may take any time unless ``timeout`` is given.
        """
        timeout = self.timeout
        options.setdefault("timeout", Timeout(None, connect=timeout.connect, write=timeout.write, pool=timeout.pool))
        return AsyncEventSource(
            self,
            method,
            url,
            Subscription(
                headers, last_event_id, options, reconnect=reconnect, attempts=attempts, max_retry_s=max_retry_s
            ),
            options,
        )

    async def download(
        self,
        url: str | URL,
        path: str | os.PathLike[str],
        *,
        method: str = "GET",
        headers: HeaderTypes | None = None,
        resume: bool = False,
        fsync: bool = False,
        progress: ProgressTypes = None,
        attempts: int = 3,
        **options: Any,
    ) -> Downloaded:
        """Fetch ``url`` into the file ``path``, which appears whole or not at all; in a folder, under the URL's name.

        It is written beside its target and renamed at the end. If the connection breaks and the server gave a strong
        validator, the rest is asked for, up to ``attempts`` times in a row without an octet more. With ``resume`` what
        came stays in ``path.part`` after a failure, and the next call asks for what is missing. ``fsync``: have the
        disk take it before it gets its name. ``progress(done, total)``: told now and then, ``total`` None when unknown;
        True shows a bar. Options as for ``stream``.

        Raises HTTPStatusError for a status other than 2xx, RemoteProtocolError for content of another length than
        announced, and OSError.
        """
        loop = running_loop()
        job = Download(
            self.absolute(str(url)),
            path,
            resume=resume,
            fsync=fsync,
            progress=progress,
            attempts=attempts,
            key=repr(self.build_request(method, url, params=options.get("params"))),
        )
        try:
            job.open()
            while True:
                try:
                    async with self.stream(method, job.url, headers=job.fields(headers), **options) as response:
                        if await loop.run_in_executor(None, job.begin, response):
                            job.report()
                            async for piece in response.aiter_bytes():
                                if job.take(piece):
                                    await loop.run_in_executor(None, job.flush)
                                    job.report()
                        await loop.run_in_executor(None, job.flush)
                        job.report()
                        done: Downloaded = await loop.run_in_executor(None, job.finish, response)
                        return done
                except RequestError as error:
                    await sleep(loop, await loop.run_in_executor(None, job.next_delay, error))
        finally:
            job.close()
    def websocket(self, url: str | URL, **options: Any) -> AbstractAsyncContextManager[AsyncWebSocket]:
        """A WebSocket to a ``ws`` or ``wss`` URL (needs the extra ``ws``), open inside the ``async with`` block.

        Over HTTP/2 by extended CONNECT (RFC 8441) where the server takes it, beside other requests of the same
        connection; else over HTTP/1.1 on a connection of its own. Cookies, authentication and hooks work as for any
        request. ``compression``: offer permessage-deflate. ``max_message``: octets of a binary message, characters of a
        text; a longer one closes with 1009. The handshake is bounded by the ``timeout``'s connect and read together.

        Options: ``subprotocols``, ``headers``, ``compression``, ``max_message``, ``timeout``, ``auth``,
        ``follow_redirects``, and ``params``, ``cookies`` and ``extensions`` as for ``request``.

        Raises WebSocketRefused when the server answers without opening one, and what a request may raise.
        """
        return open_async(self, url, **options)

    def fetch_many(
        self, requests: Iterable[str | URL | Request], *, concurrency: int = 100, return_exceptions: bool = False
    ) -> Any:
        """Send many requests, ``concurrency`` at a time; an async iterator of responses in completion order.

        A failure is raised and ends the iteration, or is yielded with ``return_exceptions``. ``response.request`` tells
        which request it answers. Requests are taken from the iterable as places come free. Redirects, retries, cookies
        and authentication work as for ``request``; a request that needs any of them runs in a Task of its own.
        """
        if concurrency < 1:
            raise ValueError("concurrency must be at least 1")
        sender = self._here()
        timeout = self.timeout
        plain = sender.is_plain()

        def start(item: Any, waiter: Any) -> Exchange:
            if isinstance(item, Request):
                exchange = self.exchange(item, WHOLE)
                sender.submit(exchange, waiter, (item.timeout or timeout).connect)
                return exchange
            return sender.start_plain("GET", item if type(item) is str else str(item), waiter, timeout)

        def stop(exchange: Exchange) -> None:
            sender.pool.cancel(exchange, None)

        def finish(exchange: Exchange) -> Any:
            if sender.is_final(exchange):
                return Response(exchange, None, self)
            return self._run(self._flows(sender).run(None, WHOLE, None, self.follow_redirects, exchange))

        def whole(item: Any) -> Any:
            request = item if isinstance(item, Request) else self.build_request("GET", item)
            return self.send(request)

        return FetchMany(
            sender.loop, iter(requests), concurrency, return_exceptions, start, stop, finish, None if plain else whole
        )

    own_verbs = (request, send)  # plain requests take a shorter way, unless a subclass has others

    # -- life --------------------------------------------------------------------------------------------------------

    async def warm_up(self, url: str | URL) -> None:
        """Open a connection to the URL's origin now, so that the first request need not."""
        sender = self._here()
        origin, _ = self.urls.split(self.absolute(str(url)))
        await sender.pool.warm_up(origin, self.timeout.connect)

    async def aclose(self) -> None:
        """Close every connection. The client cannot be used afterwards."""
        sender = self._sender
        if sender is not None:
            sender.change_loop()
        self._closed = True
        self._sender = None
        if sender is not None:
            try:
                await sender.pool.aclose()
            finally:
                await sender.pool.dialer.aclose()

    def stats(self) -> ClientStats:
        """Connections, waiting requests, breakers, retries and memory as they are now. Costs nothing until asked."""
        routes = () if self._sender is None else self._sender.pool.routes.values()
        return gather(self.workshop, routes, self.breakers.values(), monotonic())

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.aclose()

    # -- carrying out ------------------------------------------------------------------------------------------------

    def _open(self) -> AsyncSender:
        """The pool, made when the first request tells which event loop the client belongs to."""
        if self._closed:
            raise RuntimeError("the client is closed")
        loop = running_loop()
        pool = AsyncPool(loop, self.workshop, self.workshop.mounts.async_dialer(loop))
        sender = AsyncSender(loop, pool, self)
        self._sender = sender
        forks.watch(self)
        return sender

    def _here(self) -> AsyncSender:
        """The same, on the running loop or not at all."""
        sender = self._sender or self._open()
        sender.change_loop()
        return sender

    def after_fork(self) -> None:
        """In a child process: leave the parent's connections alone, and open others when asked to."""
        sender, self._sender = self._sender, None
        if sender is not None:
            sender.pool.forsake()

    def options_changed(self) -> None:
        if self._sender is not None:
            self._sender.refresh(self)

    def _flows(self, sender: AsyncSender) -> Flows:

        def body(exchange: Exchange) -> AsyncBody:
            return AsyncBody(sender.loop, sender.answered if sender.standard else None, exchange)

        return Flows(self, body)

    async def _run(self, flow: Flow) -> Response:
        """Carry out a flow's actions."""
        try:
            action = next(flow)
            while True:
                result: Any = None
                try:
                    if type(action) is Send:
                        await self._send(action.exchange)
                    elif type(action) is Hear:
                        await hear_news((self._sender or self._open()).loop, action)
                    elif type(action) is Pause:
                        await sleep(running_loop(), action.delay_s)
                    elif type(action) is Drop:
                        await action.response.aclose()
                    elif type(action) is Read:
                        await action.response.aread()
                    elif type(action) is Call:
                        result = action.function(action.argument)
                        if inspect.isawaitable(result):
                            result = await result
                    elif type(action) is Race:
                        result = await self._race(action)
                    elif type(action) is Consult:
                        await self._consult(action.question)
                except BaseException as error:
                    action = flow.throw(error)
                else:
                    action = flow.send(result)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]
        finally:
            flow.close()

    async def _send(self, exchange: Exchange) -> None:
        """Submit the exchange and wait for its end, or for its header section when it comes in pieces."""
        if self._closed:  # while this request was between two attempts
            raise TransportError("the client was closed", initiator="user", request_processed=False)
        sender = self._sender or self._open()
        waiter = sender.waiter()
        request = exchange.request
        sender.submit(exchange, waiter, (request.timeout or self.timeout).connect)
        try:
            if exchange.has_content and exchange.body is None and not exchange.protocol:
                await self._send_content(exchange, waiter.future)
            await waiter.future
            while exchange.delivery == PIECES and not exchange.headers_received and exchange.phase != FINISHED:
                if exchange.hears_informational:
                    return
                exchange.waiter = waiter = sender.waiter()
                await waiter.future
        except BaseException:
            sender.pool.cancel(exchange, None)
            raise

    async def _race(self, race: Race) -> Exchange | None:
        """Wait for the first of several copies of a request."""
        if self._closed:
            raise TransportError("the client was closed", initiator="user", request_processed=False)
        sender = self._sender or self._open()
        try:
            while True:
                waiter = sender.waiter()
                for exchange in race.exchanges:
                    if exchange.route is None:
                        timeout = exchange.request.timeout or self.timeout
                        sender.submit(exchange, waiter, timeout.connect)
                    else:
                        exchange.waiter = waiter
                for exchange in race.exchanges:
                    if exchange.phase == FINISHED or (exchange.delivery == PIECES and exchange.headers_received):
                        return exchange
                left_s = race.until - monotonic()
                if left_s <= 0:
                    return None
                await first_done(sender.loop, (waiter.future,), None if race.until == NEVER else left_s)
        except BaseException:
            for exchange in race.exchanges:
                sender.pool.cancel(exchange, None)
            race.exchanges.clear()
            raise

    def abandon(self, exchange: Exchange) -> None:
        """Another copy of the request was answered first, or a hook raised."""
        if exchange.uploader is not None:
            exchange.uploader.cancel()
        if self._sender is not None:
            self._sender.pool.cancel(exchange, None)

    async def _consult(self, question: StoreQuestion) -> None:
        """Ask the breakers' store in a thread."""
        loop = running_loop()
        asked = loop.run_in_executor(None, question.ask)
        asked.add_done_callback(lambda future: None if future.cancelled() else question.settle(future.result()))
        if question.first:
            await first_done(loop, (asked,), STORE_WAIT_S)

    async def _send_content(self, exchange: Exchange, answered: Any) -> None:
        """Send streamed content beside waiting for the answer, which may come first."""
        loop = running_loop()
        sending = loop.create_task(send_stream(loop, exchange))
        try:
            await first_done(loop, (sending, answered))
            if sending.done():
                sending.result()  # the iterator's own exception, if it raised
        except BaseException:
            sending.cancel()
            raise
        if exchange.phase == FINISHED:
            sending.cancel()
        else:
            exchange.uploader = sending  # goes on while the response is read; ends with the exchange
            sending.add_done_callback(lambda task: upload_over(task, exchange))


def start(client: AsyncClient, method: str, url: str | URL) -> Coroutine[Any, Any, Response]:
    """``client.request`` without options; the short way where nothing has to be decided before it is sent."""
    sender: Any = client._sender
    if sender is None or type(url) is not str or not sender.is_plain():
        return client.request(method, url)
    return fetch(sender, client, method, url, None, USE_CLIENT_DEFAULT)


def _through(layer: Any, call_next: Any, request: Request) -> Any:
    return layer(request, call_next)

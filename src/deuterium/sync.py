"""Client: the client layer in threads."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from threading import Lock, RLock, Thread
from typing import Any

from yarl import URL

from ._http.exchange import Exchange
from ._http.phases import FINISHED, PIECES, WHOLE
from ._net.blocking_waiter import ThreadWaiter
from ._pool import forks
from ._pool.breaker_store import STORE_WAIT_S, StoreQuestion
from ._pool.stats import ClientStats, gather
from ._pool.sync_body import SyncBody, Upload, expect_news, hear_news
from ._pool.sync_many import SyncMany
from ._pool.sync_pool import SyncPool
from ._pool.sync_race import SyncRace
from .auth import build_auth
from .config import USE_CLIENT_DEFAULT, Timeout
from .core import ClientCore, as_timeout
from .download import Download, Downloaded, ProgressTypes
from .errors import RequestError
from .event_source import EventSource, Subscription
from .flow import Call, Consult, Drop, Flow, Flows, Hear, Pause, Race, Read, Send
from .request import HeaderTypes, Request
from .response import Response
from .sender import SyncSender
from .websocket import WebSocket
from .websocket_opening import open_sync


class Client(ClientCore):
    """An HTTP client for threads. One client keeps its connections; any number of threads may use it at once, and share
    its HTTP/2 connections: the first that waits reads for all.

    >>> with Client() as client:
    ...     response = client.get("https://example.org/")
    ...     print(response.status_code, response.http_version)
    """

    def __init__(self, **options: Any) -> None:
        """The options of :class:`ClientCore`, as for :class:`AsyncClient`."""
        self._sender: SyncSender | None = None
        self._opening = Lock()
        self._deciding = RLock()  # held while a flow decides: cookies, budgets and breakers are every thread's
        self._closed = False
        self._dialer: Any = None
        super().__init__(**options)

    # -- verbs -------------------------------------------------------------------------------------------------------

    def get(self, url: str | URL, **options: Any) -> Response:
        """GET (RFC 9110 section 9.3.1). Options as for ``request``."""
        return self.request("GET", url, **options) if options else self.request("GET", url)

    def head(self, url: str | URL, **options: Any) -> Response:
        """HEAD (section 9.3.2)."""
        return self.request("HEAD", url, **options) if options else self.request("HEAD", url)

    def options(self, url: str | URL, **options: Any) -> Response:
        """OPTIONS (section 9.3.7)."""
        return self.request("OPTIONS", url, **options) if options else self.request("OPTIONS", url)

    def delete(self, url: str | URL, **options: Any) -> Response:
        """DELETE (section 9.3.5)."""
        return self.request("DELETE", url, **options) if options else self.request("DELETE", url)

    def post(self, url: str | URL, **options: Any) -> Response:
        """POST (section 9.3.3)."""
        return self.request("POST", url, **options) if options else self.request("POST", url)

    def put(self, url: str | URL, **options: Any) -> Response:
        """PUT (section 9.3.4)."""
        return self.request("PUT", url, **options) if options else self.request("PUT", url)

    def patch(self, url: str | URL, **options: Any) -> Response:
        """PATCH (RFC 5789)."""
        return self.request("PATCH", url, **options) if options else self.request("PATCH", url)

    def request(
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
            return self.send(request, auth=auth, follow_redirects=follow_redirects)
        exchange = sender.fetch_plain(
            method,
            url if type(url) is str else str(url),
            self.timeout if timeout is USE_CLIENT_DEFAULT else as_timeout(timeout),
        )
        if sender.is_final(exchange):
            return Response(exchange, None, self)
        follow = self.follow_redirects if follow_redirects is USE_CLIENT_DEFAULT else follow_redirects
        return self._run(self._flows().run(None, WHOLE, None, follow, exchange))

    def send(
        self,
        request: Request,
        *,
        stream: bool = False,
        auth: Any = USE_CLIENT_DEFAULT,
        follow_redirects: bool | Any = USE_CLIENT_DEFAULT,
    ) -> Response:
        """Send a request made by ``build_request``; with ``stream`` the content is left to be iterated.

        The client's ``middleware`` stands around it, the first outermost: ``middleware(request, call_next)`` returns
        a response, its own or that of ``call_next(request)``, which may be called again.
        """
        if self.middleware:
            deliver: Any = partial(self._deliver, stream, auth, follow_redirects)
            for layer in reversed(self.middleware):
                deliver = partial(_through, layer, deliver)
            through: Response = deliver(request)
            return through
        return self._deliver(stream, auth, follow_redirects, request)

    def _deliver(self, stream: bool, auth: Any, follow_redirects: bool | Any, request: Request) -> Response:
        """Run the request's flow."""
        flow = self._flows().run(
            request,
            PIECES if stream else WHOLE,
            self.auth if auth is USE_CLIENT_DEFAULT else build_auth(auth),
            self.follow_redirects if follow_redirects is USE_CLIENT_DEFAULT else follow_redirects,
        )
        return self._run(flow)

    @contextmanager
    def stream(
        self,
        method: str,
        url: str | URL,
        *,
        auth: Any = USE_CLIENT_DEFAULT,
        follow_redirects: bool | Any = USE_CLIENT_DEFAULT,
        **options: Any,
    ) -> Iterator[Response]:
        """A response whose content is read piece by piece inside the ``with`` block."""
        request = self.build_request(method, url, **options)
        response = self.send(request, stream=True, auth=auth, follow_redirects=follow_redirects)
        try:
            yield response
        finally:
            response.close()

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
    ) -> EventSource:
        """The events of a ``text/event-stream``, also after the connection broke; see :class:`EventSource`.

        ``attempts``: how many connections in a row may bring no event; ``max_retry_s``: the longest wait between two,
        whatever the server asks for. Options as for ``stream``; an event may take any time unless ``timeout`` is given.
        """
        timeout = self.timeout
        options.setdefault("timeout", Timeout(None, connect=timeout.connect, write=timeout.write, pool=timeout.pool))
        return EventSource(
            self,
            method,
            url,
            Subscription(
                headers, last_event_id, options, reconnect=reconnect, attempts=attempts, max_retry_s=max_retry_s
            ),
            options,
        )

    def download(
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
        """Fetch ``url`` into the file ``path``, whole or not at all; as :meth:`AsyncClient.download`."""
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
                    with self.stream(method, job.url, headers=job.fields(headers), **options) as response:
                        if job.begin(response):
                            job.report()
                            for piece in response.iter_bytes():
                                if job.take(piece):
                                    job.flush()
                                    job.report()
                        job.flush()
                        job.report()
                        return job.finish(response)
                except RequestError as error:
                    time.sleep(job.next_delay(error))
        finally:
            job.close()
    def websocket(self, url: str | URL, **options: Any) -> AbstractContextManager[WebSocket]:
        """A WebSocket to a ``ws`` or ``wss`` URL (needs the extra ``ws``), open inside the ``with`` block.

        Over HTTP/2 by extended CONNECT (RFC 8441) where the server takes it, beside other requests of the same
        connection; else over HTTP/1.1 on a connection of its own. Cookies, authentication and hooks work as for any
        request. ``compression``: offer permessage-deflate. ``max_message``: octets of a binary message, characters of a
        text; a longer one closes with 1009. The handshake is bounded by the ``timeout``'s connect and read together.

        Options: ``subprotocols``, ``headers``, ``compression``, ``max_message``, ``timeout``, ``auth``,
        ``follow_redirects``, and ``params``, ``cookies`` and ``extensions`` as for ``request``.

        Raises WebSocketRefused when the server answers without opening one, and what a request may raise.
        """
        return open_sync(self, url, **options)

    def fetch_many(
        self, requests: Iterable[str | URL | Request], *, concurrency: int = 100, return_exceptions: bool = False
    ) -> SyncMany:
        """Send many requests from this thread, ``concurrency`` at a time; an iterator of responses in completion order.

        A failure is raised and ends the iteration, or is yielded with ``return_exceptions``. ``response.request`` tells
        which request it answers. Requests are taken from the iterable as places come free. Redirects, retries, cookies
        and authentication work as for ``request``. Connections are opened, and streamed content is sent, one after the
        other. Nothing moves while the caller does not ask for the next response; ``close`` gives up the rest.
        """
        if concurrency < 1:
            raise ValueError("concurrency must be at least 1")
        if self.middleware:
            raise RuntimeError("fetch_many sends from one thread, and middleware needs one for each request")
        sender = self._open()
        flows = self._flows()
        plain = sender.is_plain()
        timeout = self.timeout
        follow_redirects = self.follow_redirects

        def start(item: Any, waiter: ThreadWaiter) -> Any:
            if plain and not isinstance(item, Request):
                return sender.start_plain("GET", item if type(item) is str else str(item), waiter, timeout)
            request = item if isinstance(item, Request) else self.build_request("GET", item)
            return flows.run(request, WHOLE, self.auth, follow_redirects)

        def follow(exchange: Exchange) -> Flow | None:
            return None if sender.is_final(exchange) else flows.run(None, WHOLE, None, follow_redirects, exchange)

        def finish(exchange: Exchange) -> Response:
            return Response(exchange, None, self)

        def advance(flow: Flow, error: BaseException | None, waiter: ThreadWaiter) -> Any:
            result: Any = None
            while True:
                try:
                    with self._deciding:
                        action = flow.send(result) if error is None else flow.throw(error)
                except StopIteration as end:
                    return end.value
                result = error = None
                try:
                    if type(action) is Pause:
                        return float(action.delay_s)
                    if type(action) is Hear and action.exchange.uploader is None:
                        if expect_news(sender.pool, action, waiter):
                            return action.exchange
                    elif type(action) is not Send:
                        result = self._act(action)
                    elif action.exchange.has_content and action.exchange.body is None:
                        self._send(action.exchange)
                    else:
                        request = action.exchange.request
                        sender.submit(action.exchange, waiter, (request.timeout or timeout).connect)
                        return action.exchange
                except Exception as failure:
                    error = failure

        return SyncMany(sender.pool, iter(requests), concurrency, return_exceptions, start, follow, finish, advance)

    own_verbs = (request, send)  # plain requests take a shorter way, unless a subclass has others

    # -- life --------------------------------------------------------------------------------------------------------

    def warm_up(self, url: str | URL) -> None:
        """Open a connection to the URL's origin now, so that the first request need not."""
        origin, _ = self.urls.split(self.absolute(str(url)))
        self._open().pool.warm_up(origin, self.timeout.connect)

    def stats(self) -> ClientStats:
        """Connections, waiting requests, breakers, retries and memory as they are now. Costs nothing until asked."""
        sender = self._open() if self._sender is not None else None
        with self._deciding:
            if sender is None:
                return gather(self.workshop, (), self.breakers.values(), time.monotonic())
            with sender.pool.lock:
                return gather(self.workshop, sender.pool.routes.values(), self.breakers.values(), time.monotonic())

    def close(self) -> None:
        """Close every connection; requests under way in other threads fail. The client cannot be used afterwards."""
        with self._opening:
            self._closed = True
            sender, self._sender = self._sender, None
        if sender is not None:
            sender.pool.close()
            self._dialer.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    # -- carrying out ------------------------------------------------------------------------------------------------

    def _open(self) -> SyncSender:
        """The pool, made by the first request."""
        sender = self._sender
        if sender is not None:
            return sender
        with self._opening:
            if self._closed:
                raise RuntimeError("the client is closed")
            if self._sender is None:
                self._dialer = self.workshop.mounts.sync_dialer()
                pool = SyncPool(self.workshop, self._dialer)
                self._sender = SyncSender(pool, self)
                forks.watch(self)
            return self._sender

    def after_fork(self) -> None:
        """In a child process: leave the parent's connections alone, and open others when asked to.

        Locks may have been held by threads that do not exist here.
        """
        sender, self._sender = self._sender, None  # first: a change of options waits for a lock as long as there is one
        self._opening = Lock()
        self._deciding = RLock()
        self.cookies.after_fork()
        if sender is not None:
            sender.pool.forsake()

    def options_changed(self) -> None:
        if (sender := self._sender) is not None:
            with self._deciding:  # other threads send by the one there is: it is replaced, never changed
                object.__setattr__(self, "_sender", SyncSender(sender.pool, self))

    def pool_lock(self) -> AbstractContextManager[Any]:
        sender = self._sender
        return nullcontext() if sender is None else sender.pool.lock

    def _flows(self) -> Flows:
        pool = self._open().pool

        def body(exchange: Exchange) -> SyncBody:
            return SyncBody(pool, exchange)

        return Flows(self, body)

    def _run(self, flow: Flow) -> Response:
        """Carry out a flow's actions."""
        advance: Callable[[Any], Any] = flow.send
        argument: Any = None
        try:
            while True:
                with self._deciding:
                    action = advance(argument)
                advance, argument = flow.send, None
                try:
                    if type(action) is Send:
                        self._send(action.exchange)
                    else:
                        argument = self._act(action)
                except BaseException as error:
                    advance, argument = flow.throw, error
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]
        finally:
            flow.close()

    def _act(self, action: Any) -> Any:
        """Carry out what is not sending; what the flow is told of it."""
        if type(action) is Hear:
            hear_news(self._open().pool, action)
        elif type(action) is Pause:
            time.sleep(action.delay_s)
        elif type(action) is Drop:
            action.response.close()
        elif type(action) is Read:
            action.response.read()
        elif type(action) is Call:
            return action.function(action.argument)
        elif type(action) is Race:
            return self._race(action)
        elif type(action) is Consult:
            self._consult(action.question)
        return None

    def _race(self, race: Race) -> Exchange | None:
        """Wait for the first of several copies of a request."""
        if race.face is None:
            race.face = SyncRace(self._send)
        try:
            first: Exchange | None = race.face.wait(race.exchanges, race.until)
        except BaseException:
            for exchange in race.exchanges:
                self.abandon(exchange)
            race.exchanges.clear()
            raise
        return first

    def abandon(self, exchange: Exchange) -> None:
        """Another copy of the request was answered first, or a hook raised."""
        if self._sender is not None:
            self._sender.pool.cancel(exchange, None)

    def _consult(self, question: StoreQuestion) -> None:
        """Ask the breakers' store in a thread."""

        def ask() -> None:
            answer = question.ask()
            with self._deciding:
                question.settle(answer)

        thread = Thread(target=ask, daemon=True)
        thread.start()
        if question.first:
            thread.join(STORE_WAIT_S)

    def _send(self, exchange: Exchange) -> None:
        """Submit the exchange and wait for its end, or for its header section when it comes in pieces."""
        sender = self._open()
        pool = sender.pool
        request = exchange.request
        waiter = ThreadWaiter()
        sender.submit(exchange, waiter, (request.timeout or self.timeout).connect)
        try:
            if exchange.has_content and exchange.body is None and not exchange.protocol:
                if exchange.hears_informational:
                    exchange.uploader = Upload(exchange)
                    pool.place(exchange, waiter)
                    return
                self._send_content(pool, exchange, waiter)
                waiter = ThreadWaiter()
                if not pool.expect(exchange, waiter):
                    return
            pool.wait(exchange, waiter)
            while exchange.delivery == PIECES and not exchange.headers_received and exchange.phase != FINISHED:
                if exchange.hears_informational:
                    return
                waiter = ThreadWaiter()
                if pool.expect(exchange, waiter):
                    pool.wait(exchange, waiter)
        except BaseException:
            pool.cancel(exchange, None)
            raise

    def _send_content(self, pool: SyncPool, exchange: Exchange, waiter: ThreadWaiter) -> None:
        """Send streamed content, until it is over or the response has begun: its reader sends the rest."""
        upload = Upload(exchange)
        pool.place(exchange, waiter)
        while not upload.over and exchange.phase != FINISHED:
            if exchange.headers_received and exchange.delivery == PIECES:
                exchange.uploader = upload
                return
            waiter = ThreadWaiter()
            if not upload.step(waiter) and not upload.over and pool.expect(exchange, waiter):
                pool.wait(exchange, waiter)


def _through(layer: Any, call_next: Any, request: Request) -> Any:
    return layer(request, call_next)

"""WebSocket on an event loop and in threads, over HTTP/2 and HTTP/1.1."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from threading import Lock, RLock
from time import monotonic
from typing import Any

from ._http.exchange import Exchange, LentPiece
from ._http.phases import FINISHED, NEVER
from ._net.blocking_waiter import ThreadWaiter
from ._net.loops import lock, time_limit
from ._net.tunnel import TunnelWaiter
from ._net.waiters import FutureWaiter
from .errors import ReadTimeout, WebSocketClosed, WriteTimeout
from .response import Response
from .websocket_session import GOING_AWAY, NO_CODE, NORMAL, Message, Session

CLOSE_S = 5.0  # how long the peer may take to answer a close frame
# And then to end the transport, which is its part (RFC 6455 section 7.1.1). After that we do: nothing can be lost.
LINGER_S = 0.1


class AsyncWebSocket:
    """An open WebSocket; made by ``AsyncClient.websocket``.

    Iterate it for messages, ``str`` for text and ``bytes`` for binary ones; the iteration ends when the peer closes in
    good order, and raises WebSocketClosed otherwise. Any number of Tasks may send and receive. What is not received
    waits: beyond 256 KiB the peer is held back by the stream's window, or over HTTP/1.1 by the transport.

    ``response``: the answer to the handshake; ``subprotocol``: the one it chose, or None.
    """

    def __init__(self, loop: Any, response: Response, session: Session) -> None:
        self.response = response
        self.subprotocol: str | None = session.subprotocol
        self._loop = loop
        self._session = session
        self._exchange: Exchange = response._exchange
        self._waker = TunnelWaiter(loop, self._pump)
        self._sending = lock(loop)
        self._waiting: list[Any] = []  # Futures of whoever waits for something to come
        self._pings = 0
        self._pump()

    async def send(self, message: Message | bytearray | memoryview) -> None:
        """Send a text (``str``) or binary message; waits while the peer is slow. Raises WebSocketClosed."""
        async with self._sending:
            await self._room()
            self._write(self._session.message(message))

    async def receive(self, timeout: float | None = None) -> Message:
        """The next message. Raises WebSocketClosed, or ReadTimeout after ``timeout`` seconds, which closes nothing."""
        session = self._session
        try:
            async with time_limit(self._loop, timeout):
                while not session.messages:
                    if session.closed is not None:
                        raise session.error()
                    await self._change()
        except TimeoutError:
            raise ReadTimeout("no message came in time") from None
        was_full = session.full
        message = session.take()
        if was_full and not session.full:
            self._loop.call_soon(self._pump)
        return message

    async def ping(self, timeout: float | None = 5.0) -> float:
        """Ask the peer for a sign of life; the seconds it took. Messages that came before stay to be received."""
        self._pings += 1
        payload = self._pings.to_bytes(8, "big")
        session = self._session
        begin = monotonic()
        async with self._sending:
            await self._room()
            self._write(session.ping(payload))
        try:
            async with time_limit(self._loop, timeout):
                while payload not in session.pongs:
                    if session.closed is not None:
                        raise session.error()
                    await self._change()
        except TimeoutError:
            raise ReadTimeout("no pong came in time") from None
        session.pongs.remove(payload)
        return monotonic() - begin

    async def close(self, code: int = NORMAL, reason: str = "", timeout: float = CLOSE_S) -> None:
        """The closing handshake (RFC 6455 section 7): a close frame, the peer's, the end. Any number of times."""
        session = self._session
        exchange = self._exchange
        try:
            self._write(session.close(code, reason))
            session.messages.clear()
            session.queued = 0
            self._pump()
            try:
                async with time_limit(self._loop, timeout):
                    while session.closed is None:
                        await self._change()
                async with time_limit(self._loop, min(timeout, LINGER_S)):
                    while exchange.phase != FINISHED:
                        await self._change()
            except TimeoutError:
                session.end(None)
        finally:
            self.abort()

    def abort(self) -> None:
        """Drop it without a close frame: RST_STREAM(CANCEL), or over HTTP/1.1 the connection."""
        self._session.end(None)
        exchange = self._exchange
        exchange.waiter = None
        if exchange.phase != FINISHED or exchange.unread:
            exchange.carrier.cancel(exchange, None)
        self._wake()

    @property
    def close_code(self) -> int | None:
        """The code it was closed with; None while it is open."""
        closed = self._session.closed
        return None if closed is None else closed.code

    async def __aiter__(self) -> AsyncIterator[Message]:
        while True:
            try:
                message = await self.receive()
            except WebSocketClosed as closed:
                if closed.code in (NORMAL, GOING_AWAY, NO_CODE):
                    return
                raise
            yield message

    # -- steps -------------------------------------------------------------------------------------------------------

    def _pump(self) -> None:
        """Take in what arrived, as long as somebody takes the messages."""
        exchange = self._exchange
        session = self._session
        exchange.waiter = self._waker
        while exchange.chunks and not session.full:
            piece = exchange.chunks.popleft()
            size = len(piece)
            session.feed(_octets(piece))
            exchange.carrier.consumed(exchange, size)
        self._reply()
        if exchange.phase == FINISHED and not exchange.chunks:
            session.end(exchange.error)
        self._wake()

    def _reply(self) -> None:
        exchange = self._exchange
        if exchange.phase == FINISHED:
            return
        if exchange.carrier.engine.room(exchange) > 0:
            self._write(self._session.replies())
        elif exchange.writer is None:
            exchange.writer = TunnelWaiter(self._loop, self._reply)

    def _write(self, octets: bytes) -> None:
        if octets:
            self._exchange.carrier.send_content(self._exchange, octets, False)

    async def _room(self) -> None:
        exchange = self._exchange
        while True:
            room = exchange.carrier.engine.room(exchange)
            if room > 0:
                self._reply()
                return
            if room < 0 or exchange.phase == FINISHED:
                self._session.end(exchange.error)
                raise self._session.error()
            future = self._loop.create_future()
            exchange.writer = FutureWaiter(future)
            await future

    async def _change(self) -> None:
        future = self._loop.create_future()
        self._waiting.append(future)
        await future

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, []
        for future in waiting:
            if not future.done():
                future.set_result(None)


class WebSocket:
    """The same in threads; made by ``Client.websocket``. One thread may receive while others send.

    There is no thread behind it: pings are answered, and messages taken in, while some thread receives.
    """

    def __init__(self, pool: Any, response: Response, session: Session, write_s: float | None) -> None:
        self.response = response
        self.subprotocol: str | None = session.subprotocol
        self._pool = pool
        self._session = session
        self._exchange: Exchange = response._exchange
        self._driver: Any = self._exchange.carrier
        self._write_s = write_s
        self._receiving = RLock()
        self._sending = RLock()
        self._framing = Lock()  # frames go out in the order they were made in

    def send(self, message: Message | bytearray | memoryview) -> None:
        """Send a text (``str``) or binary message; waits while the peer is slow. Raises WebSocketClosed, or
        WriteTimeout.
        """
        with self._sending:
            self._room()
            with self._framing:
                self._write(self._session.message(message))

    def receive(self, timeout: float | None = None) -> Message:
        """The next message. Raises WebSocketClosed, or ReadTimeout after ``timeout`` seconds, which closes nothing."""
        session = self._session
        until = NEVER if timeout is None else monotonic() + timeout
        with self._receiving:
            while not session.messages:
                if session.closed is not None:
                    raise session.error()
                if not self._advance(until):
                    raise ReadTimeout("no message came in time")
            return session.take()

    def ping(self, timeout: float | None = 5.0) -> float:
        """Ask the peer for a sign of life; the seconds it took. Messages that come before stay to be received."""
        session = self._session
        begin = monotonic()
        until = NEVER if timeout is None else begin + timeout
        with self._receiving:
            payload = int(begin * 1e6).to_bytes(8, "big")
            with self._framing:
                self._write(session.ping(payload))
            while payload not in session.pongs:
                if session.closed is not None:
                    raise session.error()
                if session.full or not self._advance(until):
                    raise ReadTimeout("no pong came in time")
            session.pongs.remove(payload)
        return monotonic() - begin

    def close(self, code: int = NORMAL, reason: str = "", timeout: float = CLOSE_S) -> None:
        """The closing handshake (RFC 6455 section 7): a close frame, the peer's, the end. Any number of times."""
        session = self._session
        exchange = self._exchange
        try:
            with self._framing:
                self._write(session.close(code, reason))
            if self._receiving.acquire(timeout=timeout):  # else a thread that receives takes the peer's answer in
                try:
                    until = monotonic() + timeout
                    while session.closed is None and self._advance(until):
                        session.messages.clear()
                        session.queued = 0
                    until = monotonic() + min(timeout, LINGER_S)
                    while exchange.phase != FINISHED and self._wait(until):
                        while (piece := self._driver.next_piece(exchange)) is not None:
                            _octets(piece)
                finally:
                    self._receiving.release()
        finally:
            self.abort()

    def abort(self) -> None:
        """Drop it without a close frame: RST_STREAM(CANCEL), or over HTTP/1.1 the connection."""
        self._session.end(None)
        if self._exchange.phase != FINISHED or self._exchange.unread:
            self._pool.cancel(self._exchange, None)

    @property
    def close_code(self) -> int | None:
        """The code it was closed with; None while it is open."""
        closed = self._session.closed
        return None if closed is None else closed.code

    def __iter__(self) -> Iterator[Message]:
        while True:
            try:
                message = self.receive()
            except WebSocketClosed as closed:
                if closed.code in (NORMAL, GOING_AWAY, NO_CODE):
                    return
                raise
            yield message

    # -- steps -------------------------------------------------------------------------------------------------------

    def _advance(self, until: float) -> bool:
        """Take in one piece, or wait for one; False: ``until`` has come."""
        exchange = self._exchange
        session = self._session
        piece = self._driver.next_piece(exchange)
        if piece is not None:
            octets = _octets(piece)
            with self._framing:
                session.feed(octets)
                if exchange.phase != FINISHED:
                    self._write(session.replies())
            return True
        if exchange.phase == FINISHED:
            if not exchange.chunks:
                with self._pool.lock:
                    error = exchange.error
                session.end(error)
            return True
        return self._wait(until)

    def _wait(self, until: float) -> bool:
        waiter = ThreadWaiter()
        return not self._pool.expect(self._exchange, waiter) or self._sleep(waiter, until)

    def _sleep(self, waiter: ThreadWaiter, until: float) -> bool:
        """Until the waiter is woken; False: ``until`` came first."""
        if until == NEVER:
            self._pool.wait(self._exchange, waiter)
            return True
        alarm = Alarm(until, waiter)
        self._driver.wait(alarm, waiter)
        return not alarm.rung

    def _room(self) -> None:
        exchange = self._exchange
        until = NEVER if self._write_s is None else monotonic() + self._write_s
        while True:
            waiter = ThreadWaiter()
            room = self._driver.room(exchange, waiter)
            if room > 0:
                return
            if room < 0:
                self._session.end(exchange.error)
                raise self._session.error()
            if not self._sleep(waiter, until):
                raise WriteTimeout("the peer took no more messages in time")

    def _write(self, octets: bytes) -> None:
        if octets:
            self._driver.send_content(self._exchange, octets, False)


class Alarm(Exchange):
    """Stands in for an exchange where a thread waits, and ends the wait at a time of its own."""

    def __init__(self, until: float, waiter: ThreadWaiter) -> None:
        super().__init__("", "", "", "")
        self.until = until
        self.sleeper = waiter
        self.rung = False

    def limit(self) -> float:
        """Asked whenever the thread looks round."""
        if monotonic() >= self.until and not self.sleeper.woken:
            self.rung = True
            self.sleeper.wake(self)
        return self.until


def _octets(piece: Any) -> bytes:
    """A piece of content as bytes; lent memory is given back."""
    if isinstance(piece, LentPiece):
        octets = bytes(piece.view)
        piece.release()
        return octets
    return bytes(piece)




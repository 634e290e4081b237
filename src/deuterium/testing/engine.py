"""The engine of a connection that leads to a function of this process instead of a peer: no octets, the same verbs."""

from __future__ import annotations

from collections import deque
from contextlib import AbstractContextManager, nullcontext, suppress
from time import monotonic
from typing import Any

from .._http import failures
from .._http.engine import Engine
from .._http.exchange import Exchange
from .._http.field_kind import KIND_OF_NAME
from .._http.phases import AWAITING, FINISHED, NEVER, PIECES, SENDING
from .._http2.constants import ErrorCode
from .._net.loops import running_loop
from .._net.waiting import Signal
from ..errors import LocalProtocolError, RemoteProtocolError, RequestError, StreamReset, TransportError
from ..request import checked_fields

Fields = tuple[tuple[str, str], ...]

# Content under way in one direction above which its sender waits, as on an HTTP/2 stream.
CONTENT_HIGH = 256 * 1024
MANY_STREAMS = 1_000_000


class Visit:
    """One exchange as the side that answers sees it.

    Its verbs may be called by another thread than the client's, when ``lock`` is the client's; ``notify`` tells the
    answering side that content came, that there is room again, or that the client is gone.
    """

    def __init__(self, engine: InProcessEngine, exchange: Exchange) -> None:
        self.engine = engine
        self.exchange = exchange
        self.content: deque[bytes] = deque()
        self.content_octets = 0
        self.content_ended: bool = not exchange.has_content
        self.trailers: Fields = ()
        self.started = False
        self.sent = 0  # octets of the response's content
        self.expected = -1
        self.bodiless = False
        self.pieces: list[bytes] = []  # of the response, when it is delivered whole
        self.notify: Any = None
        self._event: Any = None
        self.steps: Any = None  # what is left to do, where the client's own thread does it
        self.running = False  # a thread is at it

    @property
    def over(self) -> bool:
        """The response is complete, or nobody waits for it any more."""
        return self.exchange.phase == FINISHED

    def take_content(self) -> bytes:
        """The request's content that has come so far; room is made for more."""
        with self.engine.lock:
            octets = b"".join(self.content)
            self.content.clear()
            full = self.content_octets >= CONTENT_HIGH
            self.content_octets = 0
            self.exchange.progress_at = monotonic()
            if full and self.exchange.writer is not None:
                self.engine.writable.append(self.exchange)
            self._changed()
        return octets

    def changes(self) -> Signal:
        """Set whenever ``notify`` is called; for the event loop that answers."""
        if self._event is None:
            loop = running_loop()
            self._event = event = Signal(loop)

            def notify() -> None:
                with suppress(RuntimeError):  # the loop is closed
                    loop.call_soon_threadsafe(event.set)

            self.notify = notify if self.engine.threaded else event.set
        return self._event  # type: ignore[no-any-return]

    def has_room(self) -> bool:
        """The client takes more of the response."""
        return self.over or self.exchange.unread < CONTENT_HIGH

    def inform(self, status: int, headers: Any) -> None:
        """An informational response."""
        with self.engine.lock:
            if not self.over:
                self.engine.inform(self, status, _response_fields(headers))
                self._changed()

    def start(self, status: int, headers: Any) -> None:
        """The header section of the response."""
        with self.engine.lock:
            if not self.over:
                self.engine.begin(self, status, _response_fields(headers))
                self._changed()

    def write(self, octets: bytes) -> None:
        """Content of the response."""
        with self.engine.lock:
            if not self.over and octets:
                self.engine.content(self, octets)
                self._changed()

    def finish(self, trailers: Any = ()) -> None:
        """The response is complete."""
        with self.engine.lock:
            if not self.over:
                self.engine.complete(self, _response_fields(trailers))
                self._changed()

    def fail(self, error: BaseException) -> bool:
        """The exchange ends with this error; False: it was over."""
        with self.engine.lock:
            if self.over:
                return False
            self.engine.end(self, error)
            self._changed()
            return True

    def answer_500(self) -> None:
        """What a server says for an application that failed."""
        self.start(500, (("content-type", "text/plain; charset=utf-8"), ("content-length", "21")))
        self.write(b"Internal Server Error")
        self.finish()

    def break_off(self, cause: BaseException) -> None:
        """What a server does when the application fails in the middle of its response: RST_STREAM(INTERNAL_ERROR)."""
        error = StreamReset("the application broke off its response", scope="stream", code=ErrorCode.INTERNAL_ERROR)
        error.__cause__ = cause
        self.fail(error)

    def _changed(self) -> None:
        self.engine.on_change()


class InProcessEngine(Engine):
    """Exchanges of one origin; each is a :class:`Visit` on the other side."""

    http_version = "HTTP/2"

    def __init__(self, on_change: Any, lock: AbstractContextManager[Any] | None = None, collects: bool = False) -> None:
        """``on_change()``: somebody has to be woken; ``lock``: of a client for threads; ``collects``: request content
        is taken in whole, however long.
        """
        Engine.__init__(self)
        self.on_change = on_change
        self.threaded: bool = lock is not None
        self.lock: AbstractContextManager[Any] = lock or nullcontext()
        self.collects = collects
        self.visits: dict[Exchange, Visit] = {}
        self.stream_limit = MANY_STREAMS

    # -- the client's side -------------------------------------------------------------------------------------------

    def start(self, now: float) -> None:
        """Nothing opens it."""

    def capacity(self) -> int:
        """There is always room."""
        return 0 if self.closed or self.draining else MANY_STREAMS

    def active(self) -> int:
        """Requests that are not answered yet."""
        return len(self.visits)

    def send_request(self, exchange: Exchange, now: float) -> None:
        """Take the request."""
        if self.closed or self.draining:
            raise TransportError("the connection takes no more requests", request_processed=False)
        if exchange.protocol:
            raise LocalProtocolError("extended CONNECT needs a connection to a server", request_processed=False)
        self.requests += 1
        exchange.engine = self
        exchange.stream_id = 2 * self.requests - 1
        exchange.sent_at = exchange.progress_at = now
        exchange.phase = SENDING if exchange.has_content else AWAITING
        visit = self.visits[exchange] = Visit(self, exchange)
        if exchange.body is not None:
            self.send_content(exchange, exchange.body, True, now)
        elif exchange.writer is not None:
            self.writable.append(exchange)
        self._watch(visit)

    def send_content(self, exchange: Exchange, piece: bytes, end: bool, now: float) -> None:
        """Content of the request."""
        visit = self.visits.get(exchange)
        if visit is None or visit.content_ended:
            return
        if piece:
            visit.content.append(piece)
            visit.content_octets += len(piece)
        exchange.progress_at = now
        if end:
            visit.content_ended = True
            exchange.phase = AWAITING
        self._watch(visit)
        if visit.notify is not None:
            visit.notify()

    def send_trailers(self, exchange: Exchange, fields: Fields, now: float) -> None:
        """The end of the request's content."""
        visit = self.visits.get(exchange)
        if visit is not None:
            visit.trailers = fields
            self.send_content(exchange, b"", True, now)

    def room(self, exchange: Exchange) -> int:
        """Octets of content that are taken at once."""
        visit = self.visits.get(exchange)
        if visit is None or visit.content_ended:
            return -1
        return CONTENT_HIGH if self.collects else max(0, CONTENT_HIGH - visit.content_octets)

    def consumed(self, exchange: Exchange, octets: int, now: float) -> None:
        """The application took content of the response."""
        exchange.unread -= octets
        visit = self.visits.get(exchange)
        if visit is not None:
            exchange.progress_at = now
            self._watch(visit)
            if visit.notify is not None:
                visit.notify()

    def cancel(self, exchange: Exchange, error: Exception | None, now: float, code: int = 8) -> None:
        """The client is gone."""
        if exchange.chunks:
            exchange.chunks.clear()
        exchange.unread = 0
        visit = self.visits.get(exchange)
        if visit is not None:
            self.end(visit, error)

    def fail(self, error: Any) -> None:
        """Nothing is answered any more."""
        if not self.closed:
            self.closed = True
            self.error = error
            self.deadline = NEVER
            for visit in list(self.visits.values()):
                self.end(visit, failures.copy_error(error, None))

    def close(self, now: float) -> None:
        """The client is closed."""
        self.fail(TransportError("the client was closed", scope="connection", initiator="user"))

    def expire(self, now: float) -> None:
        """End every exchange whose time is up."""
        earliest = NEVER
        for visit in list(self.visits.values()):
            limit = self._limit(visit)
            if limit <= now:
                self.end(visit, failures.timeout_error(visit.exchange, now))
            else:
                earliest = min(earliest, limit)
        self.deadline = earliest

    def has_output(self) -> bool:
        """Nothing has to be written."""
        return False

    def queued_octets(self) -> int:
        """Nothing waits to be written."""
        return 0

    # -- the answering side, through Visit ---------------------------------------------------------------------------

    def inform(self, visit: Visit, status: int, fields: Fields) -> None:
        """RFC 9110 section 15.2."""
        exchange = visit.exchange
        if exchange.informational is None:
            exchange.informational = []
        exchange.informational.append((status, list(fields)))
        exchange.progress_at = monotonic()
        if exchange.hears_informational:
            self._touch(exchange)
        self._watch(visit)

    def begin(self, visit: Visit, status: int, fields: Fields) -> None:
        """The header section."""
        exchange = visit.exchange
        if visit.started:
            raise RuntimeError("the response was started twice")
        if not 200 <= status <= 999:
            raise ValueError(f"{status} is not the status of a final response")
        visit.started = True
        for name, value in fields:
            exchange.kinds |= KIND_OF_NAME.get(name, 0)
            if name == "content-length" and value.isascii() and value.isdecimal():
                exchange.content_length = visit.expected = int(value)
        visit.bodiless = exchange.method == "HEAD" or status in (204, 304)
        exchange.status = status
        exchange.fields = list(fields)
        exchange.headers_received = True
        exchange.answered_at = exchange.progress_at = monotonic()
        if exchange.delivery == PIECES:
            exchange.chunks = deque()
            self._touch(exchange)
        self._watch(visit)

    def content(self, visit: Visit, octets: bytes) -> None:
        """Content of the response; none of it counts for HEAD, 204 and 304."""
        exchange = visit.exchange
        if not visit.started:
            raise RuntimeError("content before the response was started")
        if visit.bodiless:
            return
        visit.sent += len(octets)
        if 0 <= visit.expected < visit.sent:
            self.end(visit, RemoteProtocolError("RFC 9110 8.6: more content than content-length says"))
            return
        exchange.received += len(octets)
        exchange.progress_at = monotonic()
        if exchange.delivery == PIECES:
            exchange.chunks.append(octets)
            exchange.unread += len(octets)
            self._touch(exchange)
        else:
            visit.pieces.append(octets)
        self._watch(visit)

    def complete(self, visit: Visit, trailers: Fields) -> None:
        """The end of the response."""
        exchange = visit.exchange
        if not visit.started:
            raise RuntimeError("the response ended before it was started")
        if 0 <= visit.expected != visit.sent and not visit.bodiless:
            self.end(visit, RemoteProtocolError("RFC 9110 8.6: less content than content-length says"))
            return
        exchange.content = b"".join(visit.pieces)
        if trailers:
            exchange.trailers = list(trailers)
        self.end(visit, None)

    def end(self, visit: Visit, error: Any) -> None:
        """The exchange is over, once."""
        exchange = visit.exchange
        self.visits.pop(exchange, None)
        if exchange.phase != FINISHED:
            exchange.finished_at = monotonic()
            exchange.error = error
            exchange.phase = FINISHED  # last: other threads look at it without the lock
            if exchange.writer is not None:
                self.writable.append(exchange)
            self._touch(exchange)
            if visit.notify is not None:
                visit.notify()

    def _touch(self, exchange: Exchange) -> None:
        if not exchange.marked:
            exchange.marked = True
            self.ready.append(exchange)

    def _limit(self, visit: Visit) -> float:
        exchange = visit.exchange
        if exchange.phase == SENDING and not visit.content_octets:
            return exchange.deadline  # the caller is slow to produce content
        return exchange.limit()

    def _watch(self, visit: Visit) -> None:
        self.deadline: float = min(self.deadline, self._limit(visit))


def _response_fields(headers: Any) -> Fields:
    """Fields as a server sends them; those that concern a connection are dropped."""
    try:
        return checked_fields(headers)
    except RequestError as error:
        raise RemoteProtocolError(f"in the response: {error}") from error

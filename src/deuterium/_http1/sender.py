"""The send side of a connection, and what both sides share: the request out, its content, ending, time."""

from __future__ import annotations

from collections import deque
from typing import Any

from .._http import failures
from .._http.engine import Engine
from .._http.exchange import Exchange
from .._http.phases import AWAITING, CONTINUE_WAIT_S, FINISHED, NEVER, SENDING
from ..errors import LocalProtocolError, ReadError, RequestError, TransportError
from .constants import (
    BY_LENGTH,
    BY_REFERENCE,
    CLOSE,
    CLOSED,
    CONTENT_HIGH,
    CONTENT_LOW,
    ENDED,
    EXPECT,
    IN_CHUNKS,
    LENGTH,
    OPEN,
    RAW,
    RESUME_BELOW,
    TURN_OCTETS,
    UPGRADE,
)
from .request import RequestEncoder


class Sender(Engine):
    """State of one client connection and everything it sends (RFC 9112). No socket, no clock: ``now`` is an argument.

    One exchange at a time. ``flushed``: the writer took octets of the request. ``heard``: octets came since.
    ``answered``: responses this connection has completed. ``switched``: the connection belongs to another protocol,
    see ``Connection``.
    """

    __slots__ = (
        "answered",
        "asked_to_switch",
        "content_left",
        "continue_at",
        "continue_wait_s",
        "encoder",
        "exchange",
        "flushed",
        "framing",
        "head",
        "heard",
        "held",
        "last",
        "now",
        "pending",
        "pending_at",
        "pending_octets",
        "sending",
        "switched",
    )

    def __init__(self, continue_wait_s: float = CONTINUE_WAIT_S) -> None:
        Engine.__init__(self)
        self.encoder = RequestEncoder()
        self.exchange: Exchange | None = None
        self.answered = 0
        self.switched = False
        self.now = 0.0
        self.continue_wait_s = continue_wait_s
        self.pending: deque[bytes] = deque()
        self._reset()

    def _reset(self) -> None:
        """No exchange is open."""
        self.exchange = None
        self.head = b""
        self.flushed = False
        self.heard = False
        self.last = False  # this request asks for the connection to be closed
        self.asked_to_switch = False
        self.sending = CLOSED
        self.framing = RAW
        self.content_left = 0
        self.held = False  # content waits for 100 (Continue), or for the tunnel to be opened
        self.continue_at = NEVER
        self.pending.clear()
        self.pending_at = 0
        self.pending_octets = 0
        self.wants_pause = False

    def forward_by(self, section: tuple[tuple[str, str], ...]) -> None:
        """The peer is a proxy that forwards requests; ``section``: fields for it in each."""
        self.encoder.forward_by(section)

    def start(self, now: float) -> None:
        """Nothing opens an HTTP/1.1 connection."""
        self.now = now

    # -- requests ----------------------------------------------------------------------------------------------------

    def capacity(self) -> int:
        """1 when a request could be sent at once, otherwise 0."""
        return 0 if self.closed or self.draining or self.exchange is not None else 1

    def active(self) -> int:
        """1 while an exchange is open, otherwise 0."""
        return 0 if self.exchange is None else 1

    def send_request(self, exchange: Exchange, now: float) -> None:
        """Queue the request's head; content follows by ``send_content`` when ``exchange.has_content``.

        Content is framed by the content-length among the fields, and in chunks without one. ``exchange.protocol``
        asks for an upgrade (RFC 9110 section 7.8), the method CONNECT for a tunnel: what ``send_content`` gets then
        leaves as it is, once the peer has agreed.

        Raises LocalProtocolError, or TransportError when this connection takes no request now; always with
        ``request_processed=False``.
        """
        self.now = now
        if self.closed or self.draining:
            raise self._refusal()
        if self.exchange is not None:
            raise TransportError("the connection is busy with another exchange", request_processed=False)
        try:
            self.head = self.encoder.encode(exchange)
        except LocalProtocolError as error:
            error.request_processed = False
            raise
        self.exchange = exchange
        self.requests += 1
        exchange.engine = self
        exchange.stream_id = self.requests
        exchange.sent_at = now
        exchange.progress_at = now
        exchange.phase = AWAITING
        flags = self.encoder.flags
        self.last = flags & CLOSE != 0
        self.asked_to_switch = flags & UPGRADE != 0
        tunnel = exchange.method == "CONNECT" or exchange.protocol != ""
        if exchange.has_content or tunnel:
            self._open_content(exchange, flags, tunnel)
        if exchange.body is not None:
            self.send_content(exchange, exchange.body, True, now)
        elif exchange.writer is not None:
            self.writable.append(exchange)
        self._watch(exchange)

    def _open_content(self, exchange: Exchange, flags: int, tunnel: bool) -> None:
        self.sending = OPEN
        if tunnel:
            self.held = True
            return
        exchange.phase = SENDING
        if flags & LENGTH:
            self.framing = BY_LENGTH
            self.content_left = self.encoder.content_length
        else:
            self.framing = IN_CHUNKS
        if flags & EXPECT:
            self.held = True
            self.continue_at = self.now + self.continue_wait_s

    # -- content -----------------------------------------------------------------------------------------------------

    def send_content(self, exchange: Exchange, piece: bytes, end: bool, now: float) -> None:
        """Queue content; ``end``: it was the last.

        Raises LocalProtocolError, after ending the exchange and the connection with it, when the content is not as
        long as the content-length it was announced with (RFC 9112 section 6.2).
        """
        self.now = now
        if exchange is not self.exchange or self.sending != OPEN:
            return  # answered or failed meanwhile: the exchange says so
        size = len(piece)
        if self.framing == BY_LENGTH:
            self.content_left -= size
            if self.content_left < 0 or (end and self.content_left):
                self._wrong_length()
        if size:
            if not self.pending_octets:
                exchange.progress_at = now
            if self.framing == IN_CHUNKS:
                self._queue(b"%x\r\n" % size)
                self._queue(piece)
                self._queue(b"\r\n")
            else:
                self._queue(piece)
        if end:
            self.sending = ENDED
            if self.framing == IN_CHUNKS:
                self._queue(b"0\r\n\r\n")
            elif not self.pending_octets and not self.head:
                self._content_sent(exchange)  # the writer has taken all of it and will not come again
        self._watch(exchange)

    def send_trailers(self, exchange: Exchange, fields: tuple[tuple[str, str], ...], now: float) -> None:
        """End the content with a trailer section (section 7.1.2).

        Raises LocalProtocolError when a field may not be sent there, and, ending exchange and connection, when the
        content is not in chunks.
        """
        self.now = now
        if exchange is not self.exchange or self.sending != OPEN:
            return
        if self.framing != IN_CHUNKS:
            self._break("RFC 9112 7.1.2: only content in chunks can be followed by trailers")
        section = self.encoder.encode_trailers(fields)
        self.sending = ENDED
        self._queue(b"0\r\n" + section)
        self._watch(exchange)

    def room(self, exchange: Exchange) -> int:
        """Octets of content the queue of this exchange takes before its sender should wait; -1: it takes no more."""
        if exchange is not self.exchange or self.sending != OPEN:
            return -1
        if self.held and self.continue_at != NEVER:
            return 0  # whoever asks for leave may yet have to send the content elsewhere
        return max(0, CONTENT_HIGH - self.pending_octets)

    def _queue(self, piece: bytes) -> None:
        self.pending.append(piece)
        self.pending_octets += len(piece)

    def _wrong_length(self) -> None:
        more_or_less = "more" if self.content_left < 0 else "less"
        self._break(f"RFC 9112 6.2: {more_or_less} content than the content-length it was announced with")

    def _break(self, rule: str) -> None:
        """Our own side broke a rule inside a message: the connection cannot go on."""
        error = LocalProtocolError(rule, scope="connection", request_processed=None if self.flushed else False)
        self.fail(error)
        raise error

    def _release_content(self, exchange: Exchange) -> None:
        """Nothing holds the content back any more."""
        self.held = False
        self.continue_at = NEVER
        exchange.progress_at = self.now
        if exchange.writer is not None:
            self.writable.append(exchange)
        self._watch(exchange)

    def _drop_content(self, exchange: Exchange) -> None:
        """The peer does not want the content: if it was announced, the connection closes after the response."""
        if self.framing != RAW:
            self.last = True
        self.sending = CLOSED
        self.held = False
        self.continue_at = NEVER
        self.pending.clear()
        self.pending_at = 0
        self.pending_octets = 0
        exchange.phase = AWAITING
        exchange.progress_at = self.now
        if exchange.writer is not None:
            self.writable.append(exchange)

    # -- what the application read -----------------------------------------------------------------------------------

    def consumed(self, exchange: Exchange, octets: int, now: float) -> None:
        """The application took ``octets`` of the exchange's content."""
        self.now = now
        exchange.unread -= octets
        if not exchange.unread:
            exchange.progress_at = now
        if exchange is self.exchange:
            if exchange.unread < RESUME_BELOW:
                self.wants_pause = False
            self._watch(exchange)

    # -- ending ------------------------------------------------------------------------------------------------------

    def cancel(self, exchange: Exchange, error: Exception | None, now: float, code: int = 8) -> None:
        """End one exchange from our side. A request that was begun takes the connection with it (section 9.5)."""
        self.now = now
        if exchange.engine is not self:
            return
        _discard(exchange)
        if exchange is not self.exchange:
            return
        if self.flushed:
            self._close()
        self._reset()
        self._end(exchange, error)

    def close(self, now: float) -> None:
        """End the connection; an exchange that is still open fails."""
        self.now = now
        self.fail(TransportError("the connection was closed by the client", scope="connection", initiator="user"))

    def fail(self, error: RequestError) -> None:
        """The connection is over: end the exchange with an error that says whether it was processed.

        Peers close idle connections, and a request may cross with that on its way: a ReadError then has
        ``connection_reused``, and an idempotent request may be sent again (RFC 9110 section 9.2.2).
        """
        if self.closed:
            return
        self._close()
        self.error = error
        exchange = self.exchange
        if exchange is None:
            return
        failure = failures.copy_error(error, error.request_processed if self.flushed else False)
        if isinstance(failure, ReadError) and self.answered and not self.heard:
            failure.connection_reused = True
        self._reset()
        self._end(exchange, failure)

    def _close(self) -> None:
        self.closed = True
        self.deadline = NEVER

    def _end(self, exchange: Exchange, error: Exception | None) -> None:
        """Finish the exchange, once, and have its waiter woken."""
        if exchange.phase != FINISHED:
            exchange.finished_at = self.now
            exchange.error = error
            exchange.phase = FINISHED  # last: other threads look at it without the lock
            if exchange.writer is not None:
                self.writable.append(exchange)
            self._mark(exchange)

    def _refusal(self) -> RequestError:
        """Why this connection takes no request; nothing of it was sent."""
        if isinstance(self.error, RequestError):
            return failures.copy_error(self.error, False)
        return TransportError("the connection takes no more requests", scope="connection", request_processed=False)

    # -- time --------------------------------------------------------------------------------------------------------

    def expire(self, now: float) -> None:
        """Stop waiting for 100 (Continue), or end the exchange whose time is up; set ``deadline`` anew."""
        self.now = now
        self.deadline = NEVER
        exchange = self.exchange
        if exchange is None or self.closed:
            return
        if self.continue_at <= now:
            self._release_content(exchange)
        if self._limit(exchange) <= now:
            self.cancel(exchange, failures.timeout_error(exchange, now), now)
        else:
            self._watch(exchange)

    def _limit(self, exchange: Exchange) -> float:
        # While it is the application that has nothing to send, or we that wait, only the total deadline counts.
        if exchange.phase == SENDING and (self.held or not self.pending_octets):
            return exchange.deadline
        return exchange.limit()

    def _watch(self, exchange: Exchange) -> None:
        limit = min(self._limit(exchange), self.continue_at)
        self.deadline = min(self.deadline, limit)

    # -- the writer's side -------------------------------------------------------------------------------------------

    def has_output(self) -> bool:
        """``take`` would return something."""
        return len(self.head) > 0 or (self.pending_octets > 0 and not self.held)

    def queued_octets(self) -> int:
        """Octets that wait to be written, content not counted."""
        return len(self.head)

    def take(self, now: float) -> list[Any]:
        """What to write now, in order: the head, and at most TURN_OCTETS of content."""
        self.now = now
        segments: list[Any] = []
        exchange = self.exchange
        if exchange is None:
            return segments
        if self.pending_octets and not self.held:
            self._take_content(exchange, segments)
        elif self.head:
            segments.append(self.head)
            self.head = b""
            self.flushed = True
        if self.sending == ENDED and not self.pending_octets:
            self._content_sent(exchange)
            self._watch(exchange)
        return segments

    def _content_sent(self, exchange: Exchange) -> None:
        """The request is complete: from now on the read timeout runs."""
        self.sending = CLOSED
        exchange.phase = AWAITING
        exchange.progress_at = self.now

    def _take_content(self, exchange: Exchange, segments: list[Any]) -> None:
        run: list[Any] = []  # short pieces in a row
        if self.head:
            run.append(self.head)
            self.head = b""
            self.flushed = True
        taken = 0
        while self.pending and taken < TURN_OCTETS:
            piece = self.pending[0]
            start = self.pending_at
            size = min(len(piece) - start, TURN_OCTETS - taken)
            part: Any = piece if size == len(piece) else memoryview(piece)[start : start + size]
            if start + size == len(piece):
                self.pending.popleft()
                self.pending_at = 0
            else:
                self.pending_at = start + size
            taken += size
            if size < BY_REFERENCE:
                run.append(part)
                continue
            if run:
                segments.append(b"".join(run))
                run = []
            segments.append(part)
        if run:
            segments.append(b"".join(run))
        self.pending_octets -= taken
        exchange.progress_at = self.now
        if exchange.writer is not None and self.pending_octets < CONTENT_LOW:
            self.writable.append(exchange)


def _discard(exchange: Exchange) -> None:
    """Drop content nobody will read."""
    chunks = exchange.chunks
    if chunks:
        for chunk in chunks:
            if type(chunk) is not bytes:
                chunk.release()
        chunks.clear()
    exchange.unread = 0

"""How exchanges and the connection end: consumed, cancelled, failed, closed, out of time."""

from __future__ import annotations

from contextlib import suppress

from .._http import failures
from .._http.exchange import Exchange
from .._http.phases import AWAITING, FINISHED, NEVER, SENDING
from ..errors import RequestError, TransportError
from . import states
from .constants import CANCEL, GOAWAY, MAX_WINDOW, PING, RST_STREAM, WINDOW_UPDATE, ErrorCode
from .sending import Sending
from .states import HALF_CLOSED_LOCAL, OPEN, RESET
from .stream import Stream

LARGE_WINDOW = 2 * 1024 * 1024  # of a stream: below, the peer may wait for us before much of it lies ready
WIDE = 4  # times the window, for content that comes very fast: a quarter of the peer's turns to hear of it


class Endpoint(Sending):
    """Everything a client connection does on its own account: ``Sending``, and the endings."""

    __slots__ = ()

    # -- what the application read -----------------------------------------------------------------------------------

    def consumed(self, exchange: Exchange, octets: int, now: float) -> None:
        """The application took ``octets`` of the exchange's content: give the windows back (section 5.2)."""
        self.now = now
        exchange.unread -= octets
        if not exchange.unread:
            exchange.progress_at = now
            self._watch(exchange)
        if self.closed:
            return
        stream = self._stream_of(exchange)
        if stream is not None:
            self._give_back(stream, octets)
        self._give_back_connection(octets)

    def content_due(self) -> int:
        """Octets of content that are sure to come of the only exchange; 0: there are others, or no length is known."""
        if self.table.count != 1 or self.table.waiting or self.opening_window < LARGE_WINDOW:
            return 0
        stream: Stream = self.table.all()[0]
        return max(0, stream.expected - stream.received)

    def widen(self) -> None:
        """Make the window of the only stream four times as large, if as much is due and its consumer keeps up."""
        window = self.opening_window
        if window > MAX_WINDOW // WIDE or self.content_due() < WIDE * window:
            return
        stream: Stream = self.table.all()[0]
        if stream.id == self.wide_id or stream.exchange.unread > window // 8:
            return
        if stream.state not in (OPEN, HALF_CLOSED_LOCAL):
            return
        self.wide_id = stream.id
        more = (WIDE - 1) * window
        self.outbound.frame(WINDOW_UPDATE, 0, stream.id, more.to_bytes(4, "big"))
        stream.receive_window += more

    def _give_back(self, stream: Stream, octets: int) -> None:
        stream.consumed += octets
        if stream.consumed < self.stream_update_at:
            return
        if stream.id == self.wide_id and stream.consumed < WIDE * self.stream_update_at:
            return
        if stream.state in (OPEN, HALF_CLOSED_LOCAL):
            self.outbound.frame(WINDOW_UPDATE, 0, stream.id, stream.consumed.to_bytes(4, "big"))
            stream.receive_window += stream.consumed
            stream.consumed = 0

    def _give_back_connection(self, octets: int) -> None:
        self.receive_consumed += octets
        if self.receive_consumed >= self.connection_update_at:
            self.outbound.frame(WINDOW_UPDATE, 0, 0, self.receive_consumed.to_bytes(4, "big"))
            self.receive_window += self.receive_consumed
            self.receive_consumed = 0

    # -- ending ------------------------------------------------------------------------------------------------------

    def cancel(self, exchange: Exchange, error: Exception | None, now: float, code: int = CANCEL) -> None:
        """End one exchange from our side: RST_STREAM when it is open (section 6.4), nothing when it is over.

        What it had not read is given back to the connection's window.
        """
        self.now = now
        if exchange.engine is not self:
            return
        if exchange.phase == FINISHED:
            if exchange.unread:
                self._discard(exchange)
            return
        stream = self._stream_of(exchange)
        if stream is not None:
            self._reset(stream, code)
        else:
            with suppress(ValueError):
                self.table.waiting.remove(exchange)
        self._discard(exchange)
        self._end(exchange, error)
        self.admit()

    def _discard(self, exchange: Exchange) -> None:
        """Drop content nobody will read and give its window back."""
        chunks = exchange.chunks
        if chunks:
            for chunk in chunks:
                if type(chunk) is not bytes:
                    chunk.release()
            chunks.clear()
        unread = exchange.unread
        exchange.unread = 0
        if unread and not self.closed:
            self._give_back_connection(unread)

    def _reset(self, stream: Stream, code: int) -> None:
        """Send RST_STREAM and close the stream."""
        self.outbound.frame(RST_STREAM, 0, stream.id, code.to_bytes(4, "big"))
        stream.state = states.after(stream.state, RESET)
        # Octets not yet given back would be lost to the connection: a body that was being collected counts as read.
        self._close(stream, True)

    def _close(self, stream: Stream, by_us: bool) -> None:
        if stream is self.data_stream:
            self.data_stream = None  # the object is about to be recycled: the rest of the payload is nobody's
        if stream.scheduled:
            self.scheduler.remove(stream)
        self.table.close(stream, by_us)

    def ping(self, now: float) -> bool:
        """Send a PING (section 6.7); its acknowledgement sets ``rtt``."""
        self.now = now
        self.ping_count += 1
        payload = self.ping_count.to_bytes(8, "big")
        self.pings[payload] = now
        self.outbound.frame(PING, 0, 0, payload)
        return True

    def unanswered_ping(self) -> float:
        """When the oldest PING without an acknowledgement was sent; NEVER when there is none."""
        return min(self.pings.values(), default=NEVER)

    def close(self, now: float) -> None:
        """Say GOAWAY(NO_ERROR); whatever is still open fails."""
        self.now = now
        if not self.closed:
            self._send_goaway(ErrorCode.NO_ERROR, b"")
            self.fail(TransportError("the connection was closed by the client", scope="connection", initiator="user"))

    def fail(self, error: RequestError) -> None:
        """The connection is over: end every exchange, once, each with an error that says whether it was processed."""
        if self.closed:
            return
        self.closed = True
        self.error = error
        self.deadline = NEVER
        for stream in self.table.all():
            exchange = stream.exchange
            untouched = stream.id > self.flushed_id
            stream.state = states.after(stream.state, RESET)
            self._close(stream, True)
            self._end(exchange, failures.copy_error(error, False if untouched else error.request_processed))
        self._fail_waiting()

    def _send_goaway(self, code: int, debug: bytes) -> None:
        # We accepted no stream of the peer's: the last stream identifier is 0 (section 6.8).
        self.outbound.frame(GOAWAY, 0, 0, b"\0\0\0\0" + int(code).to_bytes(4, "big") + debug)

    # -- Expect: 100-continue, RFC 9110 section 10.1.1 ---------------------------------------------------------------

    def _release(self, stream: Stream) -> None:
        """Nothing holds the stream's content back any more."""
        self.held.pop(stream.id, None)
        exchange = stream.exchange
        exchange.progress_at = self.now
        if stream.pending_octets:
            self.scheduler.add(stream)
        elif stream.pending_end:
            self._send_data(stream, 0)
        if exchange.writer is not None:
            self.writable.append(exchange)
        self._watch(exchange)

    def _drop_content(self, stream: Stream) -> None:
        """The response came instead of 100: the content is not wanted. The stream is reset when the response ends."""
        exchange = stream.exchange
        stream.pending = None
        stream.pending_at = 0
        stream.pending_octets = 0
        stream.pending_end = True
        exchange.phase = AWAITING
        exchange.progress_at = self.now
        if exchange.writer is not None:
            self.writable.append(exchange)

    def _look_at_held(self) -> float:
        """Let go of content that waited long enough; when the next has."""
        earliest = NEVER
        for stream_id, until in list(self.held.items()):
            stream = self.table.find(stream_id)
            if stream is None:
                del self.held[stream_id]
            elif until > self.now:
                earliest = min(earliest, until)
            elif stream.got_headers:
                del self.held[stream_id]
                self._drop_content(stream)
            else:
                self._release(stream)
        return earliest

    # -- time --------------------------------------------------------------------------------------------------------

    def expire(self, now: float) -> None:
        """End every exchange whose time is up; ``deadline`` is then the earliest of the others."""
        self.now = now
        earliest = self._look_at_held() if self.held else NEVER
        late: list[Exchange] = []
        for stream in self.table.all():
            if stream.exchange.phase == SENDING and not stream.pending_octets:
                limit = stream.exchange.deadline  # the caller is slow to produce content, not the peer to take it
            else:
                limit = stream.exchange.limit()
            if limit <= now:
                late.append(stream.exchange)
            else:
                earliest = min(earliest, limit, self._next_look(stream.exchange))
        for exchange in self.table.waiting:
            limit = exchange.limit()
            if limit <= now:
                late.append(exchange)
            elif limit < earliest:
                earliest = limit
        self.deadline = earliest
        for exchange in late:
            self.cancel(exchange, failures.timeout_error(exchange, now), now)

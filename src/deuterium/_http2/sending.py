"""What a connection sends: its opening, requests and their content. And the state both sides share."""

from __future__ import annotations

from collections import deque
from typing import Any

from .._hpack.decoder import Decoder
from .._hpack.encoder import Encoder
from .._http import failures
from .._http.engine import Engine
from .._http.exchange import Exchange
from .._http.phases import AWAITING, CONTINUE_WAIT_S, FINISHED, NEVER, QUEUED, SENDING
from .._memory.buffer_pool import BufferPool
from .._memory.object_pool import ObjectPool
from ..config import Http2Options
from ..errors import ExtendedConnectUnavailable, GoAway, LocalProtocolError, PoolTimeout, RequestError, TransportError
from . import states, windows
from .budgets import Budget
from .constants import (
    CONNECTION_PREFACE,
    CONTINUATION,
    DATA,
    DEFAULT_WINDOW,
    END_HEADERS,
    END_STREAM,
    HEADERS,
    MAX_STREAM_ID,
    NOISE_BURST,
    NOISE_PER_S,
    SETTINGS,
    WINDOW_UPDATE,
    WINDOW_UPDATES_PER_DATA,
)
from .outbound import Outbound
from .scheduler import Scheduler
from .settings import UNLIMITED, PeerSettings, encode_settings, own_settings
from .states import HALF_CLOSED_LOCAL, OPEN, SEND_END_STREAM
from .stream import Stream
from .stream_table import StreamTable

# A stream's queue of unsent content: above HIGH the front end waits, below LOW it is woken.
CONTENT_HIGH = 256 * 1024
CONTENT_LOW = 128 * 1024

# The longest DATA frame we send, whatever the peer allows: nginx allows 16 MiB, and the others would wait for it.
DATA_LIMIT = 64 * 1024 - 9

# What one turn of the writer takes at most, so that other connections and the reader get their turn.
TURN_OCTETS = 512 * 1024


class Sending(Engine):
    """State of one client connection; requests and content out (RFC 9113). No socket, no clock."""

    __slots__ = (
        "buffers",
        "connection_update_at",
        "data_stream",
        "decoder",
        "encoder",
        "flushed_id",
        "goaway_code",
        "held",
        "last_stream_id",
        "max_streams",
        "noise",
        "now",
        "opening_window",
        "options",
        "options_frame_size",
        "options_list_size",
        "outbound",
        "peer",
        "peer_frame_size",
        "peer_list_size",
        "peer_window",
        "ping_count",
        "pings",
        "receive_consumed",
        "receive_window",
        "replies",
        "scheduler",
        "send_window",
        "settings_acknowledged",
        "settings_received",
        "stream_update_at",
        "table",
        "tap",
        "wide_id",
    )

    def __init__(
        self,
        options: Http2Options,
        buffers: BufferPool,
        streams: ObjectPool,
        strings: Any,
        by_reference: int = 0,
    ) -> None:
        Engine.__init__(self)
        self.options = options
        self.buffers = buffers
        self.outbound = Outbound(buffers, by_reference)
        self.table = StreamTable(streams)
        self.scheduler = Scheduler()
        self.peer = PeerSettings()
        self.encoder = Encoder()
        self.decoder = Decoder(max(4096, options.header_table_size), strings)
        self.noise = Budget(NOISE_BURST, NOISE_PER_S)
        self.send_window = DEFAULT_WINDOW
        self.receive_window = DEFAULT_WINDOW
        self.receive_consumed = 0
        self.max_streams = UNLIMITED
        self.settings_acknowledged = False
        self.settings_received = False
        self.replies = 0  # acknowledgements queued since the writer last took anything
        self.ping_count = 0
        self.pings: dict[bytes, float] = {}
        self.flushed_id = 0
        self.last_stream_id = MAX_STREAM_ID  # of the peer's GOAWAY
        self.goaway_code = -1
        self.held: dict[int, float] = {}  # streams whose content waits for 100 (Continue), and until when
        self.now = 0.0
        self.tap: Any = None
        self.data_stream: Any = None  # whose DATA payload is arriving in pieces
        self.options_frame_size = options.max_frame_size
        self.options_list_size = options.max_header_list_size
        # Until our SETTINGS are acknowledged the peer may still go by the protocol's default (section 6.9.2).
        self.opening_window = max(DEFAULT_WINDOW, options.stream_window)
        self.wide_id = 0  # the stream whose window is wider
        self.stream_update_at = windows.update_at(options.stream_window)
        self.connection_update_at = windows.update_at(max(DEFAULT_WINDOW, options.connection_window))
        self._read_peer()

    def _read_peer(self) -> None:
        """Keep what the request path needs of the peer's settings at hand."""
        self.stream_limit = min(self.peer.max_concurrent_streams, self.max_streams)
        self.peer_frame_size = self.peer.max_frame_size
        self.peer_window = self.peer.initial_window_size
        self.peer_list_size = self.peer.max_header_list_size

    # -- opening -----------------------------------------------------------------------------------------------------

    def start(self, now: float) -> None:
        """Queue the connection preface, our SETTINGS and the larger connection window (section 3.4)."""
        self.now = now
        self.outbound.write(CONNECTION_PREFACE)
        self.outbound.frame(SETTINGS, 0, 0, encode_settings(own_settings(self.options)))
        grant = self.options.connection_window - DEFAULT_WINDOW
        if grant > 0:
            self.outbound.frame(WINDOW_UPDATE, 0, 0, grant.to_bytes(4, "big"))
            self.receive_window += grant

    def limit_streams(self, most: int) -> None:
        """Open at most ``most`` streams at once, whatever the peer allows."""
        self.max_streams = most
        self._read_peer()

    def set_tap(self, tap: Any) -> None:
        """Tell ``tap(outgoing, length, kind, flags, stream_id)`` of every frame header, both ways."""
        self.tap = tap
        self.outbound.tap = tap

    # -- requests ----------------------------------------------------------------------------------------------------

    def capacity(self) -> int:
        """Requests that could be sent at once; 0 when the connection takes none."""
        if self.closed or self.draining:
            return 0
        room = self.stream_limit - self.table.count - len(self.table.waiting)
        return room if room > 0 else 0

    def active(self) -> int:
        """Requests open or waiting here."""
        return self.table.count + len(self.table.waiting)

    def send_request(self, exchange: Exchange, now: float) -> None:
        """Send the request's field section, or queue it first in, first out, until a stream may be opened.

        Raises LocalProtocolError or a TransportError with ``request_processed=False`` when it cannot be sent at all.
        """
        self.now = now
        if self.closed or self.draining:
            raise self._refusal()
        table = self.table
        if table.next_id > MAX_STREAM_ID:
            self.draining = True
            raise self._refusal()
        exchange.engine = self
        exchange.progress_at = now
        if not table.waiting and table.count < self.stream_limit:
            self._open(exchange)
        else:
            if len(table.waiting) >= self.options.max_concurrent_requests:
                raise PoolTimeout("too many requests wait on this connection", request_processed=False)
            exchange.phase = QUEUED
            table.waiting.append(exchange)
        earliest = self.deadline  # mostly an older exchange's, and this one's limit is later
        if exchange.phase != AWAITING or exchange.deadline < earliest or now + exchange.read_timeout < earliest:
            self._watch(exchange)

    def admit(self) -> None:
        """Open streams for waiting requests while the peer allows it (section 5.1.2)."""
        waiting = self.table.waiting
        if not self.settings_received:
            return  # an extended CONNECT would be put back without end
        while waiting and not self.draining and not self.closed:
            if self.table.count >= self.stream_limit:
                return
            if self.table.exhausted():
                self.draining = True
                self._fail_waiting()
                return
            exchange = waiting.popleft()
            try:
                self._open(exchange)
            except RequestError as error:
                self._end(exchange, error)
                continue
            self._watch(exchange)

    def _open(self, exchange: Exchange) -> None:
        if self.peer_list_size != UNLIMITED:
            self._check_list_size(exchange)
        if exchange.protocol:
            if not self.peer.enable_connect_protocol:
                if not self.settings_received:
                    exchange.phase = QUEUED  # the peer has yet to say what it takes
                    self.table.waiting.append(exchange)
                    return
                raise ExtendedConnectUnavailable(
                    "RFC 8441 section 3: the peer does not take extended CONNECT", request_processed=False
                )
            block = self.encoder.encode_request(
                exchange.method,
                exchange.scheme,
                exchange.authority,
                exchange.path,
                exchange.common,
                exchange.extra,
                exchange.protocol,
            )
        else:
            block = self.encoder.encode_request(
                exchange.method,
                exchange.scheme,
                exchange.authority,
                exchange.path,
                exchange.common,
                exchange.extra,
            )
        stream = self.table.open(exchange, self.peer_window, self.opening_window)
        exchange.stream_id = stream.id
        exchange.sent_at = self.now
        exchange.progress_at = self.now
        self.requests += 1
        flags = 0
        if exchange.has_content:
            exchange.phase = SENDING
            stream.state = OPEN
            for name, _ in exchange.extra:
                if name == "expect":
                    self.held[stream.id] = self.now + CONTINUE_WAIT_S
                    self.deadline = min(self.deadline, self.now + CONTINUE_WAIT_S)
        else:
            exchange.phase = AWAITING
            flags = END_STREAM
            stream.state = HALF_CLOSED_LOCAL
        if len(block) <= self.peer_frame_size:
            self.outbound.frame(HEADERS, flags | END_HEADERS, stream.id, block)
        else:
            self._field_block(stream.id, flags, block)
        if exchange.body is not None:
            stream.pending = deque((exchange.body,))
            stream.pending_octets = len(exchange.body)
            stream.pending_end = True
            self.scheduler.add(stream)
        elif exchange.writer is not None:
            self.writable.append(exchange)

    def _field_block(self, stream_id: int, flags: int, block: bytes) -> None:
        limit = self.peer_frame_size
        size = len(block)
        if size <= limit:
            self.outbound.frame(HEADERS, flags | END_HEADERS, stream_id, block)
            return
        self.outbound.frame(HEADERS, flags, stream_id, block[:limit])
        for start in range(limit, size, limit):
            last = END_HEADERS if start + limit >= size else 0
            self.outbound.frame(CONTINUATION, last, stream_id, block[start : start + limit])

    def _check_list_size(self, exchange: Exchange) -> None:
        size = 0
        pseudo = (
            (":method", exchange.method),
            (":protocol", exchange.protocol),
            (":scheme", exchange.scheme),
            (":authority", exchange.authority),
            (":path", exchange.path),
        )
        for name, value in (*pseudo, *exchange.common, *exchange.extra):
            if value or name[0] != ":":  # a pseudo-header field without a value is not sent
                size += len(name) + len(value) + 32
        if size > self.peer_list_size:
            raise LocalProtocolError(
                f"6.5.2: the field section has {size} octets, the peer takes {self.peer_list_size}",
                request_processed=False,
            )

    # -- content -----------------------------------------------------------------------------------------------------

    def send_content(self, exchange: Exchange, piece: bytes, end: bool, now: float) -> None:
        """Queue content; ``end``: it was the last. The writer sends it as the windows allow (section 6.9)."""
        self.now = now
        stream = self._stream_of(exchange)
        if stream is None or stream.state != OPEN or stream.pending_end:
            return  # answered, reset or failed meanwhile: the exchange says so
        if piece:
            if stream.pending is None:
                stream.pending = deque()
            if not stream.pending_octets:
                exchange.progress_at = now
            stream.pending.append(piece)
            stream.pending_octets += len(piece)
        if end:
            stream.pending_end = True
        if stream.pending_octets:
            self.scheduler.add(stream)
        elif end and stream.id not in self.held:
            # Section 6.9.1: no window holds up the end alone. Nor does a turn: it may be what the peer waits for.
            self._send_data(stream, 0)
        self._watch(exchange)

    def send_trailers(self, exchange: Exchange, fields: tuple[tuple[str, str], ...], now: float) -> None:
        """End the content with a trailer section (section 8.1)."""
        stream = self._stream_of(exchange)
        if stream is not None and stream.state == OPEN and not stream.pending_end:
            stream.trailers = fields
            self.send_content(exchange, b"", True, now)

    def room(self, exchange: Exchange) -> int:
        """Octets of content the queue of this exchange takes before its sender should wait; -1: it takes no more."""
        stream = self._stream_of(exchange)
        if stream is None:
            return 0 if exchange.phase == QUEUED else -1
        if stream.state != OPEN or stream.pending_end:
            return -1
        if stream.id in self.held:
            return 0
        return max(0, CONTENT_HIGH - stream.pending_octets)

    def _pump(self, limit: int) -> None:
        """Move queued content into the outbound queue: as far as windows and ``limit`` octets allow."""
        while self.outbound.octets < limit:
            stream = self.scheduler.next()
            if stream is None:
                return
            octets = stream.pending_octets
            if self.held and stream.id in self.held:
                continue  # _release puts it back
            if octets:
                frame_limit = min(self.peer_frame_size, DATA_LIMIT)
                octets = min(octets, windows.sendable(stream.send_window, self.send_window, frame_limit))
                if not octets:
                    if self.send_window <= 0:
                        self.scheduler.put_back(stream)
                        return
                    continue  # its own window is used up: a WINDOW_UPDATE puts it back
            self._send_data(stream, octets)

    def _send_data(self, stream: Stream, octets: int) -> None:
        exchange = stream.exchange
        last = stream.pending_end and octets == stream.pending_octets
        if octets or stream.trailers is None:
            end_flag = END_STREAM if last and stream.trailers is None else 0
            self.outbound.frame_header(octets, DATA, end_flag, stream.id)
            left = octets
            pending = stream.pending
            while left:
                piece = pending[0]
                start = stream.pending_at
                size = min(left, len(piece) - start)
                self.outbound.content(piece, start, start + size)
                left -= size
                if start + size == len(piece):
                    pending.popleft()
                    stream.pending_at = 0
                else:
                    stream.pending_at = start + size
            stream.send_window -= octets
            self.send_window -= octets
            stream.pending_octets -= octets
            self.noise.earn(WINDOW_UPDATES_PER_DATA)
        exchange.progress_at = self.now
        if last:
            if stream.trailers is not None:
                self._field_block(stream.id, END_STREAM, self.encoder.encode(stream.trailers))
                stream.trailers = None
            stream.pending_end = False
            stream.state = states.after(stream.state, SEND_END_STREAM)
            exchange.phase = AWAITING
        elif stream.pending_octets or stream.pending_end:
            self.scheduler.add(stream)
        if exchange.writer is not None and stream.pending_octets < CONTENT_LOW:
            self.writable.append(exchange)

    def _end(self, exchange: Exchange, error: Exception | None) -> None:
        """Finish the exchange, once, and have its waiter woken."""
        if exchange.phase != FINISHED:
            exchange.finished_at = self.now
            exchange.error = error
            exchange.phase = FINISHED  # last: other threads look at it without the lock
            if exchange.writer is not None:
                self.writable.append(exchange)
            self._mark(exchange)

    def _fail_waiting(self) -> None:
        while self.table.waiting:
            self._end(self.table.waiting.popleft(), self._refusal())

    def _refusal(self) -> RequestError:
        """Why this connection takes no request; nothing of it was sent."""
        if self.goaway_code >= 0:
            return GoAway(
                "the peer is closing the connection",
                last_stream_id=self.last_stream_id,
                code=self.goaway_code,
                request_processed=False,
            )
        if isinstance(self.error, RequestError):
            return failures.copy_error(self.error, False)
        return TransportError("the connection takes no more requests", scope="connection", request_processed=False)

    # -- the writer's side -------------------------------------------------------------------------------------------

    def _watch(self, exchange: Exchange) -> None:
        limit = exchange.limit()
        if exchange.phase == SENDING:
            limit = min(limit, self._next_look(exchange))
        if limit < self.deadline:  # noqa: PLR1730  # interpreted, a call costs more than this
            self.deadline = limit

    def _next_look(self, exchange: Exchange) -> float:
        # Once the request is complete the read timeout runs, and the writer, who completes it, sets no timer: a look
        # at least once a read timeout finds that in time.
        return self.now + exchange.read_timeout if exchange.phase == SENDING else NEVER

    def has_output(self) -> bool:
        """Octets wait to be written, or content waits and a window is open for it."""
        return self.outbound.octets > 0 or (self.scheduler.length > 0 and self.send_window > 0)

    def queued_octets(self) -> int:
        """Octets that wait to be written, content not counted."""
        return self.outbound.octets

    def take(self, now: float) -> list[Any]:
        """What to write now, in order: at most about TURN_OCTETS of content."""
        self.now = now
        if self.scheduler.length:
            self._pump(TURN_OCTETS)
        self.replies = 0
        self.flushed_id = self.table.next_id - 2
        return self.outbound.take()

    def _stream_of(self, exchange: Exchange) -> Stream | None:
        if exchange.engine is not self:
            return None
        stream: Stream | None = self.table.find(exchange.stream_id)
        if stream is None or stream.exchange is not exchange:
            return None
        return stream

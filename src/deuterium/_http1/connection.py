"""The receive side of a connection: sections, content in its three framings, and what follows a response."""

from __future__ import annotations

from collections import deque
from typing import Any

from .._http.body import Body
from .._http.exchange import Exchange, LentPiece, join_piece
from .._http.field_section import sections_size
from .._http.phases import CONTINUE_WAIT_S, JOIN_BELOW, LEND_SHARE, PIECES, SENDING
from .._memory import octets
from .._memory.buffer_pool import PooledBuffer
from ..errors import ReadError, RemoteProtocolError
from .chunk_line import ChunkLine
from .constants import (
    CHUNK,
    CHUNK_END,
    CHUNK_LINE,
    COLLECT_FROM,
    MAX_INFORMATIONAL,
    MAX_SECTION,
    MEASURED,
    OPEN,
    PAUSE_ABOVE,
    RAW,
    SECTION,
    TRAILERS,
    UNKNOWN_LENGTH,
    UNTIL_CLOSE,
)
from .field_lines import FieldLines
from .sender import Sender


class Connection(Sender):
    """One HTTP/1.1 connection, client side, without I/O (RFC 9112), one exchange at a time.

    The driver calls ``receive`` with what it read, wakes the waiters of ``take_ready()``, writes what ``take()`` gives
    it, stops reading while ``wants_pause``, and closes the transport once ``closed``.

    ``receive_eof`` is for an end the peer meant: under TLS, after close_notify. For any other end call ``fail``, or
    content that was cut off would pass for complete (RFC 9112 section 9.8).

    After 101 (Switching Protocols) or a successful CONNECT the exchange is a tunnel: with delivery PIECES, octets go
    both ways through ``exchange.chunks`` and ``send_content``. With delivery WHOLE the exchange is finished,
    ``switched`` is set, and ``receive`` returns the offset of the other protocol's first octet: the transport and what
    was read are the caller's, this engine is done.
    """

    __slots__ = ("body", "chunk_line", "expected", "interim", "lines", "state")

    def __init__(self, strings: Any = None, continue_wait_s: float = CONTINUE_WAIT_S) -> None:
        """``strings``: a StringPool for what fields bring, or None; ``continue_wait_s``: the wait for 100."""
        Sender.__init__(self, continue_wait_s)
        self.lines = FieldLines(strings)
        self.chunk_line = ChunkLine()
        self.state = SECTION
        self.body: Any = None
        self.expected = -1
        self.interim = 0

    @property
    def http_version(self) -> str:  # type: ignore[override]
        """The version of the response received last."""
        return f"HTTP/{self.lines.version}"

    # -- the driver's verbs ------------------------------------------------------------------------------------------

    def receive(self, buffer: PooledBuffer, start: int, end: int, now: float) -> int:
        """Take in ``buffer.data[start:end]``; the offset of the first octet that is still needed.

        A response that breaks a rule ends the exchange and the connection; it is not raised. Afterwards ``closed``.
        """
        self.now = now
        if self.switched:
            return start
        if self.closed or start == end:
            return end
        if not self.flushed:
            self._unasked()
            return end
        self.heard = True
        try:
            position = self._walk(buffer, start, end)
        except RemoteProtocolError as fault:
            self.fail(fault)
            self._forget()
            return end
        return position

    def receive_eof(self, now: float) -> None:
        """The peer ended the connection in good order: the end of content that nothing else delimits."""
        self.now = now
        if self.closed:
            return
        exchange = self.exchange
        if exchange is None:
            self._close()
        elif self.state == UNTIL_CLOSE:
            self.last = True
            self._complete(exchange)
        else:
            part = "its response was complete" if self.heard else "it answered"
            self.fail(ReadError(f"the peer closed the connection before {part}", scope="connection"))
            self._forget()

    def content_due(self) -> int:
        """Octets of content that are sure to come; 0: none are known of."""
        return self.data_left if self.state == MEASURED else 0

    def _unasked(self) -> None:
        """Octets that belong to no request of ours must never be read as a response to the next one."""
        self.fail(RemoteProtocolError("RFC 9112 9.2: octets that no request asked for", scope="connection"))

    def _forget(self) -> None:
        self.body = None
        self.in_data = False
        self.data_left = 0
        self.lines.drop_parser()

    # -- the walk ----------------------------------------------------------------------------------------------------

    def _walk(self, buffer: PooledBuffer, start: int, end: int) -> int:
        data = buffer.data
        if start < 0 or end > len(data):
            raise IndexError("octets outside the buffer")
        position = start
        while self.exchange is not None:
            if position == end:
                return position
            if self.state in (SECTION, TRAILERS):
                after = self.lines.find_end(data, position, end)
                if after < 0:
                    return position
                self.lines.parse(data, position, after)
                position = after
                if self.state == SECTION:
                    self._receive_section(self.exchange)
                else:
                    self._receive_trailers(self.exchange)
            elif self.state == CHUNK_LINE:
                after = self.chunk_line.read(data, position, end)
                if after < 0:
                    return position
                position = after
                self._begin_chunk()
            elif self.state == CHUNK_END:
                if end - position < 2:
                    return position
                if data[position] != 13 or data[position + 1] != 10:
                    raise RemoteProtocolError("RFC 9112 7.1: no CR LF after a chunk", scope="connection")
                position += 2
                self.state = CHUNK_LINE
            else:
                position = self._receive_content(self.exchange, buffer, position, end)
        if self.switched:
            return position
        if position < end and not self.closed:
            self._unasked()
        return end

    # -- sections ----------------------------------------------------------------------------------------------------

    def _receive_section(self, exchange: Exchange) -> None:
        lines = self.lines
        if not lines.lines:
            raise RemoteProtocolError("RFC 9112 4: an empty line where a status line belongs", scope="connection")
        status = lines.status
        if status >= 200:
            self._receive_final(exchange, status)
        elif status == 101:
            self._switch(exchange)
        else:
            self._receive_interim(exchange, status)

    def _receive_interim(self, exchange: Exchange, status: int) -> None:
        """RFC 9110 section 15.2."""
        self.interim += 1
        if self.interim > MAX_INFORMATIONAL:
            raise RemoteProtocolError(f"more than {MAX_INFORMATIONAL} informational responses", scope="connection")
        if exchange.informational is None:
            exchange.informational = []
        if sections_size(self.lines.pairs, exchange.informational) > MAX_SECTION:
            raise RemoteProtocolError(
                f"informational responses of more than {MAX_SECTION} octets", scope="connection"
            )
        exchange.informational.append((status, self.lines.pairs))
        exchange.progress_at = self.now
        self.lines.begin()
        if status == 100 and self.held and self.framing != RAW:
            self._release_content(exchange)
        if exchange.delivery == PIECES or exchange.hears_informational:
            self._mark(exchange)

    def _receive_final(self, exchange: Exchange, status: int) -> None:
        lines = self.lines
        self._fill(exchange, status)
        if self.held:
            if exchange.method == "CONNECT" and status < 300:
                self._open_tunnel(exchange)
                return
            self._drop_content(exchange)
        if not lines.persistent:
            self.draining = True
        self._frame(exchange, status)
        if exchange.delivery == PIECES:
            exchange.chunks = deque()
            self._mark(exchange)
        if self.expected == 0:
            self._complete(exchange)

    def _fill(self, exchange: Exchange, status: int) -> None:
        lines = self.lines
        exchange.status = status
        exchange.reason = lines.reason
        exchange.fields = lines.pairs
        exchange.kinds = lines.kinds
        exchange.content_length = lines.content_length
        exchange.headers_received = True
        exchange.answered_at = self.now
        exchange.progress_at = self.now

    def _frame(self, exchange: Exchange, status: int) -> None:
        """Section 6.3: what delimits the content."""
        lines = self.lines
        self.expected = -1
        if exchange.method == "HEAD" or status in (204, 304):
            self.expected = 0
        elif lines.codings:
            if len(lines.codings) > 1 or lines.codings[0].lower() != "chunked":
                raise RemoteProtocolError(
                    f"RFC 9112 6.1: transfer coding {', '.join(lines.codings)[:64]!r} was not asked for",
                    scope="connection",
                )
            if lines.version == "1.0":
                self.draining = True  # section 6.1: the framing is suspect
            self.state = CHUNK_LINE
            self.chunk_line.begin()
            self.in_data = True
            return
        elif lines.content_length >= 0:
            self.expected = lines.content_length
            self.state = MEASURED
            self.data_left = self.expected
        else:
            self.state = UNTIL_CLOSE
            self.draining = True
            self.data_left = UNKNOWN_LENGTH
        lines.drop_parser()
        self.in_data = True

    def _receive_trailers(self, exchange: Exchange) -> None:
        if self.lines.lines:
            exchange.trailers = self.lines.pairs
        self._complete(exchange)

    # -- content -----------------------------------------------------------------------------------------------------

    def _begin_chunk(self) -> None:
        self.data_left = self.chunk_line.size
        if self.data_left:
            self.state = CHUNK
        else:
            self.lines.begin_trailers()
            self.state = TRAILERS

    def _receive_content(self, exchange: Exchange, buffer: PooledBuffer, start: int, end: int) -> int:
        size = end - start
        size = min(size, self.data_left)
        if self.state != UNTIL_CLOSE:
            self.data_left -= size
        self._deliver(exchange, buffer, start, start + size)
        if not self.data_left:
            if self.state == CHUNK:
                self.state = CHUNK_END
            else:
                self._complete(exchange)
        return start + size

    def _deliver(self, exchange: Exchange, buffer: PooledBuffer, start: int, end: int) -> None:
        size = end - start
        exchange.received += size
        exchange.progress_at = self.now
        if exchange.delivery == PIECES:
            chunks: Any = exchange.chunks
            if size * LEND_SHARE >= buffer.capacity:
                chunks.append(LentPiece(buffer, start, end))
            elif size < JOIN_BELOW and exchange.unread:
                join_piece(chunks, octets.take(buffer.data, start, end))
            else:
                chunks.append(octets.take(buffer.data, start, end))
            exchange.unread += size
            if exchange.unread > PAUSE_ABOVE:
                self.wants_pause = True
            self._mark(exchange)
        elif size == self.expected:
            exchange.content = octets.take(buffer.data, start, end)
        else:
            if self.body is None:
                self.body = Body(self.expected if self.expected >= COLLECT_FROM else -1)
            self.body.append(buffer.data, start, end)

    # -- the end of a response ---------------------------------------------------------------------------------------

    def _complete(self, exchange: Exchange) -> None:
        """Section 9.3: keep the connection only if both messages ended where they said they would."""
        if self.body is not None:
            exchange.content = self.body.finish()
        self._forget()
        self.answered += 1
        # The request may be incomplete: section 9.3 lets us stop sending, at the price of the connection.
        reusable = not (self.draining or self.last or self.head or self.sending or self.pending_octets)
        self._reset()
        self.state = SECTION
        self.interim = 0
        self.lines.begin()
        if not reusable:
            self._close()
        self._end(exchange, None)

    # -- tunnels -----------------------------------------------------------------------------------------------------

    def _switch(self, exchange: Exchange) -> None:
        """RFC 9110 section 15.2.2."""
        if not self.asked_to_switch:
            raise RemoteProtocolError(
                "RFC 9110 7.8: 101 (Switching Protocols) that nobody asked for", scope="connection"
            )
        self._fill(exchange, 101)
        self._open_tunnel(exchange)

    def _open_tunnel(self, exchange: Exchange) -> None:
        """From here on the octets are not HTTP."""
        self.draining = True
        self._forget()
        if exchange.delivery != PIECES:
            self.switched = True
            self._reset()
            self._end(exchange, None)
            return
        exchange.chunks = deque()
        self.state = UNTIL_CLOSE
        self.expected = -1
        self.in_data = True
        self.data_left = UNKNOWN_LENGTH
        if self.sending == OPEN:
            exchange.phase = SENDING
        self._release_content(exchange)
        self._mark(exchange)

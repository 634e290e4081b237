"""The content of responses: DATA frames (RFC 9113 section 6.1), whole or in the pieces they are received in."""

from __future__ import annotations

from typing import Any

from .._http.body import Body
from .._http.exchange import LentPiece, join_piece
from .._http.phases import JOIN_BELOW, LEND_SHARE, PIECES
from .._memory import octets
from .._memory.buffer_pool import PooledBuffer
from . import states
from .constants import CANCEL, FLOW_CONTROL_ERROR, PROTOCOL_ERROR, STREAM_CLOSED
from .control import Control
from .faults import ConnectionFault
from .states import HALF_CLOSED_LOCAL, HALF_CLOSED_REMOTE, ILLEGAL, RECEIVE_DATA, RECEIVE_END_STREAM
from .stream import Stream

# A body of several frames is collected into reserved memory from here on; below, one copy per frame is cheaper.
COLLECT_FROM = 4 * 1024


class Content(Control):
    """``Control``, and what becomes of received content."""

    __slots__ = ("data_ends", "data_padding", "lent", "lent_among", "read_end")

    def __init__(
        self, options: Any, buffers: Any, streams: Any, strings: Any, by_reference: int = 0
    ) -> None:
        Control.__init__(self, options, buffers, streams, strings, by_reference)
        self.lent: Any = None  # the piece of content that was lent last
        self.lent_among: Any = None  # the chunks it was appended to
        self.read_end = 0  # of what is being walked
        self.data_padding = 0
        self.data_ends = False

    def _content_at_once(self, data: bytearray, start: int, end: int, stream_id: int) -> bool:
        """Take content that came whole, in the frame that ends its response; False, and nothing is done, if it did not.

        Short content mostly comes so: what the next three do one after the other, without what they tell each other.
        """
        stream = self.table.find(stream_id)
        size = end - start
        if (
            stream is None
            or stream.state != HALF_CLOSED_LOCAL
            or not stream.got_headers
            or stream.received
            or (stream.expected != size and stream.expected >= 0)
            or size > stream.receive_window
            or size > self.receive_window
            or stream.exchange.delivery == PIECES
        ):
            return False
        exchange = stream.exchange
        exchange.received = size
        exchange.progress_at = self.now
        exchange.content = octets.take(data, start, end)
        self.receive_window -= size
        self._give_back_connection(size)
        self._close(stream, False)
        self._end(exchange, None)
        return True

    def _begin_data(self, stream_id: int, length: int, padding: int, ends: bool) -> None:
        """Account for a whole DATA frame; ``padding`` counts the pad length octet. Its payload follows in pieces."""
        if stream_id == 0:
            raise ConnectionFault(PROTOCOL_ERROR, "6.1: DATA on stream 0")
        if length > self.receive_window:
            raise ConnectionFault(FLOW_CONTROL_ERROR, "6.9: DATA beyond the connection's window")
        self.receive_window -= length
        self.in_data = True
        self.data_left = length - padding
        self.data_padding = padding - 1 if padding else 0
        self.data_ends = ends
        if padding:
            self._give_back_connection(padding)
        if not self.data_left and not ends:
            self._noise()
        stream = self.table.find(stream_id)
        self.data_stream = stream
        if stream is None:
            self._check_gone(stream_id)
        elif not stream.got_headers:
            self._stream_error(stream, PROTOCOL_ERROR, "8.1: DATA before the field section of the response")
        elif stream.state != HALF_CLOSED_LOCAL and states.after(stream.state, RECEIVE_DATA) == ILLEGAL:
            self._stream_error(stream, STREAM_CLOSED, "5.1: DATA after END_STREAM")
        elif length > stream.receive_window:
            self._stream_error(stream, FLOW_CONTROL_ERROR, "6.9: DATA beyond the stream's window")
        else:
            stream.receive_window -= length
            if padding:
                self._give_back(stream, padding)
            stream.received += self.data_left
            if stream.expected >= 0 and stream.received > stream.expected:
                self._stream_error(stream, PROTOCOL_ERROR, "8.1.1: more content than content-length says")

    def _data_payload(self, buffer: PooledBuffer, start: int, end: int) -> int:
        """Deliver what is there of the current DATA payload; clears ``in_data`` once all of it was."""
        size = end - start
        left = self.data_left - size
        if left < 0:
            size += left
            left = 0
        position = start + size
        self.data_left = left
        stream = self.data_stream
        if size:
            if stream is None:
                self._give_back_connection(size)
            else:
                self._deliver(stream, buffer, start, position)
        if left:
            return position
        if self.data_padding:
            skipped = min(self.data_padding, end - position)
            self.data_padding -= skipped
            position += skipped
            if self.data_padding:
                return position
        self.in_data = False
        self.data_stream = None
        if self.data_ends and stream is not None:
            self._receive_end_stream(stream)
        return position

    def _deliver(self, stream: Stream, buffer: PooledBuffer, start: int, end: int) -> None:
        exchange = stream.exchange
        size = end - start
        exchange.received += size
        exchange.progress_at = self.now
        if exchange.delivery == PIECES:
            chunks = exchange.chunks
            lent = self.lent
            if lent is not None and lent.buffer is buffer and chunks and chunks[len(chunks) - 1] is lent:
                lent.extend(start, end)  # nothing of the buffer was lent since, and nobody has seen the piece yet
            elif max(size, self.read_end - end) * LEND_SHARE >= buffer.capacity:
                # Large, or more may follow in this read: a small one is settled at its end.
                if lent is not None:
                    self._settle_lent()
                lent = LentPiece(buffer, start, end)
                self.lent = lent
                self.lent_among = chunks
                chunks.append(lent)
            elif size < JOIN_BELOW and exchange.unread:
                join_piece(exchange.chunks, octets.take(buffer.data, start, end))
            else:
                exchange.chunks.append(octets.take(buffer.data, start, end))
            exchange.unread += size
            self._mark(exchange)
            return
        body = stream.body
        if body is not None:
            body.append(buffer.data, start, end)
        elif self.data_left == 0 and (self.data_ends or size == stream.expected):
            exchange.content = octets.take(buffer.data, start, end)
        else:
            body = Body(stream.expected if stream.expected >= COLLECT_FROM else -1)
            body.append(buffer.data, start, end)
            stream.body = body
        if self.data_left or not self.data_ends:  # else the stream needs no window any more
            self._give_back(stream, size)
        self._give_back_connection(size)

    def _settle_lent(self) -> None:
        """Copy the piece lent last if it stayed so small that it is not worth its buffer."""
        lent = self.lent
        chunks = self.lent_among
        if lent.buffer is None or not chunks or chunks[len(chunks) - 1] is not lent:
            self.lent = None
        elif (lent.end - lent.start) * LEND_SHARE < lent.buffer.capacity:
            self.lent = None
            chunks.pop()
            join_piece(chunks, octets.take(lent.buffer.data, lent.start, lent.end))
            lent.release()

    def _receive_end_stream(self, stream: Stream) -> None:
        """The response is complete (section 8.1)."""
        exchange = stream.exchange
        if stream.expected >= 0 and stream.received != stream.expected:
            self._stream_error(stream, PROTOCOL_ERROR, "8.1.1: less content than content-length says")
            return
        state = states.after(stream.state, RECEIVE_END_STREAM)
        if stream.body is not None:
            exchange.content = stream.body.finish()
        stream.state = state
        if state == HALF_CLOSED_REMOTE:
            # The answer is complete, the rest of the request is not needed: section 8.1 lets us stop sending.
            self._reset(stream, CANCEL)
        else:
            self._close(stream, False)
        self._end(exchange, None)

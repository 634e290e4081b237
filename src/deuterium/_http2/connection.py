"""The receive side of a connection: one walk over the octets, dispatching on the frame type, no object per frame."""

from __future__ import annotations

from collections import deque
from typing import Any

from .._http.field_section import FieldSection, sections_size
from .._http.phases import PIECES
from .._memory import octets
from .._memory.buffer_pool import PooledBuffer
from ..errors import GoAway, ReadError, RemoteProtocolError
from . import states
from .constants import (
    ACK,
    CANCEL,
    CONTINUATION,
    DATA,
    END_HEADERS,
    END_STREAM,
    ENHANCE_YOUR_CALM,
    FRAME_HEADER_LENGTH,
    FRAME_SIZE_ERROR,
    GOAWAY,
    HEADERS,
    MAX_CONTINUATIONS,
    MAX_FIELD_BLOCK,
    MAX_INFORMATIONAL,
    MAX_STREAM_ID,
    PADDED,
    PING,
    PRIORITY,
    PRIORITY_FLAG,
    PROTOCOL_ERROR,
    PUSH_PROMISE,
    RST_STREAM,
    SETTINGS,
    STREAM_CLOSED,
    WINDOW_UPDATE,
    error_name,
)
from .content import Content
from .faults import ConnectionFault
from .outbound import HEADER
from .states import HALF_CLOSED_LOCAL, ILLEGAL, RECEIVE_HEADERS
from .stream import Stream

COMPILED = not __file__.endswith((".py", ".pyc"))


class Connection(Content):
    """One HTTP/2 connection, client side, without I/O (RFC 9113).

    The driver calls ``receive`` with what it read, wakes the waiters of ``take_ready()``, and writes what ``take()``
    gives it.
    """

    __slots__ = (
        "block",
        "block_end_stream",
        "block_frames",
        "block_stream_id",
        "section",
    )

    http_version = "HTTP/2"

    def __init__(
        self, options: Any, buffers: Any, streams: Any, strings: Any, by_reference: int = 0
    ) -> None:
        Content.__init__(self, options, buffers, streams, strings, by_reference)
        self.section = FieldSection()
        self.block = bytearray()  # a field block that goes on in CONTINUATION frames
        self.block_stream_id = 0
        self.block_end_stream = False
        self.block_frames = 0

    # -- the driver's verbs ------------------------------------------------------------------------------------------

    def receive(self, buffer: PooledBuffer, start: int, end: int, now: float) -> int:
        """Walk the frames in ``buffer.data[start:end]``; the offset of the first octet that is still needed.

        A connection error is answered with GOAWAY and ends every exchange; it is not raised. Afterwards ``closed``.
        """
        self.now = now
        if self.closed:
            return end
        self.read_end = end
        try:
            position = self._walk(buffer, start, end)
            if self.lent is not None:
                self._settle_lent()
        except RemoteProtocolError as fault:  # ConnectionFault or HpackError
            self._send_goaway(fault.code or PROTOCOL_ERROR, str(fault).encode("latin-1", "replace"))
            self.fail(fault)
            return end
        if self.table.waiting:
            self.admit()
        return position

    def receive_eof(self, now: float) -> None:
        """The peer closed the transport: whoever still waits gets an error."""
        self.now = now
        if self.goaway_code > 0:
            self.fail(
                GoAway(
                    f"the peer closed the connection with {error_name(self.goaway_code)}",
                    last_stream_id=self.last_stream_id,
                    code=self.goaway_code,
                )
            )
        else:
            self.fail(ReadError("the peer closed the connection before it answered", scope="connection"))

    # -- the walk ----------------------------------------------------------------------------------------------------

    def _walk(self, buffer: PooledBuffer, start: int, end: int) -> int:
        data = buffer.data
        if start < 0 or end > len(data):
            raise IndexError("octets outside the buffer")
        p = data
        position = start
        while True:
            if self.in_data:
                position = self._data_payload(buffer, position, end)
                if self.in_data:
                    return position
            if end - position < FRAME_HEADER_LENGTH:
                return position
            if COMPILED:
                length = p[position] << 16 | p[position + 1] << 8 | p[position + 2]
                kind = p[position + 3]
                flags = p[position + 4]
                stream_id = (
                    (p[position + 5] & 127) << 24 | p[position + 6] << 16 | p[position + 7] << 8 | p[position + 8]
                )
            else:  # one call costs less than sixteen steps
                length, flags, stream_id = HEADER.unpack_from(data, position)
                kind = length & 255
                length >>= 8
                stream_id &= MAX_STREAM_ID
            if not self.settings_received:
                self._check_first(data, position, kind, flags)
            if length > self.options_frame_size:
                raise ConnectionFault(
                    FRAME_SIZE_ERROR, f"4.2: a frame of {length} octets, {self.options_frame_size} are allowed"
                )
            if self.block_stream_id and (kind != CONTINUATION or stream_id != self.block_stream_id):
                raise ConnectionFault(PROTOCOL_ERROR, "6.10: a frame other than CONTINUATION inside a field block")
            if kind == DATA:
                padding = 0
                payload = position + FRAME_HEADER_LENGTH
                if (
                    flags == END_STREAM
                    and 0 < length <= end - payload
                    and self.tap is None
                    and self._content_at_once(data, payload, payload + length, stream_id)
                ):
                    position = payload + length
                    continue
                if flags & PADDED:
                    if length == 0:
                        raise ConnectionFault(FRAME_SIZE_ERROR, "6.1: a padded DATA frame without a pad length")
                    if end == payload:
                        return position
                    padding = p[payload] + 1
                    if padding > length:
                        raise ConnectionFault(PROTOCOL_ERROR, "6.1: padding as long as the payload or longer")
                    payload += 1
                if self.tap is not None:
                    self.tap(False, length, kind, flags, stream_id)
                self._begin_data(stream_id, length, padding, flags & END_STREAM != 0)
                position = payload
                continue
            payload = position + FRAME_HEADER_LENGTH
            if end - payload < length:
                return position
            position = payload + length
            if self.tap is not None:
                self.tap(False, length, kind, flags, stream_id)
            if kind == HEADERS:
                self._receive_headers(data, payload, position, flags, stream_id)
            else:
                self._dispatch(data, payload, position, kind, flags, stream_id)
            if self.closed:
                return end

    def _check_first(self, data: bytearray, position: int, kind: int, flags: int) -> None:
        if data[position : position + 5] == b"HTTP/":
            raise ConnectionFault(PROTOCOL_ERROR, "3.4: the peer answered in HTTP/1.x")
        if kind != SETTINGS or flags & ACK:
            raise ConnectionFault(PROTOCOL_ERROR, "3.4: the peer's first frame is not SETTINGS")

    def _dispatch(self, data: bytearray, start: int, end: int, kind: int, flags: int, stream_id: int) -> None:
        if kind == CONTINUATION:
            self._receive_continuation(data, start, end, flags)
        elif kind == WINDOW_UPDATE:
            self._receive_window_update(data, start, end, stream_id)
        elif kind == SETTINGS:
            self._receive_settings(octets.take(data, start, end), flags, stream_id)
        elif kind == PING:
            self._receive_ping(octets.take(data, start, end), flags, stream_id)
        elif kind == RST_STREAM:
            self._receive_rst_stream(octets.take(data, start, end), stream_id)
        elif kind == GOAWAY:
            self._receive_goaway(octets.take(data, start, end), stream_id)
        elif kind == PUSH_PROMISE:
            raise ConnectionFault(PROTOCOL_ERROR, "8.4: PUSH_PROMISE although SETTINGS_ENABLE_PUSH is 0")
        else:
            self._noise()
            if kind == PRIORITY:
                self._check_priority(end - start, stream_id)
            # Frames of unknown type are ignored (section 4.1).

    # -- HEADERS and CONTINUATION, sections 6.2, 6.10, 8.1 -----------------------------------------------------------

    def _receive_headers(self, data: bytearray, start: int, end: int, flags: int, stream_id: int) -> None:
        if stream_id == 0:
            raise ConnectionFault(PROTOCOL_ERROR, "6.2: HEADERS on stream 0")
        if flags & PADDED:
            if start == end:
                raise ConnectionFault(FRAME_SIZE_ERROR, "6.2: a padded HEADERS frame without a pad length")
            padding = data[start]
            start += 1
            # Padding may take all that is left for the fragment, nothing of the priority.
            room = end - start
            if flags & PRIORITY_FLAG and room >= 5:
                room -= 5
            if padding > room:
                raise ConnectionFault(PROTOCOL_ERROR, "6.2: padding longer than the payload")
            end -= padding
        if flags & PRIORITY_FLAG:
            if end - start < 5:
                raise ConnectionFault(FRAME_SIZE_ERROR, "6.2: a HEADERS frame too short for its priority")
            start += 5
        ends = flags & END_STREAM != 0
        if flags & END_HEADERS:
            self._field_section(data, start, end, stream_id, ends)
            return
        if end == start:
            self._noise()
        self.block_stream_id = stream_id
        self.block_end_stream = ends
        self.block_frames = 0
        self.block = bytearray(data[start:end])

    def _receive_continuation(self, data: bytearray, start: int, end: int, flags: int) -> None:
        if not self.block_stream_id:
            raise ConnectionFault(PROTOCOL_ERROR, "6.10: CONTINUATION outside a field block")
        self.block_frames += 1
        if self.block_frames > MAX_CONTINUATIONS or len(self.block) + end - start > MAX_FIELD_BLOCK:
            raise ConnectionFault(ENHANCE_YOUR_CALM, "10.5.1: a field block in too many or too long pieces")
        self.block += data[start:end]
        if flags & END_HEADERS:
            block = self.block
            stream_id = self.block_stream_id
            self.block = bytearray()
            self.block_stream_id = 0
            self._field_section(block, 0, len(block), stream_id, self.block_end_stream)

    def _field_section(self, data: bytearray, start: int, end: int, stream_id: int, ends: bool) -> None:
        """Decode one field section, whoever it is for: the dynamic table must stay in step (RFC 7541 section 2.2)."""
        section = self.section
        stream = self.table.find(stream_id)
        trailers = stream is not None and stream.got_headers
        section.begin(self.options_list_size, trailers)
        self.decoder.decode(data, start, end, section)
        if stream is None:
            self._check_gone(stream_id)
            self._noise()
            return
        if section.status < 0:
            section.finish()
        if section.overflow:
            self._stream_error(
                stream, CANCEL, f"6.5.2: a field section longer than {self.options_list_size} octets"
            )
        elif section.error:
            self._stream_error(stream, PROTOCOL_ERROR, section.error)
        elif stream.state != HALF_CLOSED_LOCAL and states.after(stream.state, RECEIVE_HEADERS) == ILLEGAL:
            self._stream_error(stream, STREAM_CLOSED, "5.1: HEADERS after END_STREAM")
        elif trailers:
            self._receive_trailers(stream, ends)
        elif section.status < 200:
            self._receive_informational(stream, ends)
        else:
            self._receive_final(stream, ends)

    def _receive_final(self, stream: Stream, ends: bool) -> None:
        section = self.section
        exchange = stream.exchange
        status = section.status
        exchange.status = status
        exchange.fields = section.pairs
        exchange.kinds = section.kinds
        exchange.content_length = section.content_length
        exchange.headers_received = True
        exchange.answered_at = self.now
        exchange.progress_at = self.now
        stream.got_headers = True
        if exchange.method == "HEAD" or status in (204, 304):
            stream.expected = 0  # RFC 9110 section 6.4.1: no content, whatever content-length says
        elif exchange.method == "CONNECT" and status < 300:
            stream.expected = -1
        else:
            stream.expected = section.content_length
        if exchange.delivery == PIECES:
            exchange.chunks = deque()
            self._mark(exchange)
        if ends:
            self._receive_end_stream(stream)

    def _receive_informational(self, stream: Stream, ends: bool) -> None:
        section = self.section
        exchange = stream.exchange
        if ends:
            self._stream_error(stream, PROTOCOL_ERROR, "8.1: END_STREAM on an informational response")
        elif section.status == 101:
            self._stream_error(stream, PROTOCOL_ERROR, "8.6: 101 (Switching Protocols) in HTTP/2")
        else:
            if exchange.informational is None:
                exchange.informational = []
            if len(exchange.informational) >= MAX_INFORMATIONAL:
                self._stream_error(stream, ENHANCE_YOUR_CALM, f"more than {MAX_INFORMATIONAL} informational responses")
                return
            if sections_size(section.pairs, exchange.informational) > self.options_list_size:
                self._stream_error(
                    stream,
                    ENHANCE_YOUR_CALM,
                    f"6.5.2: informational responses of more than {self.options_list_size} octets",
                )
                return
            exchange.informational.append((section.status, section.pairs))
            if section.status == 100 and self.held:
                self._release(stream)
            if exchange.delivery == PIECES or exchange.hears_informational:
                self._mark(exchange)

    def _receive_trailers(self, stream: Stream, ends: bool) -> None:
        if not ends:
            self._stream_error(stream, PROTOCOL_ERROR, "8.1: a trailer section without END_STREAM")
            return
        stream.exchange.trailers = self.section.pairs
        self._receive_end_stream(stream)

"""Frames that carry no message: settings, pings, windows, resets, GOAWAY; and what breaks a rule (RFC 9113 5.4)."""

from __future__ import annotations

from .._http.phases import NEVER
from ..errors import GoAway, RemoteProtocolError, StreamReset
from . import states, windows
from .constants import (
    ACK,
    ENHANCE_YOUR_CALM,
    FLOW_CONTROL_ERROR,
    FRAME_SIZE_ERROR,
    MAX_DEBUG_DATA,
    MAX_QUEUED_REPLIES,
    PING,
    PROTOCOL_ERROR,
    REFUSED_STREAM,
    SETTINGS,
    STREAM_CLOSED,
    error_name,
)
from .endpoint import Endpoint
from .faults import ConnectionFault
from .states import RESET
from .stream import Stream


class Control(Endpoint):
    """Receives every frame but DATA, HEADERS and CONTINUATION."""

    __slots__ = ()

    def _noise(self) -> None:
        if not self.noise.take(self.now):
            raise ConnectionFault(ENHANCE_YOUR_CALM, "10.5: too many frames that carry nothing")

    def _check_gone(self, stream_id: int) -> None:
        """A frame for a stream that is not open: idle, closed by the peer, or reset by us a moment ago."""
        if self.table.is_idle(stream_id):
            raise ConnectionFault(PROTOCOL_ERROR, "5.1: a frame on an idle stream")
        if not self.table.may_be_late(stream_id):
            raise ConnectionFault(STREAM_CLOSED, "5.1: a frame on a closed stream")

    def _stream_error(self, stream: Stream, code: int, rule: str) -> None:
        """Section 5.4.2: reset the stream, fail its exchange, keep the connection."""
        exchange = stream.exchange
        self._reset(stream, code)
        self._end(exchange, RemoteProtocolError(rule, scope="stream", code=code))

    def _receive_window_update(self, data: bytearray, start: int, end: int, stream_id: int) -> None:
        """Section 6.9."""
        if end - start != 4:
            raise ConnectionFault(FRAME_SIZE_ERROR, "6.9: a WINDOW_UPDATE payload is 4 octets")
        self._noise()
        increment = int.from_bytes(data[start:end], "big") & 0x7FFFFFFF
        if stream_id == 0:
            if not increment:
                raise ConnectionFault(PROTOCOL_ERROR, "6.9: a WINDOW_UPDATE of 0 for the connection")
            window = windows.enlarged(self.send_window, increment)
            if window == windows.OVERFLOW:
                raise ConnectionFault(FLOW_CONTROL_ERROR, "6.9.1: the connection's window above 2^31-1")
            self.send_window = window
            return
        stream = self.table.find(stream_id)
        if stream is None:
            if self.table.is_idle(stream_id):
                raise ConnectionFault(PROTOCOL_ERROR, "5.1: WINDOW_UPDATE on an idle stream")
        elif not increment:
            self._stream_error(stream, PROTOCOL_ERROR, "6.9: a WINDOW_UPDATE of 0")
        else:
            window = windows.enlarged(stream.send_window, increment)
            if window == windows.OVERFLOW:
                self._stream_error(stream, FLOW_CONTROL_ERROR, "6.9.1: the stream's window above 2^31-1")
                return
            stream.send_window = window
            if stream.pending_octets:
                self.scheduler.add(stream)

    def _receive_settings(self, payload: bytes, flags: int, stream_id: int) -> None:
        """Section 6.5."""
        if stream_id:
            raise ConnectionFault(PROTOCOL_ERROR, "6.5: SETTINGS on a stream")
        self._noise()
        if flags & ACK:
            if payload:
                raise ConnectionFault(FRAME_SIZE_ERROR, "6.5: a SETTINGS acknowledgement with a payload")
            if not self.settings_acknowledged:
                self.settings_acknowledged = True
                self.opening_window = self.options.stream_window
                self.decoder.set_limit(self.options.header_table_size)
            return
        self.settings_received = True
        table_size = self.peer.header_table_size
        change = self.peer.apply(payload)
        self._read_peer()
        if change:
            for stream in self.table.all():
                window = windows.enlarged(stream.send_window, change)
                if window == windows.OVERFLOW:
                    raise ConnectionFault(FLOW_CONTROL_ERROR, "6.9.2: a stream's window above 2^31-1")
                stream.send_window = window
                if stream.pending_octets:
                    self.scheduler.add(stream)
        if self.peer.lowest_table_size < table_size:
            self.encoder.set_peer_limit(self.peer.lowest_table_size)
        self.encoder.set_peer_limit(self.peer.header_table_size)
        self._reply(SETTINGS, b"")

    def _receive_ping(self, payload: bytes, flags: int, stream_id: int) -> None:
        """Section 6.7."""
        if stream_id:
            raise ConnectionFault(PROTOCOL_ERROR, "6.7: PING on a stream")
        if len(payload) != 8:
            raise ConnectionFault(FRAME_SIZE_ERROR, "6.7: a PING payload is 8 octets")
        self._noise()
        if flags & ACK:
            sent_at = self.pings.pop(payload, NEVER)
            if sent_at != NEVER:
                self.rtt = self.now - sent_at
            return
        self._reply(PING, payload)

    def _reply(self, kind: int, payload: bytes) -> None:
        """Queue an acknowledgement; a peer that asks but does not read cannot make the queue grow without end."""
        self.replies += 1
        if self.replies > MAX_QUEUED_REPLIES:
            raise ConnectionFault(ENHANCE_YOUR_CALM, "10.5: too many unread acknowledgements")
        self.outbound.frame(kind, ACK, 0, payload)

    def _receive_rst_stream(self, payload: bytes, stream_id: int) -> None:
        """Section 6.4."""
        if stream_id == 0:
            raise ConnectionFault(PROTOCOL_ERROR, "6.4: RST_STREAM on stream 0")
        if len(payload) != 4:
            raise ConnectionFault(FRAME_SIZE_ERROR, "6.4: a RST_STREAM payload is 4 octets")
        stream = self.table.find(stream_id)
        if stream is None:
            if self.table.is_idle(stream_id):
                raise ConnectionFault(PROTOCOL_ERROR, "6.4: RST_STREAM on an idle stream")
            self._noise()
            return
        code = int.from_bytes(payload, "big")
        exchange = stream.exchange
        stream.state = states.after(stream.state, RESET)
        self._close(stream, True)
        self._end(
            exchange,
            StreamReset(
                f"the peer reset the stream with {error_name(code)}",
                scope="stream",
                code=code,
                # Section 8.7: REFUSED_STREAM promises that nothing was processed.
                request_processed=False if code == REFUSED_STREAM else None,
            ),
        )

    def _receive_goaway(self, payload: bytes, stream_id: int) -> None:
        """Section 6.8: streams above the last identifier were not processed; the others go on."""
        if stream_id:
            raise ConnectionFault(PROTOCOL_ERROR, "6.8: GOAWAY on a stream")
        if len(payload) < 8:
            raise ConnectionFault(FRAME_SIZE_ERROR, "6.8: a GOAWAY payload is at least 8 octets")
        self._noise()
        last_stream_id = int.from_bytes(payload[:4], "big") & 0x7FFFFFFF
        if last_stream_id > self.last_stream_id:
            raise ConnectionFault(PROTOCOL_ERROR, "6.8: a later GOAWAY with a higher last stream identifier")
        self.draining = True
        self.last_stream_id = last_stream_id
        self.goaway_code = int.from_bytes(payload[4:8], "big")
        debug = payload[8 : 8 + MAX_DEBUG_DATA].decode("latin-1")
        for stream in self.table.all():
            if stream.id > last_stream_id:
                exchange = stream.exchange
                stream.state = states.after(stream.state, RESET)
                self._close(stream, True)
                self._end(
                    exchange,
                    GoAway(
                        f"the peer is closing the connection with {error_name(self.goaway_code)} {debug}".rstrip(),
                        last_stream_id=last_stream_id,
                        code=self.goaway_code,
                        request_processed=False,
                    ),
                )
        self._fail_waiting()

    def _check_priority(self, length: int, stream_id: int) -> None:
        """Section 6.3: deprecated, checked for form and ignored."""
        if stream_id == 0:
            raise ConnectionFault(PROTOCOL_ERROR, "6.3: PRIORITY on stream 0")
        if length != 5:
            stream = self.table.find(stream_id)
            if stream is None:
                raise ConnectionFault(FRAME_SIZE_ERROR, "6.3: a PRIORITY payload is 5 octets")
            self._stream_error(stream, FRAME_SIZE_ERROR, "6.3: a PRIORITY payload is 5 octets")

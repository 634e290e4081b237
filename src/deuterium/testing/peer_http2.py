"""The scripted peer's side of an HTTP/2 connection (RFC 9113)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from .._http2.constants import (
    ACK,
    CONTINUATION,
    DATA,
    DEFAULT_WINDOW,
    END_HEADERS,
    END_STREAM,
    GOAWAY,
    HEADERS,
    INITIAL_WINDOW_SIZE,
    MIN_MAX_FRAME_SIZE,
    PING,
    RST_STREAM,
    SETTINGS,
    WINDOW_UPDATE,
)
from .._http2.frames import Frame, FrameHeader
from ..headers import Headers
from ..request import HeaderTypes
from .peer_connection import CANCEL, PeerConnection, PeerRequest, pairs_of
from .peer_fields import BlockReader, write_block

LARGE_WINDOW = 1 << 30  # request content is never held back unless the script's settings say so


class Http2PeerConnection(PeerConnection):
    """Answers SETTINGS and PING by itself and keeps to the client's windows; the rest is the script's."""

    http_version = "HTTP/2"

    def __init__(self, peer: Any, number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        super().__init__(peer, number, reader, writer)
        self.streams: dict[int, Http2PeerRequest] = {}
        self.window = DEFAULT_WINDOW  # what the client still takes, on the connection
        self.stream_window = DEFAULT_WINDOW  # what it takes on a new stream
        self.last_stream_id = 0
        self.answers_pings = True
        self._blocks = BlockReader()
        self._block = b""
        self._ends = False

    # -- what a script says ------------------------------------------------------------------------------------------

    def send_frame(self, kind: int, flags: int = 0, stream_id: int = 0, payload: bytes = b"") -> None:
        """Any frame."""
        self.send_octets(
            len(payload).to_bytes(3, "big") + bytes((kind, flags)) + stream_id.to_bytes(4, "big") + payload
        )

    def change_settings(self, settings: Mapping[int, int]) -> None:
        """SETTINGS (section 6.5)."""
        pairs = settings.items()
        self.send_frame(SETTINGS, payload=b"".join(k.to_bytes(2, "big") + v.to_bytes(4, "big") for k, v in pairs))

    def ping(self, payload: bytes = bytes(8)) -> None:
        """PING (section 6.7)."""
        self.send_frame(PING, payload=payload)

    def goaway(self, last_stream_id: int | None = None, code: int = 0, debug: bytes = b"") -> None:
        """GOAWAY (section 6.8); requests up to ``last_stream_id`` may still be answered. None: up to the last one."""
        last = self.last_stream_id if last_stream_id is None else last_stream_id
        self.send_frame(GOAWAY, payload=last.to_bytes(4, "big") + code.to_bytes(4, "big") + debug)

    # -- reading -----------------------------------------------------------------------------------------------------

    def open(self) -> None:
        """SETTINGS, and a large window."""
        self.change_settings({INITIAL_WINDOW_SIZE: LARGE_WINDOW, **self.peer.settings})
        self.send_frame(WINDOW_UPDATE, payload=LARGE_WINDOW.to_bytes(4, "big"))

    async def serve(self, first: bytes) -> None:
        """Read frames."""
        while True:
            await self._reading.wait()
            head = await self.reader.readexactly(9)
            payload = await self.reader.readexactly(int.from_bytes(head[:3], "big"))
            stream_id = int.from_bytes(head[5:], "big") & 0x7FFFFFFF
            frame = Frame(FrameHeader(len(payload), head[3], head[4], stream_id), payload)
            self.frames.append(frame)
            self._receive(frame)

    def _receive(self, frame: Frame) -> None:
        kind = frame.kind
        stream = self.streams.get(frame.stream_id)
        if kind in (HEADERS, CONTINUATION):
            self._block += frame.content
            self._ends = frame.end_stream if kind == HEADERS else self._ends
            if frame.end_headers:
                block, self._block = self._block, b""
                self._receive_fields(frame.stream_id, stream, self._blocks.read(block))
        elif kind == DATA and stream is not None:
            stream.content += frame.content
            if frame.payload:  # windows are given back at once
                self.send_frame(WINDOW_UPDATE, 0, 0, len(frame.payload).to_bytes(4, "big"))
        elif kind == SETTINGS and not frame.ack:
            self._receive_settings(dict(frame.settings))
        elif kind == PING and not frame.ack and self.answers_pings:
            self.send_frame(PING, ACK, 0, frame.payload)
        elif kind == WINDOW_UPDATE:
            if stream is not None:
                stream.window += frame.increment
            elif not frame.stream_id:
                self.window += frame.increment
            self._pump()
        elif kind == RST_STREAM and stream is not None:
            stream.cancelled = frame.error_code
            stream.closed = True
        if frame.end_stream and stream is not None and frame.kind == DATA:
            stream.complete = True
        if stream is not None:
            stream.changed.set()

    def _receive_fields(self, stream_id: int, stream: Http2PeerRequest | None, fields: list[tuple[str, str]]) -> None:
        if stream is not None:
            stream.trailers = Headers.from_pairs(fields)
            stream.complete = True
            return
        stream = Http2PeerRequest(self, stream_id, fields)
        stream.window = self.stream_window
        stream.complete = self._ends
        self.streams[stream_id] = stream
        self.last_stream_id = max(self.last_stream_id, stream_id)
        self.requests.append(stream)
        self.peer.play(stream)

    def _receive_settings(self, settings: dict[int, int]) -> None:
        window = settings.get(INITIAL_WINDOW_SIZE, self.stream_window)
        for stream in self.streams.values():
            stream.window += window - self.stream_window
        self.stream_window = window
        self.send_frame(SETTINGS, ACK)
        self._pump()

    # -- content -----------------------------------------------------------------------------------------------------

    def _pump(self) -> None:
        for stream in self.streams.values():
            stream.pump()


class Http2PeerRequest(PeerRequest):
    """One stream."""

    connection: Http2PeerConnection

    def __init__(self, connection: Http2PeerConnection, stream_id: int, fields: list[tuple[str, str]]) -> None:
        super().__init__(connection, stream_id, fields)
        self.window = 0
        self.closed = False
        self._waiting = bytearray()
        self._ending = False
        self._section: list[tuple[str, str]] | None = None

    def inform(self, status: int, headers: HeaderTypes | None = None) -> None:
        self._fields([(":status", str(status)), *pairs_of(headers)], end=False)

    def start(self, status: int = 200, headers: HeaderTypes | None = None, *, end: bool = False) -> None:
        self.answered = True
        self._fields([(":status", str(status)), *pairs_of(headers)], end)

    def send(self, content: bytes, *, end: bool = False) -> None:
        self._waiting += content
        self._ending = self._ending or end
        self.pump()

    def finish(self, trailers: HeaderTypes | None = None) -> None:
        self._section = pairs_of(trailers) or None
        self._ending = True
        self.pump()

    def reset(self, code: int = CANCEL) -> None:
        self.closed = True
        self.connection.send_frame(RST_STREAM, 0, self.stream_id, code.to_bytes(4, "big"))

    def pump(self) -> None:
        """Send what the windows allow."""
        while self._waiting and not self.closed:
            size = min(len(self._waiting), self.window, self.connection.window, MIN_MAX_FRAME_SIZE)
            if size <= 0:
                return
            piece = bytes(self._waiting[:size])
            del self._waiting[:size]
            self.window -= size
            self.connection.window -= size
            last = self._ending and not self._waiting and self._section is None
            self.connection.send_frame(DATA, END_STREAM if last else 0, self.stream_id, piece)
            if last:
                self.closed = True
        if self._ending and not self.closed:
            self.closed = True
            if self._section is not None:
                self._fields(self._section, end=True)
            else:
                self.connection.send_frame(DATA, END_STREAM, self.stream_id)

    def _fields(self, fields: list[tuple[str, str]], end: bool) -> None:
        block = write_block(fields)
        self.closed = self.closed or end
        first, rest = block[:MIN_MAX_FRAME_SIZE], block[MIN_MAX_FRAME_SIZE:]
        flags = END_STREAM if end else 0
        self.connection.send_frame(HEADERS, flags | (0 if rest else END_HEADERS), self.stream_id, first)
        while rest:
            piece, rest = rest[:MIN_MAX_FRAME_SIZE], rest[MIN_MAX_FRAME_SIZE:]
            self.connection.send_frame(CONTINUATION, 0 if rest else END_HEADERS, self.stream_id, piece)

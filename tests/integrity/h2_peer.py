"""An HTTP/2 server built from the RFC's numbers and ``hpack``: obeys every window, and a script."""

from __future__ import annotations

from typing import Any

import hpack

from rfc import wire

from .content import Ledger, asked, content_of
from .peers import ScriptedPeer
from .script import Act, Script

WINDOW = 65535
MORE = 1000
EARLY_FROM = 1  # octets of content after which an early answer may come
LAST = (1 << 31) - 1


class PeerStream:
    """One request, and what is left of its response."""

    def __init__(self, stream_id: int, name: str, size: int, upload: int, act: Act, window: int) -> None:
        self.stream_id = stream_id
        self.name = name
        self.size = size
        self.upload = upload
        self.act = act
        self.window = window
        self.content = bytearray()
        self.complete = False
        self.rest = b""
        self.sending = False
        self.stops_at = -1  # octets left at which the response breaks off
        self.trailers = False


class H2Peer(ScriptedPeer):
    """One connection."""

    def __init__(self, script: Script, ledger: Ledger) -> None:
        super().__init__(script, ledger)
        self.buffer = bytearray()
        self.introduced = False
        self.begun = False
        self.decoder = hpack.Decoder()
        self.encoder = hpack.Encoder()
        self.streams: dict[int, PeerStream] = {}
        self.window = WINDOW
        self.stream_window = WINDOW
        self.last_seen = 0
        self.last_taken: int | None = None  # after GOAWAY: later streams are not looked at
        self.taken_back = 0

    # -- frames in ---------------------------------------------------------------------------------------------------

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self.later(self.script.delay_s(), self._introduce)

    def _introduce(self) -> None:
        """The server connection preface (RFC 9113 section 3.4); until it was sent, nothing is read."""
        chance = self.script.chance
        self.say(
            wire.settings(
                {
                    wire.MAX_CONCURRENT_STREAMS: self.script.temper.most_streams,
                    wire.INITIAL_WINDOW_SIZE: chance.choice((WINDOW, 1, 1000, 1 << 20)),
                    wire.MAX_FRAME_SIZE: chance.choice((16384, 20000)),
                    wire.HEADER_TABLE_SIZE: chance.choice((4096, 0, 100)),
                }
            )
        )
        self.introduced = True
        self.data_received(b"")

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        if not self.introduced:
            return
        if not self.begun:
            if len(self.buffer) < len(wire.PREFACE):
                return
            assert self.buffer.startswith(wire.PREFACE)
            del self.buffer[: len(wire.PREFACE)]
            self.begun = True
        while len(self.buffer) >= 9:
            length = int.from_bytes(self.buffer[:3], "big")
            if len(self.buffer) < 9 + length:
                return
            kind, flags = self.buffer[3], self.buffer[4]
            stream_id = int.from_bytes(self.buffer[5:9], "big")
            payload = bytes(self.buffer[9 : 9 + length])
            del self.buffer[: 9 + length]
            self._frame(kind, flags, stream_id, payload)

    def _frame(self, kind: int, flags: int, stream_id: int, payload: bytes) -> None:
        stream = self.streams.get(stream_id)
        if kind == wire.HEADERS:
            assert flags & wire.END_HEADERS, "the client sent a field section of more than one frame"
            fields = {str(name): str(value) for name, value in self.decoder.decode(payload)}
            if ":path" in fields:
                stream = self._open(stream_id, fields[":path"])
        elif kind == wire.DATA:
            self._give_back(stream_id, stream, len(payload))
            if stream is not None:
                stream.content += payload
        elif kind == wire.SETTINGS and not flags & wire.ACK:
            self._settings(payload)
        elif kind == wire.PING and not flags & wire.ACK:
            self.later(self.script.delay_s(), self.say, wire.ping(payload, ack=True))
        elif kind == wire.WINDOW_UPDATE:
            increment = int.from_bytes(payload, "big")
            if stream_id == 0:
                self.window += increment
                for each in list(self.streams.values()):
                    self._send_soon(each)
            elif stream is not None:
                stream.window += increment
                self._send_soon(stream)
        elif kind == wire.RST_STREAM:
            self.streams.pop(stream_id, None)
        if kind in (wire.HEADERS, wire.DATA) and stream is not None and stream.stream_id in self.streams:
            if flags & wire.END_STREAM:
                stream.complete = True
                self._carry_out(stream)
            elif stream.act == "early" and len(stream.content) >= EARLY_FROM:
                self._carry_out(stream)

    def _settings(self, payload: bytes) -> None:
        for at in range(0, len(payload), 6):
            number, value = int.from_bytes(payload[at : at + 2], "big"), int.from_bytes(payload[at + 2 : at + 6], "big")
            if number == wire.INITIAL_WINDOW_SIZE:
                for stream in self.streams.values():
                    stream.window += value - self.stream_window
                self.stream_window = value
            elif number == wire.HEADER_TABLE_SIZE:
                self.encoder.header_table_size = min(4096, value)
        self.say(wire.settings_ack())

    def _give_back(self, stream_id: int, stream: PeerStream | None, octets: int) -> None:
        if octets:
            updates = [wire.window_update(0, octets)]
            if stream is not None:
                # More than it took: a window that begins with one octet must not stay so small.
                updates.append(wire.window_update(stream_id, octets + MORE))
            self.later(self.script.delay_s(), self.say, *updates)

    # -- requests ----------------------------------------------------------------------------------------------------

    def _open(self, stream_id: int, path: str) -> PeerStream | None:
        self.last_seen = stream_id
        if self.last_taken is not None and stream_id > self.last_taken:
            return None
        name, size, upload = asked(path)
        act = self.script.act()
        if self.last_taken is not None and act in ("leave", "leave_gently"):
            act = "answer"
        stream = PeerStream(stream_id, name, size, upload, act, self.stream_window)
        self.ledger.log.append(f"{act} {name}")
        self.streams[stream_id] = stream
        if act == "refuse":
            del self.streams[stream_id]
            self.later(self.script.delay_s(), self.say, wire.rst_stream(stream_id, wire.REFUSED_STREAM))
        elif act == "leave":
            self.last_taken = self.script.chance.choice((stream_id, max(0, stream_id - 2)))
            self.say(wire.goaway(self.last_taken, self.script.chance.choice((wire.NO_ERROR, wire.ENHANCE_YOUR_CALM))))
            if stream_id > self.last_taken:
                del self.streams[stream_id]
                self._close_when_done()
                return None
        elif act == "leave_gently":
            self.say(wire.goaway(LAST))
            self.later(0.1, self._leave_for_good)
        return stream

    def _leave_for_good(self) -> None:
        if self.last_taken is None:
            self.last_taken = self.last_seen
            self.say(wire.goaway(self.last_taken))
            self._close_when_done()

    def _close_when_done(self) -> None:
        if self.last_taken is not None and not self.streams:
            self.close()

    def _carry_out(self, stream: PeerStream) -> None:
        if stream.stream_id not in self.streams or stream.rest or stream.sending:
            return
        stream.sending = True
        if stream.complete:
            self.ledger.carry_out(stream.name, bytes(stream.content), stream.upload)
        else:
            self.ledger.processed[stream.name] += 1
        if stream.act == "stall":
            return
        self.later(self.script.delay_s(), self._answer, stream)

    # -- responses ---------------------------------------------------------------------------------------------------

    def _answer(self, stream: PeerStream) -> None:
        if stream.stream_id not in self.streams:
            return
        if stream.act == "reset":
            self._over(stream, wire.rst_stream(stream.stream_id, wire.INTERNAL_ERROR))
            return
        chance = self.script.chance
        status = 503 if stream.act == "unavailable" else 200
        stream.rest = b"" if status == 503 else content_of(stream.name, stream.size)
        if stream.act in ("part", "cut"):
            stream.stops_at = len(stream.rest) // 2
        stream.trailers = chance.random() < 0.2
        if chance.random() < 0.1:
            self._fields(stream.stream_id, [(":status", "103"), ("link", "</style.css>; rel=preload")], False)
        fields = [(":status", str(status)), ("x-name", stream.name), ("server", "scripted"), ("vary", "origin")]
        if chance.random() < 0.7:
            fields.append(("content-length", str(len(stream.rest))))
        end = not stream.rest and not stream.trailers and stream.stops_at < 0
        self._fields(stream.stream_id, fields, end)
        if end:
            self._done(stream)
        else:
            self._send_soon(stream)

    def _fields(self, stream_id: int, fields: list[tuple[str, str]], end: bool) -> None:
        """One field section, in one frame or in several."""
        block = self.encoder.encode(fields)
        pieces = []
        while block:
            size = len(block) if self.script.chance.random() < 0.8 else self.script.chance.randint(0, 10)
            pieces.append(block[:size])
            block = block[size:]
        pad = self.script.chance.choice((None, None, 0, 7))
        frames = [wire.headers(stream_id, pieces[0], end, end_headers=len(pieces) == 1, pad=pad)]
        frames += [
            wire.continuation(stream_id, piece, end_headers=number == len(pieces) - 1)
            for number, piece in enumerate(pieces)
            if number
        ]
        self._noise(stream_id)
        self.say(*frames)

    def _send_soon(self, stream: PeerStream) -> None:
        if stream.rest or stream.trailers or stream.stops_at >= 0:
            self.later(self.script.delay_s() if self.script.chance.random() < 0.2 else 0.0, self._send, stream)

    def _send(self, stream: PeerStream) -> None:
        """One DATA frame, within the windows, or the end."""
        if self.streams.get(stream.stream_id) is not stream:
            return
        if stream.stops_at >= 0 and len(stream.rest) <= stream.stops_at:
            if stream.act == "cut":
                self.drop()
            else:
                self._over(stream, wire.rst_stream(stream.stream_id, wire.INTERNAL_ERROR))
            return
        if not stream.rest:
            if stream.trailers:
                self._fields(stream.stream_id, [("x-end", stream.name)], True)
                stream.trailers = False
                self._done(stream)
            return
        pad = self.script.chance.choice((None, None, None, 0, 20))
        overhead = 0 if pad is None else pad + 1
        room = min(self.window, stream.window, 16384) - overhead
        if room <= 0:
            return  # a WINDOW_UPDATE brings us back
        piece = stream.rest[: min(room, self.script.frame_octets())]
        stream.rest = stream.rest[len(piece) :]
        self.window -= len(piece) + overhead
        stream.window -= len(piece) + overhead
        end = not stream.rest and not stream.trailers and stream.stops_at < 0
        self._noise(stream.stream_id)
        self.say(wire.data(stream.stream_id, piece, end, pad))
        if end:
            self._done(stream)
        else:
            self._send_soon(stream)

    def _done(self, stream: PeerStream) -> None:
        """The response is whole."""
        if not stream.complete:
            self.say(wire.rst_stream(stream.stream_id, wire.NO_ERROR))  # RFC 9113 section 8.1
        self._over(stream)

    def _over(self, stream: PeerStream, *frames: bytes) -> None:
        self.streams.pop(stream.stream_id, None)
        self.say(*frames)
        self._close_when_done()
        if not self.streams:
            self.later(self.script.temper.idle_s, self._close_if_idle, self.last_seen)

    def _close_if_idle(self, last_seen: int) -> None:
        if not self.streams and self.last_seen == last_seen and self.last_taken is None:
            self.last_taken = last_seen
            self.say(wire.goaway(last_seen))
            self.close()

    def _noise(self, stream_id: int) -> None:
        """Frames that change nothing (RFC 9113 sections 5.5, 5.3.2, 6.7)."""
        if self.script.noisy():
            self.say(
                self.script.chance.choice(
                    (
                        wire.frame(0xBB, 0xFF, stream_id, b"unknown"),
                        wire.priority(stream_id),
                        wire.ping(b"are you?"),
                        wire.window_update(0, 1),
                    )
                )
            )

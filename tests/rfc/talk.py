"""A conversation without sockets: the shipped HTTP/2 engine on one side, a peer played by hand on the other.

A test reads as one: ``talk.request()``, ``talk.says(...)`` what the peer sends, then what the client answered.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import hpack

from deuterium._http.exchange import Exchange
from deuterium._http.phases import FINISHED, WHOLE
from deuterium._http2.connection import Connection
from deuterium._http2.frames import Frame, iter_frames
from deuterium._http2.stream import Stream
from deuterium._memory.buffer_pool import BufferPool
from deuterium._memory.object_pool import ObjectPool
from deuterium._memory.string_pool import StringPool
from deuterium.config import Http2Options
from deuterium.errors import RequestError

from . import wire

Pairs = list[tuple[str, str]]
EVERYTHING = 1 << 62


class Talk:
    """One connection and its peer.

    ``settings``: what the peer's SETTINGS say; None leaves the connection without any. The handshake is over when the
    constructor returns, and what the client sent in it is in ``opening``.
    """

    def __init__(
        self,
        settings: Mapping[int, int] | None = {},
        options: Http2Options | None = None,
        by_reference: int = 0,
        buffers: BufferPool | None = None,
        streams: ObjectPool | None = None,
    ) -> None:
        self.now = 1000.0
        self.buffers = buffers or BufferPool(poison=True)
        self.streams = streams or ObjectPool(Stream)
        self.connection = Connection(options or Http2Options(), self.buffers, self.streams, StringPool(), by_reference)
        self.rest = b""  # octets received that the engine has not taken yet
        self.decoder = hpack.Decoder(max_header_list_size=EVERYTHING)
        self.connection.start(self.now)
        self.opening = self.sent()
        if settings is not None:
            self.says(wire.settings(settings), wire.settings_ack())

    # -- the client --------------------------------------------------------------------------------------------------

    def request(
        self,
        method: str = "GET",
        path: str = "/",
        *,
        body: bytes | None = None,
        has_content: bool = False,
        extra: tuple[tuple[str, str], ...] = (),
        delivery: int = WHOLE,
        **attributes: Any,
    ) -> Exchange:
        """Hand a request to the engine."""
        exchange = Exchange(method, "https", "example.com", path, (), extra, body, has_content)
        exchange.delivery = delivery
        for name, value in attributes.items():
            setattr(exchange, name, value)
        self.connection.send_request(exchange, self.now)
        return exchange

    def requests(self, count: int, **arguments: Any) -> list[Exchange]:
        """Several requests, all of them written."""
        exchanges = [self.request(**arguments) for _ in range(count)]
        self.sent()
        return exchanges

    def sends(self, exchange: Exchange, piece: bytes, end: bool = False) -> list[Frame]:
        """The caller's next piece of content; what leaves because of it."""
        self.connection.send_content(exchange, piece, end, self.now)
        return self.sent()

    def cancels(self, exchange: Exchange) -> list[Frame]:
        """The caller gives up; what leaves because of it."""
        self.connection.cancel(exchange, None, self.now)
        return self.sent()

    def reads(self, exchange: Exchange, give_back: bool = True) -> bytes:
        """The caller takes all the pieces there are."""
        content = b""
        while exchange.chunks:
            chunk = exchange.chunks.popleft()
            if isinstance(chunk, bytes):
                content += chunk
            else:
                content += bytes(chunk.view)
                chunk.release()
        if give_back and content:
            self.connection.consumed(exchange, len(content), self.now)
        return content

    def sent(self) -> list[Frame]:
        """What the client has sent since this was last asked."""
        return list(iter_frames(self.octets()))

    def octets(self) -> bytes:
        """The same as octets."""
        octets = b""
        while self.connection.has_output():
            turn = b"".join(self.connection.take(self.now))
            if not turn:
                break
            octets += turn
        return octets

    # -- the peer ----------------------------------------------------------------------------------------------------

    def says(self, *frames: bytes) -> list[Frame]:
        """The peer's octets arrive in one read; what the client answers."""
        self.hears(b"".join(frames))
        return self.sent()

    def says_in_pieces(self, octets: bytes, sizes: Iterable[int]) -> None:
        """The peer's octets arrive in reads of these sizes, the rest in a last one."""
        position = 0
        for size in sizes:
            self.hears(octets[position : position + size])
            position += size
        if position < len(octets):
            self.hears(octets[position:])

    def hears(self, octets: bytes) -> None:
        """One read, as a driver does it: behind what the engine still needs, in memory of the pool."""
        octets = self.rest + octets
        buffer = self.buffers.acquire(max(1, len(octets)))
        buffer.data[: len(octets)] = octets
        position = self.connection.receive(buffer, 0, len(octets), self.now)
        assert 0 <= position <= len(octets)
        self.rest = bytes(octets[position:])
        buffer.release()

    # -- what came of it ---------------------------------------------------------------------------------------------

    def fields(self, frame: Frame) -> Pairs:
        """The fields of a HEADERS frame the client sent; to be asked for each of them, in order."""
        return [(str(name), str(value)) for name, value in self.decoder.decode(frame.content)]

    @property
    def alive(self) -> bool:
        """The connection goes on."""
        return not self.connection.closed


def of_kind(frames: Iterable[Frame], kind: int, stream_id: int | None = None) -> list[Frame]:
    """Those of one type, of one stream if it is given."""
    return [frame for frame in frames if frame.kind == kind and stream_id in (None, frame.stream_id)]


def resets(frames: Iterable[Frame]) -> dict[int, int]:
    """The streams that were reset and the error codes."""
    return {frame.stream_id: frame.error_code for frame in of_kind(frames, wire.RST_STREAM)}


def goaway_code(frames: Iterable[Frame]) -> int | None:
    """The error code of the one GOAWAY among the frames, None when there is none."""
    found = of_kind(frames, wire.GOAWAY)
    assert len(found) <= 1
    return found[0].error_code if found else None


def content(frames: Iterable[Frame], stream_id: int) -> bytes:
    """The content of a stream's DATA frames."""
    return b"".join(frame.content for frame in of_kind(frames, wire.DATA, stream_id))


def finished(exchange: Exchange) -> bool:
    """It is over, well or not."""
    return exchange.phase == FINISHED


def answered(exchange: Exchange) -> bool:
    """It is over and it is well."""
    return exchange.phase == FINISHED and exchange.error is None


def failure(exchange: Exchange) -> RequestError:
    """The error the exchange ended with."""
    assert exchange.phase == FINISHED
    assert isinstance(exchange.error, RequestError)
    return exchange.error

"""What a script sees: a connection to the peer, and a request on it, whatever the HTTP version."""

from __future__ import annotations

import asyncio
from typing import Any

from ..headers import Headers
from ..request import HeaderTypes

CANCEL = 8
REFUSED_STREAM = 7


class PeerConnection:
    """One connection. ``number`` counts from 1; ``frames`` are the HTTP/2 frames received, as ``deuterium`` values."""

    http_version = ""

    def __init__(self, peer: Any, number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.peer = peer
        self.number = number
        self.reader = reader
        self.writer = writer
        self.requests: list[PeerRequest] = []
        self.frames: list[Any] = []
        self.closed = False
        self._reading = asyncio.Event()
        self._reading.set()

    @property
    def tls(self) -> Any:
        """The ``ssl.SSLObject`` of the connection, or None."""
        return self.writer.get_extra_info("ssl_object")

    def send_octets(self, octets: bytes) -> None:
        """Send octets as they are."""
        if not self.writer.is_closing():
            self.writer.write(octets)

    def pause(self) -> None:
        """Read nothing more, until ``resume``: the client's octets stay in the network."""
        self._reading.clear()

    def resume(self) -> None:
        """Read on."""
        self._reading.set()

    def close(self) -> None:
        """Close the transport in good order once everything is written."""
        self.writer.close()

    def abort(self) -> None:
        """Drop the transport at once."""
        self.writer.transport.abort()

    def open(self) -> None:
        """What the server says first."""

    async def serve(self, first: bytes) -> None:
        """Read until the end. ``first`` was received already."""
        raise NotImplementedError

    def end(self) -> None:
        """Nothing more comes."""
        self.closed = True
        for request in self.requests:
            request.changed.set()


class PeerRequest:
    """One request and the way to answer it. ``target`` is the path and query; ``content`` is what has come so far.

    ``complete``: all of it has; ``cancelled``: the code of the client's RST_STREAM, None without one. Content of the
    response waits for the client's windows by itself.
    """

    def __init__(self, connection: PeerConnection, stream_id: int, fields: list[tuple[str, str]]) -> None:
        pseudo = dict(fields)
        self.connection = connection
        self.stream_id = stream_id
        self.fields = fields
        self.method: str = pseudo.get(":method", "")
        self.target: str = pseudo.get(":path", "")
        self.authority: str = pseudo.get(":authority", "")
        self.protocol: str = pseudo.get(":protocol", "")
        self.headers: Headers = Headers.from_pairs([pair for pair in fields if not pair[0].startswith(":")])
        self.trailers: Headers = Headers.from_pairs([])
        self.content: bytearray = bytearray()
        self.complete = False
        self.answered = False  # the response was begun
        self.cancelled: int | None = None
        self.changed = asyncio.Event()

    async def read(self) -> bytes:
        """All of the content, once it is here. Raises ConnectionError when it will never be."""
        while not self.complete:
            if self.cancelled is not None or self.connection.closed:
                raise ConnectionError("the request was not completed")
            self.changed.clear()
            await self.changed.wait()
        return bytes(self.content)

    def respond(
        self,
        status: int = 200,
        *,
        headers: HeaderTypes | None = None,
        content: bytes = b"",
        trailers: HeaderTypes | None = None,
    ) -> None:
        """A whole response."""
        self.start(status, headers, end=not content and trailers is None)
        if content:
            self.send(content, end=trailers is None)
        if trailers is not None:
            self.finish(trailers)

    def inform(self, status: int, headers: HeaderTypes | None = None) -> None:
        """A 1xx response; the final one follows."""
        raise NotImplementedError

    def start(self, status: int = 200, headers: HeaderTypes | None = None, *, end: bool = False) -> None:
        """The header section; content follows, unless ``end``."""
        raise NotImplementedError

    def send(self, content: bytes, *, end: bool = False) -> None:
        """Content, or more of it."""
        raise NotImplementedError

    def finish(self, trailers: HeaderTypes | None = None) -> None:
        """The end of the response, with a trailer section if one is given."""
        raise NotImplementedError

    def reset(self, code: int = CANCEL) -> None:
        """RST_STREAM; over HTTP/1.1, which has none, the connection is dropped."""
        raise NotImplementedError

    def refuse(self) -> None:
        """RST_STREAM(REFUSED_STREAM): the request was not processed (RFC 9113 section 8.7)."""
        self.reset(REFUSED_STREAM)


def pairs_of(headers: HeaderTypes | None) -> list[tuple[str, str]]:
    """The fields in order, unchecked, names in lower case: a script may say what is illegal."""
    if headers is None:
        return []
    if isinstance(headers, Headers):
        given: Any = headers.multi_items()
    else:
        given = headers.items() if hasattr(headers, "items") else headers
    return [(str(name).lower(), str(value)) for name, value in given]

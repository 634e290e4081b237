"""The scripted peer's side of an HTTP/1.1 connection (RFC 9112)."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import Any

import httptools

from ..request import HeaderTypes
from .peer_connection import CANCEL, PeerConnection, PeerRequest, pairs_of

READ = 64 * 1024


class Http1PeerConnection(PeerConnection):
    """Parses requests one after the other. A response without a content-length is sent in chunks."""

    http_version = "HTTP/1.1"

    def __init__(self, peer: Any, number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        super().__init__(peer, number, reader, writer)
        self._parser: Any = httptools.HttpRequestParser(self)
        self._target = b""
        self._fields: list[tuple[str, str]] = []
        self._begun = False

    async def serve(self, first: bytes) -> None:
        """Read requests."""
        octets = first
        while octets:
            try:
                self._parser.feed_data(octets)
            except httptools.HttpParserUpgrade:
                return await self._tunnel()
            await self._reading.wait()
            octets = await self.reader.read(READ)
        return None

    async def _tunnel(self) -> None:
        """After Upgrade or CONNECT: octets are the request's content from here on."""
        request = self.requests[-1]
        while octets := await self.reader.read(READ):
            request.content += octets
            request.changed.set()

    # -- what the parser calls ---------------------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        self._target = b""
        self._fields = []
        self._begun = False

    def on_url(self, url: bytes) -> None:
        self._target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._begun:
            trailers = self.requests[-1].trailers
            trailers[name.decode("latin-1")] = value.decode("latin-1")
        else:
            self._fields.append((name.decode("latin-1").lower(), value.decode("latin-1")))

    def on_headers_complete(self) -> None:
        self._begun = True
        method = self._parser.get_method().decode("latin-1")
        host = next((value for name, value in self._fields if name == "host"), "")
        pseudo = [(":method", method), (":path", self._target.decode("latin-1")), (":authority", host)]
        request = Http1PeerRequest(self, len(self.requests) + 1, [*pseudo, *self._fields])
        self.requests.append(request)
        self.peer.play(request)

    def on_body(self, octets: bytes) -> None:
        request = self.requests[-1]
        request.content += octets
        request.changed.set()

    def on_message_complete(self) -> None:
        request = self.requests[-1]
        request.complete = True
        request.changed.set()


class Http1PeerRequest(PeerRequest):
    """One request and its place on the connection."""

    _chunked = False
    _over = False

    def inform(self, status: int, headers: HeaderTypes | None = None) -> None:
        self._head(status, pairs_of(headers))

    def start(self, status: int = 200, headers: HeaderTypes | None = None, *, end: bool = False) -> None:
        self.answered = True
        fields = pairs_of(headers)
        names = {name for name, _ in fields}
        if self.method != "HEAD" and status not in (101, 204, 304) and "content-length" not in names:
            if end:
                fields.append(("content-length", "0"))
            elif "transfer-encoding" not in names:
                self._chunked = True
                fields.append(("transfer-encoding", "chunked"))
        self._head(status, fields)
        self._over = end

    def send(self, content: bytes, *, end: bool = False) -> None:
        if content and self._chunked:
            content = b"%x\r\n%s\r\n" % (len(content), content)
        if content and self.method != "HEAD":
            self.connection.send_octets(content)
        if end:
            self.finish()

    def finish(self, trailers: HeaderTypes | None = None) -> None:
        if self._chunked and not self._over:
            section = "".join(f"{name}: {value}\r\n" for name, value in pairs_of(trailers))
            self.connection.send_octets(f"0\r\n{section}\r\n".encode("latin-1"))
        self._over = True

    def reset(self, code: int = CANCEL) -> None:
        self.connection.abort()

    def _head(self, status: int, fields: list[tuple[str, str]]) -> None:
        try:
            phrase = HTTPStatus(status).phrase
        except ValueError:
            phrase = ""
        lines = "".join(f"{name}: {value}\r\n" for name, value in fields)
        self.connection.send_octets(f"HTTP/1.1 {status} {phrase}\r\n{lines}\r\n".encode("latin-1"))


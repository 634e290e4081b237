"""An HTTP/2 server of the test process itself, on a real socket, that does what a test tells it: legal or not.

It is built from the RFC's numbers (:mod:`rfc.wire`) and ``hpack``, and shares no code with the client.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

import hpack

import tasks
from rfc import wire

LARGE_WINDOW = 1 << 30  # request content is never held back unless a test wants it


class Asked:
    """One request as the peer has it so far."""

    def __init__(self, stream_id: int) -> None:
        self.stream_id = stream_id
        self.fields: dict[str, str] = {}
        self.content = bytearray()

    @property
    def path(self) -> str:
        return self.fields[":path"]


class Conversation:
    """One connection. ``number`` counts from 1; ``opened`` is the highest stream the client opened."""

    def __init__(self, peer: Peer, number: int, writer: asyncio.StreamWriter) -> None:
        self.peer = peer
        self.number = number
        self.writer = writer
        self.streams: dict[int, Asked] = {}
        self.opened = 0
        self.frames: list[tuple[int, int, bytes]] = []  # kind, stream, payload of what is not a request
        self.tasks: list[asyncio.Task[None]] = []
        self._decoder = hpack.Decoder()

    def says(self, *frames: bytes) -> None:
        """Send octets as they are."""
        if not self.writer.is_closing():
            self.writer.write(b"".join(frames))

    def answers(self, asked: Asked, content: bytes, status: int = 200) -> None:
        """A whole response."""
        self.says(wire.response(asked.stream_id, status=status), wire.data(asked.stream_id, content, end=True))

    def goes_on(self, coroutine: Any) -> None:
        """Run a part of the script beside the reading; it ends with the connection."""
        self.tasks.append(asyncio.ensure_future(coroutine))

    def abort(self) -> None:
        """Drop the transport at once."""
        for task in self.tasks:
            task.cancel()
        self.writer.transport.abort()

    async def listen(self, reader: asyncio.StreamReader) -> None:
        await reader.readexactly(len(wire.PREFACE))
        self.says(wire.settings({wire.INITIAL_WINDOW_SIZE: LARGE_WINDOW, **self.peer.settings}))
        self.says(wire.window_update(0, LARGE_WINDOW))
        self.peer.on_open(self)
        while True:
            head = await reader.readexactly(9)
            payload = await reader.readexactly(int.from_bytes(head[:3], "big"))
            self._receive(head[3], head[4], int.from_bytes(head[5:], "big"), payload)

    def _receive(self, kind: int, flags: int, stream_id: int, payload: bytes) -> None:
        if kind == wire.HEADERS:
            assert flags & wire.END_HEADERS and not flags & (wire.PADDED | wire.PRIORITY_FLAG)
            asked = self.streams[stream_id] = Asked(stream_id)
            self.opened = max(self.opened, stream_id)
            asked.fields = {str(name): str(value) for name, value in self._decoder.decode(payload)}
            self.peer.on_stream(self, asked)
        elif kind == wire.DATA and stream_id in self.streams:
            self.streams[stream_id].content += payload
        elif kind == wire.SETTINGS and not flags & wire.ACK:
            self.says(wire.settings_ack())
        elif kind == wire.PING and not flags & wire.ACK:
            self.peer.on_ping(self, payload)
        else:
            self.frames.append((kind, stream_id, payload))
        if kind in (wire.HEADERS, wire.DATA) and flags & wire.END_STREAM and stream_id in self.streams:
            self.peer.on_request(self, self.streams[stream_id])


class Peer:
    """Listens; a test's subclass overrides the ``on_`` methods. Without any it answers with the request's path."""

    settings: Mapping[int, int] = {}

    def __init__(self, host: str = "127.0.0.1") -> None:
        self.host = host
        self.port = 0
        self.conversations: list[Conversation] = []
        self.alive: set[Conversation] = set()
        self._server: asyncio.Server | None = None

    def on_open(self, conversation: Conversation) -> None:
        """The client preface is here, and our SETTINGS are on their way."""

    def on_stream(self, conversation: Conversation, asked: Asked) -> None:
        """A stream was opened; its content may follow."""

    def on_request(self, conversation: Conversation, asked: Asked) -> None:
        """A request is complete."""
        conversation.answers(asked, asked.path.encode())

    def on_ping(self, conversation: Conversation, payload: bytes) -> None:
        """A PING wants an answer."""
        conversation.says(wire.ping(payload, ack=True))

    @property
    def current(self) -> Conversation:
        """The connection that was opened last."""
        return self.conversations[-1]

    def url(self, path: str = "/", host: str = "") -> str:
        return f"http://{host or self.host}:{self.port}{path}"

    async def start(self) -> None:
        """Listen on a free port; on the same one when it was killed."""
        self._server = await asyncio.start_server(self._accept, self.host, self.port, backlog=1024)
        self.port = self._server.sockets[0].getsockname()[1]

    def kill(self) -> None:
        """Stop listening and break every connection, as a crash does."""
        if self._server is not None:
            self._server.close()
        for conversation in self.alive:
            conversation.abort()

    async def __aenter__(self) -> Self:
        await tasks.on_asyncio(self.start())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
        while self.alive:
            await tasks.sleep(0)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        conversation = Conversation(self, len(self.conversations) + 1, writer)
        self.conversations.append(conversation)
        self.alive.add(conversation)
        try:
            with suppress(asyncio.IncompleteReadError, OSError):
                await conversation.listen(reader)
        finally:
            conversation.abort()
            self.alive.discard(conversation)

"""A conversation with one HTTP/1.1 connection: we send, the peer says octets, we look."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from deuterium._http.exchange import Exchange
from deuterium._http.phases import PIECES, WHOLE
from deuterium._http1.connection import Connection
from deuterium._memory.buffer_pool import BufferPool

Pairs = tuple[tuple[str, str], ...]


def exchange(
    method: str = "GET",
    path: str = "/",
    fields: Pairs = (),
    *,
    body: bytes | None = None,
    has_content: bool = False,
    delivery: int = WHOLE,
    authority: str = "example.org",
    protocol: str = "",
) -> Exchange:
    """A request to send."""
    made = Exchange(method, "https", authority, path, (), fields, body, has_content)
    made.delivery = delivery
    made.protocol = protocol
    return made


class Peer:
    """The other end of a connection, and its driver: octets the engine still needs are kept and shown again."""

    def __init__(self, connection: Connection | None = None) -> None:
        self.pool = BufferPool(poison=True)
        self.connection = connection or Connection()
        self.now = 0.0
        self.unread = b""

    def hears(self) -> bytes:
        """What the connection writes, in one turn."""
        return b"".join(bytes(segment) for segment in self.connection.take(self.now))

    def says(self, *octets: bytes) -> None:
        """Each argument arrives in a read of its own, in memory that is poisoned afterwards."""
        for read in octets:
            data = self.unread + read
            buffer = self.pool.acquire(len(data))
            buffer.data[: len(data)] = data
            position = self.connection.receive(buffer, 0, len(data), self.now)
            self.unread = data[position:]
            buffer.release()

    def hangs_up(self) -> None:
        """The peer ends the connection in good order."""
        self.connection.receive_eof(self.now)


def ask(peer: Peer, request: Exchange | None = None) -> Exchange:
    """Send a request and let the writer take all of it."""
    request = request or exchange()
    peer.connection.send_request(request, peer.now)
    while peer.hears():
        pass
    return request


def answer(*reads: bytes, request: Exchange | None = None, hangs_up: bool = False) -> tuple[Exchange, Connection]:
    """One exchange on a new connection, answered by ``reads``."""
    peer = Peer()
    sent = ask(peer, request)
    peer.says(*reads)
    if hangs_up:
        peer.hangs_up()
    return sent, peer.connection


def one_by_one(octets: bytes) -> Iterable[bytes]:
    """Reads of one octet each."""
    return (octets[i : i + 1] for i in range(len(octets)))


def content_of(request: Exchange) -> bytes:
    """All content that was delivered, whole or in pieces; lent memory is given back."""
    if request.delivery != PIECES:
        return request.content
    content = b""
    for chunk in request.chunks or ():
        if isinstance(chunk, bytes):
            content += chunk
        else:
            content += bytes(chunk.view)
            chunk.release()
    return content


def outcome(request: Exchange, connection: Connection) -> Any:
    """Everything about an exchange that must not depend on how its octets were cut into reads."""
    return (
        request.status,
        request.reason,
        request.fields,
        request.kinds,
        request.content_length,
        request.trailers,
        request.informational,
        request.received,
        content_of(request),
        type(request.error),
        str(request.error),
        request.phase,
        connection.closed,
        connection.capacity(),
    )

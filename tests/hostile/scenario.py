"""What one hostile peer does, and what must come of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from rfc import wire

from .raw_peer import Line, RawPeer, Script

AFTER = b"after"
ANY = -1  # whatever code, or none: the stream may be complete before the client gives up
CLEAN = 0  # the code a client that closes in good order says


@dataclass(frozen=True, slots=True)
class Scenario:
    """``script`` runs on the first connection once the client's first request is there; every later request, on this
    connection or the next, is answered with ``AFTER``, and the client must get that answer.

    The outcome: ``error``, the exception's class, or a response with ``status`` and ``content``. ``goaway`` and
    ``reset``: the code on the wire, None for no such frame. ``says``: a part of the message. ``connections``: how many
    the client opened, 0 where the wire tells; ``check``: what else the peer must have heard. ``limit_s``: the time the
    first request may take. ``act``: what the client does, see :mod:`hostile.client_process`. ``raw``: the script begins
    before anything was said; ``always``: it runs on every connection, and nothing follows it. ``alpn``: what the peer
    chooses, "" without TLS. ``faces``: the clients it is played to.
    """

    name: str
    script: Script
    error: str = ""
    status: int = 200
    content: bytes | None = None
    length: int | None = None
    goaway: int | None = None
    reset: int | None = None
    says: str = ""
    act: str = "get"
    options: Mapping[str, Any] = field(default_factory=dict)
    alpn: Literal["h2", "http/1.1", ""] = "h2"
    raw: bool = False
    always: bool = False
    connections: int = 0
    check: Callable[[RawPeer], None] | None = None
    faces: tuple[str, ...] = ("asyncio", "uvloop", "trio", "threads")
    limit_s: float = 2.0
    memory_mib: int = 32

    def play(self, line: Line) -> None:
        """The peer's part of one connection."""
        if line.number > 1 and not self.always:
            serve(line, 0)
        elif self.raw:
            self.script(line)
        else:
            begin(line)
            self.script(line)
            if not self.always:
                serve(line, line.answered)


def begin(line: Line) -> None:
    """Up to the first request: the handshake, and SETTINGS where the protocol wants them."""
    line.opens()
    if line.protocol == "h2":
        line.hears_preface()
        line.says(wire.settings({wire.MAX_CONCURRENT_STREAMS: 100}), wire.settings_ack())
        line.hears_request(1)
    else:
        line.hears_head()


def serve(line: Line, answered: int) -> None:
    """Be an honest server; ``answered``: requests the script has seen to."""
    if not answered:
        line.opens()
    if line.protocol != "h2":
        while True:
            answered += 1
            line.hears_head(answered)
            line.says(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", AFTER)
    if not answered:
        line.hears_preface()
        line.says(wire.settings(), wire.settings_ack())
    stream_id = 2 * answered - 1
    while True:
        stream_id += 2
        line.hears_request(stream_id)
        line.says(wire.headers(stream_id, b"\x88"), wire.data(stream_id, AFTER, end=True))

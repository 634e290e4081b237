"""What every protocol engine offers its driver: bytes in, bytes out, and who must be woken."""

from __future__ import annotations

from typing import Any

from .exchange import Exchange
from .phases import NEVER


class Engine:
    """The verbs of one connection, whatever its HTTP version. No socket and no clock: ``now`` is an argument.

    The driver calls ``receive`` with what it read, wakes the waiters of ``take_ready()`` and ``take_writable()``,
    writes what ``take`` gives it, and calls ``expire`` when ``deadline`` has come.
    """

    __slots__ = (
        "closed",
        "data_left",
        "deadline",
        "draining",
        "error",
        "in_data",
        "ready",
        "requests",
        "rtt",
        "stream_limit",
        "wants_pause",
        "writable",
    )

    http_version = ""

    def __init__(self) -> None:
        self.ready: list[Exchange] = []
        self.writable: list[Exchange] = []
        self.closed = False  # nothing more comes or goes
        self.draining = False  # no new request; those open go on
        self.deadline = NEVER
        self.error: Any = None
        self.in_data = False
        self.data_left = 0  # content octets still to come of the frame or body being read
        self.requests = 0
        self.rtt = -1.0
        self.stream_limit = 1
        # The consumer is slow and nothing but the transport can slow the peer down: read no more until this is False
        # again. HTTP/2 has windows and never sets it.
        self.wants_pause = False

    def start(self, now: float) -> None:
        """Queue what opens the connection."""
        raise NotImplementedError

    def capacity(self) -> int:
        """Requests that could be sent at once; 0 when the connection takes none."""
        raise NotImplementedError

    def active(self) -> int:
        """Requests open or waiting here."""
        raise NotImplementedError

    def send_request(self, exchange: Exchange, now: float) -> None:
        """Send the request's field section, or queue it; raises when it cannot be sent."""
        raise NotImplementedError

    def send_content(self, exchange: Exchange, piece: bytes, end: bool, now: float) -> None:
        """Queue content of the request; ``end``: it was the last."""
        raise NotImplementedError

    def send_trailers(self, exchange: Exchange, fields: tuple[tuple[str, str], ...], now: float) -> None:
        """End the content with a trailer section."""
        raise NotImplementedError

    def room(self, exchange: Exchange) -> int:
        """Octets of content that may be queued before the sender should wait; -1: no more is taken."""
        raise NotImplementedError

    def receive(self, buffer: Any, start: int, end: int, now: float) -> int:
        """Take in ``buffer.data[start:end]``; the offset of the first octet that is still needed."""
        raise NotImplementedError

    def receive_eof(self, now: float) -> None:
        """The peer closed the transport."""
        raise NotImplementedError

    def consumed(self, exchange: Exchange, octets: int, now: float) -> None:
        """The application took ``octets`` of content."""
        raise NotImplementedError

    def content_due(self) -> int:
        """Octets of content that are sure to come of the only exchange; 0: there are others, or no length is known."""
        return 0

    def widen(self) -> None:
        """The content of the only exchange comes very fast: let the peer send more before it has to wait."""

    def cancel(self, exchange: Exchange, error: Exception | None, now: float, code: int = 8) -> None:
        """End one exchange from our side."""
        raise NotImplementedError

    def fail(self, error: Any) -> None:
        """The transport is gone: end every exchange, once."""
        raise NotImplementedError

    def close(self, now: float) -> None:
        """Say good-bye; whatever is open fails."""
        raise NotImplementedError

    def ping(self, now: float) -> bool:
        """Ask the peer for a sign of life, if the protocol can; ``rtt`` and ``unanswered_ping`` tell of the answer."""
        return False

    def unanswered_ping(self) -> float:
        """When the oldest ping without an answer was sent; NEVER when there is none."""
        return NEVER

    def expire(self, now: float) -> None:
        """End every exchange whose time is up and set ``deadline`` anew."""
        raise NotImplementedError

    def has_output(self) -> bool:
        """``take`` would return something."""
        raise NotImplementedError

    def queued_octets(self) -> int:
        """Octets that wait to be written, content not counted."""
        raise NotImplementedError

    def take(self, now: float) -> list[Any]:
        """What to write now, in order."""
        raise NotImplementedError

    def take_ready(self) -> list[Exchange]:
        """Exchanges that changed since the last call, each once."""
        ready = self.ready
        self.ready = []
        for exchange in ready:
            exchange.marked = False
        return ready

    def take_writable(self) -> list[Exchange]:
        """Exchanges whose senders may go on."""
        writable = self.writable
        self.writable = []
        return writable

    def _mark(self, exchange: Exchange) -> None:
        """The exchange has news for whoever waits for it."""
        if not exchange.marked:
            exchange.marked = True
            self.ready.append(exchange)

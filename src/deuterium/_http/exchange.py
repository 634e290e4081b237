"""One request and its response, whatever the HTTP version: the engine fills it in, a front end waits for it."""

from __future__ import annotations

from typing import Any

from .._memory import octets
from .._memory.foresight import foresee
from .phases import AWAITING, JOIN_BELOW, NEVER, QUEUED, SENDING, WHOLE

COMPILED = not __file__.endswith((".py", ".pyc"))
WAITER_OCTETS = 192


class Waiter:
    """Whoever waits for an exchange: one verb, called at most once for each time it was handed in."""

    __slots__ = ()

    def wake(self, exchange: Exchange) -> None:
        """Something the waiter asked for has happened; look at the exchange."""
        raise NotImplementedError

    def foresee(self) -> None:
        """It will be woken soon."""


def foresee_waiters(exchanges: list[Exchange]) -> None:
    """Each of ``exchanges`` will have its waiter woken soon."""
    for exchange in exchanges:
        foresee(exchange.waiter_at, WAITER_OCTETS)
    for exchange in exchanges:
        waiter = exchange.waiter
        if waiter is not None:
            waiter.foresee()


class Exchange:
    """The request as the engine sends it and the response as it arrives.

    Field names are lower-case and validated. ``common`` are fields that many requests share, as one tuple object, so
    that the encoder can recognise it; ``extra`` are this request's own. ``body`` is content that is all at hand;
    ``has_content`` announces content that follows piece by piece. Times are seconds on the driver's clock.
    """

    __slots__ = (
        "answered_at",
        "authority",
        "body",
        "carrier",
        "chunks",
        "common",
        "content",
        "content_length",
        "deadline",
        "delivery",
        "engine",
        "error",
        "extra",
        "fields",
        "finished_at",
        "follower_at",
        "has_content",
        "headers_received",
        "hears_informational",
        "informational",
        "kinds",
        "marked",
        "method",
        "origin",
        "path",
        "phase",
        "pool_timeout",
        "progress_at",
        "protocol",
        "read_timeout",
        "reason",
        "received",
        "request",
        "route",
        "scheme",
        "sent_at",
        "settled",
        "status",
        "stream_id",
        "trailers",
        "unread",
        "uploader",
        "urgency",
        "waiter",
        "waiter_at",
        "write_timeout",
        "writer",
    )

    def __init__(
        self,
        method: str,
        scheme: str,
        authority: str,
        path: str,
        common: tuple[tuple[str, str], ...] = (),
        extra: tuple[tuple[str, str], ...] = (),
        body: bytes | None = None,
        has_content: bool = False,
    ) -> None:
        self.method = method
        self.scheme = scheme
        self.authority = authority
        self.path = path
        self.common = common
        self.extra = extra
        self.body = body or None  # all of the content, when it is at hand
        self.has_content = has_content or self.body is not None  # or it follows by ``Engine.send_content``
        self.urgency = 3  # RFC 9218 default
        self.delivery = WHOLE
        self.phase = QUEUED
        self.deadline = NEVER
        self.pool_timeout = NEVER
        self.read_timeout = NEVER
        self.write_timeout = NEVER
        self.content_length = -1
        self.protocol = ""  # extended CONNECT, RFC 8441
        self.reason = ""  # HTTP/1.1 only
        self.content = b""  # delivery WHOLE: all of it, once finished
        if COMPILED:
            return  # there a new object's attributes are None, 0 and False
        self.origin: Any = None  # where it goes: the front end's own, as is ``request``
        self.request: Any = None
        self.route: Any = None  # the pool's own
        self.uploader: Any = None  # what sends the rest of the content beside the response being read
        self.carrier: Any = None  # the driver it went out on

        self.waiter: Waiter | None = None
        self.writer: Waiter | None = None  # who waits for room to send more content
        self.waiter_at = 0  # addresses, for foresight: of the waiter
        self.follower_at = 0  # and of who is next in the same queue
        self.marked = False
        self.settled = False  # entered in its carrier's tally
        self.engine: Any = None
        self.stream_id = 0

        self.progress_at = 0.0
        self.sent_at = 0.0
        self.answered_at = 0.0
        self.finished_at = 0.0

        self.status = 0
        self.fields: list[tuple[str, str]] | None = None
        self.kinds = 0
        self.headers_received = False
        self.hears_informational = False  # its waiter is woken by each of them, whatever the delivery
        self.informational: list[tuple[int, list[tuple[str, str]]]] | None = None
        self.trailers: list[tuple[str, str]] | None = None
        self.chunks: Any = None  # delivery PIECES: bytes or LentPiece
        self.received = 0  # content octets so far
        self.unread = 0  # octets in ``chunks``
        self.error: Exception | None = None

    def limit(self) -> float:
        """When the exchange runs out of time if nothing happens before."""
        if self.phase == AWAITING:
            limit = self.deadline if self.unread else self.progress_at + self.read_timeout  # a slow consumer has time
        elif self.phase == SENDING:
            limit = self.progress_at + self.write_timeout
        elif self.phase == QUEUED:
            limit = self.progress_at + self.pool_timeout
        else:
            return NEVER
        return limit if limit < self.deadline else self.deadline


def join_piece(chunks: Any, piece: bytes) -> None:
    """Append a short piece to ``chunks``, in one object with the last where that is short too."""
    if chunks:
        last = chunks[len(chunks) - 1]
        if type(last) is bytes and len(last) < JOIN_BELOW:
            chunks[len(chunks) - 1] = last + piece
            return
    chunks.append(piece)


class LentPiece:
    """Content still in the buffer it was received into; the buffer is retained until ``release``."""

    __slots__ = ("_view", "buffer", "end", "start")

    def __init__(self, buffer: Any, start: int, end: int) -> None:
        buffer.retain()
        self.buffer = buffer
        self.start = start
        self.end = end
        self._view: Any = None

    def __len__(self) -> int:
        return self.end - self.start

    @property
    def view(self) -> Any:
        """The octets, to be read; made when asked for, so that until then the piece can grow."""
        if self._view is None:
            self._view = self.buffer.lend(self.start, self.end)
        return self._view

    def extend(self, start: int, end: int) -> None:
        """Take in octets ``start`` up to ``end`` of its buffer, above its own and lent to nobody: they are moved down.

        One piece less costs a consumer more than it costs to move what is in the cache.
        """
        size = end - start
        if start != self.end:
            octets.move_down(self.buffer.data, self.end, start, end)
        self.end += size

    def release(self) -> None:
        """Give the memory back. A slice the consumer kept keeps its octets: the pool then drops the buffer."""
        if self.buffer is not None:
            buffer, self.buffer = self.buffer, None
            if self._view is not None:
                self._view.release()
            buffer.release()

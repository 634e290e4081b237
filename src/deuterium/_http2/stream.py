"""What the connection must know about one stream. Never leaves the engine, so it can be recycled."""

from __future__ import annotations

from typing import Any

from .._http.exchange import Exchange
from .._memory import collector
from .._memory.object_pool import Poolable
from .states import CLOSED, IDLE


class Stream(Poolable):
    """Protocol state of one stream: its state, both windows, what waits to be sent, what was received."""

    __slots__ = (
        "body",
        "consumed",
        "exchange",
        "expected",
        "got_headers",
        "id",
        "pending",
        "pending_at",
        "pending_end",
        "pending_octets",
        "receive_window",
        "received",
        "scheduled",
        "send_window",
        "state",
        "trailers",
    )

    def __init__(self) -> None:
        Poolable.__init__(self)
        self.id = 0
        self.pending: Any = None
        self.state = CLOSED
        self.reset()
        collector.untrack(self)  # only a connection's table and a pool hold it

    def open(self, stream_id: int, exchange: Exchange, send_window: int, receive_window: int) -> None:
        """Take up the exchange as stream ``stream_id``, still idle."""
        self.id = stream_id
        self.exchange = exchange
        self.send_window = send_window
        self.receive_window = receive_window

    def reset(self) -> None:
        """Forget everything, before the stream goes back to its pool."""
        if self.state != CLOSED:
            raise RuntimeError("a stream must be closed before it is recycled")
        self.state = IDLE
        self.exchange = None  # type: ignore[assignment]  # typing.cast would be called each time
        self.send_window = 0
        self.receive_window = 0
        self.consumed = 0  # octets the application took and the peer was not yet told of
        self.expected = -1  # content-length; -1 when not given, or when it does not describe content here
        self.received = 0
        self.got_headers = False
        self.body: Any = None  # bytes, or a Body that collects several pieces
        self.pending = None
        self.pending_at = 0  # octets of its first piece already sent
        self.pending_octets = 0
        self.pending_end = False
        self.trailers: Any = None  # fields to send after the content
        self.scheduled = False

"""What the pool knows of a connection, whichever front end drives it."""

from __future__ import annotations

from typing import Any

from .._http.engine import Engine
from .._http.exchange import Exchange


class Carrier:
    """One transport with its engine: the pool chooses among carriers and hands them exchanges."""

    __slots__ = ("engine", "lost", "on_lost", "on_room", "route")

    def __init__(self) -> None:
        self.engine: Engine | None = None
        self.lost = False  # the transport is gone
        self.on_lost: Any = None  # called once with the carrier when the transport is gone
        self.on_room: Any = None  # called with the carrier whenever a place may have come free; set while it matters
        self.route: Any = None  # the pool's own

    def submit(self, exchange: Exchange, now: float) -> None:
        """Send the request; its waiter is woken when there is something to see."""
        raise NotImplementedError

    def cancel(self, exchange: Exchange, error: Any) -> None:
        """End the exchange from our side; the stream is reset if it is open."""
        raise NotImplementedError

    def consumed(self, exchange: Exchange, octets: int) -> None:
        """The application took ``octets`` of content."""
        raise NotImplementedError

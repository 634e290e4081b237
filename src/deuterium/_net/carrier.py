"""What the pool knows of a connection, whichever front end drives it."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from .._http.exchange import Exchange
from .._memory.collector import track
from ..errors import NetworkError, ReadError, TimeoutException
from .lenience import Lenience


class Tally:
    """Who keeps count of how a connection does: each ``sent`` ends as ``answered``, ``failed`` or ``cancelled``."""

    __slots__ = ()

    def sent(self, now: float) -> None:
        """A request was handed to the connection."""

    def heard(self, now: float) -> None:
        """Something was received."""

    def answered(self, now: float, latency_s: float) -> None:
        """An exchange is complete; its header section took ``latency_s``."""

    def failed(self, now: float, kind: Any) -> None:
        """An exchange failed: ``reset``, ``timeout``, ``broken`` or ``refused``."""

    def cancelled(self, now: float) -> None:
        """The caller gave an exchange up."""


def leave(exchange: Exchange) -> None:
    """Have the garbage collector look at an exchange nobody will come back for."""
    track(exchange)
    if exchange.waiter is not None:
        track(exchange.waiter)


class Carrier:
    """One transport with its engine: the pool chooses among carriers and hands them exchanges."""

    __slots__ = ("direct", "engine", "lenience", "lost", "on_lost", "on_room", "opened_at", "route", "tally", "used_at")

    def __init__(self) -> None:
        self.engine: Any = None  # an Engine, once it is chosen
        self.lost = False  # the transport is gone
        self.direct = False  # who is woken now may run at once: no task runs, and none was told to before
        self.on_lost: Any = None  # called once with the carrier when the transport is gone
        self.on_room: Any = None  # called with the carrier whenever a place may have come free; set while it matters
        self.route: Any = None  # the pool's own
        self.tally = Tally()
        self.opened_at = 0.0
        self.used_at = 0.0  # when something was last sent or received
        self.lenience = Lenience()

    def settle(self, exchange: Exchange, now: float) -> None:
        """Enter a finished exchange in the tally, once."""
        if exchange.settled:
            return
        exchange.settled = True
        error = exchange.error
        if error is None:
            self.tally.answered(now, exchange.answered_at - exchange.sent_at)
        elif getattr(error, "request_processed", None) is False:
            self.tally.failed(now, "refused")
        elif isinstance(error, TimeoutException):
            self.tally.failed(now, "timeout")
        elif isinstance(error, NetworkError):
            self.tally.failed(now, "broken")
        else:
            self.tally.failed(now, "reset")

    def end_overdue(self, now: float) -> None:
        """End the exchanges whose time is up, unless this side did not listen when it was."""
        engine = self.engine
        lenience = self.lenience
        if now < lenience.until:
            return
        engine.expire(lenience.covered)  # its deadline is now that of the others
        if engine.deadline <= now and not lenience.allows(engine.deadline, now):
            engine.expire(now)

    def drop_exchanges(self) -> None:
        """End every exchange and tell nobody; they are the garbage collector's."""
        engine = self.engine
        if engine is not None:
            with suppress(Exception):  # whatever it was in the middle of
                engine.fail(ReadError("the event loop is closed", scope="connection"))
            for exchange in engine.take_ready():
                leave(exchange)

    def carry_out(self, verb: str) -> None:
        """What housekeeping decided: ``close``, ``retire``, ``ping``, or ``dead``."""
        if self.lost:
            return
        if verb == "close":
            self.close()
        elif verb == "retire":
            self.engine.draining = True
        elif verb == "ping":
            self.ping()
        else:
            self.give_up(ReadError("the peer did not answer a PING in time", scope="connection"))

    def ping(self) -> None:
        """Ask the peer for a sign of life."""
        raise NotImplementedError

    def give_up(self, error: ReadError) -> None:
        """The peer is gone: every exchange fails, and the transport is dropped."""
        raise NotImplementedError

    def close(self) -> None:
        """Say good-bye and close the transport; open exchanges fail."""
        raise NotImplementedError

    def submit(self, exchange: Exchange, now: float) -> None:
        """Send the request; its waiter is woken when there is something to see."""
        raise NotImplementedError

    def cancel(self, exchange: Exchange, error: Any) -> None:
        """End the exchange from our side; the stream is reset if it is open."""
        raise NotImplementedError

    def consumed(self, exchange: Exchange, octets: int) -> None:
        """The application took ``octets`` of content."""
        raise NotImplementedError

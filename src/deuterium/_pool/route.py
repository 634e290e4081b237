"""The connections to one origin and the requests that wait for a place on one: decisions, without I/O."""

from __future__ import annotations

from collections import deque
from typing import Any

from .._http.exchange import Exchange
from .._http.phases import FINISHED, NEVER, QUEUED
from ..errors import ConnectError, PoolTimeout, RequestError, TotalTimeout


class Route:
    """One way to one origin. A front end carries out what it decides: dialing, closing, waking.

    ``carriers`` are open connections, objects with ``engine`` and ``submit(exchange)``. Requests that find no place wait
    in ``waiting``, first in, first out.
    """

    __slots__ = ("carriers", "deadline", "dialing", "max_carriers", "origin", "refused", "waiting")

    def __init__(self, origin: Any, max_carriers: int) -> None:
        self.origin = origin
        self.max_carriers = max_carriers
        self.carriers: list[Any] = []
        self.waiting: deque[Exchange] = deque()
        self.dialing = 0
        self.refused: list[Exchange] = []  # ended here; their waiters want to be woken
        self.deadline = NEVER

    def submit(self, exchange: Exchange, now: float) -> bool:
        """Send the exchange on the best connection; False: it waits, and the caller asks ``dials_wanted``."""
        if not self.waiting:
            carrier = self.choose()
            if carrier is not None:
                carrier.submit(exchange, now)
                return True
        exchange.phase = QUEUED
        exchange.progress_at = now
        self.waiting.append(exchange)
        limit = self._limit(exchange)
        self.deadline = min(self.deadline, limit)
        return False

    def choose(self) -> Any:
        """An open connection with a free place, the emptiest; None when there is none."""
        best = None
        room = 0
        for carrier in self.carriers:
            free = carrier.engine.capacity()
            if free > room:
                best = carrier
                room = free
        return best

    def dials_wanted(self) -> int:
        """How many more connections to open now: as many as waiting requests need, within the limit."""
        if not self.waiting:
            return 0
        places = 0
        open_carriers = self.dialing
        for carrier in self.carriers:
            engine = carrier.engine
            if not engine.closed and not engine.draining:
                open_carriers += 1
                places = max(places, engine.stream_limit)
        if open_carriers >= self.max_carriers:
            return 0
        if not open_carriers:
            return 1  # what one connection holds is not known yet
        if self.dialing:
            return 0  # the next one may be enough
        return 1 if places or not self.carriers else 0

    def dial_started(self) -> None:
        """A connection is being opened."""
        self.dialing += 1

    def dial_succeeded(self, carrier: Any, now: float) -> None:
        """The connection is open: waiting requests go out on it."""
        self.dialing -= 1
        self.carriers.append(carrier)
        for exchange in self.waiting:
            exchange.progress_at = now  # until now they waited for the dial, which has its own limit
        self.admit(now)
        for exchange in self.waiting:
            self.deadline = min(self.deadline, self._limit(exchange))

    def dial_failed(self, error: Exception) -> None:
        """The dial is over. Whoever waited for it fails, unless another connection may still serve them."""
        self.dialing -= 1
        if self.dialing or self.carriers:
            return
        while self.waiting:
            failure = _same(error) if len(self.waiting) > 1 else error
            self._refuse(self.waiting.popleft(), failure)

    def lost(self, carrier: Any) -> None:
        """The connection is gone."""
        if carrier in self.carriers:
            self.carriers.remove(carrier)

    def admit(self, now: float) -> None:
        """Send waiting requests while there is room."""
        while self.waiting:
            carrier = self.choose()
            if carrier is None:
                return
            exchange = self.waiting.popleft()
            try:
                carrier.submit(exchange, now)
            except RequestError as error:
                self._refuse(exchange, error)

    def withdraw(self, exchange: Exchange, error: Exception | None) -> bool:
        """Take a waiting exchange out; False when it is not waiting here."""
        if exchange.engine is None and exchange.phase == QUEUED:
            try:
                self.waiting.remove(exchange)
            except ValueError:
                return False
            self._refuse(exchange, error)
            return True
        return False

    def expire(self, now: float) -> None:
        """End waiting exchanges whose time is up; ``deadline`` is then the earliest of the others."""
        earliest = NEVER
        late: list[Exchange] = []
        for exchange in self.waiting:
            limit = self._limit(exchange)
            if limit <= now:
                late.append(exchange)
            elif limit < earliest:
                earliest = limit
        self.deadline = earliest
        for exchange in late:
            self.waiting.remove(exchange)
            if exchange.deadline <= now:
                self._refuse(exchange, TotalTimeout("the exchange passed its total deadline", request_processed=False))
            else:
                self._refuse(exchange, PoolTimeout("no connection came free in time", request_processed=False))

    def take_refused(self) -> list[Exchange]:
        """Exchanges that ended while they waited."""
        refused = self.refused
        self.refused = []
        return refused

    def _limit(self, exchange: Exchange) -> float:
        if self.dialing and not self.carriers:
            return exchange.deadline  # the dial has a limit of its own
        return exchange.limit()

    def _refuse(self, exchange: Exchange, error: Exception | None) -> None:
        exchange.phase = FINISHED
        exchange.error = error
        self.refused.append(exchange)


def _same(error: Exception) -> Exception:
    """The same failure for another exchange: exceptions carry a traceback each, so none is shared."""
    if isinstance(error, RequestError):
        copy = type(error)(
            str(error),
            scope=error.scope,
            code=error.code,
            initiator=error.initiator,
            request_processed=error.request_processed,
        )
    else:
        copy = ConnectError(str(error), request_processed=False)
    copy.__cause__ = error.__cause__
    return copy

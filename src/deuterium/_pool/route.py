"""The connections to one origin and the requests that wait for a place on one: decisions, without I/O."""

from __future__ import annotations

from collections import deque
from random import random
from typing import Any

from .._http.exchange import Exchange
from .._http.failures import copy_error
from .._http.phases import FINISHED, NEVER, QUEUED
from .._memory.foresight import address_of, foresee
from .._net.carrier import Carrier
from ..errors import ConnectError, PoolTimeout, RequestError, TotalTimeout
from .growth import Growth
from .score import Balancer, ConnectionScore

EXCHANGE_OCTETS = 400  # about


class Route:
    """One way to one origin. A front end carries out what it decides: dialing, closing, waking.

    ``carriers`` are open connections. Requests that find no place wait in ``waiting``, first in, first out.
    """

    __slots__ = (
        "balancer",
        "bound",
        "by_score",
        "carriers",
        "connect_s",
        "deadline",
        "dialing",
        "growth",
        "look_at",
        "max_carriers",
        "max_multiplexed",
        "multiplexed",
        "origin",
        "refused",
        "saturated",
        "sent_before",
        "waited_s",
        "waiting",
        "waits",
    )

    def __init__(self, origin: Any, max_carriers: int, max_multiplexed: int) -> None:
        """``max_carriers``: connections at most; ``max_multiplexed``: at most, where each carries many requests."""
        self.origin = origin
        self.max_carriers = max_carriers
        self.max_multiplexed = max_multiplexed
        self.multiplexed: bool | None = None  # whether connections carry many requests; None: not known yet
        self.carriers: list[Any] = []
        self.balancer = Balancer(random)
        self.by_score: dict[ConnectionScore, Any] = {}
        self.waiting: deque[Exchange] = deque()
        self.waits = 0  # requests that found no place at once
        self.waited_s = 0.0  # how long those had waited that got one
        self.sent_before = 0  # requests that connections carried which are gone
        self.saturated = False  # no dial is wanted however many more wait, and whoever may make room says so
        self.dialing = 0
        self.bound = 0  # requests whose own thread dials for them: they take no place before it is done
        self.connect_s: float | None = None  # the connect timeout of the request that came last
        self.refused: list[Exchange] = []  # ended here; their waiters want to be woken
        self.deadline = NEVER
        self.growth = Growth()
        self.look_at = NEVER  # when ``worth_opening`` is to be asked again

    # -- requests ----------------------------------------------------------------------------------------------------

    def submit(self, exchange: Exchange, now: float) -> bool:
        """Send the exchange on the best connection; False: it waits, and the caller asks for dials."""
        if not self.waiting:
            carrier = self.choose(now)
            if carrier is not None:
                carrier.tally.sent(now)
                carrier.submit(exchange, now)
                return True
        self.waits += 1
        exchange.phase = QUEUED
        exchange.progress_at = now
        if self.waiting:
            before: Exchange = self.waiting[len(self.waiting) - 1]
            before.follower_at = address_of(exchange)
        self.waiting.append(exchange)
        limit = self._limit(exchange)
        self.deadline = min(self.deadline, limit)
        return False

    def choose(self, now: float) -> Any:
        """An open connection with a free place; of several, the better of two taken at random; None: all are full."""
        carriers = self.carriers
        if len(carriers) == 1:
            carrier = carriers[0]
            return carrier if carrier.engine.capacity() > 0 else None
        if not carriers:
            return None
        only = self._measure()
        return only if only is not None else self._better(now)

    def _measure(self) -> Any:
        """Tell the scores what room there is: a request that is sent then needs no second look.

        The connection that has room, if it is one alone and does well: then there is nothing to choose.
        """
        only = None
        with_room = 0
        for carrier in self.carriers:
            score: ConnectionScore = carrier.tally
            room = carrier.engine.capacity()
            score.limit = score.outstanding + room
            if room > 0:
                with_room += 1
                only = carrier if score.does_well() else None
        return only if with_room == 1 else None

    def _better(self, now: float) -> Any:
        """Of several connections measured."""
        chosen = self.balancer.choose(now)
        if chosen is None:
            chosen = self.balancer.least_bad(now)
            if chosen is None:
                return None
        return self.by_score[chosen]

    def admit(self, now: float) -> None:
        """Send waiting requests while there is room."""
        waiting = self.waiting
        only = self._measure() if len(self.carriers) > 1 else None
        while waiting:
            if only is not None:
                carrier = only if only.engine.capacity() > 0 else None
            else:
                carrier = self._better(now) if len(self.carriers) > 1 else self.choose(now)
            if carrier is None:
                return
            exchange = waiting.popleft()
            foresee(exchange.follower_at, EXCHANGE_OCTETS)
            self.waited_s += now - exchange.progress_at
            try:
                carrier.tally.sent(now)
                carrier.submit(exchange, now)
            except RequestError as error:
                carrier.tally.cancelled(now)
                self._refuse(exchange, error)

    def withdraw(self, exchange: Exchange, error: Exception | None) -> bool:
        """Take a waiting exchange out; False when it is not waiting here."""
        try:
            self.waiting.remove(exchange)
        except ValueError:
            return False
        self._refuse(exchange, error)
        return True

    # -- connections -------------------------------------------------------------------------------------------------

    def dials_wanted(self) -> int:
        """How many more connections to open now: what the waiting requests need, within the limits.

        The first requests share one dial. Where connections carry many requests, their number at most doubles at a
        time, and a dial under way counts as places to come.
        """
        if not self.waiting:
            return 0
        usable = 0
        places = 1
        for carrier in self.carriers:
            engine = carrier.engine
            if not engine.closed and not engine.draining:
                usable += 1
                places = max(places, engine.stream_limit)
        if self.multiplexed is None:
            return 0 if self.dialing or usable else 1
        if not self.multiplexed:
            return min(len(self.waiting) + self.bound, self.max_carriers - usable) - self.dialing
        if not usable and not self.dialing:
            return 1
        needed = -(-(len(self.waiting) + self.bound) // places)
        most = min(self.max_multiplexed, self.max_carriers)
        return min(needed, max(1, usable), most - usable) - self.dialing

    def worth_opening(self, now: float) -> int:
        """``dials_wanted``; but none until ``look_at``, while it is measured whether more connections bring more."""
        wanted = self.dials_wanted()
        self.look_at = NEVER
        if wanted > 0 and self.multiplexed:
            usable = answers = 0
            for carrier in self.carriers:
                if not carrier.engine.closed and not carrier.engine.draining:
                    usable += 1
                    answers += carrier.tally.answers
            if usable:
                until = self.growth.look(usable, answers, now)
                if until:
                    self.look_at = until
                    return 0
        return wanted

    def at_most(self) -> bool:
        """As many connections as may carry many requests each are open or being opened, and all of them are usable."""
        if not self.multiplexed:
            return False
        most = min(self.max_multiplexed, self.max_carriers)
        return len(self.carriers) + self.dialing >= most and not any(
            carrier.engine.closed or carrier.engine.draining for carrier in self.carriers
        )

    def dial_started(self) -> None:
        """A connection is being opened."""
        self.saturated = False
        self.dialing += 1

    def bind(self, exchange: Exchange) -> None:
        """The exchange's own thread opens a connection, so it cannot go out on another one meanwhile."""
        self.waiting.remove(exchange)
        self.bound += 1

    def unbind(self, exchange: Exchange) -> None:
        """The thread is back: its exchange is the first in the queue."""
        self.waiting.appendleft(exchange)
        self.bound -= 1

    def dial_given_up(self) -> None:
        """The dial was interrupted; that says nothing about the origin."""
        self.saturated = False
        self.dialing -= 1

    def dial_succeeded(self, carrier: Carrier, multiplexed: bool, score: ConnectionScore, now: float) -> None:
        """The connection is open: waiting requests go out on it."""
        self.saturated = False
        self.dialing -= 1
        self.multiplexed = multiplexed
        carrier.tally = score
        carrier.route = self
        self.carriers.append(carrier)
        self.balancer.add(score)
        self.by_score[score] = carrier
        for exchange in self.waiting:
            self.waited_s += now - exchange.progress_at
            exchange.progress_at = now  # until now they waited for the dial, which has its own limit
        self.admit(now)
        self._set_deadline()

    def dial_failed(self, error: Exception) -> None:
        """The dial is over. Whoever waited for it fails, unless another connection may still serve them."""
        self.saturated = False
        self.dialing -= 1
        if self.dialing or self.carriers:
            return
        while self.waiting:
            failure = _same(error) if len(self.waiting) > 1 else error
            self._refuse(self.waiting.popleft(), failure)

    def lost(self, carrier: Carrier) -> None:
        """The connection is gone."""
        self.saturated = False
        if carrier in self.carriers:
            self.carriers.remove(carrier)
            self.sent_before += carrier.engine.requests
            score: Any = carrier.tally
            self.balancer.remove(score)
            del self.by_score[score]

    def requests(self) -> int:
        """How many requests were sent here, each as often as it was sent."""
        sent: int = self.sent_before + sum(carrier.engine.requests for carrier in self.carriers)
        return sent

    def waiting_since(self) -> float:
        """Since when the first in the queue waits; NEVER when nobody does."""
        since: float = self.waiting[0].progress_at if self.waiting else NEVER
        return since

    def leave(self) -> None:
        """Send nothing more on the connections there are: the origin wants others."""
        self.saturated = False
        for carrier in self.carriers:
            carrier.engine.draining = True
        self.multiplexed = None

    # -- time --------------------------------------------------------------------------------------------------------

    def expire(self, now: float) -> None:
        """End waiting exchanges whose time is up; ``deadline`` is then the earliest of the others."""
        late = [exchange for exchange in self.waiting if self._limit(exchange) <= now]
        for exchange in late:
            self.waiting.remove(exchange)
            if exchange.deadline <= now:
                self._refuse(
                    exchange, TotalTimeout("the exchange passed its total deadline", request_processed=False)
                )
            else:
                self._refuse(exchange, PoolTimeout("no connection came free in time", request_processed=False))
        self._set_deadline()

    def take_refused(self) -> list[Exchange]:
        """Exchanges that ended while they waited."""
        refused = self.refused
        self.refused = []
        return refused

    def _set_deadline(self) -> None:
        earliest = NEVER
        for exchange in self.waiting:
            limit = self._limit(exchange)
            earliest = min(earliest, limit)
        self.deadline = earliest

    def _limit(self, exchange: Exchange) -> float:
        if self.dialing and not self.carriers:
            return exchange.deadline  # the dial has a limit of its own
        return exchange.limit()

    def _refuse(self, exchange: Exchange, error: Exception | None) -> None:
        exchange.error = error
        exchange.phase = FINISHED  # last: other threads look at it without the lock
        self.refused.append(exchange)


def _same(error: Exception) -> RequestError:
    """The same failure for another exchange: exceptions carry a traceback each, so none is shared."""
    if isinstance(error, RequestError):
        return copy_error(error, error.request_processed)
    failure = ConnectError(str(error), request_processed=False)
    failure.__cause__ = error
    return failure

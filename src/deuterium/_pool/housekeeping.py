"""Which connections to close, to retire, or to ask for a sign of life: decisions, without I/O."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

from .._memory.buffer_pool import BufferPool
from ..config import Limits
from .retry_budget import RetryBudget

Verb = Literal["close", "retire", "restore", "ping", "dead"]

# How long an origin waits for its first connection, because the limit is reached and none is idle, before a busy one of
# another origin is retired for it. Well below the pool timeout of 5 s, and longer than most requests.
STARVE_S = 1.0

TRIM_S = 10.0  # how often the buffers go that nobody needed

# A peer that says GOAWAY(ENHANCE_YOUR_CALM), as gRPC servers do for too many pings, is asked half as often.
CALM = 0xB
MAX_BACKOFF = 16


class Housekeeping:
    """Looks at all connections of a pool every second or so.

    ``retire``: the connection takes no further request and closes when it is empty. ``restore``: it takes requests
    again, nobody waits for its place any more. ``dead``: a ping was not answered.
    """

    __slots__ = ("backoff", "budget", "buffers", "limits", "trim_at", "yielding")

    def __init__(self, limits: Limits, budget: RetryBudget, buffers: BufferPool) -> None:
        self.limits: Limits = limits
        self.budget: RetryBudget = budget
        self.buffers: BufferPool = buffers
        self.trim_at = 0.0
        self.yielding: list[Any] = []  # connections retired for another origin's sake
        self.backoff: dict[str, int] = {}  # by origin: how many times longer silence is borne before a ping

    def look(self, routes: Iterable[Any], now: float) -> list[tuple[Any, Verb]]:
        """What to do, connection by connection."""
        limits = self.limits
        verbs: list[tuple[Any, Verb]] = []
        idle: list[Any] = []
        routes = tuple(routes)
        carried = 0
        for route in routes:
            carried += route.requests()
            for carrier in route.carriers:
                engine = carrier.engine
                if engine.closed:
                    continue
                if engine.active() == 0:
                    if engine.draining:
                        verbs.append((carrier, "close"))
                    elif limits.keepalive_expiry is not None and now - carrier.used_at >= limits.keepalive_expiry:
                        verbs.append((carrier, "close"))
                    else:
                        idle.append(carrier)
                elif limits.ping_after_s is not None:
                    self._liveness(route.origin.key, carrier, now, verbs)
                if limits.max_connection_age is not None and now - carrier.opened_at >= limits.max_connection_age:
                    verbs.append((carrier, "retire"))
                if getattr(engine, "goaway_code", -1) == CALM:
                    factor = self.backoff.get(route.origin.key, 1)
                    self.backoff[route.origin.key] = min(MAX_BACKOFF, factor * 2)
        if limits.max_keepalive_connections is not None:
            surplus = len(idle) - limits.max_keepalive_connections
            if surplus > 0:
                idle.sort(key=_used_at)
                verbs.extend((carrier, "close") for carrier in idle[:surplus])
        self.budget.observe(carried, now)
        if now >= self.trim_at:
            self.trim_at = now + TRIM_S
            self.buffers.trim()
        if limits.max_connections is not None:
            self._make_room(routes, now, verbs)
        return verbs

    def _make_room(self, routes: tuple[Any, ...], now: float, verbs: list[tuple[Any, Verb]]) -> None:
        """An origin without any connection is not starved for ever by others whose connections are never idle."""
        hungry = 0
        held = 0
        for route in routes:
            held += len(route.carriers) + route.dialing
            if not route.carriers and not route.dialing and now - route.waiting_since() >= STARVE_S:
                hungry += 1
        self.yielding = [each for each in self.yielding if not each.lost and not each.engine.closed]
        if not hungry:
            verbs.extend((each, "restore") for each in self.yielding if getattr(each.engine, "goaway_code", -1) < 0)
            self.yielding.clear()
            return
        assert self.limits.max_connections is not None
        if held < self.limits.max_connections:
            return
        hungry -= sum(carrier.engine.draining for route in routes for carrier in route.carriers)
        givers = [route for route in routes if any(not carrier.engine.draining for carrier in route.carriers)]
        givers.sort(key=_connections, reverse=True)
        for route in givers[: max(0, hungry)]:
            carrier = min((each for each in route.carriers if not each.engine.draining), key=_opened_at)
            self.yielding.append(carrier)
            verbs.append((carrier, "retire"))

    def _liveness(self, key: str, carrier: Any, now: float, verbs: list[tuple[Any, Verb]]) -> None:
        assert self.limits.ping_after_s is not None
        pinged_at = carrier.engine.unanswered_ping()
        if now - pinged_at >= self.limits.ping_timeout_s:
            verbs.append((carrier, "dead"))
        elif pinged_at > now and now - carrier.used_at >= self.limits.ping_after_s * self.backoff.get(key, 1):
            verbs.append((carrier, "ping"))

    def longest_idle(self, routes: Iterable[Any]) -> Any:
        """The idle connection that was not used for the longest time; None when all are busy."""
        idle = [
            carrier
            for route in routes
            if not route.waiting
            for carrier in route.carriers
            if carrier.engine.active() == 0 and not carrier.engine.closed
        ]
        return min(idle, key=_used_at, default=None)


def _connections(route: Any) -> int:
    return len(route.carriers)


def _opened_at(carrier: Any) -> float:
    opened_at: float = carrier.opened_at
    return opened_at


def _used_at(carrier: Any) -> float:
    used_at: float = carrier.used_at
    return used_at

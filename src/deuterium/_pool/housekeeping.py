"""Which connections to close, to retire, or to ask for a sign of life: decisions, without I/O."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

from ..config import Limits

Verb = Literal["close", "retire", "ping", "dead"]

# A peer that says GOAWAY(ENHANCE_YOUR_CALM), as gRPC servers do for too many pings, is asked half as often.
CALM = 0xB
MAX_BACKOFF = 16


class Housekeeping:
    """Looks at all connections of a pool every second or so.

    ``retire``: the connection takes no further request and closes when it is empty. ``dead``: a ping was not answered.
    """

    __slots__ = ("backoff", "limits")

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.backoff: dict[str, int] = {}  # by origin: how many times longer silence is borne before a ping

    def look(self, routes: Iterable[Any], now: float) -> list[tuple[Any, Verb]]:
        """What to do, connection by connection."""
        limits = self.limits
        verbs: list[tuple[Any, Verb]] = []
        idle: list[Any] = []
        for route in routes:
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
        return verbs

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


def _used_at(carrier: Any) -> float:
    used_at: float = carrier.used_at
    return used_at

"""Which protocol an origin speaks, as far as is known.

What is known comes from three sides, the stronger first:

- *forced*: the caller said so; never expires, and nothing an origin does changes it - *required*: the origin
said HTTP_1_1_REQUIRED (RFC 9113 section 7); HTTP/2 is not even offered until that expires - *learned*: what
the last handshake agreed on, or that a cleartext origin took the HTTP/2 preface (h2c with prior
  knowledge, RFC 9113 section 3.3) or did not

TLS negotiates anew with each connection, so for an https origin a learned protocol only tells the pool what
to expect: one connection for many requests, or one each. Cleartext has no negotiation; there the cache is
what remembers.

An origin is any hashable key; the pool's has scheme, host and port in it. The owner calls from one thread at
a time.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Literal

Protocol = Literal["h2", "http/1.1", "h2c"]
Source = Literal["forced", "required", "learned"]

LIFE_S = 3600.0  # as long as a connection may live: servers are upgraded and rolled back
REQUIRED_LIFE_S = 600.0  # HTTP_1_1_REQUIRED is often about one resource, such as one that asks for a certificate
MAX_ORIGINS = 4096

H2_THEN_HTTP1 = ("h2", "http/1.1")


@dataclass(frozen=True, slots=True)
class Known:
    """A protocol, from whom it is known, and until when (infinity for a forced one)."""

    protocol: Protocol
    source: Source
    until: float


@dataclass(frozen=True, slots=True)
class ProtocolCacheStats:
    """Sizes now, and counts since the cache was made."""

    origins: int
    forced: int
    hits: int
    misses: int
    learned: int
    changed: int
    required: int
    misdirected: int
    expired: int
    evicted: int


class ProtocolCache:
    """Protocols by origin, bounded and expiring.

    >>> cache = ProtocolCache()
    >>> cache.alpn("https://example.org", now=0.0)
    ('h2', 'http/1.1')
    >>> cache.http1_required("https://example.org", now=0.0)
    True
    >>> cache.alpn("https://example.org", now=1.0)
    ('http/1.1',)
    """

    def __init__(
        self, life_s: float = LIFE_S, required_life_s: float = REQUIRED_LIFE_S, max_origins: int = MAX_ORIGINS
    ) -> None:
        if max_origins < 1:
            raise ValueError("max_origins must be >= 1")
        self._life_s = life_s
        self._required_life_s = required_life_s
        self._max_origins = max_origins
        self._forced: dict[Hashable, Known] = {}
        self._known: dict[Hashable, Known] = {}  # the one used or learned longest ago first
        self._alone: dict[Hashable, float] = {}  # origins that answered 421, until when
        self._counts = dict.fromkeys(("hits", "misses", "learned", "changed", "required"), 0)
        self._counts |= dict.fromkeys(("misdirected", "expired", "evicted"), 0)

    def lookup(self, origin: Hashable, now: float) -> Known | None:
        """What is known of ``origin``; None: nothing, or no longer."""
        known = self._current(origin, now)
        self._counts["misses" if known is None else "hits"] += 1
        if known is not None and known.source != "forced":
            self._known[origin] = self._known.pop(origin)
        return known

    def alpn(self, origin: Hashable, now: float) -> tuple[str, ...]:
        """The protocol names for the TLS handshake (RFC 7301), the preferred first."""
        known = self._current(origin, now)
        if known is None or known.source == "learned":
            return H2_THEN_HTTP1
        return ("http/1.1",) if known.protocol == "http/1.1" else ("h2",)

    def force(self, origin: Hashable, protocol: Protocol) -> None:
        """The caller says which protocol ``origin`` speaks."""
        self._forced[origin] = Known(protocol, "forced", float("inf"))

    def release(self, origin: Hashable) -> None:
        """The caller no longer says."""
        self._forced.pop(origin, None)

    def learn(self, origin: Hashable, protocol: Protocol, now: float) -> bool:
        """A connection to ``origin`` speaks ``protocol``; False if another one is forced, so it cannot be used."""
        forced = self._forced.get(origin)
        if forced is not None:
            return forced.protocol == protocol
        before = self._current(origin, now)
        if before is not None and before.source == "required" and protocol != "http/1.1":
            return True  # a handshake begun before the origin required HTTP/1.1; the requirement stands
        self._counts["learned"] += 1
        if before is not None and before.protocol != protocol:
            self._counts["changed"] += 1
        if before is None or before.source != "required":
            self._store(origin, Known(protocol, "learned", now + self._life_s))
        return True

    def http1_required(self, origin: Hashable, now: float) -> bool:
        """The origin sent HTTP_1_1_REQUIRED; True if another try over HTTP/1.1 makes sense."""
        self._counts["required"] += 1
        forced = self._forced.get(origin)
        if forced is not None:
            return False  # h2 only: the caller's word; http/1.1: it speaks that already
        self._store(origin, Known("http/1.1", "required", now + self._required_life_s))
        return True

    def h2c_refused(self, origin: Hashable, now: float) -> bool:
        """A cleartext origin did not take the HTTP/2 preface; True if another try over HTTP/1.1 makes sense."""
        return self.learn(origin, "http/1.1", now)

    def misdirected(self, origin: Hashable, now: float) -> None:
        """The origin answered 421: it wants connections of its own (RFC 9110 section 15.5.20)."""
        self._counts["misdirected"] += 1
        self._alone.pop(origin, None)
        self._alone[origin] = now + self._life_s
        if len(self._alone) > self._max_origins:
            del self._alone[next(iter(self._alone))]
            self._counts["evicted"] += 1

    def may_share(self, origin: Hashable, now: float) -> bool:
        """Whether a connection made for another origin may carry requests for this one."""
        until = self._alone.get(origin)
        if until is None:
            return True
        if now < until:
            return False
        del self._alone[origin]
        self._counts["expired"] += 1
        return True

    def forget(self, origin: Hashable) -> None:
        """Drop what was learned and required of ``origin``; what is forced stays."""
        self._known.pop(origin, None)
        self._alone.pop(origin, None)

    def stats(self) -> ProtocolCacheStats:
        """Sizes and counts."""
        return ProtocolCacheStats(origins=len(self._known), forced=len(self._forced), **self._counts)

    def _current(self, origin: Hashable, now: float) -> Known | None:
        forced = self._forced.get(origin)
        if forced is not None:
            return forced
        known = self._known.get(origin)
        if known is not None and now >= known.until:
            del self._known[origin]
            self._counts["expired"] += 1
            return None
        return known

    def _store(self, origin: Hashable, known: Known) -> None:
        self._known.pop(origin, None)
        self._known[origin] = known
        if len(self._known) > self._max_origins:
            del self._known[next(iter(self._known))]
            self._counts["evicted"] += 1

"""The addresses of names, kept for a bounded time, and who looks them up when they are not known.

Of several callers that need a name at once, the first is told to resolve it and the others to wait. The cache
only says who does what; resolving is the front end's work, by a resolver of its choice, and so is waiting
(``Waiter.wake``).

getaddrinfo tells no time to live, so positive answers are kept for ``life_s``; a resolver that knows better
passes its own, which ``life_s`` caps. Negative ones are kept for a few seconds, to spare the resolver a storm
and not the user a recovery. When resolving fails, addresses that expired less than ``stale_life_s`` ago are
used again (RFC 8767): a resolver that is down must not stop a client whose servers are not.

The owner calls from one thread at a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

A = TypeVar("A")  # an address, in whatever form the dialer takes

LIFE_S = 60.0  # Chromium's for answers that came without a time to live
NEGATIVE_LIFE_S = 3.0
STALE_LIFE_S = 300.0
RESOLVE_S = 30.0  # past it a resolution is taken for lost: glibc gives up after 5 s x 2 attempts x 3 servers
MAX_NAMES = 4096


class Waiter(Protocol):
    """Whoever waits for another's resolution."""

    def wake(self) -> object:
        """Look at the ticket."""


@dataclass(frozen=True, slots=True)
class Found(Generic[A]):
    """The addresses, at least one, the preferred first; ``stale``: expired, but no newer ones could be had."""

    addresses: tuple[A, ...]
    stale: bool = False


@dataclass(frozen=True, slots=True)
class Failed:
    """The name could not be resolved. Several callers may hold ``error``: raise one of your own from it."""

    error: BaseException


@dataclass(slots=True, eq=False)
class Ticket(Generic[A]):
    """One resolution under way. ``result`` is set before the waiters are woken; None then means: ask again."""

    name: str
    since: float
    waiters: list[Waiter] = field(default_factory=list)
    result: Found[A] | Failed | None = None
    over: bool = False


@dataclass(frozen=True, slots=True)
class Resolve(Generic[A]):
    """Resolve the name, then call exactly one of ``resolved``, ``failed`` and ``abandoned`` with the ticket."""

    ticket: Ticket[A]


@dataclass(frozen=True, slots=True)
class Wait(Generic[A]):
    """Another caller resolves the name; the waiter is woken when ``ticket`` has its result."""

    ticket: Ticket[A]


@dataclass(frozen=True, slots=True)
class DnsCacheStats:
    """Sizes now, and counts since the cache was made."""

    names: int
    resolving: int
    hits: int
    negative_hits: int
    misses: int
    shared: int
    stale: int
    lost: int
    evicted: int


@dataclass(slots=True)
class _Entry(Generic[A]):
    addresses: tuple[A, ...]  # empty: only a failure is known
    until: float
    stale_until: float
    error: BaseException | None = None


class DnsCache(Generic[A]):
    """Addresses by name. ``life_s`` of 0 keeps nothing and still shares resolutions.

    >>> class Sleeper:
    ...     def wake(self) -> None: print("awake")
    >>> cache: DnsCache[str] = DnsCache()
    >>> first = cache.look_up("example.org", 0.0, Sleeper())
    >>> second = cache.look_up("example.org", 0.0, Sleeper())
    >>> type(first).__name__, type(second).__name__
    ('Resolve', 'Wait')
    >>> cache.resolved(first.ticket, ["192.0.2.1"], 0.1)
    awake
    >>> cache.look_up("example.org", 60.0, Sleeper())
    Found(addresses=('192.0.2.1',), stale=False)
    """

    def __init__(
        self,
        life_s: float = LIFE_S,
        negative_life_s: float = NEGATIVE_LIFE_S,
        stale_life_s: float = STALE_LIFE_S,
        max_names: int = MAX_NAMES,
    ) -> None:
        if max_names < 1:
            raise ValueError("max_names must be >= 1")
        self._life_s = life_s
        self._negative_life_s = negative_life_s
        self._stale_life_s = stale_life_s
        self._max_names = max_names
        self._entries: dict[str, _Entry[A]] = {}  # the one used longest ago first
        self._tickets: dict[str, Ticket[A]] = {}
        self._counts = dict.fromkeys(("hits", "negative_hits", "misses", "shared", "stale", "lost", "evicted"), 0)

    def look_up(self, name: str, now: float, waiter: Waiter) -> Found[A] | Failed | Resolve[A] | Wait[A]:
        """What the caller does about ``name``; ``waiter`` is kept only if the answer is Wait."""
        entry = self._entries.get(name)
        if entry is not None and now < entry.until:
            self._entries[name] = self._entries.pop(name)
            if entry.error is None:
                self._counts["hits"] += 1
                return Found(entry.addresses)
            self._counts["negative_hits"] += 1
            return self._failure(entry, now, entry.error)
        ticket = self._tickets.get(name)
        if ticket is not None and now - ticket.since <= RESOLVE_S:
            self._counts["shared"] += 1
            ticket.waiters.append(waiter)
            return Wait(ticket)
        self._counts["misses"] += 1
        fresh: Ticket[A] = Ticket(name, now)
        self._tickets[name] = fresh
        if ticket is not None:
            self._counts["lost"] += 1
            self._wake(ticket)  # they ask again, and wait for the new one
        return Resolve(fresh)

    def resolved(self, ticket: Ticket[A], addresses: Sequence[A], now: float, life_s: float | None = None) -> None:
        """The name has ``addresses``, for at most ``life_s`` if the resolver knows; none at all is a failure."""
        if not addresses:
            self.failed(ticket, LookupError(f"{ticket.name} has no address"), now)
            return
        life_s = self._life_s if life_s is None else min(life_s, self._life_s)
        until = now + max(life_s, 0.0)
        self._store(ticket.name, _Entry(tuple(addresses), until, until + self._stale_life_s))
        self._end(ticket, Found(tuple(addresses)))

    def failed(self, ticket: Ticket[A], error: BaseException, now: float) -> None:
        """The name could not be resolved; addresses not long expired are used again."""
        if ticket.over:
            return  # taken for lost: whoever took over knows better
        entry = self._entries.get(ticket.name)
        if entry is None:
            entry = _Entry((), 0.0, 0.0)
        entry.error = error
        entry.until = now + self._negative_life_s
        self._store(ticket.name, entry)
        self._end(ticket, self._failure(entry, now, error))

    def abandoned(self, ticket: Ticket[A]) -> None:
        """Whoever resolved was cancelled: the waiters ask again, and the first of them resolves."""
        self._end(ticket, None)

    def leave(self, ticket: Ticket[A], waiter: Waiter) -> None:
        """A waiter was cancelled."""
        ticket.waiters[:] = [other for other in ticket.waiters if other is not waiter]

    def demote(self, name: str, address: A) -> None:
        """``address`` could not be reached: try it last until the name is resolved anew."""
        entry = self._entries.get(name)
        if entry is not None and address in entry.addresses:
            others = tuple(other for other in entry.addresses if other != address)
            entry.addresses = (*others, address)

    def forget(self, name: str) -> None:
        """Resolve ``name`` anew when it is next needed; what is known serves only if that fails."""
        entry = self._entries.get(name)
        if entry is not None:
            entry.until = float("-inf")

    def stats(self) -> DnsCacheStats:
        """Sizes and counts."""
        return DnsCacheStats(names=len(self._entries), resolving=len(self._tickets), **self._counts)

    def _failure(self, entry: _Entry[A], now: float, error: BaseException) -> Found[A] | Failed:
        if entry.addresses and now < entry.stale_until:
            self._counts["stale"] += 1
            return Found(entry.addresses, stale=True)
        return Failed(error)

    def _store(self, name: str, entry: _Entry[A]) -> None:
        self._entries.pop(name, None)
        self._entries[name] = entry
        if len(self._entries) > self._max_names:
            del self._entries[next(iter(self._entries))]
            self._counts["evicted"] += 1

    def _end(self, ticket: Ticket[A], result: Found[A] | Failed | None) -> None:
        if self._tickets.get(ticket.name) is ticket:
            del self._tickets[ticket.name]
        if not ticket.over:
            ticket.result = result
            self._wake(ticket)

    def _wake(self, ticket: Ticket[A]) -> None:
        ticket.over = True
        waiters = ticket.waiters
        ticket.waiters = []
        for waiter in waiters:
            waiter.wake()

"""One object for each field name and value that repeats across connections.

HPACK tables share strings within a connection. A :class:`StringPool` shares them between connections and
past evictions, and refuses what does not repeat: :func:`should_pool`.

Two dictionaries, young and old, bound it. A string found among the old moves to the young; when the young
have half the bound, the old are forgotten and the two change places. So what is in use stays, a peer that
sends a flood of new strings only pushes out what nobody asked for meanwhile, and no string carries a mark
or a link of its own.
"""

from __future__ import annotations

from typing import Final

from deuterium._memory.guard import Guard
from deuterium._memory.octet_cache import OctetCache
from deuterium._memory.stats import StringStats

# Fields whose values come from a small set, numbers in them or not.
REPEATING: Final = frozenset(
    """accept accept-encoding accept-language accept-ranges access-control-allow-credentials
    access-control-allow-headers access-control-allow-methods access-control-allow-origin
    access-control-expose-headers access-control-max-age allow alt-svc cache-control connection
    content-encoding content-language content-type cross-origin-embedder-policy cross-origin-opener-policy
    cross-origin-resource-policy permissions-policy pragma priority referrer-policy server
    strict-transport-security te trailer transfer-encoding upgrade user-agent vary via x-cache
    x-content-type-options x-frame-options x-powered-by x-xss-protection
    :method :scheme :status""".split()  # noqa: SIM905  # a list literal is a page long
)

# Fields whose values are secret, or new with every message.
CHANGING: Final = frozenset(
    """age authentication-info authorization content-digest content-length content-location content-md5
    content-range cookie date digest etag expires if-match if-modified-since if-none-match if-range
    if-unmodified-since keep-alive last-modified location proxy-authenticate proxy-authentication-info
    proxy-authorization range referer repr-digest retry-after server-timing set-cookie traceparent tracestate
    www-authenticate x-amz-id-2 x-api-key x-forwarded-for x-real-ip x-runtime x-timer
    :path""".split()  # noqa: SIM905  # a list literal is a page long
)

# "x-request-id", "x-csrf-token", "cf-ray": named for what changes.
CHANGING_ENDINGS: Final = (
    "-id",
    "-token",
    "-ray",
    "-date",
    "-time",
    "-timestamp",
    "-signature",
    "-nonce",
    "-key",
)

# Which values of a name are pooled.
ALL_VALUES = 1
NO_VALUES = 2
BY_VALUE = 3

SHORT = 8  # up to here a value of digits is likely a flag, a status or a version
MANY = 8  # digits in one value; of a million random UUIDs a handful have fewer
TOKEN = 20  # from here one unbroken run of letters and digits is likely a token

KNOWN_NAMES = 256  # names found by their octets
KNOWN_FIELDS = 1024  # field lines found by their octets


def should_pool(name: str, value: str) -> bool:
    """Whether ``value`` is likely to come again in field ``name`` (lower case).

    >>> should_pool("content-type", "text/html; charset=utf-8"), should_pool("x-request-id", "7f3a")
    (True, False)
    """
    return is_shared(sharing_of_name(name), value)


def sharing_of_name(name: str) -> int:
    """ALL_VALUES, NO_VALUES or BY_VALUE: what the name alone says."""
    if name in REPEATING:
        return ALL_VALUES
    if name in CHANGING or name.endswith(CHANGING_ENDINGS):
        return NO_VALUES
    return BY_VALUE


def is_shared(sharing: int, value: str) -> bool:
    """:func:`should_pool` of a name for which :func:`sharing_of_name` gave ``sharing``."""
    if sharing != BY_VALUE:
        return sharing == ALL_VALUES
    digits = 0
    run = 0
    for octet in value:
        if "0" <= octet <= "9":
            digits += 1
            run += 1
        elif "a" <= octet <= "z" or "A" <= octet <= "Z":
            run += 1
        else:
            run = 0
        if run >= TOKEN:
            return False
    length = len(value)
    if length <= SHORT:
        # "1" and "200" repeat; "48213" is a length, a count or a time.
        return digits < 4
    # A date, a time, an address, a UUID: a quarter or more are digits, or there are many.
    return digits * 4 < length and digits < MANY


class StringPool:
    """At most ``bound`` shared strings of at most ``max_length`` characters; safe from any thread.

    ``enabled=False`` hands every string back as it came. ``names`` and ``fields`` find what a decoder made of such
    strings by the octets that were received, before any string is made of them.

    >>> pool = StringPool()
    >>> first = pool.name("".join(["content", "-type"]))
    >>> pool.name("".join(["content-", "type"])) is first
    True
    """

    __slots__ = ("_guard", "_half", "_hits", "_max_length", "_misses", "_old", "_refused", "_young", "fields", "names")

    def __init__(self, *, bound: int = 4096, enabled: bool = True, max_length: int = 64) -> None:
        if bound < 0 or bound == 1 or max_length < 0:
            raise ValueError("bound must be 0 or at least 2, max_length at least 0")
        self._guard = Guard()
        self._half = bound // 2 if enabled else 0
        self._max_length = max_length
        self._young: dict[str, str] = {}
        self._old: dict[str, str] = {}
        self._hits = 0
        self._misses = 0
        self._refused = 0
        self.names = OctetCache(KNOWN_NAMES if enabled else 0)
        self.fields = OctetCache(KNOWN_FIELDS if enabled else 0)

    def name(self, s: str) -> str:
        """The shared string equal to ``s``, a field name."""
        return self.share(s, True)

    def value(self, name: str, value: str) -> str:
        """The shared string equal to ``value``, in field ``name``; ``value`` itself if it is not pooled."""
        self._guard.acquire()
        found = self._young.get(value)
        if found is not None:
            self._hits += 1
        self._guard.release()
        # What is pooled already needs no decision.
        return found if found is not None else self.share(value, should_pool(name, value))

    def share(self, s: str, poolable: bool) -> str:
        """The same for whoever has decided: ``poolable`` is what :func:`should_pool` says."""
        self._guard.acquire()
        if not poolable or len(s) > self._max_length or self._half == 0:
            self._refused += 1
            shared = s
        else:
            found = self._young.get(s)
            if found is not None:
                self._hits += 1
                shared = found
            else:
                shared = self._insert(s)
        self._guard.release()
        return shared

    def _insert(self, s: str) -> str:
        """``s`` is not among the young: move it there from the old, or take it in. The caller holds the guard."""
        shared = self._old.pop(s, None)
        if shared is not None:
            self._hits += 1
        else:
            self._misses += 1
            shared = s
        if len(self._young) >= self._half:
            # Clearing and changing places allocates nothing that could start the garbage collector.
            self._old.clear()
            emptied = self._old
            self._old = self._young
            self._young = emptied
        self._young[shared] = shared
        return shared

    def stats(self) -> StringStats:
        """The counters, all of one moment."""
        self._guard.acquire()
        hits = self._hits
        misses = self._misses
        refused = self._refused
        size = len(self._young) + len(self._old)
        self._guard.release()
        return StringStats(hits=hits, misses=misses, refused=refused, size=size)

"""Frozen options, and every default with its reason."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final


class _Unset:
    """The type of :data:`USE_CLIENT_DEFAULT`."""

    def __repr__(self) -> str:
        return "USE_CLIENT_DEFAULT"


USE_CLIENT_DEFAULT: Final = _Unset()

KIB: Final = 1024
MIB: Final = 1024 * KIB


@dataclass(frozen=True, slots=True, init=False)
class Timeout:
    """Limits in seconds for each phase of an exchange; None means no limit.

    ``Timeout(5.0)`` sets connect, read, write and pool; ``total`` bounds the whole exchange and is off unless given.

    >>> Timeout(5.0, read=60.0).read
    60.0
    """

    connect: float | None
    read: float | None
    write: float | None
    pool: float | None
    total: float | None

    def __init__(
        self,
        timeout: float | None | _Unset = USE_CLIENT_DEFAULT,
        *,
        connect: float | None | _Unset = USE_CLIENT_DEFAULT,
        read: float | None | _Unset = USE_CLIENT_DEFAULT,
        write: float | None | _Unset = USE_CLIENT_DEFAULT,
        pool: float | None | _Unset = USE_CLIENT_DEFAULT,
        total: float | None = None,
    ) -> None:
        # 5 s is what httpx users rely on.
        base = 5.0 if isinstance(timeout, _Unset) else timeout
        for name, value in (("connect", connect), ("read", read), ("write", write), ("pool", pool)):
            chosen = base if isinstance(value, _Unset) else value
            object.__setattr__(self, name, _seconds(name, chosen))
        object.__setattr__(self, "total", _seconds("total", total))


def _seconds(name: str, value: float | None) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not value >= 0:
        raise ValueError(f"timeout {name!r} must be a number of seconds >= 0 or None, not {value!r}")
    return float(value)


@dataclass(frozen=True, slots=True)
class Limits:
    """How much the client may hold open.

    ``keepalive_expiry``: seconds an idle connection is kept. ``max_connection_age``: seconds after which a
    connection takes no further requests, so that DNS changes are seen. ``max_http2_connections_per_host``: how many
    HTTP/2 connections are opened to one origin when the streams of the others run out. ``ping_after_s``: silence on a
    connection with open requests after which it is asked for a sign of life; ``ping_timeout_s``: how long it may
    take.
    """

    max_connections: int | None = 100
    max_keepalive_connections: int | None = 20
    keepalive_expiry: float | None = 60.0
    max_connections_per_host: int | None = None
    max_http2_connections_per_host: int = 8
    max_streams_per_connection: int | None = None
    max_connection_age: float | None = 3600.0
    ping_after_s: float | None = 15.0
    ping_timeout_s: float = 15.0


@dataclass(frozen=True, slots=True)
class Http2Options:
    """What this endpoint announces and enforces on an HTTP/2 connection (RFC 9113).

    Windows follow Go's net/http: 4 MiB a stream lets one download run at 40 MB/s over 100 ms, and 1 GiB a connection
    means that 256 stalled consumers are needed before a neighbour feels them. Under asyncio a stream that is alone has
    four times its window once its content comes at 200 MB/s and is taken as fast, if as much is known to be due.
    """

    header_table_size: int = 4 * KIB  # RFC 7541 default; every peer above offers the same
    max_header_list_size: int = 256 * KIB  # Chromium's bound; curl has 300 KiB
    max_frame_size: int = (
        16 * KIB
    )  # RFC 9113 minimum: any frame but DATA must fit one receive buffer; DATA is read in pieces
    stream_window: int = 4 * MIB
    connection_window: int = 1024 * MIB
    max_concurrent_requests: int = 100_000  # open plus waiting on one connection


@dataclass(frozen=True, slots=True)
class PoolOptions:
    """Which memory pools are on. They are switches so that each pool's worth can be measured."""

    buffers: bool = True
    objects: bool = True
    strings: bool = True


@dataclass(frozen=True, slots=True)
class TransportOptions:
    """How sockets are opened.

    ``uds``: connect to this Unix socket whatever the URL says. ``local_address``: the IP address to connect from.
    ``socket_options``: ``(level, name, value)`` set on each TCP socket before it connects. ``resolver``: ``async
    resolver(name, port)`` returns IP addresses as strings, the preferred first; without one, getaddrinfo is asked.
    ``keepalive_s``: seconds of silence after which the kernel probes a TCP connection, None for never.
    ``busy_poll_s``: how many seconds at most the answer to a connection's only request is looked for before anybody
    sleeps; 0 for never, and where it brings nothing it soon stops.
    """

    uds: str | None = None
    local_address: str | None = None
    socket_options: tuple[tuple[int, int, int | bytes], ...] = ()
    resolver: Callable[[str, int], Awaitable[Iterable[str]]] | None = None
    keepalive_s: int | None = 60  # curl's
    happy_eyeballs_s: float = 0.25  # RFC 8305 section 5: the recommended connection attempt delay
    dns_life_s: float = 60.0  # Chromium's for answers that came without a time to live
    busy_poll_s: float = 75e-6  # about twice what it takes to sleep and to be woken

    def __post_init__(self) -> None:
        object.__setattr__(self, "socket_options", tuple(self.socket_options))
        _require(self.uds is None or self.local_address is None, "uds and local_address exclude each other")
        _require(self.keepalive_s is None or self.keepalive_s >= 1, "keepalive_s must be >= 1 or None")
        _require(self.happy_eyeballs_s > 0, "happy_eyeballs_s must be > 0")
        _require(self.dns_life_s >= 0, "dns_life_s must be >= 0")
        _require(0 <= self.busy_poll_s <= 0.001, "busy_poll_s must be from 0 to 0.001")
        if self.local_address is not None:
            ip_address(self.local_address)  # ValueError


# RFC 9110 section 9.2.2: PUT, DELETE and the safe methods (section 9.2.1).
IDEMPOTENT_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"})

MAX_ATTEMPTS: Final = 5  # gRPC takes a larger maxAttempts as 5, for retries and hedges alike (gRFC A6)


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """When a request is sent again.

    ``attempts`` counts the first one; retries beyond it wait ``backoff_s`` x ``backoff_growth`` ^ n, at most
    ``max_backoff_s``, times a random share (full jitter). A Retry-After longer than ``max_retry_after_s`` is
    not cut short: the response is handed over instead. No status is retried unless named, because a status is
    an answer; {429, 502, 503, 504} is the usual choice. Timeouts are the caller's own limits and final unless
    ``timeouts`` is set.

    ``replays`` bounds how often a request that the peer provably did not process is sent again, whatever its
    method; the budget (``budget_share`` of the requests of the last ``budget_window_s`` plus
    ``budget_minimum_per_s``) does not apply to those. ``hedges`` more copies of an idempotent request go out,
    each ``hedge_delay_s`` after the one before, while no answer has come.

    >>> RetryPolicy(attempts=1).attempts
    1
    """

    attempts: int = 3
    backoff_s: float = 0.1
    backoff_growth: float = 2.0
    max_backoff_s: float = 10.0
    max_retry_after_s: float = 60.0
    statuses: frozenset[int] = frozenset()
    methods: frozenset[str] = IDEMPOTENT_METHODS
    timeouts: bool = False
    replays: int = 20  # 200 requests on a server that takes 10 per connection, one connection after another
    budget_share: float = 0.2  # Finagle, tower and reqwest: 20 %, 10 per second, 10 s
    budget_minimum_per_s: float = 10.0
    budget_window_s: float = 10.0
    hedges: int = 0
    hedge_delay_s: float = 1.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "statuses", frozenset(self.statuses))
        object.__setattr__(self, "methods", frozenset(self.methods))
        unsafe = self.methods - IDEMPOTENT_METHODS
        if unsafe:
            raise ValueError(f"not idempotent by RFC 9110 section 9.2.2, never retried: {sorted(unsafe)}")
        _require(1 <= self.attempts <= MAX_ATTEMPTS, f"attempts must be 1 to {MAX_ATTEMPTS}")
        _require(0 <= self.hedges < MAX_ATTEMPTS, f"hedges must be 0 to {MAX_ATTEMPTS - 1}")
        _require(self.replays >= 0, "replays must be >= 0")
        _require(self.backoff_growth >= 1, "backoff_growth must be >= 1")
        _require(self.budget_window_s > 0, "budget_window_s must be > 0")
        for name in (
            "backoff_s",
            "max_backoff_s",
            "max_retry_after_s",
            "budget_share",
            "budget_minimum_per_s",
        ):
            _require(getattr(self, name) >= 0, f"{name} must be >= 0")
        _require(self.hedge_delay_s >= 0, "hedge_delay_s must be >= 0")


@dataclass(frozen=True, slots=True)
class BreakerPolicy:
    """When an origin's circuit breaker opens, and how it closes again.

    It opens on any of: ``failures_in_a_row``; ``failure_count`` failures within ``window_s``; once
    ``minimum_calls`` were counted within ``window_s``, a share of failures of ``failure_share`` or of slow
    calls (longer than ``slow_call_s``) of
    ``slow_share``. None switches a rule off. It stays open ``open_s``, then lets ``probes`` requests through:
    all good, it closes; one bad, it opens for ``open_growth`` times as long, at most ``max_open_s``. A permit
    that is not reported within ``permit_s`` no longer counts.

    >>> BreakerPolicy(failures_in_a_row=3).failure_share
    0.5
    """

    failures_in_a_row: int | None = 10  # what opens it where traffic is too thin for a share
    failure_count: int | None = None
    failure_share: float | None = 0.5  # resilience4j's default
    slow_call_s: float | None = None
    slow_share: float | None = 0.8
    minimum_calls: int = 20
    window_s: float = 10.0
    open_s: float = 5.0
    open_growth: float = 2.0
    max_open_s: float = 60.0
    probes: int = 2
    permit_s: float = 60.0

    def __post_init__(self) -> None:
        for name in ("failures_in_a_row", "failure_count"):
            count = getattr(self, name)
            _require(count is None or count >= 1, f"{name} must be >= 1 or None")
        for name in ("failure_share", "slow_share"):
            share = getattr(self, name)
            _require(share is None or 0 < share <= 1, f"{name} must be above 0 and at most 1, or None")
        for name in ("minimum_calls", "probes"):
            _require(getattr(self, name) >= 1, f"{name} must be >= 1")
        for name in ("window_s", "open_s", "permit_s"):
            _require(getattr(self, name) > 0, f"{name} must be > 0")
        _require(self.slow_call_s is None or self.slow_call_s > 0, "slow_call_s must be > 0 or None")
        _require(self.open_growth >= 1, "open_growth must be >= 1")
        _require(self.max_open_s >= self.open_s, "max_open_s must be >= open_s")


@dataclass(frozen=True, slots=True)
class DecodingLimits:
    """What the content codings of a response may ask for. None switches a limit off.

    ``max_ratio``: decoded octets for each octet received, looked at once more than ``ratio_floor_bytes`` are decoded.
    """

    max_layers: int = 5  # curl and urllib3; more than two are never honest
    max_decoded_bytes: int | None = 1024 * MIB  # what a program on a small machine survives; larger ones come uncoded
    max_ratio: float | None = (
        200.0  # Apache's DeflateInflateRatioLimit; text reaches 30, gzip bombs 1,030, br ones 10^6
    )
    ratio_floor_bytes: int = 8 * MIB  # nobody is harmed below it, and tests of zeros pass

    def __post_init__(self) -> None:
        _require(self.max_layers >= 1, "max_layers must be >= 1")
        _require(self.max_decoded_bytes is None or self.max_decoded_bytes >= 0, "max_decoded_bytes must be >= 0")
        _require(self.max_ratio is None or self.max_ratio >= 1, "max_ratio must be >= 1 or None")
        _require(self.ratio_floor_bytes >= 0, "ratio_floor_bytes must be >= 0")


def _require(condition: bool, rule: str) -> None:
    if not condition:
        raise ValueError(rule)

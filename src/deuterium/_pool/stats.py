"""What a client can say about itself: frozen values, gathered when asked from counters that are kept anyway."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any

from .._memory.stats import BufferStats, ObjectStats, StringStats
from .breaker import BreakerStats
from .protocol_cache import ProtocolCacheStats
from .score import ScoreStats

# struct tcp_info of Linux: eight octets, then 32-bit counters; the smoothed round-trip time in microseconds is the
# sixteenth, the 64-bit count of octets acknowledged by the peer lies at 120.
TCP_INFO: int = getattr(socket, "TCP_INFO", 0)
TCP_INFO_SIZE = 128
TCP_INFO_RTT = 8 + 15 * 4
TCP_INFO_ACKNOWLEDGED = 120


@dataclass(frozen=True, slots=True)
class ConnectionStats:
    """One open connection. Times are in seconds.

    ``streams``: requests under way; ``stream_limit``: how many the peer takes at once; ``requests``: all it has
    carried. ``rtt_s``: the round trip a PING measured, else the kernel's estimate (through a proxy: to the proxy), None
    where neither is known. ``octets_sent`` counts TLS too and is what the peer acknowledged where this side does not
    count. ``draining``: it takes no further request. ``score``: what the choice of a connection goes by.
    """

    origin: str
    protocol: str
    peer: Any
    streams: int
    stream_limit: int
    requests: int
    octets_received: int
    octets_sent: int | None
    rtt_s: float | None
    age_s: float
    idle_s: float
    draining: bool
    score: ScoreStats


@dataclass(frozen=True, slots=True)
class OriginStats:
    """One origin. ``waiting``: requests without a place now; ``waits``: those that ever found none at once;
    ``waited_s``: how long all that got one had waited, dials included; ``requests``: sent, on whatever connection."""

    origin: str
    connections: int
    dialing: int
    waiting: int
    waits: int
    waited_s: float
    requests: int


@dataclass(frozen=True, slots=True)
class RetryStats:
    """The retry budget: retries and hedges ``taken``, ``refused`` because it was spent, and how many are ``left``."""

    taken: int
    refused: int
    left: float


@dataclass(frozen=True, slots=True)
class MemoryStats:
    """The memory pools, which all connections of the client share."""

    buffers: BufferStats
    streams: ObjectStats
    strings: StringStats


@dataclass(frozen=True, slots=True)
class ClientStats:
    """Everything ``client.stats()`` tells; ``as_dict`` gives it as plain dictionaries, lists and numbers."""

    connections: tuple[ConnectionStats, ...]
    origins: tuple[OriginStats, ...]
    breakers: tuple[BreakerStats, ...]
    protocols: ProtocolCacheStats
    retries: RetryStats
    memory: MemoryStats

    def as_dict(self) -> dict[str, Any]:
        """For JSON, a metrics exporter, or a log line."""
        return asdict(self)


def gather(workshop: Any, routes: Iterable[Any], breakers: Iterable[Any], now: float) -> ClientStats:
    """Look at everything once. The caller holds whatever guards it."""
    routes = tuple(routes)
    budget = workshop.budget
    return ClientStats(
        connections=tuple(_connection(route, carrier, now) for route in routes for carrier in route.carriers),
        origins=tuple(_origin(route) for route in routes),
        breakers=tuple(breaker.stats(now) for breaker in breakers),
        protocols=workshop.protocols.stats(),
        retries=RetryStats(budget.taken, budget.refused, budget.balance(now)),
        memory=MemoryStats(workshop.buffers.stats(), workshop.streams.stats(), workshop.strings.stats()),
    )


def _origin(route: Any) -> OriginStats:
    return OriginStats(
        origin=route.origin.key,
        connections=len(route.carriers),
        dialing=route.dialing,
        waiting=len(route.waiting) + route.bound,
        waits=route.waits,
        waited_s=route.waited_s,
        requests=route.requests(),
    )


def _connection(route: Any, carrier: Any, now: float) -> ConnectionStats:
    engine = carrier.engine
    rtt_s, acknowledged = _kernel(carrier)
    writer = getattr(carrier, "writer", None)
    return ConnectionStats(
        origin=route.origin.key,
        protocol=engine.http_version,
        peer=_peer(carrier),
        streams=engine.active(),
        stream_limit=engine.stream_limit,
        requests=engine.requests,
        octets_received=getattr(carrier, "octets_read", 0),
        octets_sent=acknowledged if writer is None else writer.octets_written,
        rtt_s=engine.rtt if engine.rtt >= 0 else rtt_s,
        age_s=max(0.0, now - carrier.opened_at),
        idle_s=0.0 if engine.active() else max(0.0, now - carrier.used_at),
        draining=engine.draining or engine.closed,
        score=carrier.tally.stats(now),
    )


def socket_of(carrier: Any) -> Any:
    """The connection's socket, or what its event loop gives out for it; None when there is none."""
    if hasattr(carrier, "sock"):
        return carrier.sock
    transport = carrier.transport
    return None if transport is None else transport.get_extra_info("socket")


def _peer(carrier: Any) -> Any:
    if hasattr(carrier, "peer"):
        return carrier.peer
    with suppress(OSError, AttributeError):
        return carrier.sock.getpeername()
    return None


def _kernel(carrier: Any) -> tuple[float | None, int | None]:
    """Round-trip time in seconds and octets acknowledged, of a TCP socket on Linux."""
    if not TCP_INFO:
        return None, None
    try:
        info: bytes = socket_of(carrier).getsockopt(socket.IPPROTO_TCP, TCP_INFO, TCP_INFO_SIZE)
    except (OSError, AttributeError):  # a Unix socket; a transport that is just closing
        return None, None
    if len(info) < TCP_INFO_SIZE:
        return None, None
    rtt_us: int = struct.unpack_from("=I", info, TCP_INFO_RTT)[0]
    acknowledged: int = struct.unpack_from("=Q", info, TCP_INFO_ACKNOWLEDGED)[0]
    return (rtt_us / 1e6 if rtt_us else None), acknowledged

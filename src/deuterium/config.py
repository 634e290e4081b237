"""Frozen options, and every default with its reason."""

from __future__ import annotations

from dataclasses import dataclass
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
    connection takes no further requests, so that DNS changes are seen.
    """

    max_connections: int | None = 100
    max_keepalive_connections: int | None = 20
    keepalive_expiry: float | None = 60.0
    max_connections_per_host: int | None = 16
    max_streams_per_connection: int | None = None
    max_connection_age: float | None = 3600.0


@dataclass(frozen=True, slots=True)
class Http2Options:
    """What this endpoint announces and enforces on an HTTP/2 connection (RFC 9113).

    Windows follow Go's net/http: 4 MiB a stream lets one download run at 40 MB/s over 100 ms, and 1 GiB a connection
    means that 256 stalled consumers are needed before a neighbour feels them.
    """

    header_table_size: int = 4 * KIB  # RFC 7541 default; every peer above offers the same
    max_header_list_size: int = 256 * KIB  # Chromium's bound; curl has 300 KiB
    max_frame_size: int = 16 * KIB  # RFC 9113 minimum: any frame but DATA must fit one receive buffer; DATA is read in pieces
    stream_window: int = 4 * MIB
    connection_window: int = 1024 * MIB
    max_concurrent_requests: int = 100_000  # open plus waiting on one connection


@dataclass(frozen=True, slots=True)
class PoolOptions:
    """Which memory pools are on. They are switches so that each pool's worth can be measured."""

    buffers: bool = True
    objects: bool = True
    strings: bool = True

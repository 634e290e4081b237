"""What all connections of one client are made with: options, TLS contexts, memory pools, engines."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from time import monotonic
from typing import Any

from .._http1.connection import Connection as Http1Connection
from .._http2.connection import Connection as Http2Connection
from .._http2.stream import Stream
from .._memory.buffer_pool import BufferPool
from .._memory.object_pool import ObjectPool
from .._memory.string_pool import StringPool
from .._net.pins import Pins
from .._net.tls import ALPN_H2, ALPN_HTTP11, TlsPipe, create_context
from .._net.tls_sessions import SessionCache
from ..config import Http2Options, Limits, PoolOptions, TransportOptions
from ..errors import UnsupportedProtocol
from .protocol_cache import ProtocolCache

# Content of at least this size leaves a clear-text connection without being copied.
BY_REFERENCE = 16 * 1024


class Workshop:
    """Shared by every connection of a client, sync or async."""

    def __init__(
        self,
        *,
        limits: Limits,
        http2_options: Http2Options,
        pools: PoolOptions,
        verify: Any,
        cert: Any,
        pins: Mapping[str, Iterable[str]] | None = None,
        trust_env: bool = True,
        transport: TransportOptions | None = None,
        http1: bool,
        http2: bool,
        tap: Any,
    ) -> None:
        self.limits = limits
        self.http2_options = http2_options
        self.verify = verify
        self.cert = cert
        self.pins = {host.lower(): Pins(given) for host, given in (pins or {}).items()}
        self.trust_env = trust_env
        self.transport = transport or TransportOptions()
        self.sessions = SessionCache()
        self.http1 = http1
        self.http2 = http2
        self.tap = tap
        self.buffers = BufferPool(enabled=pools.buffers)
        self.streams: Any = ObjectPool(Stream, bound=4096, enabled=pools.objects)
        self.strings = StringPool(enabled=pools.strings)
        self.protocols = ProtocolCache()

    def tls(self, origin: Any) -> TlsPipe:
        """A new TLS connection to the origin: it offers what the client and the origin can speak."""
        name = origin.server_name or origin.host
        return TlsPipe(
            self.tls_context(origin.key), name, pins=self.pins.get(name), sessions=self.sessions, key=origin.key
        )

    def tls_context(self, key: str) -> Any:
        """The context for a handshake with the origin ``key``."""
        offered = tuple(
            name
            for name in self.protocols.alpn(key, monotonic())
            if (name == ALPN_H2 and self.http2) or (name == ALPN_HTTP11 and self.http1)
        )
        return create_context(
            self.verify, self.cert, offered or (ALPN_HTTP11 if self.http1 else ALPN_H2,), self.trust_env
        )

    def engine(self, key: str, protocol: str, tls: bool) -> Any:
        """The engine for what ALPN chose; without TLS, HTTP/1.1, or h2c by prior knowledge (RFC 9113 section 3.3).

        Raises UnsupportedProtocol when this client was told not to speak it.
        """
        if protocol == ALPN_H2 or (not tls and not self.http1):
            engine = Http2Connection(
                self.http2_options, self.buffers, self.streams, self.strings, 0 if tls else BY_REFERENCE
            )
            limit = self.limits.max_streams_per_connection
            if limit is not None:
                engine.limit_streams(limit)
            if self.tap is not None:
                engine.set_tap(self.tap)
            self.protocols.learn(key, "h2", monotonic())
            return engine
        if not self.http1:
            raise UnsupportedProtocol(
                f"the origin speaks {protocol or 'HTTP/1.1'}, and http1 is off",
                initiator="remote",
                request_processed=False,
            )
        self.protocols.learn(key, "http/1.1", monotonic())
        return Http1Connection(self.strings)

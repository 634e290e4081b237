"""What all connections of one client are made with: options, TLS contexts, memory pools, engines."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from time import monotonic
from typing import Any

from .._http.exchange import Exchange
from .._http1.connection import Connection as Http1Connection
from .._http2.connection import Connection as Http2Connection
from .._http2.stream import Stream
from .._memory.buffer_pool import BufferPool
from .._memory.object_pool import ObjectPool
from .._memory.string_pool import StringPool
from .._net.pins import Pins
from .._net.proxy import Proxy
from .._net.tls import ALPN_H2, ALPN_HTTP11, TlsPipe, create_context
from .._net.tls_sessions import SessionCache
from ..config import Http2Options, Limits, PoolOptions, TransportOptions
from ..errors import UnsupportedProtocol
from .mounts import Mounts
from .protocol_cache import ProtocolCache
from .proxies import Proxies, ProxyTypes
from .retry_budget import RetryBudget

# Content of at least this size leaves a clear-text connection without being copied.
BY_REFERENCE = 16 * 1024

GIL: bool = getattr(sys, "_is_gil_enabled", lambda: True)()


class ForwardedHttp2(Http2Connection):
    """HTTP/2 with a proxy that forwards requests for http URLs; it gets fields of its own in each."""

    proxy_fields: tuple[tuple[str, str], ...] = ()

    def send_request(self, exchange: Exchange, now: float) -> None:
        """Send the request, or queue it."""
        exchange.extra = (*exchange.extra, *self.proxy_fields)
        super().send_request(exchange, now)


class Workshop:
    """Shared by every connection of a client, sync or async."""

    def __init__(
        self,
        *,
        limits: Limits,
        budget: RetryBudget,
        http2_options: Http2Options,
        pools: PoolOptions,
        verify: Any,
        cert: Any,
        pins: Mapping[str, Iterable[str]] | None = None,
        trust_env: bool = True,
        transport: TransportOptions | None = None,
        proxy: ProxyTypes = None,
        mounts: Mounts | None = None,
        http1: bool,
        http2: bool,
        tap: Any,
        shared: bool = True,
    ) -> None:
        """``shared``: by threads. Without a GIL everything is: what a closed loop left may be ended in any thread."""
        self.limits = limits
        self.budget = budget
        self.http2_options = http2_options
        self.verify = verify
        self.cert = cert
        self.pins = {host.lower(): Pins(given) for host, given in (pins or {}).items()}
        self.trust_env = trust_env
        self.transport: TransportOptions = transport or TransportOptions()
        by_socket = self.transport.uds is not None
        if by_socket and proxy is not None:
            raise ValueError("uds and proxy exclude each other")
        self.proxies: Proxies = Proxies(proxy, os.environ if trust_env and not by_socket else None)
        self.mounts: Mounts = mounts or Mounts()
        self.sessions: SessionCache = SessionCache()
        self.http1 = http1
        self.http2 = http2
        self.tap = tap
        self.buffers: BufferPool = BufferPool(enabled=pools.buffers)
        self.streams: Any = ObjectPool(Stream, bound=4096, enabled=pools.objects, shared=shared or not GIL)
        self.strings: StringPool = StringPool(enabled=pools.strings)
        self.protocols: ProtocolCache = ProtocolCache()

    def tls(self, origin: Any) -> TlsPipe:
        """A new TLS connection to the origin: it offers what the client and the origin can speak."""
        name = origin.server_name or origin.host
        return TlsPipe(
            self.tls_context(origin.key), name, pins=self.pins.get(name), sessions=self.sessions, key=origin.key
        )

    def apart(self, origin: Any) -> Any:
        """The same origin over HTTP/1.1, on connections of its own: for upgrades, which end in another protocol.

        Its ``server_name`` says so to the dialers: such a connection is never one that a proxy forwards requests on.
        """
        apart = type(origin)(
            origin.scheme, origin.host, origin.port, f"{origin.authority} apart", origin.server_name or origin.host
        )
        self.protocols.force(apart.key, "http/1.1")
        return apart

    def proxy(self, origin: Any) -> Proxy | None:
        """The proxy to the origin; None: straight to it."""
        mount = self.mounts.find(origin)
        if mount is not None:
            return mount.proxy
        return self.proxies.choose(origin.scheme, origin.host, origin.port)

    def proxy_tls(self, proxy: Proxy, forward: bool) -> TlsPipe:
        """A new TLS connection to an HTTPS proxy; ``forward``: one that speaks HTTP/1.1 alone."""
        alpn = (ALPN_H2, ALPN_HTTP11) if self.http2 and not forward else (ALPN_HTTP11,)
        verify: Any = self.verify if proxy.verify is None else proxy.verify
        context = create_context(verify, self.cert if proxy.verify is None else None, alpn, self.trust_env)
        key = f"{proxy.key} {alpn}"
        return TlsPipe(context, proxy.host, pins=self.pins.get(proxy.host), sessions=self.sessions, key=key)

    def proxy_engine(self, protocol: str) -> Any:
        """The engine for tunnels through an HTTPS proxy."""
        if protocol == ALPN_H2:
            return Http2Connection(self.http2_options, self.buffers, self.streams, self.strings, 0)
        return Http1Connection(self.strings)

    def forwarding_engine(self, key: str, proxy: Proxy, protocol: str = "") -> Any:
        """The engine for requests that an HTTP proxy forwards; ``protocol``: what ALPN chose with the proxy."""
        if protocol == ALPN_H2:
            forwarding = ForwardedHttp2(self.http2_options, self.buffers, self.streams, self.strings, 0)
            forwarding.proxy_fields = proxy.fields
            return forwarding
        self.protocols.learn(key, "http/1.1", monotonic())
        engine = Http1Connection(self.strings)
        engine.forward_by(proxy.fields)
        return engine

    def may_speak_h2(self, key: str) -> bool:
        """Nothing is known that forbids HTTP/2 for the origin."""
        return self.http2 and ALPN_H2 in self.protocols.alpn(key, monotonic())

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

"""Connections through proxies on an event loop: forwarded, or by a tunnel."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

from .._http.phases import FINISHED
from ..errors import ConnectError, ProxyError
from . import loops
from .driver import AsyncDriver
from .proxy import Proxy
from .proxy_connect import HttpConnect, check_tunnel, tunnel_exchange
from .socks import SocksConnect
from .tunnel import ProxyLink, TunnelTransport
from .waiters import FutureWaiter
from .zero_copy_reader import ZeroCopyReader

if TYPE_CHECKING:
    from .dialer import AsyncDialer

HANDSHAKE_READ = 4096


class ProxyDialer:
    """Reaches origins through proxies; keeps the connections to HTTPS proxies that carry several tunnels."""

    __slots__ = ("dialer", "links", "locks", "loop", "single")

    def __init__(self, dialer: AsyncDialer) -> None:
        self.dialer = dialer
        self.loop = dialer.loop
        self.links: dict[str, list[ProxyLink]] = {}  # by the proxy's key
        self.locks: dict[str, Any] = {}
        self.single: set[str] = set()  # proxies that carry one tunnel on each connection

    async def dial(self, origin: Any, proxy: Proxy, workshop: Any) -> AsyncDriver:
        """A driver whose engine is ready. Raises ProxyError, or ConnectError when the origin refused TLS."""
        if proxy.is_socks:
            return await self._through_socks(origin, proxy, workshop)
        if origin.scheme == "http" and workshop.http1 and not origin.server_name:
            return await self._forwarded(origin, proxy, workshop)
        if proxy.scheme == "https":
            return await self._through_tls(origin, proxy, workshop)
        sock = await self._reach(proxy)
        rest = await self._converse(sock, HttpConnect(proxy, origin.host, origin.port, workshop.buffers))
        return await self.dialer.drive(origin, workshop, sock, rest)

    async def _forwarded(self, origin: Any, proxy: Proxy, workshop: Any) -> AsyncDriver:
        """The proxy gets the whole URL (RFC 9112 section 3.2.2), or its parts, and asks the origin itself."""

        def choose(protocol: str) -> Any:
            return workshop.forwarding_engine(origin.key, proxy, protocol)

        tls = None
        if proxy.scheme == "https":
            tls = workshop.proxy_tls(proxy, forward=not workshop.may_speak_h2(origin.key))
        sock = await self._reach(proxy)
        try:
            return await self.dialer.open_driver(sock, workshop.buffers, tls, choose)
        except ConnectError as error:
            raise _unreachable(proxy, error) from error

    async def _through_socks(self, origin: Any, proxy: Proxy, workshop: Any) -> AsyncDriver:
        hosts = [origin.host]
        if proxy.scheme == "socks5":
            hosts = [address[4][0] for address in await self.dialer.resolver.resolve(origin.host, origin.port)]
        while True:
            sock = await self._reach(proxy)
            try:
                rest = await self._converse(sock, SocksConnect(proxy, hosts.pop(0), origin.port))
            except ProxyError:
                if not hosts:
                    raise
            else:
                return await self.dialer.drive(origin, workshop, sock, rest)

    # -- plain connections to a proxy --------------------------------------------------------------------------------

    async def _reach(self, proxy: Proxy) -> socket.socket:
        try:
            return await self.dialer.connect(proxy.host, proxy.port)
        except ConnectError as error:
            raise _unreachable(proxy, error) from error

    async def _converse(self, sock: socket.socket, handshake: HttpConnect | SocksConnect) -> bytes:
        """Carry out a handshake; what came after it."""
        try:
            octets = handshake.start()
            while not handshake.done:
                if octets:
                    await self.loop.sock_sendall(sock, octets)
                received = await self.loop.sock_recv(sock, HANDSHAKE_READ)
                if not received:
                    raise handshake.cut()
                octets = handshake.receive(received)
        except OSError as error:
            sock.close()
            raise handshake.cut() from error
        except BaseException:
            sock.close()
            raise
        finally:
            handshake.close()
        return handshake.rest

    # -- connections over TLS to a proxy -----------------------------------------------------------------------------

    async def _through_tls(self, origin: Any, proxy: Proxy, workshop: Any) -> AsyncDriver:
        """A tunnel on a connection that may carry others: over HTTP/2 each is one stream (RFC 9113 section 8.5)."""
        link = await self._link(proxy, workshop)
        link.tunnels += 1
        exchange = tunnel_exchange(proxy, origin.host, origin.port)
        try:
            waiter = FutureWaiter(self.loop.create_future())
            exchange.waiter = waiter
            link.driver.submit(exchange, self.loop.time())
            while not exchange.headers_received and exchange.phase != FINISHED:
                await waiter.future
                waiter = FutureWaiter(self.loop.create_future())
                exchange.waiter = waiter
            check_tunnel(proxy, exchange)
        except BaseException:
            if not link.driver.lost:
                link.driver.cancel(exchange, None)
            link.release()
            raise
        driver = self.dialer.driver(origin, workshop)
        transport = TunnelTransport(self.loop, link, exchange)
        transport.start(ZeroCopyReader(driver))
        try:
            await driver.ready
        except BaseException:
            driver.abort()
            raise
        return driver

    async def _link(self, proxy: Proxy, workshop: Any) -> ProxyLink:
        """A connection to the proxy with a place for one more tunnel."""
        if proxy.key in self.single:
            return await self._open_link(proxy, workshop)
        lock = self.locks.get(proxy.key)
        if lock is None:
            lock = self.locks[proxy.key] = loops.lock(self.loop)
        async with lock:  # those that come at once share one connection, if it can be shared
            for link in self.links.get(proxy.key, ()):
                engine = link.driver.engine
                if engine is not None and engine.capacity() > 0:
                    return link
            return await self._open_link(proxy, workshop)

    async def _open_link(self, proxy: Proxy, workshop: Any) -> ProxyLink:
        tls = workshop.proxy_tls(proxy, forward=False)
        sock = await self._reach(proxy)
        try:
            driver = await self.dialer.open_driver(sock, workshop.buffers, tls, workshop.proxy_engine)
        except ConnectError as error:
            raise _unreachable(proxy, error) from error
        link = ProxyLink(driver)
        if driver.engine is None or driver.engine.http_version != "HTTP/2":
            self.single.add(proxy.key)
            return link
        links = self.links.setdefault(proxy.key, [])
        links.append(link)
        driver.on_lost = lambda _: links.remove(link)
        return link


def _unreachable(proxy: Proxy, error: ConnectError) -> ProxyError:
    return ProxyError(
        f"{proxy} cannot be used: {error}", scope=error.scope, initiator=error.initiator, request_processed=False
    )

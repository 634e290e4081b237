"""Opening a transport: name, address, socket, TLS, ALPN; then a driver around it."""

from __future__ import annotations

import socket
from typing import Any

import aiohappyeyeballs

from ..config import TransportOptions
from ..errors import ConnectError, ConnectTimeout
from .busy_poll import TurnPoll
from .driver import AsyncDriver
from .loops import connector, time_limit
from .proxy_dialer import ProxyDialer
from .resolver import AddressInfo, AsyncResolver
from .sockets import local_address, prepare
from .tls import TlsPipe
from .zero_copy_reader import ZeroCopyReader


class AsyncDialer:
    """Opens connections for one AsyncClient."""

    __slots__ = ("content_poll", "local", "loop", "options", "proxied", "resolver", "turn_poll")

    def __init__(self, loop: Any, options: TransportOptions | None = None) -> None:
        self.loop = loop
        self.options = options or TransportOptions()
        self.resolver = AsyncResolver(loop, self.options)
        self.local = local_address(self.options)
        self.turn_poll = TurnPoll(loop, self.options.busy_poll_s)
        self.content_poll = TurnPoll(loop, self.options.busy_poll_s)
        self.proxied: Any = ProxyDialer(self)

    async def dial(self, origin: Any, workshop: Any, timeout_s: float | None) -> AsyncDriver:
        """A driver whose engine is ready. Raises ConnectError or ConnectTimeout, always before a request was sent."""
        try:
            async with time_limit(self.loop, timeout_s):
                return await self._dial(origin, workshop)
        except TimeoutError:
            raise ConnectTimeout(
                f"no connection to {origin.host} port {origin.port} within {timeout_s} s", request_processed=False
            ) from None

    def on_loop(self, loop: Any) -> AsyncDialer:
        """A dialer like this one on another loop."""
        return AsyncDialer(loop, self.options)

    def forget(self, origin: Any) -> None:
        """Resolve the origin's name again before the next connection to it."""
        self.resolver.forget(origin.host, origin.port)

    async def aclose(self) -> None:
        """The client is closed; connections are its pool's."""
        self.proxied = None  # it leads back here

    async def _dial(self, origin: Any, workshop: Any) -> AsyncDriver:
        proxy = workshop.proxy(origin)
        if proxy is not None:
            proxied: ProxyDialer = self.proxied
            return await proxied.dial(origin, proxy, workshop)
        tls, choose = self._ways(origin, workshop)
        return await self.open_driver(await self.connect(origin.host, origin.port), workshop.buffers, tls, choose)

    def driver(self, origin: Any, workshop: Any) -> AsyncDriver:
        """A driver that waits for a transport to the origin."""
        tls, choose = self._ways(origin, workshop)
        return AsyncDriver(self.loop, workshop.buffers, tls, choose)

    async def drive(self, origin: Any, workshop: Any, sock: socket.socket, first: bytes) -> AsyncDriver:
        """A driver on a socket that leads to the origin; ``first`` was received already."""
        tls, choose = self._ways(origin, workshop)
        return await self.open_driver(sock, workshop.buffers, tls, choose, first)

    def _ways(self, origin: Any, workshop: Any) -> tuple[TlsPipe | None, Any]:
        """TLS to the origin, if its scheme asks for it, and who chooses the engine."""
        secure = origin.scheme == "https"

        def choose(protocol: str) -> Any:
            return workshop.engine(origin.key, protocol, secure)

        return workshop.tls(origin) if secure else None, choose

    async def open_driver(
        self, sock: socket.socket, buffers: Any, tls: TlsPipe | None, choose: Any, first: bytes = b""
    ) -> AsyncDriver:
        """A driver on a connected socket, which is its own from now on."""
        driver = AsyncDriver(self.loop, buffers, tls, choose)
        try:
            try:
                await self.loop.create_connection(lambda: ZeroCopyReader(driver, first), sock=sock)
                if driver.has_tasks:
                    driver.low_water.socket = sock
                    driver.turn_poll = self.turn_poll
                    if tls is None:  # to decrypt takes longer than the peer takes to send more
                        driver.low_water.poll = self.content_poll
            except OSError as error:
                raise ConnectError(f"the connection broke at once: {error}", request_processed=False) from error
            await driver.ready
        except BaseException:
            driver.ready.cancel()
            driver.abort()
            if driver.transport is None:
                sock.close()
            else:
                driver.connection_lost(None)  # uvloop never says so when create_connection was cancelled
            raise
        return driver

    # -- sockets -----------------------------------------------------------------------------------------------------

    async def connect(self, host: str, port: int) -> socket.socket:
        """A connected socket. Raises ConnectError."""
        if self.options.uds is not None:
            return await self._connect_unix(self.options.uds)
        addresses = await self.resolver.resolve(host, port)
        usable = addresses
        if self.local is not None:
            usable = tuple(address for address in addresses if address[0] == self.local[0])
            if not usable:
                raise ConnectError(
                    f"{host} has no address of the family of {self.local[1][0]}", request_processed=False
                )
        try:
            sock: socket.socket = await self._race(usable)
        except (OSError, RuntimeError) as error:  # uvloop raises both
            raise ConnectError(f"cannot connect to {host} port {port}: {error}", request_processed=False) from error
        if len(usable) > 1:
            self._demote_slow(sock, host, port, usable)
        return sock

    def _race(self, addresses: tuple[AddressInfo, ...]) -> Any:
        """RFC 8305: the first connection to be established wins."""
        connect_first = connector(self.loop)
        if connect_first is not None:
            return connect_first(addresses, self.options)
        local = self.local
        return aiohappyeyeballs.start_connection(
            addresses,
            local_addr_infos=None if local is None else [(local[0], socket.SOCK_STREAM, 0, "", local[1])],
            happy_eyeballs_delay=self.options.happy_eyeballs_s,
            loop=self.loop,
            socket_factory=self._socket,
        )

    def _socket(self, address: AddressInfo) -> socket.socket:
        sock = socket.socket(address[0], address[1], address[2])
        try:
            prepare(sock, self.options)
        except BaseException:
            sock.close()
            raise
        return sock

    def _demote_slow(self, sock: socket.socket, host: str, port: int, addresses: tuple[AddressInfo, ...]) -> None:
        """The preferred address lost the race: the next connection does not wait for it."""
        try:
            peer = sock.getpeername()
        except OSError:
            return
        if addresses[0][4][0] != peer[0]:
            self.resolver.demote(host, port, addresses[0])

    async def _connect_unix(self, path: str) -> socket.socket:
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            sock.setblocking(False)
            await self.loop.sock_connect(sock, path)
        except OSError as error:
            sock.close()
            raise ConnectError(f"cannot connect to the socket {path!r}: {error}", request_processed=False) from error
        except BaseException:
            sock.close()
            raise
        return sock

"""Opening a transport: name, address, socket, TLS, ALPN; then a driver around it."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

from ..errors import ConnectError, ConnectTimeout
from .driver import AsyncDriver
from .tls import TlsPipe
from .zero_copy_reader import ZeroCopyReader


class AsyncDialer:
    """Opens connections for one client under asyncio."""

    __slots__ = ("loop",)

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop

    async def dial(self, origin: Any, workshop: Any, timeout_s: float | None) -> AsyncDriver:
        """A driver whose engine is ready. Raises ConnectError or ConnectTimeout, always before a request was sent."""
        secure = origin.scheme == "https"
        tls = TlsPipe(workshop.tls_context(origin.key), origin.host) if secure else None

        def choose(protocol: str) -> Any:
            return workshop.engine(origin.key, protocol, secure)

        driver = AsyncDriver(self.loop, workshop.buffers, tls, choose)
        try:
            async with asyncio.timeout(timeout_s):
                await self._connect(driver, origin.host, origin.port)
                await driver.ready
        except TimeoutError:
            driver.abort()
            raise ConnectTimeout(
                f"no connection to {origin.host} port {origin.port} within {timeout_s} s", request_processed=False
            ) from None
        except asyncio.CancelledError:
            driver.abort()
            raise
        return driver

    async def _connect(self, driver: AsyncDriver, host: str, port: int) -> None:
        try:
            transport, _ = await self.loop.create_connection(lambda: ZeroCopyReader(driver), host, port)
        except socket.gaierror as error:
            raise ConnectError(
                f"the name {host!r} has no address: {error.strerror}", request_processed=False
            ) from error
        except OSError as error:
            raise ConnectError(f"cannot connect to {host} port {port}: {error}", request_processed=False) from error
        raw = transport.get_extra_info("socket")
        if raw is not None and raw.family in (socket.AF_INET, socket.AF_INET6):
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

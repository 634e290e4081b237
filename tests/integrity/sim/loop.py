"""An asyncio event loop whose time is a number: nothing waits, and the same seed gives the same run."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

from .network import Network, SimTransport

START = 1000.0


class Deadlock(AssertionError):
    """Nothing is ready and no timer is set: whoever still waits would wait for ever."""


class SimSelector:
    """Stands where the loop waits for sockets: it lets the time pass instead."""

    def __init__(self, loop: SimLoop) -> None:
        self.loop = loop

    def select(self, timeout: float | None) -> list[Any]:
        if timeout is None:
            raise Deadlock("every task waits for what can no longer happen")
        self.loop.now += max(0.0, timeout)
        return []


class SimLoop(asyncio.BaseEventLoop):
    """``network`` is where its connections lead."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.now = START
        self.network = network
        network.loop = self
        self._selector = SimSelector(self)

    def time(self) -> float:
        return self.now

    async def sock_connect(self, sock: socket.socket, address: Any) -> None:
        await self.network.connect(sock, address)

    async def create_connection(self, protocol_factory: Any, *_: Any, sock: Any = None, **options: Any) -> Any:
        assert sock is not None and not options
        protocol = protocol_factory()
        transport: SimTransport = self.network.join(sock, protocol)
        await asyncio.sleep(0)
        return transport, protocol

    def _process_events(self, event_list: list[Any]) -> None:
        """There are none."""

    def _write_to_self(self) -> None:
        """No other thread wakes this loop."""

"""A tunnel through a connection to a proxy, seen by the driver inside it as a transport."""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import Any

from .._http.exchange import Exchange, LentPiece, Waiter
from .._http.phases import FINISHED
from .driver import AsyncDriver

CLOSE_S = 1.0  # how long the proxy may take to end its half of a tunnel that we ended


class ProxyLink:
    """A connection to a proxy and how many tunnels use it; it ends with the last of them."""

    __slots__ = ("driver", "tunnels")

    def __init__(self, driver: AsyncDriver) -> None:
        self.driver = driver
        self.tunnels = 0

    def release(self) -> None:
        """One tunnel fewer."""
        self.tunnels -= 1
        if not self.tunnels and not self.driver.lost:
            if self.driver.writer is not None:
                self.driver.writer.flush()
            self.driver.close()


class TunnelWaiter(Waiter):
    """Calls a verb of the tunnel in the loop's next turn, not from within the proxy connection's read."""

    __slots__ = ("loop", "verb")

    def __init__(self, loop: Any, verb: Any) -> None:
        self.loop = loop
        self.verb = verb

    def wake(self, exchange: Exchange) -> None:
        """Something arrived, or there is room again."""
        self.loop.call_soon(self.verb)


class TunnelTransport(asyncio.Transport):
    """What a transport does, over the content of one CONNECT exchange, HTTP/1.1 or HTTP/2."""

    def __init__(self, loop: Any, link: ProxyLink, exchange: Exchange) -> None:
        super().__init__()
        self._loop = loop
        self._link = link
        self._exchange = exchange
        self._protocol: Any = None
        self._reader = TunnelWaiter(loop, self._pump)
        self._writer = TunnelWaiter(loop, self._resume_writing)
        self._reading_paused = False
        self._writing_paused = False
        self._closing = False  # by us; what still arrives is dropped
        self._ended = False

    def start(self, protocol: Any) -> None:
        """Connect the protocol of the driver inside."""
        self._protocol = protocol
        protocol.connection_made(self)
        self._pump()

    # -- reading -----------------------------------------------------------------------------------------------------

    def _pump(self) -> None:
        """Hand on what arrived, and its end."""
        exchange: Any = self._exchange
        driver = self._link.driver
        if self._ended:
            return
        exchange.waiter = self._reader
        while exchange.chunks and (self._closing or not self._reading_paused):
            piece = exchange.chunks.popleft()
            size = len(piece)
            if isinstance(piece, LentPiece):
                if not self._closing:
                    self._hand_on(piece.view)
                piece.release()
            elif not self._closing:
                self._hand_on(memoryview(piece))
            driver.consumed(exchange, size)
        if exchange.phase == FINISHED and not exchange.chunks:
            self._end()

    def _hand_on(self, octets: memoryview) -> None:
        while octets and not self._closing:
            space = self._protocol.get_buffer(-1)
            size = min(len(space), len(octets))
            space[:size] = octets[:size]
            self._protocol.buffer_updated(size)
            octets = octets[size:]

    def _end(self) -> None:
        self._ended = True
        self._exchange.waiter = None
        if not self._closing:
            self._closing = True
            if self._exchange.error is None:
                self._protocol.eof_received()
            self._protocol.connection_lost(self._exchange.error)
            self._link.release()

    def pause_reading(self) -> None:
        """Leave what arrives where it is; the windows, or the proxy's transport, then hold the peer back."""
        self._reading_paused = True

    def resume_reading(self) -> None:
        """Read on."""
        self._reading_paused = False
        self._loop.call_soon(self._pump)

    # -- writing -----------------------------------------------------------------------------------------------------

    def write(self, data: Any) -> None:
        """Queue octets for the peer."""
        if self._closing:
            return
        driver = self._link.driver
        exchange = self._exchange
        driver.send_content(exchange, bytes(data), False)
        if not self._writing_paused and driver.engine is not None and driver.engine.room(exchange) == 0:
            self._writing_paused = True
            exchange.writer = self._writer
            self._protocol.pause_writing()

    def writelines(self, list_of_data: Any) -> None:
        """Queue several pieces."""
        self.write(b"".join(list_of_data))

    def _resume_writing(self) -> None:
        if self._writing_paused and not self._closing:
            self._writing_paused = False
            self._protocol.resume_writing()

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """The engine that carries the tunnel has limits of its own."""

    # -- closing -----------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """End our half; the peer's is waited for shortly, and what comes on it dropped."""
        if self._closing:
            return
        self._closing = True
        exchange = self._exchange
        driver = self._link.driver
        if exchange.phase != FINISHED and not driver.lost:
            exchange.deadline = monotonic() + CLOSE_S
            driver.send_content(exchange, b"", True)
            self._loop.call_soon(self._pump)
        self._link.release()
        self._loop.call_soon(self._protocol.connection_lost, None)

    def abort(self) -> None:
        """End both halves at once."""
        if self._closing:
            return
        self._closing = True
        self._ended = True
        if not self._link.driver.lost:
            self._link.driver.cancel(self._exchange, None)
        self._link.release()
        self._loop.call_soon(self._protocol.connection_lost, None)

    def is_closing(self) -> bool:
        """Whether it takes no more octets."""
        return self._closing

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """What is known of the connection to the proxy."""
        transport = self._link.driver.transport
        return default if transport is None else transport.get_extra_info(name, default)

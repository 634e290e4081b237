"""Connections of a simulated network: octets arrive in order, late, in pieces of any size, or not at all."""

from __future__ import annotations

import asyncio
import socket
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

HIGH_WATER = 64 * 1024


@dataclass
class Weather:
    """How the network is: seconds, and chances between 0 and 1."""

    latency_s: float = 0.01
    jitter_s: float = 0.0
    longest_segment: int = 64 * 1024
    refused: float = 0.0  # connections refused
    unanswered: float = 0.0  # connections that are never established
    broken: float = 0.0  # connections reset some time after they were established
    silent: float = 0.0  # connections over which nothing arrives any more from some time on
    fault_after_s: float = 3.0  # at most, for the last two


class Network:
    """Addresses, and the connections between the loop under test and the peers behind them."""

    def __init__(self, chance: Random, weather: Weather) -> None:
        self.chance = chance
        self.weather = weather
        self.loop: Any = None
        self.peers: dict[tuple[str, int], Callable[[], asyncio.Protocol]] = {}
        self.established: dict[int, tuple[str, int]] = {}  # by descriptor, until joined
        self.transports: list[SimTransport] = []

    def listen(self, host: str, port: int, factory: Callable[[], asyncio.Protocol]) -> None:
        """Have a protocol of the factory's at the other end of each connection to the address."""
        self.peers[host, port] = factory

    async def connect(self, sock: socket.socket, address: Any) -> None:
        """What the loop's ``sock_connect`` does."""
        chance, weather = self.chance, self.weather
        await asyncio.sleep(self.delay() * 2)
        if chance.random() < weather.unanswered:
            await self.loop.create_future()
        if chance.random() < weather.refused or address[:2] not in self.peers:
            raise ConnectionRefusedError(111, "Connection refused")
        self.established[sock.fileno()] = address[:2]

    def join(self, sock: socket.socket, protocol: Any) -> SimTransport:
        """Two transports, one for each end."""
        address = self.established.pop(sock.fileno())
        near = SimTransport(self, protocol, sock, address)
        far = SimTransport(self, self.peers[address](), None, ("10.0.0.99", 40000))
        near.other, far.other = far, near
        self.transports += (near, far)
        self.loop.call_soon(near.protocol.connection_made, near)
        self.loop.call_soon(far.protocol.connection_made, far)
        chance, weather = self.chance, self.weather
        if chance.random() < weather.broken:
            self.loop.call_later(chance.uniform(0, weather.fault_after_s), near.break_off)
        if chance.random() < weather.silent:
            self.loop.call_later(chance.uniform(0, weather.fault_after_s), near.fall_silent)
        return near

    def delay(self) -> float:
        return self.weather.latency_s + self.chance.uniform(0, self.weather.jitter_s)

    def open_transports(self) -> list[SimTransport]:
        return [transport for transport in self.transports if not transport.lost]


class SimTransport(asyncio.Transport):
    """One end of a connection. What one end writes the other reads, later and cut elsewhere."""

    other: SimTransport

    def __init__(self, network: Network, protocol: Any, sock: Any, peername: Any) -> None:
        super().__init__()
        self.network = network
        self.loop = network.loop
        self.protocol = protocol
        self.sock = sock
        self.peername = peername
        self.inbox: deque[bytes] = deque()
        self.ended = False  # the other end said that nothing follows
        self.under_way = 0  # written here and not yet read there
        self.arrives_at = 0.0  # what was written last
        self.high = HIGH_WATER
        self.writer_paused = False
        self.reader_paused = False
        self.reading_due = False
        self.closing = False
        self.silent = False
        self.lost = False

    # -- what protocols call -----------------------------------------------------------------------------------------

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self.peername if name == "peername" else default

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self.high = HIGH_WATER if high is None else high

    def get_write_buffer_size(self) -> int:
        return self.under_way

    def is_closing(self) -> bool:
        return self.closing

    def write(self, data: Any) -> None:
        assert len(data), "an event loop would go wrong on an empty write"
        if self.closing:
            return
        octets = bytes(data)
        chance, longest = self.network.chance, self.network.weather.longest_segment
        start = 0
        while start < len(octets):
            end = start + chance.randint(1, longest)
            self._send(self.other._arrive, octets[start:end])
            start = end
        self.under_way += len(octets)
        if self.under_way > self.high and not self.writer_paused:
            self.writer_paused = True
            self.protocol.pause_writing()

    def writelines(self, list_of_data: Any) -> None:
        self.write(b"".join(list_of_data))

    def pause_reading(self) -> None:
        self.reader_paused = True

    def resume_reading(self) -> None:
        self.reader_paused = False
        self._read_soon()

    def close(self) -> None:
        """What was written still arrives."""
        if not self.closing:
            self.closing = True
            self._send(self.other._end)
            self.loop.call_soon(self._lose, None)

    def abort(self) -> None:
        """What was written may not arrive."""
        if not self.lost:
            self.closing = True
            self.loop.call_later(self.network.delay(), self.other._reset)
            self.loop.call_soon(self._lose, None)

    # -- faults ------------------------------------------------------------------------------------------------------

    def break_off(self) -> None:
        """Both ends see a reset."""
        self._reset()
        self.other._reset()

    def fall_silent(self) -> None:
        """Nothing arrives any more, at either end."""
        self.silent = self.other.silent = True

    # -- how octets travel -------------------------------------------------------------------------------------------

    def _send(self, receive: Any, *arguments: Any) -> None:
        self.arrives_at = max(self.arrives_at + 1e-9, self.loop.time() + self.network.delay())
        self.loop.call_at(self.arrives_at, receive, *arguments)

    def _arrive(self, octets: bytes) -> None:
        if self.silent:
            return
        if self.lost or self.closing:
            self.loop.call_later(self.network.delay(), self.other._reset)  # RFC 9293 section 3.6.1
            return
        self.inbox.append(octets)
        self._read_soon()

    def _end(self) -> None:
        if not self.silent and not self.lost:
            self.ended = True
            self._read_soon()

    def _reset(self) -> None:
        if not self.silent or self.lost:
            self.closing = True
            self.inbox.clear()
            self._lose(ConnectionResetError(104, "Connection reset by peer"))

    def _lose(self, reason: Exception | None) -> None:
        if not self.lost:
            self.lost = True
            if self.sock is not None:
                self.sock.close()
            self.protocol.connection_lost(reason)

    def _read_soon(self) -> None:
        if not self.reading_due and (self.inbox or self.ended):
            self.reading_due = True
            self.loop.call_soon(self._read)

    def _read(self) -> None:
        """One read of a loop's turn: as much as is there and fits, or as little as came in one piece."""
        self.reading_due = False
        if self.reader_paused or self.closing:
            return
        if not self.inbox:
            self.ended = False
            if not self.protocol.eof_received():
                self.close()
            return
        octets = self.inbox.popleft()
        while self.inbox and self.network.chance.random() < 0.5:
            octets += self.inbox.popleft()
        if isinstance(self.protocol, asyncio.BufferedProtocol):
            space = self.protocol.get_buffer(-1)  # an event loop holds it, too, while it calls buffer_updated
            size = min(len(space), len(octets))
            space[:size] = octets[:size]
            if size < len(octets):
                self.inbox.appendleft(octets[size:])
            self._was_read(size)
            self.protocol.buffer_updated(size)
        else:
            self._was_read(len(octets))
            self.protocol.data_received(octets)
        self._read_soon()

    def _was_read(self, octets: int) -> None:
        other = self.other
        other.under_way -= octets
        if other.writer_paused and other.under_way <= other.high // 4 and not other.closing:
            other.writer_paused = False
            self.loop.call_soon(other.protocol.resume_writing)

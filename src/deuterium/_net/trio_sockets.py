"""What asyncio's loops do with plain sockets, under trio: connect, send, receive, and the race between addresses."""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from math import inf
from typing import Any

import trio
from trio.lowlevel import wait_readable, wait_writable

from ..config import TransportOptions
from .race import Race, interleaved
from .resolver import AddressInfo


async def connect(sock: socket.socket, address: Any) -> None:
    """Connect a non-blocking socket. Raises OSError."""
    try:
        sock.connect(address)
    except (BlockingIOError, InterruptedError):
        await wait_writable(sock)
        code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            raise OSError(code, os.strerror(code)) from None


async def send_all(sock: socket.socket, octets: bytes) -> None:
    """Send all of it. Raises OSError."""
    rest = memoryview(octets)
    while rest:
        try:
            rest = rest[sock.send(rest) :]
        except (BlockingIOError, InterruptedError):
            await wait_writable(sock)


async def receive(sock: socket.socket, most: int) -> bytes:
    """Receive something; nothing at the end. Raises OSError."""
    while True:
        try:
            return sock.recv(most)
        except (BlockingIOError, InterruptedError):
            await wait_readable(sock)


async def connect_first(addresses: Sequence[AddressInfo], options: TransportOptions) -> socket.socket:
    """The first of the addresses to be reached. Raises the last attempt's error."""
    race = Race(interleaved(addresses), options)
    steps = race.steps()
    try:
        wait_s = next(steps)
        while True:
            wait_s = steps.send(await _ended(race.running, wait_s))
    except StopIteration as end:
        sock: socket.socket = end.value
        return sock
    finally:
        steps.close()


async def _ended(running: list[socket.socket], wait_s: float | None) -> list[socket.socket]:
    """Those of the attempts that come to an end within the time."""
    done: list[socket.socket] = []

    async def watch(sock: socket.socket) -> None:
        await wait_writable(sock)
        done.append(sock)
        nursery.cancel_scope.cancel()

    with trio.move_on_after(inf if wait_s is None else max(0.0, wait_s)):
        async with trio.open_nursery() as nursery:
            for sock in running:
                nursery.start_soon(watch, sock)
    return done

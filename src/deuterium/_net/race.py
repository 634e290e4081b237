"""The addresses of a name raced against each other (RFC 8305): when to try the next one, and which won."""

from __future__ import annotations

import os
import socket
from collections.abc import Generator, Iterable, Sequence
from time import monotonic

from .._http.phases import NEVER
from ..config import TransportOptions
from .resolver import AddressInfo
from .sockets import local_address, prepare


class Expired(Exception):
    """The time for opening a connection is over."""


Steps = Generator[float | None, Iterable[socket.socket], socket.socket]


def interleaved(addresses: Sequence[AddressInfo]) -> list[AddressInfo]:
    """The addresses by turns of family, in the order the resolver prefers (RFC 8305 section 4)."""
    families: dict[int, list[AddressInfo]] = {}
    for address in addresses:
        families.setdefault(address[0], []).append(address)
    lists = list(families.values())
    longest = max(map(len, lists), default=0)
    return [family[at] for at in range(longest) for family in lists if at < len(family)]


class Race:
    """Attempts that run beside each other, a new one each ``happy_eyeballs_s`` or as soon as one fails.

    Whoever runs it waits: ``steps`` yields for how many seconds at most (None: as long as it takes) and is sent those
    of ``running`` that came to an end, one way or the other.
    """

    def __init__(self, addresses: list[AddressInfo], options: TransportOptions) -> None:
        self.addresses = addresses
        self.options = options
        self.local = local_address(options)
        self.running: list[socket.socket] = []
        self.error = OSError("no address")

    def steps(self, deadline: float = NEVER) -> Steps:
        """Ends with the socket connected first, non-blocking. Raises the last attempt's error, or Expired."""
        try:
            return (yield from self._steps(deadline))
        finally:
            for sock in self.running:
                sock.close()

    def _steps(self, deadline: float) -> Steps:
        at = 0
        next_at = 0.0
        while True:
            now = monotonic()
            if now >= deadline:
                raise Expired
            if at < len(self.addresses) and (now >= next_at or not self.running):
                winner = self._start(self.addresses[at])
                at += 1
                next_at = now + self.options.happy_eyeballs_s
            elif self.running:
                until = min(deadline, next_at) if at < len(self.addresses) else deadline
                winner = self._judge((yield None if until == NEVER else until - now))
            else:
                raise self.error
            if winner is not None:
                return winner

    def _start(self, address: AddressInfo) -> socket.socket | None:
        """Begin one attempt; the socket if it is connected at once."""
        sock = None
        try:
            sock = socket.socket(address[0], address[1], address[2])
            prepare(sock, self.options)
            if self.local is not None:
                sock.bind(self.local[1])
            sock.setblocking(False)
            sock.connect(address[4])
        except (BlockingIOError, InterruptedError):
            assert sock is not None
            self.running.append(sock)
            return None
        except BaseException as error:
            if sock is not None:
                sock.close()
            if not isinstance(error, OSError):
                raise
            self.error = error
            return None
        return sock

    def _judge(self, done: Iterable[socket.socket]) -> socket.socket | None:
        """The first of those at their end that is connected; the ones that failed are dropped."""
        winner = None
        for sock in done:
            code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if code == 0 and winner is not None:
                continue
            self.running.remove(sock)
            if code == 0:
                winner = sock
            else:
                self.error = OSError(code, os.strerror(code))
                sock.close()
        return winner

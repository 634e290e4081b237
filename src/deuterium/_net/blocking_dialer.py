"""Opening a transport in the calling thread: name, race of addresses, TLS, ALPN; then a driver around it."""

from __future__ import annotations

import select
import socket
from time import monotonic
from typing import Any

from .._http.phases import NEVER
from ..errors import ConnectError, ConnectTimeout
from .blocking_driver import BlockingDriver
from .blocking_poll import POLLIN, POLLOUT, open_poll
from .tls import TlsPipe

ATTEMPT_DELAY_S = 0.25  # RFC 8305 section 5: the recommended connection attempt delay
HANDSHAKE_READ = 16 * 1024

AddressInfo = tuple[Any, Any, int, str, Any]


class BlockingDialer:
    """Opens connections for one client; any number of threads may dial at once."""

    __slots__ = ()

    def dial(self, origin: Any, workshop: Any, lock: Any, timeout_s: float | None) -> BlockingDriver:
        """A driver whose engine is ready. Raises ConnectError or ConnectTimeout, always before a request was sent."""
        began_at = monotonic()
        deadline = NEVER if timeout_s is None else began_at + timeout_s
        secure = origin.scheme == "https"
        try:
            sock = _connect(origin.host, origin.port, deadline)
            try:
                tls = None
                if secure:
                    with lock:
                        context = workshop.tls_context(origin.key)
                    tls = TlsPipe(context, origin.host)
                    _handshake(sock, tls, deadline)
                with lock:
                    engine = workshop.engine(origin.key, "" if tls is None else tls.protocol, secure)
                driver = BlockingDriver(sock, lock, workshop.buffers, tls, engine, monotonic())
            except BaseException:
                sock.close()
                raise
        except TimeoutError:
            raise ConnectTimeout(
                f"no connection to {origin.host} port {origin.port} within {timeout_s} s", request_processed=False
            ) from None
        engine.start(driver.opened_at)
        return driver


def _connect(host: str, port: int, deadline: float) -> socket.socket:
    """A connected, non-blocking socket. Raises ConnectError or TimeoutError."""
    try:
        addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise ConnectError(f"the name {host!r} has no address: {error.strerror}", request_processed=False) from error
    race = _Race(interleaved(addresses))
    try:
        sock = race.run(deadline)
    except OSError as error:
        if isinstance(error, TimeoutError) and error.errno is None:
            raise
        raise ConnectError(f"cannot connect to {host} port {port}: {error}", request_processed=False) from error
    finally:
        race.close()
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def interleaved(addresses: list[AddressInfo]) -> list[AddressInfo]:
    """The addresses by turns of family, in the order the resolver prefers (RFC 8305 section 4)."""
    families: dict[Any, list[AddressInfo]] = {}
    for address in addresses:
        families.setdefault(address[0], []).append(address)
    lists = list(families.values())
    longest = max(map(len, lists), default=0)
    return [family[at] for at in range(longest) for family in lists if at < len(family)]


class _Race:
    """Attempts that run beside each other, a new one every ATTEMPT_DELAY_S or as soon as one fails; the first wins."""

    def __init__(self, addresses: list[AddressInfo]) -> None:
        self.addresses = addresses
        self.running: list[socket.socket] = []
        self.error: OSError = ConnectionError("no address")

    def run(self, deadline: float) -> socket.socket:
        """The socket that was connected first; raises the last attempt's error, or TimeoutError without an errno."""
        at = 0
        next_at = 0.0
        while True:
            now = monotonic()
            if now >= deadline:
                raise TimeoutError
            if at < len(self.addresses) and (now >= next_at or not self.running):
                winner = self._start(self.addresses[at])
                if winner is not None:
                    return winner
                at += 1
                next_at = now + ATTEMPT_DELAY_S
                continue
            if not self.running:
                raise self.error
            until = min(deadline, next_at) if at < len(self.addresses) else deadline
            winner = self._wait(None if until == NEVER else until - now)
            if winner is not None:
                return winner

    def close(self) -> None:
        """Give up the attempts that did not win."""
        for sock in self.running:
            sock.close()
        self.running = []

    def _start(self, address: AddressInfo) -> socket.socket | None:
        sock = None
        try:
            sock = socket.socket(address[0], address[1], address[2])
            sock.setblocking(False)
            sock.connect(address[4])
        except (BlockingIOError, InterruptedError):
            assert sock is not None
            self.running.append(sock)
            return None
        except OSError as error:
            self.error = error
            if sock is not None:
                sock.close()
            return None
        return sock

    def _wait(self, wait_s: float | None) -> socket.socket | None:
        """The first of the attempts to succeed within the time; those that failed are dropped."""
        if len(self.running) == 1:
            poll = open_poll()
            poll.register(self.running[0].fileno(), POLLOUT)
            done = self.running[:] if poll.poll(None if wait_s is None else max(0.0, wait_s) * 1000 + 1) else []
        else:
            _, writable, broken = select.select([], self.running, self.running, wait_s)
            done = [sock for sock in self.running if sock in writable or sock in broken]
        for sock in done:
            self.running.remove(sock)
            code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if code == 0:
                return sock
            self.error = OSError(code, _os_message(code))
            sock.close()
        return None


def _os_message(code: int) -> str:
    import os

    return os.strerror(code)


def _handshake(sock: socket.socket, tls: TlsPipe, deadline: float) -> None:
    """The TLS handshake. Raises ConnectError or TimeoutError."""
    poll = open_poll()
    poll.register(sock.fileno(), POLLIN)
    buffer = bytearray(HANDSHAKE_READ)
    try:
        while True:
            try:
                done = tls.handshake()
            finally:
                _send_all(sock, tls.pending(), deadline)  # the alert as well
            if done:
                return
            octets = 0
            while not octets:
                try:
                    octets = sock.recv_into(buffer)
                except (BlockingIOError, InterruptedError):
                    _await(poll, deadline)
                    continue
                if not octets:
                    raise ConnectionError("closed by the peer")
            tls.feed(memoryview(buffer)[:octets])
    except OSError as error:
        if isinstance(error, TimeoutError) and error.errno is None:
            raise
        raise ConnectError(
            f"the connection was lost before it was ready: {error}", scope="connection", request_processed=False
        ) from error


def _send_all(sock: socket.socket, data: bytes, deadline: float) -> None:
    rest = memoryview(data)
    while rest:
        try:
            rest = rest[sock.send(rest) :]
        except (BlockingIOError, InterruptedError):
            poll = open_poll()
            poll.register(sock.fileno(), POLLOUT)
            _await(poll, deadline)


def _await(poll: Any, deadline: float) -> None:
    wait_s = deadline - monotonic()
    if wait_s <= 0 or not poll.poll(None if deadline == NEVER else wait_s * 1000 + 1):
        raise TimeoutError

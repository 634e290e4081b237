"""Opening a transport in the calling thread: proxy, name, address, socket, TLS, ALPN; then a driver around it."""

from __future__ import annotations

import socket
import ssl
from contextlib import suppress
from time import monotonic
from typing import Any

from .._http.phases import NEVER
from ..config import TransportOptions
from ..errors import ConnectError, ConnectTimeout, ProxyError
from .blocking_driver import BlockingDriver
from .blocking_poll import POLLIN, POLLOUT, open_poll
from .blocking_race import run_race
from .blocking_resolver import BlockingResolver
from .busy_poll import BusyPoll
from .proxy import Proxy
from .proxy_connect import HttpConnect
from .race import Expired, Race, interleaved
from .sockets import local_address
from .socks import SocksConnect
from .tls import TlsPipe
from .tls_in_tls import TlsInTls

HANDSHAKE_READ = 16 * 1024


class BlockingDialer:
    """Opens connections for one client; any number of threads may dial at once."""

    __slots__ = ("busy_poll", "options", "resolver")

    def __init__(self, options: TransportOptions) -> None:
        self.options = options
        self.resolver = BlockingResolver(options)
        self.busy_poll = BusyPoll(options.busy_poll_s)

    def dial(self, origin: Any, workshop: Any, lock: Any, timeout_s: float | None) -> BlockingDriver:
        """A driver whose engine is ready. Raises ConnectError or ConnectTimeout, always before a request was sent."""
        deadline = NEVER if timeout_s is None else monotonic() + timeout_s
        try:
            return _Dial(self, origin, workshop, lock, deadline).run()
        except Expired:
            raise ConnectTimeout(
                f"no connection to {origin.host} port {origin.port} within {timeout_s} s", request_processed=False
            ) from None

    def forget(self, origin: Any) -> None:
        """Resolve the origin's name again before the next connection to it."""
        self.resolver.forget(origin.host, origin.port)

    def close(self) -> None:
        """The client is closed; connections are its pool's."""

    def connect(self, host: str, port: int, deadline: float) -> socket.socket:
        """A connected, non-blocking socket. Raises ConnectError or Expired."""
        if self.options.uds is not None:
            return _connect_unix(self.options.uds, deadline)
        addresses = self.resolver.resolve(host, port, deadline)
        local = local_address(self.options)
        usable = [address for address in addresses if local is None or address[0] == local[0]]
        if not usable:
            raise ConnectError(f"{host} has no address of the local address's family", request_processed=False)
        try:
            sock = run_race(Race(interleaved(usable), self.options), deadline)
        except OSError as error:
            raise ConnectError(f"cannot connect to {host} port {port}: {error}", request_processed=False) from error
        if len(usable) > 1 and sock.getpeername()[0] != usable[0][4][0]:
            self.resolver.demote(host, port, usable[0])  # the next connection does not wait for it
        return sock


class _Dial:
    """One connection on its way."""

    def __init__(self, dialer: BlockingDialer, origin: Any, workshop: Any, lock: Any, deadline: float) -> None:
        self.dialer = dialer
        self.origin = origin
        self.workshop = workshop
        self.lock = lock  # the client's: TLS contexts, sessions and what is known of protocols are shared
        self.deadline = deadline
        self.secure = origin.scheme == "https"

    def run(self) -> BlockingDriver:
        origin = self.origin
        with self.lock:
            proxy = self.workshop.proxy(origin)
        if proxy is None:
            return self._drive(self.dialer.connect(origin.host, origin.port, self.deadline), None, b"")
        if proxy.is_socks:
            return self._through_socks(proxy)
        if not self.secure and self.workshop.http1 and not origin.server_name:
            return self._forwarded(proxy)
        return self._tunnelled(proxy)

    # -- ways --------------------------------------------------------------------------------------------------------

    def _forwarded(self, proxy: Proxy) -> BlockingDriver:
        """RFC 9112 section 3.2.2: the proxy gets the whole URL and asks the origin itself."""
        sock = self._reach(proxy)
        try:
            tls = self._proxy_tls(sock, proxy)
            with self.lock:
                engine = self.workshop.forwarding_engine(self.origin.key, proxy)
            return self._driver(sock, tls, engine)
        except BaseException:
            sock.close()
            raise

    def _tunnelled(self, proxy: Proxy) -> BlockingDriver:
        """CONNECT, over HTTP/1.1."""
        origin = self.origin
        sock = self._reach(proxy)
        try:
            outer = self._proxy_tls(sock, proxy)
            handshake = HttpConnect(proxy, origin.host, origin.port, self.workshop.buffers)
            rest = self._converse(sock, outer, handshake)
        except BaseException:
            sock.close()
            raise
        return self._drive(sock, outer, rest)

    def _through_socks(self, proxy: Proxy) -> BlockingDriver:
        origin = self.origin
        hosts = [origin.host]
        if proxy.scheme == "socks5":
            found = self.dialer.resolver.resolve(origin.host, origin.port, self.deadline)
            hosts = [address[4][0] for address in found]
        while True:
            sock = self._reach(proxy)
            try:
                rest = self._converse(sock, None, SocksConnect(proxy, hosts.pop(0), origin.port))
            except BaseException as error:
                sock.close()
                if not isinstance(error, ProxyError) or not hosts:
                    raise
            else:
                return self._drive(sock, None, rest)

    # -- steps -------------------------------------------------------------------------------------------------------

    def _reach(self, proxy: Proxy) -> socket.socket:
        try:
            return self.dialer.connect(proxy.host, proxy.port, self.deadline)
        except ConnectError as error:
            raise _unreachable(proxy, error) from error

    def _proxy_tls(self, sock: socket.socket, proxy: Proxy) -> TlsPipe | None:
        if proxy.scheme != "https":
            return None
        with self.lock:
            tls: TlsPipe = self.workshop.proxy_tls(proxy, forward=True)
        try:
            self._handshake(sock, tls)
        except ConnectError as error:
            raise _unreachable(proxy, error) from error
        return tls

    def _converse(self, sock: socket.socket, tls: TlsPipe | None, handshake: HttpConnect | SocksConnect) -> bytes:
        """Carry out a handshake with a proxy; what came after it."""
        try:
            octets = handshake.start()
            while not handshake.done:
                if octets:
                    if tls is not None:
                        tls.write(octets)
                        octets = tls.pending()
                    self._send(sock, octets)
                received = self._receive(sock)
                if received and tls is not None:
                    received = _read_all(tls, received)
                    if not received:
                        octets = b""
                        continue
                if not received:
                    raise handshake.cut()
                octets = handshake.receive(received)
        except OSError as error:
            raise handshake.cut() from error
        finally:
            handshake.close()
        return handshake.rest

    def _drive(self, sock: socket.socket, outer: TlsPipe | None, first: bytes) -> BlockingDriver:
        """A driver on a socket that leads to the origin; ``first`` was received already."""
        try:
            tls: Any = outer
            if self.secure:
                with self.lock:
                    tls = self.workshop.tls(self.origin)
                if first:
                    tls.feed(first)
                    first = b""
                if outer is not None:
                    tls = TlsInTls(outer, tls)
                self._handshake(sock, tls)
            with self.lock:
                engine = self.workshop.engine(self.origin.key, tls.protocol if self.secure else "", self.secure)
            return self._driver(sock, tls, engine, first)
        except BaseException:
            sock.close()
            raise

    def _driver(self, sock: socket.socket, tls: Any, engine: Any, first: bytes = b"") -> BlockingDriver:
        now = monotonic()
        driver = BlockingDriver(sock, self.lock, self.workshop.buffers, tls, engine, now)
        driver.busy_poll = self.dialer.busy_poll
        engine.start(now)
        driver.begin(first)
        return driver

    # -- octets ------------------------------------------------------------------------------------------------------

    def _handshake(self, sock: socket.socket, tls: Any) -> None:
        """The TLS handshake. Raises ConnectError or Expired."""
        try:
            while True:
                try:
                    done = tls.handshake()
                finally:
                    self._send(sock, tls.pending())  # the alert as well
                if done:
                    return
                octets = self._receive(sock)
                if not octets:
                    raise ConnectionError("closed by the peer")
                tls.feed(octets)
        except OSError as error:
            raise ConnectError(
                f"the connection was lost before it was ready: {error}",
                scope="connection",
                initiator="remote",
                request_processed=False,
            ) from error

    def _send(self, sock: socket.socket, octets: bytes) -> None:
        rest = memoryview(octets)
        while rest:
            try:
                rest = rest[sock.send(rest) :]
            except (BlockingIOError, InterruptedError):
                self._await(sock, POLLOUT)

    def _receive(self, sock: socket.socket) -> bytes:
        while True:
            try:
                return sock.recv(HANDSHAKE_READ)
            except (BlockingIOError, InterruptedError):
                self._await(sock, POLLIN)

    def _await(self, sock: socket.socket, events: int) -> None:
        _await(sock, events, self.deadline)


def _await(sock: socket.socket, events: int, deadline: float) -> None:
    wait_s = deadline - monotonic()
    poll = open_poll()
    poll.register(sock.fileno(), events)
    if wait_s <= 0 or not poll.poll(None if deadline == NEVER else wait_s * 1000 + 1):
        raise Expired


def _connect_unix(path: str, deadline: float) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        # A Unix socket connects at once or refuses; only a full backlog waits.
        sock.settimeout(None if deadline == NEVER else max(0.001, deadline - monotonic()))
        sock.connect(path)
        sock.setblocking(False)
    except TimeoutError:
        sock.close()
        raise Expired from None
    except OSError as error:
        sock.close()
        raise ConnectError(f"cannot connect to the socket {path!r}: {error}", request_processed=False) from error
    except BaseException:
        sock.close()
        raise
    return sock


def _read_all(tls: TlsPipe, octets: bytes) -> bytes:
    """What the octets of the transport hold."""
    tls.feed(octets)
    pieces: list[bytes] = []
    with suppress(ssl.SSLWantReadError):
        while piece := tls.read(HANDSHAKE_READ):
            pieces.append(piece)
    return b"".join(pieces)


def _unreachable(proxy: Proxy, error: ConnectError) -> ProxyError:
    return ProxyError(
        f"{proxy} cannot be used: {error}", scope=error.scope, initiator=error.initiator, request_processed=False
    )

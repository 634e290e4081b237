"""BlockingDriver: what other threads may do while the reader is at the network, at every moment it can be there."""

from __future__ import annotations

import socket
from collections.abc import Callable
from threading import RLock, Thread
from time import monotonic
from typing import Any

import pytest

from deuterium._http.exchange import Exchange
from deuterium._http.phases import FINISHED
from deuterium._http1.connection import Connection as Http1Connection
from deuterium._http2.connection import Connection as Http2Connection
from deuterium._http2.stream import Stream
from deuterium._memory.buffer_pool import BufferPool
from deuterium._memory.object_pool import ObjectPool
from deuterium._memory.string_pool import StringPool
from deuterium._net import blocking_driver
from deuterium._net.blocking_driver import BlockingDriver
from deuterium._net.blocking_waiter import ThreadWaiter
from deuterium.config import Http2Options
from deuterium.errors import TransportError

COMPILED = not blocking_driver.__file__.endswith((".py", ".pyc"))

SETTINGS = b"\0\0\0\4\0\0\0\0\0"
OK = 0x88  # RFC 7541 appendix A: ":status: 200"


def answer(stream: int) -> bytes:
    """HEADERS with END_STREAM."""
    return b"\0\0\1\1\5" + stream.to_bytes(4, "big") + bytes([OK])


class Socket:
    """A real socket that calls ``before`` and ``after`` around each receive, as often as they are set."""

    def __init__(self, inner: socket.socket) -> None:
        inner.setblocking(False)
        self.inner = inner
        self.before: Callable[[], None] | None = None
        self.after: Callable[[], None] | None = None
        self.fileno, self.send, self.sendmsg = inner.fileno, inner.send, inner.sendmsg
        self.shutdown, self.close = inner.shutdown, inner.close

    def recv_into(self, space: Any) -> int:
        before, self.before = self.before, None
        if before is not None:
            before()
        octets = self.inner.recv_into(space)
        after, self.after = self.after, None
        if after is not None:
            after()
        return octets


class Scene:
    """One driver and its peer's end of the connection; the peer has sent its SETTINGS."""

    def __init__(self, protocol: str = "h2") -> None:
        ours, self.peer = socket.socketpair()
        self.sock = Socket(ours)
        self.buffers = BufferPool(poison=True)
        now = monotonic()
        engine: Any = Http1Connection(StringPool())
        if protocol == "h2":
            engine = Http2Connection(Http2Options(), self.buffers, ObjectPool(Stream), StringPool(), 0)
        self.lock = RLock()
        self.driver = BlockingDriver(self.sock, self.lock, self.buffers, None, engine, now)
        engine.start(now)
        if protocol == "h2":
            self.peer.send(SETTINGS)

    def submit(self, exchange: Exchange | None = None) -> tuple[Exchange, ThreadWaiter]:
        exchange = exchange or Exchange("GET", "https", "example.org", "/", ())
        exchange.read_timeout = 5.0
        waiter = ThreadWaiter()
        exchange.waiter = waiter
        with self.lock:
            self.driver.submit(exchange, monotonic())
        return exchange, waiter

    def close(self) -> None:
        with self.lock:
            self.driver.close()
        self.peer.close()


def elsewhere(work: Callable[[], None]) -> None:
    """Do it in another thread, now."""
    thread = Thread(target=work)
    thread.start()
    thread.join(10)
    assert not thread.is_alive()


@pytest.mark.parametrize("moment", ["before", "after"])
def test_last_exchange_cancelled_while_reader_receives_leaves_the_connection_whole(moment: str) -> None:
    scene = Scene()
    driver = scene.driver
    given_up, waiter = scene.submit()

    def cancel() -> None:
        with scene.lock:
            driver.cancel(given_up, None)

    setattr(scene.sock, moment, lambda: elsewhere(cancel))
    driver.wait(given_up, waiter)
    assert given_up.status == 0
    assert not driver.lost
    exchange, waiter = scene.submit()
    scene.peer.send(answer(3))
    driver.wait(exchange, waiter)
    assert (exchange.error, exchange.status) == (None, 200)
    scene.close()
    assert scene.buffers.stats().outstanding == 0


def test_exchange_cancelled_while_nothing_is_received_leaves_no_memory_leased() -> None:
    scene = Scene()
    driver = scene.driver
    given_up, waiter = scene.submit()

    def cancel() -> None:
        with scene.lock:
            driver.cancel(given_up, None)

    def nothing() -> None:
        elsewhere(cancel)
        raise BlockingIOError

    scene.sock.before = nothing
    driver.wait(given_up, waiter)
    driver.flush()
    assert not driver.lost
    assert scene.buffers.stats().outstanding == 0
    scene.close()


@pytest.mark.skipif(COMPILED, reason="compiled, no other thread runs between two assignments, and none can be watched")
@pytest.mark.parametrize("engine", ["h2", "http/1.1"])
def test_exchange_is_finished_only_after_its_error_is_set(engine: str) -> None:
    """Threads look at the phase without the lock: an end without its error would be a whole response."""
    seen: list[object] = []

    class Watched(Exchange):
        def __setattr__(self, name: str, value: object) -> None:
            if name == "phase" and value == FINISHED:
                seen.append(self.error)
            super().__setattr__(name, value)

    scene = Scene(engine)
    scene.submit(Watched("GET", "https", "example.org", "/", ()))
    scene.close()
    assert [type(error) for error in seen] == [TransportError]

"""One socket and one engine shared by threads: how octets go in and out, and how it ends."""

from __future__ import annotations

import ssl
from contextlib import suppress
from math import ceil
from socket import SHUT_RDWR
from threading import Lock
from time import monotonic
from typing import Any

from .._http.exchange import Exchange
from .._http.phases import FINISHED
from ..errors import ReadError
from .blocking_poll import POLLIN, POLLOUT, open_poll
from .carrier import Carrier
from .losses import broken_read, broken_tls, broken_write
from .receive_buffer import ReceiveBuffer
from .sizes import NORMAL_READ, SMALL_READ
from .ticks import TICK_S

MAX_SEGMENTS = 512  # for one sendmsg; Linux takes 1024


class BlockingTransport(Carrier):
    """One non-blocking socket with its engine: what reading, writing and ending it takes, step by step.

    ``lock`` is the client's: it guards the engine and every attribute here, but for what belongs to a role. It is
    never held while the network is waited for. There are two roles, each held by one thread at a time. The *reader*
    polls and receives; ``inbound`` and ``plain`` are its own while it is ``receiving``. The *writer* sends; the
    segments it took are its own. ``tls_lock`` guards the TLS object between the two; no other lock is taken under it.
    """

    __slots__ = (
        "abandoned",
        "arrived",
        "backlog",
        "busy_poll",
        "clogged",
        "events",
        "in_receive",
        "inbound",
        "input",
        "last_read",
        "lock",
        "mute",
        "octets_read",
        "plain",
        "poll",
        "poller",
        "read_size",
        "reading",
        "reads",
        "receive_into",
        "receiving",
        "send_octets",
        "session_due",
        "shut",
        "sock",
        "tls",
        "tls_lock",
        "writes",
        "writing",
    )

    def __init__(self, sock: Any, lock: Any, buffers: Any, tls: Any, engine: Any, opened_at: float) -> None:
        """``sock``: connected and non-blocking; ``tls``: a TlsPipe after its handshake, or None; ``lock``: an RLock."""
        Carrier.__init__(self)
        self.sock = sock
        self.receive_into = sock.recv_into
        self.send_octets = sock.send
        self.lock = lock
        self.engine = engine
        self.tls = tls
        self.input: Any = None if tls is None else tls.input
        self.session_due = tls is not None  # the TLS session has not been kept yet
        self.tls_lock = Lock()
        self.plain = ReceiveBuffer(buffers, tls is None)  # octets of HTTP
        self.inbound = self.plain if tls is None else ReceiveBuffer(buffers)  # octets of the transport
        self.read_size = NORMAL_READ
        self.last_read = 0
        self.poller = open_poll()
        self.events = POLLIN
        self.poller.register(sock.fileno(), POLLIN)
        self.poll = self.poller.poll
        self.reading = False  # the reader's role is taken
        self.receiving = False  # the reader is at the network, without the lock
        self.in_receive = False  # octets may have left the socket that are not in ``inbound`` yet
        self.writing = False  # the writer's role is taken
        self.mute = False  # a write failed: nothing more is written, what the peer still said is read
        self.arrived = False  # ``plain`` has octets the engine has not seen
        self.backlog: list[Any] = []  # octets of the transport that the socket did not take
        self.clogged = False  # ``backlog`` is not empty; the reader asks without the lock
        self.abandoned: list[Exchange] = []  # given up by a finalizer that ran while its own thread held the lock
        self.shut = False  # close the socket as soon as both roles are free
        self.opened_at = opened_at
        self.used_at = opened_at
        self.reads = self.writes = self.octets_read = 0
        self.busy_poll: Any = None  # the dialer's

    # -- what the pool calls, under the lock ---------------------------------------------------------------------------

    def begin(self, octets: bytes) -> None:
        """Take in what was received before the socket was ours: ``octets`` of HTTP, or what the TLS object holds."""
        if self.tls is not None:
            if self.tls.buffered():
                self._decrypt()
        elif octets:
            space = self.plain.space(len(octets))
            space[: len(octets)] = octets
            self.plain.commit(len(octets))
            self.arrived = True

    def submit(self, exchange: Exchange, now: float) -> None:
        """Queue the request; ``wait`` writes it."""
        exchange.carrier = self
        self.engine.send_request(exchange, now)

    def close(self) -> None:
        """Say GOAWAY and close_notify, then close the transport; every open exchange fails."""
        if self.lost:
            return
        if not self.engine.closed:
            self.engine.close(monotonic())
            self._wake()
        self._say_goodbye()
        self._lose()

    def ping(self) -> None:
        """Ask the peer for a sign of life; the reader writes it."""
        self.engine.ping(monotonic())

    def give_up(self, error: ReadError) -> None:
        """The peer is gone."""
        self._fail(error)

    def look(self, now: float) -> None:
        """Take in what came while nobody waited: an idle connection that the peer closed must not be used again."""
        if self.reading or self.lost:
            return
        self.used_at = now
        try:
            while not self.lost and self.poll(0):
                self._receive()
                self._take_in()
        except OSError as error:
            self._fail(broken_read(error))

    def leave_to_parent(self, lock: Any) -> None:
        """Close the descriptor and say nothing: in a child process the connection is still its parent's."""
        self.lost = True
        self.lock = lock
        self.tls_lock = Lock()
        self.sock.close()
        # A response that is read on here ends. The thread that was at work in the engine does not exist in this
        # process, and may have left it half-way through a frame.
        with suppress(Exception):
            self.engine.fail(ReadError("the connection belongs to the parent process", scope="connection"))

    def cancel(self, exchange: Exchange, error: Any) -> None:
        """End the exchange from our side; the stream is reset if it is open. ``flush`` writes that."""
        now = monotonic()
        if exchange.phase != FINISHED and not exchange.settled:
            exchange.settled = True
            self.tally.cancelled(now)
        self.engine.cancel(exchange, error, now)
        if not self.lost:
            self._after_receive()

    def consumed(self, exchange: Exchange, octets: int) -> None:
        """The application took ``octets`` of content."""
        self.engine.consumed(exchange, octets, monotonic())

    def sweep(self) -> None:
        """Cancel what finalizers gave up."""
        while self.abandoned:
            exchange = self.abandoned.pop()
            if exchange.phase != FINISHED or exchange.unread:
                self.cancel(exchange, None)

    # -- reading, by the reader ----------------------------------------------------------------------------------------

    def _events(self) -> int:
        """What the reader polls for."""
        events = 0 if self.engine.wants_pause else POLLIN
        if self.clogged and not self.writing:
            events |= POLLOUT
        return events

    def _read(self, events: int, wait_s: float, alone: bool) -> None:
        """Wait for the network, then receive; ``_take_in`` follows under the lock. ``alone``: for one answer only."""
        if events != self.events:
            self.events = events
            self.poller.modify(self.sock.fileno(), events)
        ready = self.busy_poll.look(self.poll) if alone and self.busy_poll is not None else None
        if not ready:
            ready = self.poll(ceil(max(0.0, min(wait_s, TICK_S)) * 1000.0))  # a negative time would be for ever
        if not ready:
            return
        self._after_poll(ready[0][1])

    def _after_poll(self, came: int) -> None:
        if came & POLLOUT:
            with self.lock:
                if self.writing or not self.backlog:
                    return
                self.writing = True
            self._write_backlog(0.0)
        if came & ~POLLOUT:
            self._receive()

    def _receive(self) -> None:
        """Octets of the transport into ``inbound``; under TLS, what they hold into ``plain``."""
        self.read_size = self.inbound.next_read(self.last_read)
        space = self.inbound.space(self.read_size)
        self.in_receive = True
        try:
            octets = self.receive_into(space)
        except (BlockingIOError, InterruptedError):
            self.in_receive = False
            return
        except OSError as error:
            self.in_receive = False
            self._fail_from_role(broken_read(error))
            return
        self.inbound.commit(octets)
        self.arrived = True
        self.reads += 1
        self.octets_read += octets
        self.last_read = octets
        if octets == 0:
            self._receive_end()
        elif self.tls is not None:
            self.arrived = False
            self._decrypt()
        self.in_receive = False

    def _decrypt(self) -> None:
        """Feed the TLS object and read all it has; whenever ``plain`` is full, the engine takes it in."""
        plain, tls, source, failure = self.plain, self.tls, self.input, None
        with self.tls_lock:
            source.take(self.inbound)
        while source.whole > 0:
            space = plain.space(self.read_size)
            room = len(space)
            try:
                with self.tls_lock:
                    octets = tls.read(room, space)
            except ssl.SSLWantReadError:
                source.whole = 0
                return
            except ssl.SSLError as error:
                failure = broken_tls(error)
                break
            if octets == 0:
                break
            if octets < room or not tls.unread():
                source.whole -= 1  # read to its end
            plain.commit(octets)
            self.arrived = True
            if self.session_due:
                self.session_due = False
                with self.lock, self.tls_lock:
                    tls.keep_session()
            if plain.buffer.capacity - plain.end < SMALL_READ:
                with self.lock:
                    self._take_in()
                    if self.lost:
                        return
        else:
            return
        with self.lock:
            self._take_in()
            if failure is not None:
                self._fail(failure)
            else:
                self._receive_eof()

    def _receive_end(self) -> None:
        """The peer closed the transport."""
        with self.lock:
            if self.tls is None:
                self._receive_eof()
            else:  # without close_notify the content may be cut
                self._fail(ReadError("the connection was lost: closed by the peer", scope="connection"))

    def _receive_eof(self) -> None:
        if not self.lost:
            self.engine.receive_eof(monotonic())
            self._after_receive()
            self._lose()

    def _take_in(self) -> None:
        """Let the engine walk what is there, then wake everyone it touched. Under the lock."""
        plain = self.plain
        if not self.arrived or self.lost:
            return
        self.arrived = False
        now = monotonic()
        self.used_at = now
        self.tally.heard(now)
        try:
            plain.consume(self.engine.receive(plain.buffer, plain.start, plain.end, now))
        except BaseException:
            # The engine is half-way through a frame and cannot go on.
            self._fail(ReadError("the reading of a response was interrupted", scope="connection"))
            raise
        self._after_receive()

    def _after_receive(self) -> None:
        engine = self.engine
        if self.abandoned:
            self.sweep()
        if engine.ready or engine.writable:
            self._wake()
        if engine.closed:
            self._say_goodbye()
            self._lose()
            return
        if self.on_room is not None:
            self.on_room(self)
        if not engine.active():
            if engine.draining:
                self.close()
            elif not self.receiving:
                self._rest()

    def _rest(self) -> None:
        """An idle connection holds no memory of the pool's."""
        if self.plain.start == self.plain.end and self.inbound.start == self.inbound.end:
            self.plain.release()
            self.inbound.release()

    def _wake(self) -> None:
        """Wake each waiter of each exchange the engine touched, once."""
        engine = self.engine
        if engine.ready:
            ready = engine.take_ready()
            now = monotonic()
            for exchange in ready:
                if exchange.phase == FINISHED:
                    self.settle(exchange, now)
                waiter = exchange.waiter
                if waiter is not None:
                    exchange.waiter = None
                    waiter.wake(exchange)
        if engine.writable:
            writable = engine.take_writable()
            for exchange in writable:
                waiter = exchange.writer
                if waiter is not None:
                    exchange.writer = None
                    waiter.wake(exchange)

    def _expire(self, now: float) -> None:
        self.end_overdue(now)
        self._wake()
        if self.on_room is not None:
            self.on_room(self)

    # -- writing, by the writer ----------------------------------------------------------------------------------------

    def _write(self, segments: list[Any]) -> None:
        """Send, and whatever was queued meanwhile; then the role is free."""
        try:
            while True:
                if self.tls is not None:
                    segments = self._encrypt(segments)
                rest = self._send(segments)
                with self.lock:
                    if not rest and not self.lost and self.engine.has_output():
                        segments = self.engine.take(monotonic())
                        continue
                    self._end_writing(rest)
                    return
        except BaseException as error:
            self._break_off(error)

    def _write_backlog(self, wait_s: float) -> None:
        """Send what the socket did not take before, once it takes more."""
        try:
            if wait_s > 0.0:
                poll = open_poll()
                poll.register(self.sock.fileno(), POLLOUT)
                if not poll.poll(ceil(wait_s * 1000.0)):
                    with self.lock:
                        self._end_writing(self.backlog)
                    return
            rest = self._send(self.backlog)
            with self.lock:
                self._end_writing(rest)
        except BaseException as error:
            self._break_off(error)

    def _end_writing(self, rest: list[Any]) -> None:
        self.backlog = rest
        self.clogged = len(rest) > 0
        self.writing = False
        if self.shut and not self.reading:
            self._close_socket()

    def _break_off(self, error: BaseException) -> None:
        """A write that failed, or was interrupted: nobody knows what of it left."""
        with self.lock:
            self.mute = True
            self._end_writing([])
            if isinstance(error, OSError):
                self.look(monotonic())  # it may have answered before it closed; a reader looks by itself
            if not self.lost and not (self.reading and isinstance(error, OSError)):
                self._fail(broken_write(error))
        if not isinstance(error, OSError):
            raise error

    def _encrypt(self, segments: list[Any]) -> list[Any]:
        with self.tls_lock:
            for segment in segments:
                self.tls.write(segment)
            return [octets] if (octets := self.tls.pending()) else []  # nothing, while no window is open

    def _send(self, segments: list[Any]) -> list[Any]:
        """Hand the segments to the socket; what it did not take."""
        at, count = 0, len(segments)
        while at < count:
            segment = segments[at]
            try:
                if count - at == 1:
                    sent = self.send_octets(segment)
                else:
                    sent = self.sock.sendmsg(segments[at : at + MAX_SEGMENTS])
            except (BlockingIOError, InterruptedError):
                return segments[at:]
            self.writes += 1
            while sent:
                segment = segments[at]
                size = len(segment)
                if sent < size:
                    segments[at] = memoryview(segment)[sent:]
                    break
                sent -= size
                at += 1
        return []

    # -- ending, under the lock ----------------------------------------------------------------------------------------

    def _fail(self, error: Any) -> None:
        """The connection is over: every exchange ends, once."""
        if self.lost:
            return
        self.engine.fail(error)
        self._wake()
        self._say_goodbye()
        self._lose()

    def _fail_from_role(self, error: Any) -> None:
        with self.lock:
            self._take_in()
            self._fail(error)

    def _say_goodbye(self) -> None:
        """Last words, as far as the socket takes them without waiting."""
        if self.writing or self.mute or self.backlog:
            return
        try:
            segments = self.engine.take(monotonic()) if self.engine.has_output() else []
            if self.tls is not None:
                with self.tls_lock:
                    for segment in segments:
                        self.tls.write(segment)
                    self.tls.close()
                    segments = [octets] if (octets := self.tls.pending()) else []
            if segments:
                self._send(segments)
        except OSError:  # ssl.SSLError is one
            pass  # nobody is there to hear them

    def _lose(self) -> None:
        """The transport is gone: threads that poll it return, the last of them closes it."""
        if self.lost:
            return
        self.lost = True
        self.shut = True
        self.engine.take(monotonic())  # what could not leave: its memory goes back to the pool
        with suppress(OSError):  # the peer was faster
            self.sock.shutdown(SHUT_RDWR)
        self._stir()
        if self.on_lost is not None:
            self.on_lost(self)
        if not self.reading and not self.writing:
            self._close_socket()

    def _close_socket(self) -> None:
        self.shut = False
        self.plain.release()
        self.inbound.release()
        self.sock.close()

    def _stir(self) -> None:
        """Have every thread that sleeps here look round."""

"""One connection shared by threads: whoever waits first reads for all, whoever has output writes for all."""

from __future__ import annotations

from threading import Lock
from time import monotonic
from typing import Any

from .._http.exchange import Exchange
from .._http.phases import FINISHED, NEVER
from ..errors import ReadError
from .blocking_poll import POLLOUT
from .blocking_transport import BlockingTransport
from .blocking_waiter import ThreadWaiter
from .ticks import TICK_S, WRITER_TICK_S


class BlockingDriver(BlockingTransport):
    """Hands the roles of reader and writer round among the threads that wait, any number of them.

    A thread that waits takes the reader's role if it is free, else it sleeps as a follower. A reader whose own exchange
    is over wakes one follower to read on. A thread with output takes the writer's role if it is free; else whoever has
    it takes that output along before it lays the role down.
    """

    __slots__ = ("followers", "next_tick", "on_tick")

    def __init__(self, sock: Any, lock: Any, buffers: Any, tls: Any, engine: Any, opened_at: float) -> None:
        """``sock``: connected and non-blocking; ``tls``: a TlsPipe after its handshake, or None; ``lock``: an RLock."""
        BlockingTransport.__init__(self, sock, lock, buffers, tls, engine, opened_at)
        self.followers: dict[ThreadWaiter, None] = {}  # who sleeps here, the one that came last at the end
        self.on_tick: Any = None  # called under the lock about once per TICK_S while there is a reader
        self.next_tick = opened_at + TICK_S

    # -- what a thread with an exchange calls --------------------------------------------------------------------------

    def wait(self, exchange: Exchange | None, waiter: ThreadWaiter) -> None:
        """Return once ``waiter`` is woken; meanwhile write, and read for everybody or sleep.

        ``exchange`` says how long to wait before its time is up; None: as long as any exchange here may take.
        """
        leads = False
        gate: Any = None
        try:
            while True:
                events = 0
                segments = None
                with self.lock:
                    if gate is not None:
                        self._end_sleep(waiter, gate)
                    elif leads:
                        self._take_in()
                    if waiter.woken or self.lost:
                        if leads:
                            leads = False
                            self._hand_on()
                        return
                    now = monotonic()
                    limit = self.engine.deadline if exchange is None else exchange.limit()
                    if limit <= now:
                        self._expire(now)
                        continue
                    if not self.reading:
                        self.reading = leads = True
                        gate = None
                        if self.arrived:
                            continue
                    if not self.writing and not self.mute:
                        if not self.backlog:
                            if self.engine.has_output():
                                segments = self.engine.take(now)
                                self.writing = True
                        elif not leads:
                            self.writing = True
                            events = POLLOUT
                    if leads:
                        limit = min(limit, self.engine.deadline)
                        if now >= self.next_tick:
                            self._tick(now)
                    elif segments is None and not events:
                        if gate is None:
                            gate = Lock()
                            gate.acquire()
                        waiter.gate = gate
                        self.followers[waiter] = None
                if segments is not None:
                    self._write(segments)
                if leads:
                    self._read(self._events(), limit - now)
                elif events:
                    self._write_backlog(min(limit - now, WRITER_TICK_S))
                elif segments is None:
                    gate.acquire(True, limit - now if limit != NEVER else -1)
        except BaseException:
            with self.lock:
                if gate is not None:
                    waiter.gate = None
                    self.followers.pop(waiter, None)
                if leads:
                    self._leave_reading()
            raise

    def flush(self) -> None:
        """Write what there is to write now, unless somebody is at it already or the socket is full."""
        with self.lock:
            if self.writing or self.mute or self.lost or self.backlog or not self.engine.has_output():
                return
            self.writing = True
            segments = self.engine.take(monotonic())
        self._write(segments)

    def next_piece(self, exchange: Exchange) -> Any:
        """The next piece of content that has arrived, or None; its window is given back."""
        with self.lock:
            self.sweep()
            chunks = exchange.chunks
            if not chunks:
                return None
            piece = chunks.popleft()
            self.engine.consumed(exchange, len(piece), monotonic())
            due = self.engine.has_output()
        if due:
            self.flush()
        return piece

    def room(self, exchange: Exchange, waiter: ThreadWaiter) -> int:
        """Octets of content that may be queued; -1: no more are taken; 0: ``waiter`` is woken when some are."""
        with self.lock:
            if exchange.phase == FINISHED:
                return -1
            room: int = self.engine.room(exchange)
            if room == 0:
                exchange.writer = waiter
            return room

    def send_content(self, exchange: Exchange, piece: bytes, end: bool) -> None:
        """Queue content of a request whose stream is open, and write what goes."""
        with self.lock:
            self.engine.send_content(exchange, piece, end, monotonic())
        self.flush()

    def send_trailers(self, exchange: Exchange, trailers: tuple[tuple[str, str], ...]) -> None:
        """End the content with a trailer section."""
        with self.lock:
            self.engine.send_trailers(exchange, trailers, monotonic())
        self.flush()

    # -- what a thread calls that reads on several connections ---------------------------------------------------------

    def lead(self) -> bool:
        """Take the reader's role; False: another thread has it."""
        with self.lock:
            if self.reading or self.lost:
                return False
            self.reading = True
            return True

    def serve(self, came: int) -> None:
        """Do what the reader's poll asks for."""
        self._after_poll(came)
        with self.lock:
            self._take_in()
        self.flush()

    def follow(self) -> None:
        """Lay the reader's role down, whatever happened."""
        with self.lock:
            self._leave_reading()

    def expire(self, now: float) -> None:
        """End the exchanges whose time is up."""
        with self.lock:
            if not self.lost and self.engine.deadline <= now:
                self._expire(now)

    def events_wanted(self) -> int:
        """What the reader polls for."""
        return self._events()

    # -- roles ---------------------------------------------------------------------------------------------------------

    def _hand_on(self) -> None:
        """The reader is done: have another one read, if anybody still waits."""
        self.reading = False
        followers = self.followers
        while followers:
            # The one that came last is answered last, most likely: so the role changes hands least.
            waiter, _ = followers.popitem()
            if waiter.gate is not None:
                waiter.nudge()
                return
        if self.shut:
            self._close_socket()

    def _leave_reading(self) -> None:
        """The reader was interrupted."""
        if self.in_receive:
            self.in_receive = False
            if not self.lost:
                self._fail(ReadError("a read was interrupted half-way", scope="connection"))
        elif not self.lost:
            self._take_in()
        self._hand_on()

    def _end_sleep(self, waiter: ThreadWaiter, gate: Any) -> None:
        self.followers.pop(waiter, None)
        if waiter.gate is not None:
            waiter.gate = None  # its time is up; nobody released the gate
        else:
            gate.acquire(False)  # unless released between the end of its time and now, it is locked already

    def _stir(self) -> None:
        """Have every follower look round."""
        for waiter in list(self.followers):
            waiter.nudge()

    def _tick(self, now: float) -> None:
        self.next_tick = now + TICK_S
        if self.on_tick is not None:
            self.on_tick(now)

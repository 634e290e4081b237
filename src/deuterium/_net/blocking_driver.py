"""One connection shared by threads: whoever waits first reads for all, whoever has output writes for all."""

from __future__ import annotations

from time import monotonic
from typing import Any

from .._http.exchange import Exchange
from .._http.phases import FINISHED, NEVER
from ..errors import ReadError
from . import gate as gates
from .blocking_transport import BlockingTransport
from .blocking_waiter import ThreadWaiter
from .gate_queue import GateQueue
from .ticks import GUARD_S, TICK_S, WRITER_TICK_S

# Requests left to other threads to write, so that the server has work while the rest come: two among few threads, half
# of those in flight among many.
MANY_THREADS = 12
DEFER_FEW = 2
DEFER_MANY = 6
DEFER_S = 0.0005


class BlockingDriver(BlockingTransport):
    """Hands the roles of reader and writer round among the threads that wait, any number of them.

    A thread that waits takes the reader's role if it is free, else it sleeps as a follower. A reader whose own exchange
    is over wakes one follower to read on. A thread with output takes the writer's role if it is free; else whoever has
    it takes that output along before it lays the role down.
    """

    __slots__ = ("deferred", "deferred_at", "followers", "next_tick", "on_tick", "queue")

    def __init__(self, sock: Any, lock: Any, buffers: Any, tls: Any, engine: Any, opened_at: float) -> None:
        """``sock``: connected and non-blocking; ``tls``: a TlsPipe after its handshake, or None; ``lock``: an RLock."""
        BlockingTransport.__init__(self, sock, lock, buffers, tls, engine, opened_at)
        self.followers: dict[ThreadWaiter, None] = {}  # who sleeps here, the one that came last at the end
        self.queue = GateQueue()
        self.deferred = 0  # requests whose writing was left to threads that were let through
        self.deferred_at = 0.0
        self.on_tick: Any = None  # called under the lock about once per TICK_S while there is a reader
        self.next_tick = opened_at + TICK_S

    # -- what a thread with an exchange calls ------------------------------------------------------------------------

    def wait(self, exchange: Exchange | None, waiter: ThreadWaiter) -> None:
        """Return once ``waiter`` is woken; meanwhile write, and read for everybody or sleep.

        ``exchange`` says how long to wait before its time is up; None: as long as any exchange here may take.
        """
        queue = self.queue
        leads = False
        watches = False  # it sees to it that those due are let through
        gate: Any = None
        due: Any = None
        opened = False
        expired = False
        alone = False
        limit = NEVER
        passed = 0
        try:
            while True:
                blocked = False
                segments = None
                with self.lock:
                    queue.holding = True
                    if gate is not None:
                        self._end_sleep(waiter, gate, opened)
                        gate = None
                    elif leads:
                        self.receiving = False
                        self._take_in()
                    over = waiter.woken or self.lost
                    now = monotonic()
                    if not over:
                        limit = self.engine.deadline if exchange is None else exchange.limit()
                        if max(limit, self.lenience.until) <= now:
                            if not expired:
                                expired = True
                                self._expire(now)
                                continue
                            limit = self.engine.deadline  # the engine waits for content: no fault of the peer's
                        if not self.reading:
                            self.reading = leads = True
                            if self.arrived:
                                continue
                        if leads and self.due() <= now and not expired:
                            expired = True
                            self._expire(now)  # what others wait for, or a time that progress has put off
                            continue
                    if not self.writing and not self.mute:
                        if self.backlog:
                            self.writing = blocked = not leads and not over
                        elif self.engine.has_output() and self._is_ours(leads, over, now):
                            segments = self.engine.take(now)
                            self.writing = True
                    queue.holding = False
                    if over:
                        if leads or not self.reading:
                            due = self._leave(leads, watches, opened, passed)
                            leads = False
                            if due is None and queue.due and queue.guard is None:
                                watches = True
                                gate = self._stand_guard()
                                limit = now + GUARD_S
                                due = queue.take_next()
                    else:
                        if leads:
                            self.receiving = True
                            limit = min(limit, self.engine.deadline)
                            alone = exchange is not None and not exchange.headers_received and self.engine.active() == 1
                        limit = max(limit, self.lenience.until)
                        if leads:
                            if now >= self.next_tick:
                                self._tick(now)
                        elif segments is None and not blocked:
                            gate = self._fall_asleep(waiter)
                            limit = min(limit, now + TICK_S)
                        if queue.due and (leads or gate is not None):
                            due = queue.take_next()
                            if leads and queue.due:
                                watches = True
                                limit = now + GUARD_S
                    passed = queue.passed
                expired = False
                if segments is not None:
                    self._write(segments)
                if gate is not None:
                    if due is not None and len(due) == 1:
                        first, due = due[0], None
                        opened = gate.wait(limit - now, first)
                        continue
                    if due is not None:
                        several, due = due, None
                        gates.open_all(several)
                    opened = gate.wait(limit - now)
                    continue
                if due is not None:
                    several, due = due, None
                    gates.open_all(several)
                if over:
                    return
                if leads:
                    self._read(self._events(), limit - now, alone)
                    if watches:
                        watches = False
                        if not self.arrived:
                            self._look_after(passed)
                elif blocked:
                    self._write_backlog(min(limit - now, WRITER_TICK_S))
        except BaseException:
            with self.lock:
                queue.holding = False
                if gate is not None:
                    self._end_sleep(waiter, gate, False)
                if leads:
                    self._leave_reading()
                elif not self.reading and queue.guard is None:
                    self._hand_on()  # it may have been chosen to read
                queue.open_all()
            if due is not None:
                gates.open_all(due)
            self.flush()
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

    def glance(self) -> None:
        """Take in what has arrived, unless another thread reads; for one that has more to send before it waits."""
        if self.lead():
            try:
                self._read(self._events(), 0.0, False)
            finally:
                self.follow()
            self.flush()

    def lead(self) -> bool:
        """Take the reader's role; False: another thread has it."""
        with self.lock:
            if self.reading or self.lost:
                return False
            self.reading = self.receiving = True
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

    def due(self) -> float:
        """When time may be up for an exchange."""
        deadline: float = self.engine.deadline
        return max(deadline, self.lenience.until)

    def expire(self, now: float) -> None:
        """End the exchanges whose time is up."""
        with self.lock:
            if not self.lost and self.due() <= now:
                self._expire(now)

    def events_wanted(self) -> int:
        """What the reader polls for."""
        return self._events()

    # -- roles ---------------------------------------------------------------------------------------------------------

    def _leave(self, leads: bool, watches: bool, opened: bool, passed: int) -> Any:
        """A thread goes that read, or goes while nobody reads; the gates to open when the lock is free, or None."""
        queue = self.queue
        if leads or queue.guard is None:
            # Without ``leads``: it was chosen to read, but is over already.
            if self._hand_on():
                return queue.take_next()
        if not queue.due or queue.guard is not None:
            return None
        if watches and not opened:
            queue.is_stuck(passed)
        return queue.take_all() if watches or queue.hasty or len(queue.due) == 1 else None

    def _hand_on(self) -> bool:
        """Nobody reads any more: have another one do it; False when nobody waits."""
        self.reading = False
        followers = self.followers
        while followers:
            # The one that came last is answered last, most likely: so the role changes hands least.
            waiter, _ = followers.popitem()
            gate = waiter.gate
            if gate is not None:
                waiter.gate = None
                self.queue.choose(gate)
                return True
        if self.shut:
            if not self.writing:
                self._close_socket()
        elif not self.lost and not self.engine.active():
            self._rest()  # what was under way ended while this thread was at the network
        return False

    def _leave_reading(self) -> None:
        """The reader was interrupted."""
        self.receiving = False
        if self.in_receive:
            self.in_receive = False
            if not self.lost:
                self._fail(ReadError("a read was interrupted half-way", scope="connection"))
        elif not self.lost:
            self._take_in()
        self._hand_on()
        self.queue.open_all()

    def _is_ours(self, leads: bool, over: bool, now: float) -> bool:
        """Whether this thread writes what is queued, or leaves it to one that was let through and is about to run.

        Threads that are answered together mostly ask again together, and one send for all costs little more than one
        for each. None waits long: those let through need nothing but the processor, the last of them writes what is
        left, and so does whoever comes DEFER_S after the first was left. The reader is about to wait: it writes, unless
        many threads are there of which some are due.
        """
        queue = self.queue
        if self.deferred == 0:
            self.deferred_at = now
        if not over:
            self.deferred += 1
        due = len(queue.due)
        active = self.engine.active()
        many = active + due + queue.awake >= MANY_THREADS
        if (
            (leads and not over and not (many and due))
            or (queue.awake == 0 and not due)
            or self.deferred > (max(DEFER_MANY, active // 2) if many else DEFER_FEW)
            or now - self.deferred_at > DEFER_S
        ):
            self.deferred = 0
            return True
        return False

    def _fall_asleep(self, waiter: ThreadWaiter) -> Any:
        """The gate at which this thread sleeps as a follower."""
        gate = self.queue.shut_gate()
        waiter.gate = gate
        waiter.queue = self.queue
        self.followers[waiter] = None
        return gate

    def _end_sleep(self, waiter: ThreadWaiter, gate: Any, opened: bool) -> None:
        self.followers.pop(waiter, None)
        if waiter.gate is not None:
            waiter.gate = None  # its time is up
        else:
            self.queue.returned(gate, opened)

    def _stand_guard(self) -> Any:
        """The gate at which the last reader sleeps until its turn comes or it has to look."""
        gate = self.queue.shut_gate()
        self.queue.watch(gate)
        return gate

    def _look_after(self, passed: int) -> None:
        """Nothing came while gates were due: if none was opened either, open them all."""
        with self.lock:
            if self.queue.is_stuck(passed):
                self.queue.open_all()

    def _stir(self) -> None:
        """Have every follower look round."""
        for waiter in list(self.followers):
            waiter.nudge()
        self.queue.open_all()

    def _tick(self, now: float) -> None:
        self.next_tick = now + TICK_S
        if self.on_tick is not None:
            self.on_tick(now)

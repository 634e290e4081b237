"""One transport and one Connection under asyncio: the reader feeds it, the writer drains it, one timer bounds it."""

from __future__ import annotations

import ssl
from asyncio import AbstractEventLoop, current_task
from time import monotonic
from typing import Any

from .._http.exchange import Exchange, foresee_waiters
from .._http.phases import AWAITING, FINISHED, NEVER
from ..errors import ConnectError, ReadError
from .batched_writer import FLUSH_AT, PORTION, PORTIONS, BatchedWriter
from .carrier import Carrier
from .loops import forsake
from .losses import broken_tls
from .low_water import LowWater
from .receive_buffer import ReceiveBuffer
from .sizes import MANY_STREAMS, NORMAL_READ, RECORD, SMALL_READ, SMALL_RESPONSE, TURN_OCTETS, TURN_READS
from .tls import TlsPipe

CROWD = 512  # requests under way: what belongs to them no longer fits the processor's nearest caches


class AsyncDriver(Carrier):
    """Carries octets between one asyncio transport and one engine, and wakes whoever waits.

    There is one reader (the transport's protocol calls ``buffer_updated``) and one writer, both on the event loop, so
    nothing is locked. ``engine`` is set once ALPN has chosen it; until then ``ready`` is pending.
    """

    __slots__ = (
        "choose",
        "closing",
        "failure",
        "has_tasks",
        "inbound",
        "input",
        "last_read",
        "loop",
        "low_water",
        "octets_read",
        "peer",
        "plain",
        "read_size",
        "reading_paused",
        "reads",
        "ready",
        "session_due",
        "timer",
        "timer_at",
        "tls",
        "transport",
        "turn_octets",
        "turn_poll",
        "turn_reads",
        "writer",
    )

    def __init__(self, loop: Any, buffers: Any, tls: TlsPipe | None, choose: Any) -> None:
        """``choose(protocol)``: the engine for what ALPN chose; raises when this client cannot speak it."""
        Carrier.__init__(self)
        self.loop = loop
        self.has_tasks = isinstance(loop, AbstractEventLoop)  # and asyncio knows which of them runs
        self.tls: Any = tls
        self.input: Any = None if tls is None else tls.input
        self.choose = choose
        self.ready: Any = loop.create_future()
        self.transport: Any = None
        self.peer: Any = None  # its address, which outlives the transport
        self.writer: Any = None
        self.plain = ReceiveBuffer(buffers, tls is None)  # octets of HTTP
        self.inbound = self.plain if tls is None else ReceiveBuffer(buffers)  # octets of the transport
        self.read_size = NORMAL_READ
        self.reading_paused = False
        self.low_water = LowWater(loop)
        self.turn_poll: Any = None  # the dialer's
        self.timer: Any = None
        self.timer_at = NEVER
        self.failure: Any = None
        self.closing: Any = None
        self.session_due = tls is not None  # the TLS session has not been kept yet
        self.turn_reads = 0  # small reads since something was scheduled or since all who were answered had run
        self.reads = self.octets_read = self.last_read = self.turn_octets = 0

    # -- what the front end calls ------------------------------------------------------------------------------------

    def submit(self, exchange: Exchange, now: float) -> None:
        """Send the request; its waiter is woken when there is something to see."""
        engine = self.engine
        writer = self.writer
        exchange.carrier = self
        if self.low_water.raised:
            self.low_water.lower()
        engine.send_request(exchange, now)
        writer.requests += 1
        active = engine.active()
        if active == 1 or (writer.requests >= PORTION and writer.requests * PORTIONS >= active):
            writer.flush()
        if active == 1 and exchange.phase == AWAITING and self.turn_poll is not None:
            self.turn_poll.watch()
        self.after_send()

    def after_send(self) -> None:
        """Something was queued in the engine: have it written and its deadline watched."""
        engine = self.engine
        if engine.closed:
            self._after_receive()  # what was sent broke its own framing: the exchange has failed
            return
        if engine.queued_octets() > FLUSH_AT:
            self.writer.flush()
        elif not self.writer.scheduled:
            self.writer.schedule()
        if engine.deadline < self.timer_at:
            self._arm(engine.deadline)

    def send_content(self, exchange: Exchange, piece: bytes, end: bool) -> None:
        """Queue content of a request whose stream is open."""
        self.engine.send_content(exchange, piece, end, monotonic())
        self.after_send()

    def send_trailers(self, exchange: Exchange, trailers: tuple[tuple[str, str], ...]) -> None:
        """End the content with a trailer section."""
        self.engine.send_trailers(exchange, trailers, monotonic())
        self.after_send()

    def cancel(self, exchange: Exchange, error: Any) -> None:
        """End the exchange from our side; the stream is reset if it is open."""
        engine = self.engine
        now = monotonic()
        if exchange.phase != FINISHED and not exchange.settled:
            exchange.settled = True
            self.tally.cancelled(now)
        engine.cancel(exchange, error, now)
        if not self.lost:
            self._after_receive()

    def consumed(self, exchange: Exchange, octets: int) -> None:
        """The application took ``octets`` of content."""
        engine = self.engine
        engine.consumed(exchange, octets, monotonic())
        if not self.lost:
            if engine.wants_pause != self.reading_paused:
                self._match_reading()
            if engine.closed:
                self._after_receive()
                return
            if engine.has_output():
                self.writer.schedule()
            if engine.deadline < self.timer_at:
                self._arm(engine.deadline)

    def close(self) -> None:
        """Say GOAWAY and close_notify, then close the transport; every open exchange fails."""
        if self.lost or self.transport is None:
            return
        if self.engine is not None:
            self.engine.close(monotonic())
            self.wake()
            self.writer.flush()
        if self.tls is not None and self.tls.handshaken:
            self.tls.close()
            if rest := self.tls.pending():
                self.transport.write(rest)
        self.transport.close()

    def ping(self) -> None:
        """Ask the peer for a sign of life."""
        if self.engine.ping(monotonic()):
            self.writer.schedule()

    def give_up(self, error: ReadError) -> None:
        """The peer is gone."""
        self.engine.fail(error)
        self.wake()
        self.abort()

    def gone(self) -> Any:
        """A Future that is done once the transport is closed."""
        if self.closing is None:
            self.closing = self.loop.create_future()
            if self.lost:
                self.closing.set_result(None)
        return self.closing

    def forsake(self) -> None:
        """The loop is closed, or is a parent process's: nothing is said, and the descriptor leads nowhere."""
        self.lost = True
        if self.transport is not None:
            forsake(self.transport, self.loop)

    def abort(self) -> None:
        """Drop the transport at once; a flush that is due writes no more (uvloop raises on a closed handle)."""
        if self.writer is not None:
            self.writer.close()
        if self.transport is not None:
            self.transport.abort()

    # -- what the transport calls ------------------------------------------------------------------------------------

    def connection_made(self, transport: Any) -> None:
        """The transport is connected; start the TLS handshake, or the engine at once."""
        self.transport = transport
        self.peer = transport.get_extra_info("peername")
        if self.tls is None:
            self._begin("")
        else:
            self._handshake()

    def get_buffer(self, sizehint: int) -> Any:
        """Memory for the next read: little while many streams are busy, much while large content arrives."""
        self.read_size = self._next_read()
        return self.inbound.space(self.read_size)

    def _next_read(self) -> int:
        engine = self.engine
        if engine is None:
            return NORMAL_READ
        if (
            engine.active() >= MANY_STREAMS
            and self.octets_read < engine.requests * SMALL_RESPONSE
            and not (engine.in_data and engine.data_left > SMALL_READ)
        ):
            return SMALL_READ
        return self.inbound.next_read(self.last_read)

    def buffer_updated(self, octets: int) -> None:
        """``octets`` more are in the buffer."""
        self.reads += 1
        self.octets_read += octets
        self.last_read = octets
        if self.turn_poll is not None:
            self.turn_poll.heard()
        self.inbound.commit(octets)
        small = self.read_size == SMALL_READ
        if self.writer is None or not self.writer.scheduled:
            self.turn_reads = self.turn_octets = 0  # the turn that counted them is over
        self.turn_octets += octets
        self.turn_reads += small
        if self.tls is None:
            self._receive()
        else:
            self._receive_tls()
        self.low_water.note(self.engine, octets)
        if (self.turn_octets >= TURN_OCTETS or (small and self.turn_reads >= TURN_READS)) and not self.engine.closed:
            # Let those run who were told to, and windows leave, before more is read: libuv would go on for 32 reads.
            self.transport.pause_reading()
            self.loop.call_soon(self.go_on)

    def go_on(self) -> None:
        """Read on after a turn that had read enough."""
        self.turn_reads = self.turn_octets = 0
        if not self.lost and not self.reading_paused:
            self.transport.resume_reading()

    def eof_received(self) -> None:
        """The peer will send no more."""
        if self.tls is not None:
            self.tls.feed_eof()
            if self.engine is not None and not self.engine.closed:
                self._receive_tls()  # close_notify may have come before; a bare end of the transport is a cut
        elif self.engine is not None:
            self.engine.receive_eof(monotonic())
            self.wake()

    def connection_lost(self, reason: Exception | None) -> None:
        """The transport is gone: end reader, writer and every waiting exchange, once."""
        if self.lost:
            return
        self.lost = True
        if self.session_due:
            self.session_due = False
            self.tls.keep_session()
        if self.engine is not None:
            error = ReadError(f"the connection was lost: {reason or 'closed by the peer'}", scope="connection")
            error.__cause__ = reason
            self.engine.fail(error)
            self.wake()
            self.writer.close()
            self.engine.take(monotonic())  # what could not leave: its memory goes back to the pool
        if not self.ready.done():
            failure = self.failure or ConnectError(
                f"the connection was lost before it was ready: {reason or 'closed by the peer'}",
                scope="connection",
                request_processed=False,
            )
            self.ready.set_exception(failure)
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None
        self.plain.release()
        self.inbound.release()
        self.transport = None
        if self.on_lost is not None:
            self.on_lost(self)
        if self.closing is not None and not self.closing.done():
            self.closing.set_result(None)

    # -- opening -----------------------------------------------------------------------------------------------------

    def _handshake(self) -> None:
        try:
            done = self.tls.handshake()
        except ConnectError as error:
            self._refuse(error)
            return
        if data := self.tls.pending():
            self.transport.write(data)
        if done:
            self._begin(self.tls.protocol)

    def _begin(self, protocol: str) -> None:
        try:
            engine = self.choose(protocol)
        except Exception as error:  # whatever the chooser says is the answer to the dial
            self._refuse(error)
            return
        self.engine = engine
        self.writer = BatchedWriter(self.loop, self.transport, engine, self.tls, monotonic)
        self.writer.on_progress = self.wake
        self.writer.on_idle = self.rest
        # What is written leaves now, and what finds no room waits in the engine.
        self.transport.set_write_buffer_limits(high=0)
        now = self.opened_at = self.used_at = monotonic()
        engine.start(now)
        self.writer.schedule()
        if not self.ready.done():
            self.ready.set_result(None)

    def _refuse(self, error: Exception) -> None:
        self.failure = error
        if self.tls is not None and (alert := self.tls.pending()):
            self.transport.write(alert)
        self.transport.close()
        if not self.ready.done():
            self.ready.set_exception(error)

    # -- reading -----------------------------------------------------------------------------------------------------

    def _receive(self) -> None:
        """Let the engine walk what is there, then wake everyone it touched."""
        plain = self.plain
        engine = self.engine
        now = self.used_at = monotonic()
        self.tally.heard(now)
        plain.consume(engine.receive(plain.buffer, plain.start, plain.end, now))
        self._wake_here(now)
        self._after_receive()

    def _receive_tls(self) -> None:
        tls = self.tls
        source = self.input
        source.take(self.inbound)
        if not tls.handshaken:
            self._handshake()
            if not tls.handshaken or self.engine is None:
                return
        plain = self.plain
        engine = self.engine
        now = self.used_at = monotonic()
        self.tally.heard(now)
        octets = 0
        ended = False
        failure: Any = None
        try:
            while source.whole > 0:
                if octets and plain.buffer.capacity - plain.end < RECORD:
                    plain.consume(engine.receive(plain.buffer, plain.start, plain.end, now))
                    octets = 0
                space = plain.space(self.read_size)
                room = len(space)
                read = tls.read(room, space)
                if read < room or not tls.unread():
                    source.whole -= 1  # read to its end
                if read == 0:
                    ended = True
                    break
                plain.commit(read)
                octets += read
        except ssl.SSLWantReadError:
            source.whole = 0
        except ssl.SSLError as error:
            failure = broken_tls(error)
        if octets:  # of as many records as possible at once, so that most frames are whole
            plain.consume(engine.receive(plain.buffer, plain.start, plain.end, now))
        if ended:
            engine.receive_eof(now)
        elif failure is not None:
            engine.fail(failure)
        if self.session_due and octets:
            self.session_due = False
            tls.keep_session()
        self._wake_here(now)
        self._after_receive()

    def _wake_here(self, now: float) -> None:
        """Wake those whose exchange the read touched; a task that waits for nothing else runs at once.

        One turn of the event loop fewer, and what it sends next leaves with what the others send.
        """
        if not self.engine.ready:
            return
        # A tunnel's octets come from a task.
        if self._wake_each(self.has_tasks and current_task(self.loop) is None, now):
            self.writer.schedule()
        else:
            self.turn_reads = 0  # whoever was answered has run

    def _wake_each(self, direct: bool, now: float) -> bool:
        """Wake the waiter of each exchange the engine touched; whether one was told that will run later."""
        engine = self.engine
        ready = engine.take_ready()
        if self.on_room is not None or engine.active() >= CROWD:
            foresee_waiters(ready)
        told = False
        for exchange in ready:
            if exchange.phase == FINISHED:
                self.settle(exchange, now)
            waiter = exchange.waiter
            if waiter is not None:
                exchange.waiter = None
                self.direct = direct
                waiter.wake(exchange)
                if self.direct or not direct:
                    told = True
        self.direct = False
        return told

    def _after_receive(self) -> None:
        engine = self.engine
        if engine.ready or engine.writable:
            self.wake()
            self.writer.schedule()
        elif engine.has_output():
            self.writer.schedule()
        if engine.closed:
            self.writer.flush()
            self.transport.close()
            return
        if engine.wants_pause != self.reading_paused:
            self._match_reading()
        if self.on_room is not None:
            self.on_room(self)
        if not engine.active():
            if engine.draining:
                self.close()
            else:
                self.writer.schedule()  # at the end of the turn it may be busy again

    def _match_reading(self) -> None:
        """HTTP/1.1 has no window of its own: a slow consumer stops the transport."""
        self.reading_paused = self.engine.wants_pause
        if self.reading_paused:
            self.transport.pause_reading()
        else:
            self.transport.resume_reading()

    def rest(self) -> None:
        """An idle connection holds no memory of the pool's, but for octets of an unfinished frame."""
        if self.plain.start == self.plain.end:
            self.plain.release()
        if self.inbound.start == self.inbound.end:
            self.inbound.release()

    def wake(self) -> None:
        """Wake each waiter of each exchange the engine touched, once."""
        engine = self.engine
        if engine.ready:
            self._wake_each(False, monotonic())
        if engine.writable:
            for exchange in engine.take_writable():
                waiter = exchange.writer
                if waiter is not None:
                    exchange.writer = None
                    waiter.wake(exchange)

    # -- time --------------------------------------------------------------------------------------------------------

    def _arm(self, deadline: float) -> None:
        if self.timer is not None:
            self.timer.cancel()
        self.timer_at = deadline
        wait_s = max(deadline, self.lenience.until) - monotonic()
        self.timer = self.loop.call_later(max(0.0, wait_s), self._on_timer)

    def _on_timer(self) -> None:
        self.timer = None
        self.timer_at = NEVER
        engine = self.engine
        if self.lost or engine.closed:
            return
        self.end_overdue(monotonic())
        self._after_receive()
        if engine.deadline < self.timer_at:
            self._arm(engine.deadline)

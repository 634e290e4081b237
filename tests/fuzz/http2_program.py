"""A conversation read off a string of octets, so that any fuzzer can write one: a client's acts and a peer's frames.

``run`` carries it out on the shipped engine and checks what must hold whatever is said: only exceptions of ours, every
exchange ended once, frames that parse, windows kept in both directions, memory bounded and given back.
"""

from __future__ import annotations

from collections.abc import Callable

from deuterium._http.exchange import Exchange
from deuterium._http.phases import FINISHED, PIECES, WHOLE
from deuterium.config import Http2Options
from deuterium.errors import RequestError
from rfc import wire
from rfc.talk import Talk, of_kind

OPTIONS = Http2Options(
    stream_window=5_000, connection_window=70_000, max_header_list_size=2_000, max_concurrent_requests=20
)
MAX_STEPS = 400

BLOCKS = (
    wire.block((":status", "200")),
    wire.block((":status", "200"), ("content-length", "10"), ("x-field", "value")),
    wire.block((":status", "204")),
    wire.block((":status", "103"), ("link", "</style.css>")),
    wire.block((":status", "101")),
    wire.block((":status", "304"), ("content-length", "99")),
    wire.block(("x-trailer", "sum")),
    wire.block((":status", "200"), ("Upper", "case")),
    wire.block((":status", "200"), ("connection", "close")),
    b"\x88\x40\x03new\x05value",  # inserts into the dynamic table
    b"\x88\xbe",  # its newest entry
    b"\x3f\xe1\x1f\x88",  # table size 4096
    b"\x20\x88",  # table size 0
    b"\x88" + b"\x00\x01x\x7f\x81\x0f" + b"v" * 2_048,  # longer than the list may be
    b"\xff\xff\xff\xff\xff\x0f",
    b"",
)
LONG = wire.block((":status", "200"), ("content-length", "4500"))


class Program:
    """Octets read as numbers; zeros once they are used up."""

    def __init__(self, octets: bytes) -> None:
        self.octets = octets
        self.position = 0

    def over(self) -> bool:
        return self.position >= len(self.octets)

    def take(self, count: int) -> bytes:
        piece = self.octets[self.position : self.position + count]
        self.position += count
        return piece

    def number(self, below: int) -> int:
        """One octet, or two where one does not reach, scaled by the remainder."""
        return int.from_bytes(self.take(1 if below <= 256 else 2), "big") % below


class Run:
    """The state of one conversation."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.talk = Talk(None, OPTIONS, by_reference=(0, 64)[program.number(2)])
        self.exchanges: list[Exchange] = []
        self.granted = 65_535  # octets of DATA the peer allowed on the connection
        self.sent = 0
        self.woken: dict[int, int] = {}

    # -- the client's acts -------------------------------------------------------------------------------------------

    def request(self) -> None:
        program = self.program
        shape = program.number(8)
        body = bytes(program.number(2_000)) if shape & 1 else None
        try:
            exchange = self.talk.request(
                ("GET", "HEAD", "POST", "CONNECT")[program.number(4)],
                body=body,
                has_content=bool(shape & 2),
                delivery=PIECES if shape & 4 else WHOLE,
                urgency=program.number(8),
                read_timeout=5.0,
                pool_timeout=5.0,
                write_timeout=5.0,
            )
        except RequestError as error:
            assert error.request_processed is False
        else:
            self.exchanges.append(exchange)

    def chosen(self) -> Exchange | None:
        number = self.program.number(256)
        return self.exchanges[number % len(self.exchanges)] if self.exchanges else None

    def send(self) -> None:
        exchange = self.chosen()
        size = self.program.number(3_000)
        if exchange is not None and self.talk.connection.room(exchange) > 0:
            self.talk.connection.send_content(exchange, bytes(size), size % 5 == 0, self.talk.now)

    def send_trailers(self) -> None:
        exchange = self.chosen()
        if exchange is not None:
            self.talk.connection.send_trailers(exchange, (("x-sum", "1"),), self.talk.now)

    def read(self) -> None:
        exchange = self.chosen()
        if exchange is not None:
            self.talk.reads(exchange)

    def cancel(self) -> None:
        exchange = self.chosen()
        if exchange is not None:
            self.talk.connection.cancel(exchange, None, self.talk.now)

    def wait(self) -> None:
        self.talk.now += self.program.number(40) / 10
        if self.talk.connection.deadline <= self.talk.now:
            self.talk.connection.expire(self.talk.now)
            assert self.talk.connection.deadline > self.talk.now

    def write(self) -> None:
        self.check_sent()

    def ping(self) -> None:
        if self.talk.alive:
            self.talk.connection.ping(self.talk.now)

    # -- the peer's frames -------------------------------------------------------------------------------------------

    def hear(self, octets: bytes) -> None:
        """The frames arrive: some whole, some in pieces, some with an octet changed."""
        how = self.program.number(8)
        if how == 1 and octets:
            spoilt = bytearray(octets)
            spoilt[self.program.number(len(octets))] ^= 1 << self.program.number(8)
            octets = bytes(spoilt)
        cut = self.program.number(max(1, len(octets))) if how in (2, 3) else len(octets)
        for piece in (octets[:cut], octets[cut:]):
            if piece:
                self.talk.hears(piece)
            if how == 3:
                self.cancel()
        for exchange in self.talk.connection.take_ready():
            self.woken[id(exchange)] = self.woken.get(id(exchange), 0) + (exchange.phase == FINISHED)

    def stream_id(self) -> int:
        """Mostly one that is open; else the connection's, one of the server's, one never opened, any other."""
        number = self.program.number(64)
        streams = [stream.id for stream in self.talk.connection.table.all()]
        if number >= 12 and streams:
            return streams[number % len(streams)]
        return (0, 2, 99)[number] if number < 3 else 2 * (number - 3) + 1

    def pad(self) -> int | None:
        number = self.program.number(8)
        return None if number else self.program.number(256)

    def data(self) -> None:
        size = self.program.number(600)
        stream_id = self.stream_id()
        self.hear(wire.data(stream_id, bytes(size), end=size % 4 == 0, pad=self.pad()))

    def headers(self) -> None:
        block = BLOCKS[self.program.number(len(BLOCKS))]
        flags = self.program.number(8)
        stream_id = self.stream_id()
        priority = bytes(5) if flags & 4 else None
        if flags & 2:
            cut = self.program.number(len(block) + 1)
            first = wire.headers(stream_id, block[:cut], end=bool(flags & 1), end_headers=False, pad=self.pad())
            self.hear(first)
            self.hear(wire.continuation(stream_id, block[cut:], end_headers=True))
        else:
            self.hear(wire.headers(stream_id, block, end=bool(flags & 1), pad=self.pad(), priority=priority))

    def answer(self) -> None:
        """A response as it should be, and content to follow it."""
        stream_id = self.stream_id()
        block = (BLOCKS[0], LONG)[self.program.number(2)]
        self.hear(wire.headers(stream_id, block))
        for _ in range(self.program.number(4)):
            self.hear(wire.data(stream_id, bytes(self.program.number(2_500)), pad=self.pad()))

    def settings(self) -> None:
        setting = self.program.number(10)
        value = (0, 1, 100, 3_000, 4_096, 16_384, 65_535, 2**24 - 1, 2**31 - 1, 2**31)[self.program.number(10)]
        self.hear(wire.settings({setting: value}))

    def settings_ack(self) -> None:
        self.hear(wire.settings_ack())

    def ping_frame(self) -> None:
        self.hear(wire.ping(ack=bool(self.program.number(2))) * (1 + self.program.number(20)))

    def window_update(self) -> None:
        increment = (0, 1, 100, 1_000, 65_535, 2**31 - 1)[self.program.number(6)]
        stream_id = self.stream_id()
        if stream_id == 0:
            self.granted += increment
        self.hear(wire.window_update(stream_id, increment))

    def rst_stream(self) -> None:
        self.hear(wire.rst_stream(self.stream_id(), self.program.number(15)))

    def goaway(self) -> None:
        last = (0, 1, 3, 5, 7, 99, 2**31 - 1)[self.program.number(7)]
        self.hear(wire.goaway(last, self.program.number(15), b"debug"))

    def other(self) -> None:
        kind = self.program.number(256)
        flags = self.program.number(256)
        self.granted += 2**31  # it may be a WINDOW_UPDATE
        self.hear(wire.frame(kind, flags, self.stream_id(), self.program.take(self.program.number(20))))

    def octets(self) -> None:
        self.granted += 2**31
        self.hear(self.program.take(self.program.number(64)))

    def eof(self) -> None:
        if self.program.number(8) == 0:
            self.talk.connection.receive_eof(self.talk.now)

    # -- what must hold ----------------------------------------------------------------------------------------------

    def check_sent(self) -> None:
        self.sent += sum(frame.header.length for frame in of_kind(self.talk.sent(), wire.DATA))
        assert self.sent <= self.granted

    def check(self) -> None:
        talk, connection = self.talk, self.talk.connection
        assert connection.table.count <= len(self.exchanges)
        assert len(talk.rest) <= 9 + OPTIONS.max_frame_size
        assert connection.receive_window >= 0
        unread = sum(exchange.unread for exchange in self.exchanges)
        if not connection.closed:
            assert all(exchange.unread >= 0 for exchange in self.exchanges)
            assert unread <= OPTIONS.connection_window
            if not connection.in_data:
                # Section 6.9: no octet of the connection's window is lost, whatever became of its stream.
                assert connection.receive_window + connection.receive_consumed + unread == OPTIONS.connection_window

    def finish(self) -> None:
        """The connection ends; everything is over and everything was given back."""
        talk = self.talk
        self.check_sent()
        talk.connection.close(talk.now)
        talk.sent()
        for exchange in talk.connection.take_ready():
            self.woken[id(exchange)] = self.woken.get(id(exchange), 0) + (exchange.phase == FINISHED)
        for exchange in self.exchanges:
            assert exchange.phase == FINISHED
            assert exchange.error is None or isinstance(exchange.error, RequestError)
            talk.reads(exchange)
        assert talk.connection.active() == 0
        assert talk.streams.stats().outstanding == 0
        assert talk.buffers.stats().outstanding == 0


STEPS: tuple[Callable[[Run], None], ...] = (
    Run.request,
    Run.request,
    Run.headers,
    Run.headers,
    Run.headers,
    Run.answer,
    Run.answer,
    Run.data,
    Run.data,
    Run.send,
    Run.send_trailers,
    Run.read,
    Run.read,
    Run.cancel,
    Run.wait,
    Run.write,
    Run.ping,
    Run.settings,
    Run.settings_ack,
    Run.ping_frame,
    Run.window_update,
    Run.window_update,
    Run.rst_stream,
    Run.goaway,
    Run.other,
    Run.octets,
    Run.eof,
)


def run(octets: bytes) -> None:
    """Carry out the conversation; AssertionError or any exception that is not ours is a finding."""
    program = Program(octets)
    conversation = Run(program)
    if program.number(8):
        conversation.hear(wire.settings())
    for _ in range(MAX_STEPS):
        if program.over():
            break
        STEPS[program.number(len(STEPS))](conversation)
        conversation.check()
    conversation.finish()

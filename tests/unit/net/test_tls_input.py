"""Whole TLS records, told by their headers: whoever reads while some are counted leaves nothing unread."""

from __future__ import annotations

import random
import ssl

import pytest
import trustme

from deuterium._memory.buffer_pool import BufferPool
from deuterium._net.receive_buffer import ReceiveBuffer
from deuterium._net.tls import TlsPipe
from deuterium._net.tls_input import TlsInput

ROOM = 32 * 1024


@pytest.fixture(scope="module")
def ca() -> trustme.CA:
    return trustme.CA()


class Peer:
    """The server's end of a connection to ``pipe``, both in memory."""

    def __init__(self, ca: trustme.CA, version: ssl.TLSVersion, options: int = 0) -> None:
        server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        ca.issue_cert("localhost").configure_cert(server)
        client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        ca.configure_trust(client)
        client.minimum_version = client.maximum_version = version
        client.options |= options
        self.incoming = ssl.MemoryBIO()
        self.outgoing = ssl.MemoryBIO()
        self.object = server.wrap_bio(self.incoming, self.outgoing, server_side=True)
        self.pipe = TlsPipe(client, "localhost")
        shaken = False
        while not (self.pipe.handshake() and shaken):
            self.incoming.write(self.pipe.pending())
            try:
                self.object.do_handshake()
                shaken = True
            except ssl.SSLWantReadError:
                pass
            self.pipe.feed(self.outgoing.read())

    def says(self, content: bytes) -> bytes:
        """``content`` as records."""
        self.object.write(content)
        return self.outgoing.read()


def read_counted(pipe: TlsPipe, room: int) -> bytes:
    """What a driver reads: as long as records are counted."""
    content = bytearray()
    while pipe.input.whole > 0:
        space = bytearray(room)
        try:
            octets = pipe.read(room, space)
        except ssl.SSLWantReadError:
            pipe.input.whole = 0
            break
        if octets < room:
            pipe.input.whole -= 1
        if not octets:
            break
        content += space[:octets]
    return bytes(content)


def read_rest(pipe: TlsPipe) -> bytes:
    """What can be read whether it is counted or not."""
    content = bytearray()
    while True:
        space = bytearray(ROOM)
        try:
            octets = pipe.read(ROOM, space)
        except ssl.SSLWantReadError:
            return bytes(content)
        content += space[:octets]


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("room", [1000, 16384, ROOM])
@pytest.mark.parametrize("seed", range(8))
def test_counted_records_are_all_there_is_to_read(
    ca: trustme.CA, version: ssl.TLSVersion, room: int, seed: int
) -> None:
    chance = random.Random(seed)
    peer = Peer(ca, version)
    sent = bytearray()
    records = bytearray()
    for _ in range(20):
        content = chance.randbytes(chance.choice((1, 100, 999, 1000, 1001, 16384, 50_000)))
        sent += content
        records += peer.says(content)
    buffer = ReceiveBuffer(BufferPool())
    read = bytearray()
    at = 0
    while at < len(records):
        octets = records[at : at + chance.choice((1, 2, 4, 5, 6, 700, 8192, 65536))]
        at += len(octets)
        space = buffer.space(len(octets))
        space[: len(octets)] = octets
        buffer.commit(len(octets))
        peer.pipe.input.take(buffer)
        assert buffer.start == buffer.end
        read += read_counted(peer.pipe, room)
        assert read_rest(peer.pipe) == b""
    assert read == sent


def test_partial_record_is_not_asked_for() -> None:
    fed: list[bytes] = []
    source = TlsInput(fed.append)
    record = b"\x17\x03\x03\x01\x02" + bytes(258)
    for at in range(len(record) - 1):
        source.feed(record[at : at + 1])
        assert source.whole == 0
    source.feed(record[-1:] + record)
    assert source.whole == 2
    assert b"".join(fed) == record * 2


@pytest.mark.parametrize("octets", [b"HTTP/1.1 400 Bad Request\r\n", b"\x17\x03\x03\xff\xff", b"\x17\x03\x03\x00\x00"])
def test_what_is_no_record_is_for_ssl_to_judge(octets: bytes) -> None:
    source = TlsInput(len)
    source.feed(octets)
    assert source.whole > 0


@pytest.mark.parametrize("options", [0, ssl.OP_IGNORE_UNEXPECTED_EOF], ids=["own", "bare ends ignored"])
def test_end_of_the_transport_can_be_read(ca: trustme.CA, options: int) -> None:
    peer = Peer(ca, ssl.TLSVersion.TLSv1_3, options)
    read_counted(peer.pipe, ROOM)
    peer.pipe.feed_eof()
    assert peer.pipe.input.whole > 0
    with pytest.raises(ssl.SSLError):
        read_counted(peer.pipe, ROOM)


def test_close_notify_is_an_end(ca: trustme.CA) -> None:
    peer = Peer(ca, ssl.TLSVersion.TLSv1_3)
    records = peer.says(b"last")
    with pytest.raises(ssl.SSLWantReadError):
        peer.object.unwrap()
    peer.pipe.feed(records + peer.outgoing.read())
    assert read_counted(peer.pipe, ROOM) == b"last"
    assert peer.pipe.read(ROOM, bytearray(ROOM)) == 0


def test_input_that_counts_elsewhere_counts_nothing() -> None:
    source = TlsInput(len, follows=False)
    source.feed(b"\x17\x03\x03\x00\x01x")
    assert source.whole == 0

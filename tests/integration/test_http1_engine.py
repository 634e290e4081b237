"""The HTTP/1.1 engine against real servers, over a blocking socket."""

from __future__ import annotations

import hashlib
import socket
from collections.abc import Callable, Iterator

import pytest

from deuterium._http.exchange import Exchange
from deuterium._http.phases import FINISHED, PIECES, WHOLE
from deuterium._http1.connection import Connection
from deuterium._memory.buffer_pool import BufferPool
from servers import Fleet, Server
from servers.content import SIZES, octets, sha256

READ = 64 * 1024
# Those that speak HTTP/1.1 on the port they have; the others offer h2 alone there.
BOTH = [f"{name}-{scheme}" for name in ("h2o", "caddy", "apache", "hypercorn") for scheme in ("https", "http")]
SPEAKERS = ["nginx-https", "haproxy-https", *BOTH]
ECHO_SPEAKERS = ["haproxy-https", "hypercorn-https", "hypercorn-http"]


class Line:
    """One socket to the server and one engine."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.engine = Connection()
        self.pool = BufferPool(poison=True)
        self.buffer = self.pool.acquire(256 * 1024)
        self.end = 0
        plain = socket.create_connection((server.host, server.port), timeout=10)
        if server.scheme == "https":
            context = server.ssl_context()
            context.set_alpn_protocols(["http/1.1"])
            self.socket: socket.socket = context.wrap_socket(plain, server_hostname="localhost")
        else:
            self.socket = plain

    def exchange(self, method: str, path: str, body: bytes | None = None, **options: object) -> Exchange:
        """A request to this server."""
        authority = f"localhost:{self.server.port}"
        return Exchange(method, self.server.scheme, authority, path, (("user-agent", "test"),), (), body, **options)  # type: ignore[arg-type]

    def write(self) -> None:
        while self.engine.has_output():
            for segment in self.engine.take(0.0):
                self.socket.sendall(segment)

    def run(self, exchange: Exchange, content: Callable[[], None] | None = None) -> Exchange:
        """Send the request, then read until its exchange is finished."""
        self.engine.send_request(exchange, 0.0)
        self.write()
        if content is not None:
            content()
            self.write()
        while exchange.phase != FINISHED:
            self.read()
        assert exchange.error is None
        return exchange

    def read(self) -> None:
        with self.buffer.view() as view, view[self.end : self.end + READ] as space:
            size = self.socket.recv_into(space)
        if not size:
            self.engine.receive_eof(0.0)
            return
        position = self.engine.receive(self.buffer, 0, self.end + size, 0.0)
        rest = bytes(self.buffer.data[position : self.end + size])
        if self.buffer.references > 1:  # slices were lent: this memory is theirs
            self.buffer.release()
            self.buffer = self.pool.acquire(256 * 1024)
        self.buffer.data[: len(rest)] = rest
        self.end = len(rest)

    def close(self) -> None:
        self.socket.close()


def connect(fleet: Fleet, speaker: str) -> Iterator[Line]:
    name, scheme = speaker.split("-")
    server = fleet.get(name, tls=scheme == "https")
    assert "http1" in server.supports
    line = Line(server)
    yield line
    line.close()


@pytest.fixture(params=SPEAKERS)
def line(request: pytest.FixtureRequest, fleet: Fleet) -> Iterator[Line]:
    yield from connect(fleet, request.param)


@pytest.fixture(params=ECHO_SPEAKERS)
def echo_line(request: pytest.FixtureRequest, fleet: Fleet) -> Iterator[Line]:
    yield from connect(fleet, request.param)


def test_http1_documents_of_every_size_arrive_over_one_connection(line: Line) -> None:
    for path in SIZES:
        exchange = line.run(line.exchange("GET", path))
        assert exchange.status == 200
        assert hashlib.sha256(exchange.content).hexdigest() == sha256(path)
    assert line.engine.answered == len(SIZES)


def test_http1_document_in_pieces_arrives_whole(line: Line) -> None:
    exchange = line.exchange("GET", "/10m")
    exchange.delivery = PIECES
    line.run(exchange)
    digest = hashlib.sha256()
    for chunk in exchange.chunks or ():
        if isinstance(chunk, bytes):
            digest.update(chunk)
        else:
            digest.update(chunk.view)
            chunk.release()
    assert digest.hexdigest() == sha256("/10m")
    assert line.pool.stats().outstanding == 1


def test_http1_head_and_missing_document_keep_the_connection(line: Line) -> None:
    for method, path, status in (("HEAD", "/64k", 200), ("GET", "/missing", 404), ("GET", "/100", 200)):
        exchange = line.run(line.exchange(method, path))
        assert (exchange.status, exchange.delivery) == (status, WHOLE)
    assert line.engine.capacity() == 1


@pytest.mark.parametrize("framing", ["length", "chunks", "pieces"])
def test_http1_content_sent_is_echoed(echo_line: Line, framing: str) -> None:
    line = echo_line
    body = octets(300_000)
    if framing == "pieces":
        exchange = line.exchange("POST", "/echo", has_content=True)

        def content() -> None:
            for start in range(0, len(body), 7_000):
                line.engine.send_content(exchange, body[start : start + 7_000], False, 0.0)
                line.write()
            line.engine.send_content(exchange, b"", True, 0.0)

        line.run(exchange, content)
    else:
        exchange = line.exchange("POST", "/echo", body)
        if framing == "chunks":
            exchange.extra = (("transfer-encoding", "chunked"),)
        line.run(exchange)
    assert hashlib.sha256(exchange.content).digest() == hashlib.sha256(body).digest()
    assert line.engine.capacity() == 1


@pytest.mark.parametrize("scheme", ["https", "http"])
def test_http1_response_of_many_chunks_arrives_whole(fleet: Fleet, scheme: str) -> None:
    line = Line(fleet.get("hypercorn", tls=scheme == "https"))
    for size, count in ((1, 500), (10_000, 50)):
        exchange = line.run(line.exchange("GET", f"/stream/{count}/{size}/0"))
        assert ("transfer-encoding", "chunked") in (exchange.fields or [])
        assert exchange.content == octets(size) * count
    line.close()

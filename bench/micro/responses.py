"""What the HTTP/2 engine costs a response of small content: a HEADERS frame and 100 octets of DATA, without sockets.

    python bench/micro/responses.py [--rounds 2000]

Nanoseconds a response, the best round of 32 responses in one buffer: the whole of ``Connection.receive`` (frames,
HPACK, field checks, flow control, the exchange filled in, the stream closed and its object given back), and what the
request costs before it (``send_request`` and ``take``). Field sections are nine indexed fields, as a warm connection
receives them.
"""

from __future__ import annotations

import argparse
import time

from deuterium._hpack.encoder import Encoder
from deuterium._http.exchange import Exchange
from deuterium._http2.connection import Connection
from deuterium._http2.stream import Stream
from deuterium._memory.buffer_pool import BufferPool
from deuterium._memory.object_pool import ObjectPool
from deuterium._memory.string_pool import StringPool
from deuterium.config import Http2Options

MANY = 32
NOW = 1000.0
COMMON = (("user-agent", "deuterium"), ("accept", "*/*"), ("accept-encoding", "gzip"))
FIELDS = [
    (":status", "200"),
    ("server", "nginx/1.22.1"),
    ("content-type", "application/json"),
    ("cache-control", "public, max-age=3600"),
    ("vary", "accept-encoding"),
    ("x-frame-options", "DENY"),
    ("x-content-type-options", "nosniff"),
    ("strict-transport-security", "max-age=31536000"),
    ("via", "1.1 edge"),
]
SETTINGS = bytes.fromhex("000000040000000000" + "000000040100000000")


def frame(kind: int, flags: int, stream_id: int, payload: bytes) -> bytes:
    return len(payload).to_bytes(3, "big") + bytes((kind, flags)) + stream_id.to_bytes(4, "big") + payload


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=2000)
    rounds = parser.parse_args().rounds
    buffers = BufferPool()
    connection = Connection(Http2Options(), buffers, ObjectPool(Stream), StringPool(), 0)
    encoder = Encoder()
    buffer = buffers.acquire(65536)

    def receive(octets: bytes) -> float:
        buffer.data[: len(octets)] = octets
        start = time.perf_counter_ns()
        taken = connection.receive(buffer, 0, len(octets), NOW)
        spent = time.perf_counter_ns() - start
        assert taken == len(octets)
        return spent / MANY

    def request() -> tuple[list[Exchange], float]:
        exchanges = [Exchange("GET", "https", "example.org", "/a", COMMON) for _ in range(MANY)]
        start = time.perf_counter_ns()
        for exchange in exchanges:
            connection.send_request(exchange, NOW)
        connection.take(NOW)
        return exchanges, (time.perf_counter_ns() - start) / MANY

    connection.start(NOW)
    receive(SETTINGS)
    responses = requests = float("inf")
    for _ in range(rounds):
        exchanges, spent = request()
        octets = b"".join(
            frame(1, 4, exchange.stream_id, encoder.encode(FIELDS)) + frame(0, 1, exchange.stream_id, bytes(100))
            for exchange in exchanges
        )
        requests = min(requests, spent)
        responses = min(responses, receive(octets))
        for exchange in exchanges:
            assert exchange.status == 200
            assert len(exchange.content) == 100
        connection.take_ready()
    print(f"a response: {responses:.0f} ns; a request: {requests:.0f} ns")


if __name__ == "__main__":
    main()

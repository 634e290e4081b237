"""What one HTTP/1.1 exchange costs in the engine: no socket, no loop.

    python bench/micro/http1.py [--rounds 7] [--json]

Per exchange: the median CPU time of the rounds, from making the Exchange to taking it from the ready list. ``parser
alone`` is httptools on the same response with callbacks that do nothing: the floor under the rest.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import time
from collections.abc import Callable
from typing import Any

import httptools

from deuterium._http.exchange import Exchange
from deuterium._http1 import connection
from deuterium._http1.connection import Connection
from deuterium._memory.buffer_pool import BufferPool
from deuterium._memory.string_pool import StringPool

COMPILED = not connection.__file__.endswith((".py", ".pyc"))
EXCHANGES = 5_000
COMMON = (("accept", "*/*"), ("accept-encoding", "gzip, deflate, br"), ("user-agent", "deuterium/0.1"))
FIELDS = (
    b"HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\nDate: Mon, 23 Nov 2026 15:00:00 GMT\r\nContent-Type: text/plain\r\n"
    b'Connection: keep-alive\r\nLast-Modified: Mon, 23 Nov 2026 15:00:00 GMT\r\nETag: "6742-64"\r\n'
    b"Accept-Ranges: bytes\r\n"
)
MEASURED = FIELDS + b"Content-Length: %d\r\n\r\n%b"
IN_CHUNKS = FIELDS + b"Transfer-Encoding: chunked\r\n\r\n%b0\r\n\r\n"

RESPONSES = {
    "length, 100 octets": MEASURED % (100, b"x" * 100),
    "length, 60 KiB": MEASURED % (60 * 1024, b"x" * 60 * 1024),
    "chunked, 100 octets": IN_CHUNKS % (b"64\r\n" + b"x" * 100 + b"\r\n"),
    "chunked, 100 chunks of 100": IN_CHUNKS % ((b"64\r\n" + b"x" * 100 + b"\r\n") * 100),
    "chunked, 1,000 chunks of 1": IN_CHUNKS % (b"1\r\nx\r\n" * 1000),
}


def exchanges(octets: bytes, body: bytes | None, strings: StringPool | None) -> Callable[[], None]:
    pool = BufferPool()
    buffer = pool.acquire(len(octets))
    buffer.data[: len(octets)] = octets
    engine = Connection(strings)
    end = len(octets)

    def run() -> None:
        for _ in range(EXCHANGES):
            exchange = Exchange("GET", "https", "example.org", "/path?query=1", COMMON, (), body)
            engine.send_request(exchange, 0.0)
            engine.take(0.0)
            engine.receive(buffer, 0, end, 0.0)
            engine.take_ready()
        assert exchange.error is None

    return run


class Nothing:
    """Callbacks that do nothing."""

    def on_status(self, reason: bytes) -> None:
        pass

    def on_header(self, name: bytes, value: bytes) -> None:
        pass

    def on_body(self, piece: bytes) -> None:
        pass


def parser_alone(octets: bytes) -> Callable[[], None]:
    def run() -> None:
        for _ in range(EXCHANGES):
            httptools.HttpResponseParser(Nothing()).feed_data(octets)

    return run


def works() -> dict[str, Callable[[], None]]:
    found = {name: exchanges(octets, None, None) for name, octets in RESPONSES.items()}
    small = RESPONSES["length, 100 octets"]
    found["length, 100 octets, strings pooled"] = exchanges(small, None, StringPool())
    found["length, 100 octets, 100 sent"] = exchanges(small, b"x" * 100, None)
    for name, octets in RESPONSES.items():
        found[f"parser alone: {name}"] = parser_alone(octets)
    return found


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--rounds", type=int, default=7)
    arguments.add_argument("--json", action="store_true")
    chosen = arguments.parse_args()
    times: dict[str, list[float]] = {}
    work = works()
    for _ in range(chosen.rounds):
        for name, run in work.items():
            begin = time.process_time()
            run()
            times.setdefault(name, []).append((time.process_time() - begin) / EXCHANGES * 1e6)
    medians: dict[str, Any] = {name: round(statistics.median(values), 2) for name, values in times.items()}
    if chosen.json:
        print(json.dumps({"compiled": COMPILED, "python": platform.python_version(), "microseconds": medians}))
        return
    print(f"{'compiled' if COMPILED else 'interpreted'}, Python {platform.python_version()}, µs per exchange")
    for name, median in medians.items():
        print(f"{median:9.2f}  {name}")


if __name__ == "__main__":
    main()

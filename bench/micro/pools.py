"""What each memory pool costs and saves: the same work with the pool on and off.

    python bench/micro/pools.py [--rounds 5] [--json]

Per operation: the median CPU time of the rounds, on and off interleaved, the loop's own cost included.
Per 1,000 operations: what was allocated, by the pools' own counters. For strings: what 10,000 kept
responses hold, by ``tracemalloc``.
"""

from __future__ import annotations

import argparse
import gc
import json
import platform
import statistics
import sys
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass

from deuterium._memory import buffer_pool
from deuterium._memory.buffer_pool import BufferPool
from deuterium._memory.object_pool import ObjectPool, Poolable
from deuterium._memory.string_pool import StringPool

COMPILED = not buffer_pool.__file__.endswith((".py", ".pyc"))
OPERATIONS = 20_000
IN_FLIGHT = 100
RESPONSES = 10_000


@dataclass
class Outcome:
    """One run of one work: its time and what it allocated."""

    nanoseconds: float
    allocated: float
    octets: float


class Stream(Poolable):
    """About as much state as an engine object has."""

    def __init__(self) -> None:
        super().__init__()
        self.chunks: list[bytes] = []
        self.fields: dict[str, str] = {}
        self.window = 65535

    def reset(self) -> None:
        self.chunks.clear()
        self.fields.clear()
        self.window = 65535


def buffers_one_by_one(size: int) -> Callable[[bool], Outcome]:
    def run(enabled: bool) -> Outcome:
        pool = BufferPool(enabled=enabled)
        start = time.thread_time_ns()
        for _ in range(OPERATIONS):
            pool.acquire(size).release()
        elapsed = time.thread_time_ns() - start
        stats = pool.stats()
        return Outcome(elapsed / OPERATIONS, stats.created * 1000 / OPERATIONS, stats.bytes_created * 1000 / OPERATIONS)

    return run


def buffers_in_flight(enabled: bool) -> Outcome:
    pool = BufferPool(enabled=enabled, bounds=(IN_FLIGHT, 0, 0, 0))
    turns = OPERATIONS // IN_FLIGHT
    start = time.thread_time_ns()
    for _ in range(turns):
        held = [pool.acquire(4096) for _ in range(IN_FLIGHT)]
        for buffer in held:
            buffer.release()
    elapsed = time.thread_time_ns() - start
    stats = pool.stats()
    return Outcome(elapsed / OPERATIONS, stats.created * 1000 / OPERATIONS, stats.bytes_created * 1000 / OPERATIONS)


def buffers_lent(enabled: bool) -> Outcome:
    """A consumer of a zero-copy body: each view is let go only when the next one has come."""
    pool = BufferPool(enabled=enabled)
    kept = memoryview(b"")
    start = time.thread_time_ns()
    for _ in range(OPERATIONS):
        buffer = pool.acquire(65536)
        lent = buffer.lend(0, 65536)
        buffer.release()
        kept = lent
    elapsed = time.thread_time_ns() - start
    kept.release()
    stats = pool.stats()
    return Outcome(elapsed / OPERATIONS, stats.created * 1000 / OPERATIONS, stats.bytes_created * 1000 / OPERATIONS)


def retain_release(enabled: bool) -> Outcome:
    buffer = BufferPool(enabled=enabled).acquire(1)
    start = time.thread_time_ns()
    for _ in range(OPERATIONS):
        buffer.retain()
        buffer.release()
    return Outcome((time.thread_time_ns() - start) / OPERATIONS, 0, 0)


def objects(enabled: bool) -> Outcome:
    pool = ObjectPool(Stream, enabled=enabled)
    turns = OPERATIONS // IN_FLIGHT
    size = sys.getsizeof(Stream()) + sys.getsizeof([]) + sys.getsizeof({})
    start = time.thread_time_ns()
    for _ in range(turns):
        held = [pool.acquire() for _ in range(IN_FLIGHT)]
        for item in held:
            pool.release(item)
    elapsed = time.thread_time_ns() - start
    created = pool.stats().created * 1000 / OPERATIONS
    return Outcome(elapsed / OPERATIONS, created, created * size)


def decoded(number: int) -> list[tuple[bytes, bytes]]:
    """The field lines of one response as octets, so that each decoding makes new strings."""
    return [
        (b"content-type", (b"text/html; charset=utf-8", b"application/json")[number % 2]),
        (b"cache-control", b"public, max-age=31536000"),
        (b"server", b"nginx/1.22.1"),
        (b"vary", b"accept-encoding"),
        (b"x-region", (b"eu-central", b"us-east", b"ap-south")[number % 3]),
        (b"date", b"Tue, 15 Nov 1994 %02d:%02d:31 GMT" % (number // 60 % 24, number % 60)),
        (b"etag", b'"%08x"' % (number * 2654435761 % 2**32)),
        (b"x-request-id", b"%016x" % (number * 0x9E3779B97F4A7C15 % 2**64)),
    ]


def strings(enabled: bool) -> Outcome:
    pool = StringPool(enabled=enabled)
    lines = [line for number in range(RESPONSES) for line in decoded(number)]
    gc.collect()
    start = time.thread_time_ns()
    for octets, value in lines:
        name = octets.decode()
        pool.value(pool.name(name), value.decode())
    elapsed = time.thread_time_ns() - start
    tracemalloc.start()
    kept: list[str] = []
    for octets, value in lines:
        name = pool.name(octets.decode())
        kept += (name, pool.value(name, value.decode()))
    gc.collect()
    traced = tracemalloc.get_traced_memory()[0] - sys.getsizeof(kept)
    tracemalloc.stop()
    live = len({id(s) for s in kept})
    return Outcome(elapsed / len(lines), live * 1000 / RESPONSES, traced * 1000 / RESPONSES)


WORKS: dict[str, Callable[[bool], Outcome]] = {
    "buffer 4 KiB, acquire + release": buffers_one_by_one(4096),
    "buffer 64 KiB, acquire + release": buffers_one_by_one(65536),
    "buffer 256 KiB, acquire + release": buffers_one_by_one(262144),
    f"buffer 4 KiB, {IN_FLIGHT} in flight": buffers_in_flight,
    "buffer 64 KiB, lent, view let go late": buffers_lent,
    "buffer, retain + release": retain_release,
    f"object with state, {IN_FLIGHT} in flight": objects,
    "string, one field line (8 a response)": strings,
}


def measure(rounds: int) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    for work, run in WORKS.items():
        outcomes: dict[bool, list[Outcome]] = {True: [], False: []}
        for _ in range(rounds):
            for enabled in (True, False):
                outcomes[enabled].append(run(enabled))
        row: dict[str, object] = {"work": work}
        for enabled, label in ((True, "on"), (False, "off")):
            row[f"{label}_ns"] = round(statistics.median(o.nanoseconds for o in outcomes[enabled]), 1)
            row[f"{label}_allocated_per_1000"] = round(outcomes[enabled][-1].allocated, 2)
            row[f"{label}_octets_per_1000"] = round(outcomes[enabled][-1].octets)
        rows.append(row)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    rows = measure(options.rounds)
    python = f"{platform.python_implementation()} {platform.python_version()}"
    if options.json:
        print(json.dumps({"python": python, "compiled": COMPILED, "rounds": options.rounds, "rows": rows}, indent=2))
        return
    print(f"{python}, {'compiled' if COMPILED else 'interpreted'}, median of {options.rounds} rounds\n")
    print("| work | ns on | ns off | allocated / 1,000 on | off | KiB / 1,000 on | off |")
    print("|---|--:|--:|--:|--:|--:|--:|")
    for row in rows:
        kib = [f"{int(str(row[key])) / 1024:,.1f}" for key in ("on_octets_per_1000", "off_octets_per_1000")]
        print(
            f"| {row['work']} | {row['on_ns']} | {row['off_ns']} | {row['on_allocated_per_1000']:g} "
            f"| {row['off_allocated_per_1000']:g} | {kib[0]} | {kib[1]} |"
        )


if __name__ == "__main__":
    main()

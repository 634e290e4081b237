"""Requests of a whole client over a real server, and what they cost in memory, by every count at hand.

Run as a program by :mod:`run`, in a process of its own for each row: ``workloads.py '{"work": ...}'`` prints JSON.
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
import importlib
import json
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from deuterium import AsyncClient, Response
from deuterium.config import Http2Options, Limits, PoolOptions

Work = Callable[[AsyncClient, str, int], Awaitable[None]]

WARM = 100  # requests before time and malloc are counted: imports, caches, the connection
IN_FLIGHT = 100


async def one_by_one(client: AsyncClient, base: str, requests: int) -> None:
    """One in flight: each request finds the connection idle, which holds no memory of the pool's."""
    for _ in range(requests):
        response = await client.get(base + "/1k")
        assert len(response.content) == 1024


async def in_bursts(client: AsyncClient, base: str, requests: int) -> None:
    """A hundred at once, then none."""
    for _ in range(requests // IN_FLIGHT):
        for response in await asyncio.gather(*(client.get(base + "/1k") for _ in range(IN_FLIGHT))):
            assert len(response.content) == 1024


async def streamed(client: AsyncClient, base: str, requests: int) -> None:
    """64 KiB each, taken as views of the memory it was received into, eight at a time."""

    async def worker() -> None:
        for _ in range(requests // 8):
            async with client.stream("GET", base + "/64k") as response:
                received = 0
                async for view in response.aiter_buffers():
                    received += len(view)
                assert received == 64 * 1024

    await asyncio.gather(*(worker() for _ in range(8)))


async def uploads(client: AsyncClient, base: str, requests: int) -> None:
    """20 KB of content each, ten at a time."""
    content = bytes(20_000)

    async def worker() -> None:
        for _ in range(requests // 10):
            response = await client.post(base + "/1k", content=content)
            assert response.status_code == 200

    await asyncio.gather(*(worker() for _ in range(10)))


async def many_connections(client: AsyncClient, base: str, requests: int) -> None:
    """Twenty at a time over HTTP/1.1, each on a connection of its own."""

    async def worker() -> None:
        for _ in range(requests // 20):
            response = await client.get(base + "/1k")
            assert len(response.content) == 1024

    await asyncio.gather(*(worker() for _ in range(20)))


async def kept(client: AsyncClient, base: str, requests: int) -> list[Response]:
    """Every response is kept, as a crawler or a test does."""
    responses: list[Response] = []
    async for response in client.fetch_many([base + "/100"] * requests, concurrency=20):
        responses.append(response)
    return responses


WORKS: dict[str, Work] = {
    "one_by_one": one_by_one,
    "in_bursts": in_bursts,
    "streamed": streamed,
    "uploads": uploads,
    "many_connections": many_connections,
}


def large_allocations() -> tuple[int, int] | None:
    """Pieces of 4 KiB and more asked of the allocator so far, and their octets; None: nobody counts."""
    try:
        library = ctypes.CDLL(None)
        counters = [library.deuterium_large_calls, library.deuterium_large_octets]
    except (OSError, AttributeError):
        return None
    for counter in counters:
        counter.restype = ctypes.c_ulonglong
    return counters[0](), counters[1]()


def peak_kib() -> int:
    """The largest resident memory of this process so far (Linux)."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1])
    return 0


def client_for(given: dict[str, Any]) -> AsyncClient:
    """A client as the row wants it; a short field table makes evictions common, as among many origins."""
    options: dict[str, Any] = {"http1": False}
    if given["protocol"] == "h1":
        options = {"http2": False, "limits": Limits(max_connections_per_host=20)}
    pools = PoolOptions(**{name: name not in given["off"] for name in ("buffers", "objects", "strings")})
    return AsyncClient(verify=given["ca"], pools=pools, http2_options=Http2Options(), timeout=60.0, **options)


async def measure(given: dict[str, Any]) -> dict[str, Any]:
    """Carry the row's work out and count."""
    requests = given["requests"]
    async with client_for(given) as client:
        if given["work"] == "strings":
            return await measure_strings(client, given)
        work = WORKS[given["work"]]
        await work(client, given["base"], WARM)
        gc.collect()
        workshop = client.workshop
        malloc = large_allocations()
        cpu = time.process_time()
        begin = time.perf_counter()
        await work(client, given["base"], requests)
        seconds = time.perf_counter() - begin
        cpu = time.process_time() - cpu
        after = large_allocations()
        buffers, objects = workshop.buffers.stats(), workshop.streams.stats()
    per = 1000 / requests
    all_per = 1000 / (requests + WARM)  # what a pool makes to begin with counts too
    return {
        "seconds": seconds,
        "cpu_us": cpu / requests * 1e6,
        "peak_kib": peak_kib(),
        "buffers": buffers.created * all_per,
        "buffer_octets": buffers.bytes_created * all_per,
        "objects": objects.created * all_per,
        "malloc_large": None if malloc is None or after is None else (after[0] - malloc[0]) * per,
        "malloc_octets": None if malloc is None or after is None else (after[1] - malloc[1]) * per,
    }


async def measure_strings(client: AsyncClient, given: dict[str, Any]) -> dict[str, Any]:
    """What the field names and values of all responses hold while every response is kept."""
    await client.get(given["base"] + "/100")
    begin = time.perf_counter()
    cpu = time.process_time()
    responses = await kept(client, given["base"], given["requests"])
    cpu = time.process_time() - cpu
    seconds = time.perf_counter() - begin
    seen: dict[int, int] = {}
    distinct: set[str] = set()
    for response in responses:
        for pair in response.headers.multi_items():
            for string in pair:
                seen[id(string)] = sys.getsizeof(string)
                distinct.add(string)
    strings = client.workshop.strings.stats()
    return {
        "seconds": seconds,
        "cpu_us": cpu / given["requests"] * 1e6,
        "peak_kib": peak_kib(),
        "live": len(seen),
        "octets": sum(seen.values()),
        "distinct": len(distinct),
        "pool_size": strings.size,
        "hits": strings.hits,
        "refused": strings.refused,
    }


def main() -> None:
    given = json.loads(sys.argv[1])
    loop = importlib.import_module(given["loop"])
    with asyncio.Runner(loop_factory=loop.new_event_loop) as runner:
        print(json.dumps(runner.run(measure(given))))


if __name__ == "__main__":
    main()

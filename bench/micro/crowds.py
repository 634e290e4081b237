"""CPU time a request at 100 and at 10,000 requests under way, in interleaved rounds, on a server of 100 streams.

    python bench/micro/crowds.py URL CA_FILE [rounds] [loop] [connections]

Each round makes as many tasks as are to be under way, which send requests one after the other. Measured are 100,000
requests from when each task has had a response on: once without what it costs to make and end 10,000 tasks, which is
the program's, and once with it. Prints microseconds of this process's CPU a request, median of the rounds, their ratio,
and how much of the many was CPython's cycle collector.
"""

from __future__ import annotations

import asyncio
import gc
import importlib
import statistics
import sys
from time import process_time

from deuterium import AsyncClient, Limits

REQUESTS = 100_000
FEW, MANY = 100, 10_000


class Collector:
    """How long the cycle collector ran, in seconds."""

    def __init__(self) -> None:
        self.spent = 0.0
        self._began = 0.0
        gc.callbacks.append(self._on_phase)

    def _on_phase(self, phase: str, info: dict[str, int]) -> None:
        if phase == "start":
            self._began = process_time()
        else:
            self.spent += process_time() - self._began


async def fetch(client: AsyncClient, url: str, at_once: int, collector: Collector) -> tuple[float, float, float]:
    """Microseconds a request: under way; with the start and end of the tasks; of the first, the collector's."""
    answered = asked = 0
    begin = end = before = after = 0.0
    last = at_once + REQUESTS

    async def worker() -> None:
        nonlocal answered, asked, begin, end, before, after
        while asked < last + at_once:
            asked += 1
            response = await client.get(url)
            assert response.status_code == 200
            answered += 1
            if answered == at_once:
                begin, before = process_time(), collector.spent
            elif answered == last:
                end, after = process_time(), collector.spent

    start = process_time()
    await asyncio.gather(*(worker() for _ in range(at_once)))
    whole = process_time() - start
    scale = 1e6 / REQUESTS
    return (end - begin) * scale, whole * 1e6 / asked, (after - before) * scale


async def measure(url: str, ca_file: str, rounds: int, connections: int) -> None:
    few: list[tuple[float, float, float]] = []
    many: list[tuple[float, float, float]] = []
    collector = Collector()
    limits = Limits(max_http2_connections_per_host=connections)
    async with (
        AsyncClient(http1=False, verify=ca_file or True, limits=limits, timeout=60.0) as one,
        AsyncClient(http1=False, verify=ca_file or True, limits=limits, timeout=60.0) as other,
    ):
        await fetch(one, url, FEW, collector)
        await fetch(other, url, MANY, collector)
        for _ in range(rounds):
            few.append(await fetch(one, url, FEW, collector))
            many.append(await fetch(other, url, MANY, collector))
        opened = len(one.stats().connections), len(other.stats().connections)
    low, low_whole, _ = (statistics.median(each) for each in zip(*few, strict=True))
    high, high_whole, collected = (statistics.median(each) for each in zip(*many, strict=True))
    print(f"{FEW}: {low:.2f} us ({opened[0]} connections), {MANY}: {high:.2f} us ({opened[1]} connections),"
          f" of which {collected:.2f} the collector; ratio {high / low:.2f}."
          f" With the tasks' start and end {low_whole:.2f} and {high_whole:.2f} us, ratio {high_whole / low_whole:.2f}")


def main() -> None:
    url, ca_file = sys.argv[1:3]
    rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 5
    loop = sys.argv[4] if len(sys.argv) > 4 else "asyncio"
    connections = int(sys.argv[5]) if len(sys.argv) > 5 else 8
    with asyncio.Runner(loop_factory=importlib.import_module(loop).new_event_loop) as runner:
        runner.run(measure(url, ca_file, rounds, connections))


if __name__ == "__main__":
    main()

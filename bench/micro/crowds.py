"""CPU time a request at 100 and at 10,000 requests under way, in interleaved rounds, on a server of 100 streams.

    python bench/micro/crowds.py URL CA_FILE [rounds] [loop] [connections]

Each round sends 100,000 requests either way from as many tasks as are under way. Prints microseconds of this process's
CPU a request, median of the rounds, their ratio, and how much of either was CPython's cycle collector.
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


async def fetch(client: AsyncClient, url: str, at_once: int) -> float:
    left = REQUESTS

    async def worker() -> None:
        nonlocal left
        while left > 0:
            left -= 1
            response = await client.get(url)
            assert response.status_code == 200

    begin = process_time()
    await asyncio.gather(*(worker() for _ in range(at_once)))
    return (process_time() - begin) / REQUESTS * 1e6


async def measure(url: str, ca_file: str, rounds: int, connections: int) -> None:
    few: list[float] = []
    many: list[float] = []
    collecting: list[float] = []
    collector = Collector()
    limits = Limits(max_http2_connections_per_host=connections)
    async with (
        AsyncClient(http1=False, verify=ca_file or True, limits=limits, timeout=60.0) as one,
        AsyncClient(http1=False, verify=ca_file or True, limits=limits, timeout=60.0) as other,
    ):
        await fetch(one, url, FEW)
        await fetch(other, url, MANY)
        for _ in range(rounds):
            few.append(await fetch(one, url, FEW))
            collector.spent = 0.0
            many.append(await fetch(other, url, MANY))
            collecting.append(collector.spent / REQUESTS * 1e6)
        opened = len(one.stats().connections), len(other.stats().connections)
    low, high, collected = (statistics.median(each) for each in (few, many, collecting))
    print(f"{FEW}: {low:.2f} us ({opened[0]} connections), {MANY}: {high:.2f} us ({opened[1]} connections),"
          f" of which {collected:.2f} the collector; ratio {high / low:.2f}, without it {(high - collected) / low:.2f}")


def main() -> None:
    url, ca_file = sys.argv[1:3]
    rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 5
    loop = sys.argv[4] if len(sys.argv) > 4 else "asyncio"
    connections = int(sys.argv[5]) if len(sys.argv) > 5 else 8
    with asyncio.Runner(loop_factory=importlib.import_module(loop).new_event_loop) as runner:
        runner.run(measure(url, ca_file, rounds, connections))


if __name__ == "__main__":
    main()

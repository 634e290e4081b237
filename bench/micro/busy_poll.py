"""What looking before sleeping gives and costs: latency, rate and CPU time with it and without, in interleaved rounds.

    python bench/micro/busy_poll.py URL CA_FILE [h2|h1] [rounds] [requests]

Each round sends so many requests one after the other through a Client, an AsyncClient on asyncio and one on uvloop,
and from 2, 4 and 10 tasks at once on uvloop; each with ``busy_poll_s=0`` and with the default. Prints medians of the
rounds.
To see something, give the server one core and this program another.
"""

from __future__ import annotations

import asyncio
import importlib
import statistics
import sys
from collections.abc import Callable
from time import perf_counter, process_time
from typing import Any

from deuterium import AsyncClient, Client, TransportOptions

WARM_UP = 1500  # requests
Figures = tuple[float, float, float]  # p50 in microseconds, requests a second, CPU microseconds a request


def figures(times: list[float], elapsed: float, cpu: float) -> Figures:
    return statistics.median(times) * 1e6, len(times) / elapsed, cpu / len(times) * 1e6


def in_thread(url: str, options: dict[str, Any], requests: int) -> Figures:
    times = []
    with Client(**options) as client:
        for _ in range(WARM_UP):
            client.get(url)
        start, cpu = perf_counter(), process_time()
        for _ in range(requests):
            asked = perf_counter()
            assert client.get(url).status_code == 200
            times.append(perf_counter() - asked)
        return figures(times, perf_counter() - start, process_time() - cpu)


async def in_tasks(url: str, options: dict[str, Any], requests: int, at_once: int) -> Figures:
    times = []
    async with AsyncClient(**options) as client:

        async def worker(count: int) -> None:
            for _ in range(count):
                asked = perf_counter()
                assert (await client.get(url)).status_code == 200
                times.append(perf_counter() - asked)

        await asyncio.gather(*(worker(WARM_UP // at_once) for _ in range(at_once)))
        times.clear()
        start, cpu = perf_counter(), process_time()
        await asyncio.gather(*(worker(requests // at_once) for _ in range(at_once)))
        return figures(times, perf_counter() - start, process_time() - cpu)


def on_loop(name: str, at_once: int) -> Callable[[str, dict[str, Any], int], Figures]:
    def run(url: str, options: dict[str, Any], requests: int) -> Figures:
        with asyncio.Runner(loop_factory=importlib.import_module(name).new_event_loop) as runner:
            return runner.run(in_tasks(url, options, requests, at_once))

    return run


WAYS: dict[str, Callable[[str, dict[str, Any], int], Figures]] = {
    "Client, one thread": in_thread,
    "AsyncClient, asyncio, one task": on_loop("asyncio", 1),
    "AsyncClient, uvloop, one task": on_loop("uvloop", 1),
    "2 tasks": on_loop("uvloop", 2),
    "4 tasks": on_loop("uvloop", 4),
    "10 tasks": on_loop("uvloop", 10),
}


def main() -> None:
    url, ca_file = sys.argv[1:3]
    version = sys.argv[3] if len(sys.argv) > 3 else "h2"
    rounds = int(sys.argv[4]) if len(sys.argv) > 4 else 5
    requests = int(sys.argv[5]) if len(sys.argv) > 5 else 6000
    common: dict[str, Any] = {"verify": ca_file or True, "http1": version == "h1", "http2": version == "h2"}
    without: dict[str, Any] = {**common, "transport": TransportOptions(busy_poll_s=0)}
    found: dict[str, tuple[list[Figures], list[Figures]]] = {name: ([], []) for name in WAYS}
    for _ in range(rounds):
        for name, run in WAYS.items():
            found[name][0].append(run(url, without, requests))
            found[name][1].append(run(url, common, requests))
    print(f"| {version} | p50 us, without | with | requests/s, without | with | CPU us, without | with |")
    print("|---|--:|--:|--:|--:|--:|--:|")
    for name, both in found.items():
        before, after = ([statistics.median(each) for each in zip(*runs, strict=True)] for runs in both)
        cells = [f"{before[0]:.0f}", f"{after[0]:.0f}", f"{before[1]:,.0f}", f"{after[1]:,.0f}"]
        print(f"| {name} | {' | '.join(cells)} | {before[2]:.1f} | {after[2]:.1f} |")


if __name__ == "__main__":
    main()

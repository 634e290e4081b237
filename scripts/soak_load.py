"""Load on real servers for as long as one likes, with what the process holds recorded over time and judged.

    scripts/soak [--seconds 600] [--tasks 100] [--threads 8] [--pause 0.0] [--out soak]

Tasks of one AsyncClient and threads of one Client fetch, stream, upload and give up, over HTTP/2 and HTTP/1.1, with
TLS; every body is checked by its hash. Every so often a client lives and is closed. Each second the resident memory,
the descriptors, the threads and the pools are noted. ``soak.json`` holds it all, ``soak.html`` and ``soak.svg`` plot
it. It is flat when the line of least squares through the last two thirds rises by less than the limits; if not, the
exit status is 1. The first seconds ask for large bodies alone, without rest, so that the pools are full before they
are judged.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import hashlib
import html
import importlib
import json
import os
import platform
import sys
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from deuterium import AsyncClient, Client, Limits  # noqa: E402
from servers import Fleet, Server, Workspace  # noqa: E402
from servers.content import body, sha256  # noqa: E402

WARM_SHARE = 1 / 3  # of the run, in which pools, caches and the allocator's arenas fill
FILL_S = 8.0  # at most, and a quarter of the run: only the largest bodies, without rest
FILL_SHARE = 1 / 4
PATHS = ("/100", "/100", "/1k", "/1k", "/64k", "/1m")
LARGEST = "/1m"
GIVEN_UP = 0.03
SHORT_LIVED_S = 2.0
MIB = 1 << 20
# What the line may rise over the judged part: noise of the allocator, and connections that come and go.
RISE = {"rss_mib": 6.0, "descriptors": 6.0, "threads": 2.0, "pool_kib": 1024.0, "strings": 64.0, "streams": 64.0}


@dataclass
class Sample:
    """What the process holds at one moment."""

    at_s: float
    rss_mib: float
    descriptors: int
    threads: int
    pool_kib: float  # of the buffer pools: free, lingering or in use
    leased: int  # buffers in use
    streams: int  # waiting in the stream pools
    strings: int  # in the string pools
    requests: int


class Soak:
    """The load and its counts."""

    def __init__(self, options: argparse.Namespace, fleet: Fleet) -> None:
        self.options = options
        self.h2 = [fleet.get("nghttpd"), fleet.get("nginx")]
        self.h1 = [fleet.get("nginx"), fleet.get("caddy")]
        self.echo = fleet.get("nghttpd")
        self.requests = 0
        self.given_up = 0
        self.failed: dict[str, int] = {}
        self.wrong = 0
        self.samples: list[Sample] = []
        self.clients: list[Any] = []
        self.begin = time.monotonic()
        self.filled_at = self.begin + min(FILL_S, options.seconds * FILL_SHARE)
        self.over = False
        self.descriptors_before = 0
        self.left: dict[str, int] = {}

    def options_for(self, server: Server, version: str) -> dict[str, Any]:
        chosen: dict[str, Any] = {"http1": False} if version == "h2" else {"http2": False}
        return {**chosen, "verify": str(server.ca_file), "timeout": 30.0, "limits": Limits(max_connections_per_host=20)}

    # -- checking ------------------------------------------------------------------------------------------------------

    def check(self, path: str, content: Any) -> None:
        self.requests += 1
        if hashlib.sha256(content).hexdigest() != sha256(path):
            self.wrong += 1

    def fail(self, error: Exception) -> None:
        name = type(error).__name__
        self.failed[name] = self.failed.get(name, 0) + 1

    # -- load ----------------------------------------------------------------------------------------------------------

    def choose(self, chance: Random) -> tuple[str, float]:
        """What to ask for, and how long to rest afterwards."""
        if time.monotonic() < self.filled_at:
            return LARGEST, 0.0
        return chance.choice(PATHS), self.options.pause

    async def task(self, clients: list[tuple[AsyncClient, list[Server]]], chance: Random) -> None:
        while not self.over:
            client, servers = chance.choice(clients)
            server = chance.choice(servers)
            path, pause = self.choose(chance)
            try:
                if chance.random() < GIVEN_UP:
                    await self.give_up(client, server, chance)
                elif chance.random() < 0.1 and server is self.echo:
                    response = await client.post(server.url("/echo"), content=body("/64k"))
                    self.check("/64k", response.content)
                elif chance.random() < 0.5:
                    self.check(path, (await client.get(server.url(path))).content)
                else:
                    digest = bytearray()
                    async with client.stream("GET", server.url(path)) as response:
                        async for view in response.aiter_buffers():
                            digest += view
                    self.check(path, digest)
            except Exception as error:
                self.fail(error)
            await asyncio.sleep(pause)

    async def give_up(self, client: AsyncClient, server: Server, chance: Random) -> None:
        task = asyncio.ensure_future(client.get(server.url("/1m")))
        await asyncio.sleep(chance.uniform(0, 0.02))
        task.cancel()
        await asyncio.wait((task,))
        self.given_up += 1

    async def short_lived(self) -> None:
        """A client that is opened, used and closed, again and again."""
        while not self.over:
            for version, servers in (("h2", self.h2), ("h1", self.h1)):
                for server in servers:
                    try:
                        async with AsyncClient(**self.options_for(server, version)) as client:
                            self.check("/1k", (await client.get(server.url("/1k"))).content)
                    except Exception as error:
                        self.fail(error)
            await asyncio.sleep(SHORT_LIVED_S)

    def thread(self, clients: list[tuple[Client, list[Server]]], chance: Random) -> None:
        while not self.over:
            client, servers = chance.choice(clients)
            path, pause = self.choose(chance)
            url = chance.choice(servers).url(path)
            try:
                if chance.random() < 0.7:
                    self.check(path, client.get(url).content)
                else:
                    digest = bytearray()
                    with client.stream("GET", url) as response:
                        for view in response.iter_buffers():
                            digest += view
                    self.check(path, digest)
            except Exception as error:
                self.fail(error)
            time.sleep(max(pause, 0.001))

    # -- the run -------------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        options = self.options
        first = self.h2[0]
        async with AsyncClient(**self.options_for(first, "h2")) as client:  # loops open some of their own
            await client.get(first.url("/100"))
        await asyncio.sleep(0.1)
        self.descriptors_before = descriptors()
        clients = [
            (AsyncClient(**self.options_for(first, "h2")), self.h2),
            (AsyncClient(**self.options_for(first, "h1")), self.h1),
        ]
        in_threads = [
            (Client(**self.options_for(first, "h2")), self.h2),
            (Client(**self.options_for(first, "h1")), self.h1),
        ]
        self.clients = [client for client, _ in (*clients, *in_threads)]
        threads = [
            threading.Thread(target=self.thread, args=(in_threads, Random(number)), daemon=True)
            for number in range(options.threads)
        ]
        for thread in threads:
            thread.start()
        tasks = [asyncio.ensure_future(self.task(clients, Random(1000 + number))) for number in range(options.tasks)]
        tasks.append(asyncio.ensure_future(self.short_lived()))
        interval = max(0.2, min(1.0, options.seconds / 60))
        while time.monotonic() - self.begin < options.seconds:
            await asyncio.sleep(interval)
            self.samples.append(self.sample())
        self.over = True
        await asyncio.gather(*tasks)
        for thread in threads:
            await asyncio.to_thread(thread.join, 60)
        for client, _ in clients:
            await client.aclose()
        for client, _ in in_threads:
            client.close()
        gc.collect()
        for _ in range(100):
            if descriptors() <= self.descriptors_before:
                break
            await asyncio.sleep(0.02)
        self.left = self.left_over()

    def sample(self) -> Sample:
        rss_pages = int(Path("/proc/self/statm").read_text().split()[1])
        buffers = [client.workshop.buffers.stats() for client in self.clients]
        return Sample(
            at_s=round(time.monotonic() - self.begin, 2),
            rss_mib=round(rss_pages * os.sysconf("SC_PAGE_SIZE") / MIB, 2),
            descriptors=descriptors(),
            threads=threading.active_count(),
            pool_kib=sum(each.bytes_held for each in buffers) / 1024,
            leased=sum(each.outstanding for each in buffers),
            streams=sum(client.workshop.streams.stats().free for client in self.clients),
            strings=sum(client.workshop.strings.stats().size for client in self.clients),
            requests=self.requests,
        )

    def left_over(self) -> dict[str, int]:
        """What the closed clients still hold."""
        return {
            "buffers": sum(client.workshop.buffers.stats().outstanding for client in self.clients),
            "streams": sum(client.workshop.streams.stats().outstanding for client in self.clients),
            "descriptors": max(0, descriptors() - self.descriptors_before),
        }


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def rise(samples: list[Sample], name: str) -> float:
    """How much the line of least squares rises over the judged part."""
    judged = [sample for sample in samples if sample.at_s >= samples[-1].at_s * WARM_SHARE]
    xs = [sample.at_s for sample in judged]
    ys = [float(getattr(sample, name)) for sample in judged]
    mean_x, mean_y = sum(xs) / len(xs), sum(ys) / len(ys)
    spread = sum((x - mean_x) ** 2 for x in xs)
    slope = sum((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys, strict=True)) / spread if spread else 0.0
    return slope * (xs[-1] - xs[0])


def report(soak: Soak) -> dict[str, Any]:
    rises = {name: round(rise(soak.samples, name), 2) for name in RISE}
    left = soak.left
    limits = {**RISE, "rss_mib": soak.options.rise_mib, "descriptors": soak.options.rise_descriptors}
    flat = all(rises[name] <= limit for name, limit in limits.items())
    return {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "seconds": soak.options.seconds,
        "tasks": soak.options.tasks,
        "threads": soak.options.threads,
        "requests": soak.requests,
        "given_up": soak.given_up,
        "failed": soak.failed,
        "wrong_bodies": soak.wrong,
        "left_over": left,
        "rise": rises,
        "rise_limits": limits,
        "flat": flat,
        "good": flat and not soak.wrong and not soak.failed and not any(left.values()) and soak.requests > 0,
        "samples": [asdict(sample) for sample in soak.samples],
    }


# -- the plot --------------------------------------------------------------------------------------------------------

WIDTH, HEIGHT, EDGE = 860, 150, 60


def plot(samples: list[dict[str, Any]], name: str, title: str) -> str:
    """One quantity over time as SVG, from zero."""
    last = samples[-1]["at_s"] or 1.0
    most = max(1, *(sample[name] for sample in samples))
    points = " ".join(
        f"{EDGE + sample['at_s'] / last * (WIDTH - EDGE):.1f},{HEIGHT - sample[name] / most * (HEIGHT - 30):.1f}"
        for sample in samples
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH + 20}" height="{HEIGHT + 24}" font-family="sans-serif" '
        f'font-size="12"><text x="{EDGE}" y="16">{html.escape(title)}</text>'
        f'<line x1="{EDGE}" y1="{HEIGHT}" x2="{WIDTH}" y2="{HEIGHT}" stroke="#888"/>'
        f'<text x="4" y="36">{most:,.0f}</text><text x="4" y="{HEIGHT}">0</text>'
        f'<text x="{WIDTH - 60}" y="{HEIGHT + 18}">{last:,.0f} s</text>'
        f'<polyline fill="none" stroke="#1668a8" stroke-width="1.5" points="{points}"/></svg>'
    )


PLOTS = {
    "rss_mib": "resident memory, MiB",
    "descriptors": "open descriptors",
    "pool_kib": "in the buffer pools, KiB",
    "leased": "buffers in use",
    "strings": "strings in the pools",
    "streams": "free in the stream pools",
    "requests": "requests so far",
}


def page(outcome: dict[str, Any]) -> str:
    facts = {key: value for key, value in outcome.items() if key != "samples"}
    plots = "\n".join(plot(outcome["samples"], name, title) for name, title in PLOTS.items())
    return (
        '<!doctype html><meta charset="utf-8"><title>Soak</title><h1>Soak</h1>'
        f"<pre>{html.escape(json.dumps(facts, indent=2))}</pre>{plots}\n"
    )


def joined_svg(outcome: dict[str, Any], names: tuple[str, ...]) -> str:
    """Several plots in one picture, one below the other."""
    step = HEIGHT + 34
    parts = "".join(
        f'<g transform="translate(0,{number * step})">{plot(outcome["samples"], name, PLOTS[name])}</g>'
        for number, name in enumerate(names)
    )
    size = f'width="{WIDTH + 20}" height="{step * len(names)}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}><rect {size} fill="#fff"/>{parts}</svg>\n'


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--tasks", type=int, default=100)
    parser.add_argument("--threads", type=int, default=8)
    parser.add_argument("--pause", type=float, default=0.0, help="seconds a worker rests after each request")
    parser.add_argument("--rise-mib", type=float, default=RISE["rss_mib"], help="what resident memory may rise")
    parser.add_argument("--rise-descriptors", type=float, default=RISE["descriptors"], help="what descriptors may rise")
    parser.add_argument("--loop", choices=("asyncio", "uvloop"), default="uvloop")
    parser.add_argument("--out", type=Path, default=Path("soak"), help="name of the files, without their endings")
    options = parser.parse_args()
    with Workspace() as workspace:
        fleet = Fleet(workspace)
        try:
            soak = Soak(options, fleet)
            with asyncio.Runner(loop_factory=importlib.import_module(options.loop).new_event_loop) as runner:
                runner.run(soak.run())
        finally:
            fleet.close()
    outcome = report(soak)
    options.out.with_suffix(".json").write_text(json.dumps(outcome, indent=1) + "\n")
    options.out.with_suffix(".html").write_text(page(outcome))
    options.out.with_suffix(".svg").write_text(joined_svg(outcome, ("rss_mib", "descriptors", "pool_kib", "requests")))
    print(json.dumps({key: value for key, value in outcome.items() if key != "samples"}, indent=2))
    return 0 if outcome["good"] else 1


if __name__ == "__main__":
    raise SystemExit(main())

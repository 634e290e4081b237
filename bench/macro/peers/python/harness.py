"""Drives a Python client through a scenario's mode and prints its record as one JSON line.

A peer's script hands `main` a function that opens the client; this module keeps the requests in flight, takes
the times, and counts what is lost. Modes: get, idle, download, upload; all of them on open connections.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import re
import ssl
import sys
import threading
import time
from array import array
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

MISSING = 77
CHUNK = bytes(64 * 1024)
now_ns = time.perf_counter_ns


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    for name, kind, default in (
        ("mode", str, "get"),
        ("scenario", str, ""),
        ("url", str, ""),
        ("ca", str, ""),
        ("variant", str, ""),
        ("loop", str, "uvloop"),
        ("concurrency", int, 1),
        ("connections", int, 1),
        ("repeat", int, 1),
        ("size", int, 0),
        ("seconds", float, 2.0),
        ("warmup", float, 0.5),
    ):
        parser.add_argument(f"--{name}", type=kind, default=default)
    return parser.parse_args()


class Tally:
    """What one measured phase saw; latencies in ns, below 4.2 s each."""

    def __init__(self) -> None:
        self.latencies = array("L")
        self.requests = 0
        self.errors = 0
        self.bytes = 0

    def fail(self, reason: object) -> None:
        if self.errors == 0:
            kind = f"{type(reason).__name__}: " if isinstance(reason, BaseException) else ""
            print(f"{kind}{reason}", file=sys.stderr)
        self.errors += 1

    def add(self, status: int, size: int, want: int) -> None:
        if status == 200 and size == want:
            self.requests += 1
            self.bytes += size
        else:
            self.fail(f"status {status}, {size} of {want} bytes")


@dataclass
class Verbs:
    """What an opened client does: each returns the status and the bytes moved."""

    get: Callable[[str], Awaitable[tuple[int, int]]]
    download: Callable[[str], Awaitable[tuple[int, int]]] | None = None
    upload: Callable[[str, int], Awaitable[tuple[int, int]]] | None = None


@dataclass
class Package:
    """The client's name and version."""

    name: str
    version: str


Open = Callable[[argparse.Namespace], AbstractAsyncContextManager[Verbs]]
OpenSync = Callable[[argparse.Namespace], AbstractContextManager[Callable[[str], tuple[int, int]]]]


def main(package: Package, open_client: Open | None = None, open_sync: OpenSync | None = None) -> None:
    """Runs the mode of the command line."""
    chosen = options()
    if chosen.variant == "sync" or open_client is None:
        if open_sync is None:
            missing(f"{package.name} has no blocking client here")
        run_threads(package, chosen, open_sync)
    else:
        runner(chosen)(run_async(package, chosen, open_client))


def missing(reason: str) -> None:
    print(reason, file=sys.stderr)
    raise SystemExit(MISSING)


def runner(chosen: argparse.Namespace) -> Callable[..., None]:
    """asyncio.run on the loop asked for."""
    if chosen.loop == "uvloop":
        import uvloop

        return uvloop.run
    return asyncio.run


def tls(chosen: argparse.Namespace) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=chosen.ca)


async def chunks(size: int) -> AsyncIterator[bytes]:
    """A request's content, made as it is asked for."""
    while size > 0:
        yield CHUNK if size >= len(CHUNK) else CHUNK[:size]
        size -= len(CHUNK)


async def run_async(package: Package, chosen: argparse.Namespace, open_client: Open) -> None:
    async with contextlib.AsyncExitStack() as stack:
        opened = [await stack.enter_async_context(open_client(chosen)) for _ in range(chosen.connections)]
        verbs = opened[0]
        urls = chosen.url.split(",")
        if chosen.mode in ("download", "upload"):
            await transfers(package, chosen, verbs)
            return
        for each in opened:
            for url in urls:  # Opens the connections.
                await each.get(url)
        tally = Tally()
        if chosen.mode == "idle":
            with Measured(package, chosen, tally):
                end = now_ns() + int(chosen.seconds * 1e9)
                turn = 0
                while now_ns() < end:
                    await timed(verbs.get, urls[turn % len(urls)], tally, chosen.size)
                    await asyncio.sleep(0.01)
                    turn += 1
            return

        async def loop(get: Callable[[str], Awaitable[tuple[int, int]]], end: int, into: Tally) -> None:
            while now_ns() < end:
                await timed(get, chosen.url, into, chosen.size)

        async def phase(seconds: float, into: Tally) -> None:
            end = now_ns() + int(seconds * 1e9)
            gets = [opened[i % len(opened)].get for i in range(chosen.concurrency)]
            await asyncio.gather(*(loop(get, end, into) for get in gets))

        await phase(chosen.warmup, Tally())
        with Measured(package, chosen, tally):
            await phase(chosen.seconds, tally)


async def timed(get: Callable[[str], Awaitable[tuple[int, int]]], url: str, tally: Tally, want: int) -> None:
    start = now_ns()
    try:
        status, size = await get(url)
    except Exception as error:  # Whatever a client raises, its request is lost.
        tally.fail(error)
    else:
        tally.latencies.append(now_ns() - start)
        tally.add(status, size, want)


async def transfers(package: Package, chosen: argparse.Namespace, verbs: Verbs) -> None:
    """Whole bodies one after the other, on a connection that one small request has opened."""
    verb = verbs.upload if chosen.mode == "upload" else verbs.download
    if verb is None:
        missing(f"{package.name} has no {chosen.mode} here")
    await verbs.get(chosen.url.rpartition("/")[0] + "/100")
    tally = Tally()
    with Measured(package, chosen, tally):
        for _ in range(chosen.repeat):
            try:
                arguments = (chosen.url, chosen.size) if chosen.mode == "upload" else (chosen.url,)
                tally.add(*await verb(*arguments), chosen.size)
            except Exception as error:
                tally.fail(error)


def run_threads(package: Package, chosen: argparse.Namespace, open_sync: OpenSync) -> None:
    """`concurrency` threads in a loop of blocking GETs on one client."""
    with open_sync(chosen) as get:
        get(chosen.url)

        def loop(end: int, into: Tally) -> None:
            """Written out, so that little is measured with the client."""
            url, want, latencies, done = chosen.url, chosen.size, into.latencies.append, 0
            start = now_ns()
            while start < end:
                try:
                    status, size = get(url)
                except Exception as error:
                    into.fail(error)
                else:
                    if status == 200 and size == want:
                        done += 1
                    else:
                        into.add(status, size, want)
                now = now_ns()
                latencies(now - start)
                start = now
            into.requests += done
            into.bytes += done * want

        def phase(seconds: float) -> Tally:
            end = now_ns() + int(seconds * 1e9)
            tallies = [Tally() for _ in range(chosen.concurrency)]
            threads = [threading.Thread(target=loop, args=(end, tally)) for tally in tallies]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            total = Tally()
            for tally in tallies:
                total.latencies.extend(tally.latencies)
                total.requests += tally.requests
                total.errors += tally.errors
                total.bytes += tally.bytes
            return total

        phase(chosen.warmup)
        measured = Measured(package, chosen, Tally())
        with measured:
            measured.tally = phase(chosen.seconds)


class Measured:
    """Takes time and CPU around its block, then prints the record."""

    def __init__(self, package: Package, chosen: argparse.Namespace, tally: Tally) -> None:
        self.package = package
        self.chosen = chosen
        self.tally = tally

    def __enter__(self) -> None:
        self.cpu_s = time.process_time()
        self.start_ns = now_ns()

    def __exit__(self, *error: object) -> None:
        seconds = (now_ns() - self.start_ns) / 1e9
        cpu_s = time.process_time() - self.cpu_s
        if error[0] is not None:
            return
        tally = self.tally
        peak = peak_rss_kib()  # Before the figures are computed.
        ranked = sorted(tally.latencies)
        record = {
            "client": self.package.name,
            "version": self.package.version,
            "scenario": self.chosen.scenario,
            "requests": tally.requests,
            "errors": tally.errors,
            "seconds": seconds,
            "rps": tally.requests / seconds,
            "p50_us": ranked[len(ranked) // 2] / 1e3 if ranked else None,
            "p99_us": ranked[len(ranked) * 99 // 100] / 1e3 if ranked else None,
            "cpu_us_per_request": cpu_s * 1e6 / max(tally.requests, 1),
            "peak_rss_kib": peak,
            "bytes": tally.bytes,
            "mb_per_s": tally.bytes / 1e6 / seconds,
            "cpu_s": cpu_s,
        }
        print(json.dumps(record), flush=True)


def peak_rss_kib() -> int:
    """VmHWM: ru_maxrss would also remember the process that started this one."""
    found = re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())
    return int(found[1]) if found else 0


@contextlib.contextmanager
def needed(package: str) -> Iterator[None]:
    """Turns a failing import into a visible skip."""
    try:
        yield
    except ImportError as error:
        missing(f"{package} is not installed ({error})")

"""Deuterium through its public face; the variant says how the requests are made.

tasks (default), asyncio, trio, pure: as many tasks as requests in flight, each awaiting `client.get()` in a loop.
fetch-many, trio-fetch-many: one `async for` over `client.fetch_many()`.
gather: a new Task per request, in flight at once.
sync: threads in blocking calls. The loops are written out here, so that no wrapper is measured with it.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator

import harness
from harness import Measured, Package, Tally, Verbs, chunks, needed, now_ns, run_async, run_threads, runner

with needed("deuterium"):
    import deuterium
    from deuterium._http2 import connection

LIMITS = deuterium.Limits(max_connections=None, max_keepalive_connections=None)  # as for the other clients
Clients = list[deuterium.AsyncClient]
COMPILED = not connection.__file__.endswith(".py")
PACKAGE = Package("deuterium", "compiled" if COMPILED else "pure")


def new_client(chosen: argparse.Namespace) -> deuterium.AsyncClient:
    """HTTP/2 by ALPN for https, with prior knowledge for http."""
    return deuterium.AsyncClient(verify=chosen.ca, timeout=60, http1=False, limits=LIMITS)


@contextlib.asynccontextmanager
async def opened(chosen: argparse.Namespace) -> AsyncIterator[Verbs]:
    """The verbs of the modes in which the harness's own loop costs nothing."""
    async with new_client(chosen) as client:

        async def get(url: str) -> tuple[int, int]:
            response = await client.get(url)
            return response.status_code, len(response.content)

        async def download(url: str) -> tuple[int, int]:
            read = 0
            async with client.stream("GET", url) as response:
                async for buffer in response.aiter_buffers():
                    read += len(buffer)
            return response.status_code, read

        async def upload(url: str, size: int) -> tuple[int, int]:
            response = await client.post(url, content=chunks(size))
            return response.status_code, size

        yield Verbs(get, download, upload)


@contextlib.contextmanager
def opened_sync(chosen: argparse.Namespace) -> Iterator[Callable[[str], tuple[int, int]]]:
    with deuterium.Client(verify=chosen.ca, timeout=60) as client:

        def get(url: str) -> tuple[int, int]:
            response = client.get(url)
            return response.status_code, len(response.content)

        yield get


async def loop_of_gets(client: deuterium.AsyncClient, url: str, want: int, end: int, tally: Tally) -> None:
    latencies = tally.latencies.append
    done = 0
    start = now_ns()
    while start < end:
        try:
            response = await client.get(url)
        except deuterium.HTTPError as error:
            tally.fail(error)
        else:
            if response.status_code == 200 and len(response.content) == want:
                done += 1
            else:
                tally.fail(f"status {response.status_code}, {len(response.content)} bytes")
        now = now_ns()
        latencies(now - start)
        start = now
    tally.requests += done
    tally.bytes += done * want


async def tasks(clients: Clients, chosen: argparse.Namespace, seconds: float) -> Tally:
    tally = Tally()
    end = now_ns() + int(seconds * 1e9)
    turns = [clients[i % len(clients)] for i in range(chosen.concurrency)]
    if chosen.variant == "trio":
        import trio

        async with trio.open_nursery() as nursery:
            for client in turns:
                nursery.start_soon(loop_of_gets, client, chosen.url, chosen.size, end, tally)
        return tally
    await asyncio.gather(*(loop_of_gets(client, chosen.url, chosen.size, end, tally) for client in turns))
    return tally


async def gather(clients: Clients, chosen: argparse.Namespace, seconds: float) -> Tally:
    tally = Tally()
    end = now_ns() + int(seconds * 1e9)
    client = clients[0]
    while now_ns() < end:
        requests = [client.get(chosen.url) for _ in range(chosen.concurrency)]
        for outcome in await asyncio.gather(*requests, return_exceptions=True):
            if isinstance(outcome, BaseException):
                tally.fail(outcome)
            else:
                tally.add(outcome.status_code, len(outcome.content), chosen.size)
    return tally


async def fetch_many(clients: Clients, chosen: argparse.Namespace, seconds: float) -> Tally:
    tally = Tally()
    end = now_ns() + int(seconds * 1e9)
    want, done = chosen.size, 0

    def urls() -> Iterator[str]:
        url = chosen.url
        while now_ns() < end:
            yield url

    async for response in clients[0].fetch_many(urls(), concurrency=chosen.concurrency):
        if response.status_code == 200 and len(response.content) == want:
            done += 1
        else:
            tally.fail(f"status {response.status_code}, {len(response.content)} bytes")
    tally.requests, tally.bytes = done, done * want
    return tally


PHASES = {"gather": gather, "fetch-many": fetch_many, "trio-fetch-many": fetch_many}


async def run(chosen: argparse.Namespace) -> None:
    if chosen.mode != "get":
        if chosen.variant in PHASES:
            harness.missing(f"{chosen.variant} has no {chosen.mode} here")
        await run_async(PACKAGE, chosen, opened)
        return
    phase = PHASES.get(chosen.variant, tasks)
    async with contextlib.AsyncExitStack() as stack:
        clients = []
        for _ in range(chosen.connections):
            client = await stack.enter_async_context(new_client(chosen))
            await client.get(chosen.url)
            clients.append(client)
        await phase(clients, chosen, chosen.warmup)
        measured = Measured(PACKAGE, chosen, Tally())
        with measured:
            measured.tally = await phase(clients, chosen, chosen.seconds)


def main() -> None:
    chosen = harness.options()
    if chosen.variant == "sync":
        run_threads(PACKAGE, chosen, opened_sync)
    elif chosen.variant.startswith("trio"):
        if chosen.mode != "get":
            harness.missing(f"trio has no {chosen.mode} here")
        with needed("trio"):
            import trio
        chosen.loop = "trio"
        trio.run(run, chosen)
    else:
        if chosen.variant == "asyncio":
            chosen.loop = "asyncio"
        runner(chosen)(run(chosen))


main()

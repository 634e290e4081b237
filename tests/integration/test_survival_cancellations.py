"""Requests given up at random moments cost nothing afterwards: no connection, no descriptor, no memory."""

from __future__ import annotations

import gc
import os
import random
from typing import Any

import pytest

import tasks
from deuterium import AsyncClient, Response
from integration.exchange import client_for
from lengths import length
from servers import Fleet, Server

pytestmark = pytest.mark.every_loop

CANCELLED = length(500, 3000)
MOST_GROWTH_KIB = 6 * 1024  # of resident memory after a second round as long as the first; a leak of 2 KiB each is seen
AT_A_TIME = 20
AFTERWARDS = 50
LONGEST_S = 0.01  # some have not left, some wait, some are half read, some are done
PATHS = ("/100", "/64k", "/1m")
VERSIONS = {"h2": {"http1": False}, "h1": {"http1": True, "http2": False}}
DESCRIPTORS = "/proc/self/fd"


def descriptors() -> int:
    return len(os.listdir(DESCRIPTORS))


def resident_kib() -> int:
    """What the process holds now."""
    gc.collect()
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") // 1024


async def settled(count: Any, wanted: int) -> int:
    """``count()`` once it is what is wanted, or after some time."""
    for _ in range(200):
        if count() <= wanted:
            break
        await tasks.sleep(0.01)
    number: int = count()
    return number


async def give_up(client: AsyncClient, server: Server, chance: random.Random) -> bool:
    """One request, cancelled after a random time; whether it came too late."""
    task = tasks.start(fetch(client, server, chance))
    await tasks.sleep(chance.random() * LONGEST_S)
    task.cancel()
    try:
        await task
    except tasks.CancelledError:
        return False
    return True


async def fetch(client: AsyncClient, server: Server, chance: random.Random) -> None:
    url = server.url(chance.choice(PATHS))
    if chance.random() < 0.5:
        await client.get(url)
        return
    async with client.stream("GET", url) as response:
        async for _ in response.aiter_raw():
            pass


@pytest.mark.parametrize("version", VERSIONS)
def test_requests_cancelled_at_random_moments_leave_nothing_behind(fleet: Fleet, arun: Any, version: str) -> None:
    server = fleet.get("nginx")
    chance = random.Random(9113)

    async def scenario() -> None:
        async with client_for(server, **VERSIONS[version]) as client:
            await client.get(server.url("/100"))  # uvloop opens a descriptor of its own with the first connection
        before = descriptors()
        async with client_for(server, **VERSIONS[version]) as client:

            async def worker() -> list[bool]:
                return [await give_up(client, server, chance) for _ in range(CANCELLED // AT_A_TIME)]

            rounds = await tasks.gather(*(worker() for _ in range(AT_A_TIME)))
            assert any(not late for each in rounds for late in each)
            memory = resident_kib()
            await tasks.gather(*(worker() for _ in range(AT_A_TIME)))
            grown = resident_kib() - memory
            responses = await tasks.gather(*(client.get(server.url("/1k")) for _ in range(AFTERWARDS)))
            assert [(each.status_code, len(each.content)) for each in responses] == [(200, 1024)] * AFTERWARDS
            buffers = client.workshop.buffers
            assert await settled(lambda: buffers.stats().outstanding, 0) == 0
        assert await settled(descriptors, before) <= before
        cancelled = sum(not late for each in rounds for late in each)
        print(f"{version}: {cancelled} of {CANCELLED} cancelled in time, then as many again: {grown:+} KiB resident")
        assert grown < MOST_GROWTH_KIB

    arun(scenario())


def test_requests_cancelled_while_they_wait_for_a_place_leave_the_queue(fleet: Fleet, arun: Any) -> None:
    """A thousand wait on 100 streams; all but the last fifty are given up, and those fifty are served."""
    server = fleet.get("nghttpd")

    async def scenario() -> None:
        async with client_for(server) as client:
            running = [tasks.start(client.get(server.url("/64k"))) for _ in range(1000)]
            await tasks.sleep(0.01)
            for task in running[:-AFTERWARDS]:
                task.cancel()
            results = await tasks.gather(*running, return_exceptions=True)
            answered = [result for result in results if isinstance(result, Response)]
            cancelled = [result for result in results if isinstance(result, tasks.CancelledError)]
            assert len(answered) + len(cancelled) == 1000
            assert len(answered) >= AFTERWARDS
            assert all(len(each.content) == 64 * 1024 for each in answered)
            assert not any(task.cancelled() for task in running[-AFTERWARDS:])

    arun(scenario())

"""What a burst left in the buffer pool goes back to the system."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from deuterium import AsyncClient, Client, Limits
from deuterium._pool import housekeeping
from servers import Fleet

BURST = 12
PATIENCE_S = 20.0  # a busy machine may take longer


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(housekeeping, "TRIM_S", 0.5)


def free_kib(client: AsyncClient | Client) -> float:
    return client.workshop.buffers.stats().bytes_free / 1024


def test_idle_client_gives_its_pool_back(fleet: Fleet, arun: Any) -> None:
    server = fleet.get("nginx")

    async def scenario() -> None:
        limits = Limits(max_connections_per_host=BURST)
        async with AsyncClient(verify=str(server.ca_file), http2=False, limits=limits) as client:
            await asyncio.gather(*(client.get(server.url("/1m")) for _ in range(BURST)))
            before = free_kib(client)
            assert before >= BURST * 64
            began = time.monotonic()
            while free_kib(client) > before / 4 and time.monotonic() - began < PATIENCE_S:
                await asyncio.sleep(0.1)
            assert free_kib(client) <= before / 4
            assert client.workshop.buffers.stats().outstanding == 0
            assert (await client.get(server.url("/1m"))).status_code == 200

    arun(scenario())


def test_client_whose_connections_are_gone_keeps_no_buffers(fleet: Fleet, arun: Any) -> None:
    server = fleet.get("nginx")

    async def scenario() -> None:
        limits = Limits(keepalive_expiry=0.5)
        async with AsyncClient(verify=str(server.ca_file), limits=limits) as client:
            await client.get(server.url("/1m"))
            began = time.monotonic()
            while free_kib(client) and time.monotonic() - began < PATIENCE_S:
                await asyncio.sleep(0.1)
            assert free_kib(client) == 0
            assert not client.stats().connections

    arun(scenario())


def test_threads_that_need_little_give_back_what_they_needed(fleet: Fleet) -> None:
    server = fleet.get("nginx")
    limits = Limits(max_connections_per_host=BURST)
    with (
        Client(verify=str(server.ca_file), http2=False, limits=limits) as client,
        ThreadPoolExecutor(BURST) as threads,
    ):
        list(threads.map(lambda _: client.get(server.url("/1m")), range(4 * BURST)))
        before = free_kib(client)
        assert before > 64
        began = time.monotonic()
        while free_kib(client) > before / 2 and time.monotonic() - began < PATIENCE_S:
            time.sleep(0.2)
            assert client.get(server.url("/100")).status_code == 200
        assert free_kib(client) <= before / 2

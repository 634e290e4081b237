"""Servers that reload or leave connections under load: no request fails, no content is wrong."""

from __future__ import annotations

from time import monotonic
from typing import Any

import pytest

import tasks
from deuterium import AsyncClient
from integration.exchange import client_for, get_document
from lengths import length
from servers import Fleet, Server
from servers.nginx import upgrade

pytestmark = pytest.mark.every_loop

WORKERS = 10
RELOADS = length(5, 20)
RESTARTS = length(2, 5)
GOAWAY_AFTER = length(100, 1000)
PATHS = ("/100", "/1k", "/64k")
AT_LEAST_S = 0.3  # of load between two reloads


async def load(client: AsyncClient, server: Server, over: tasks.Event) -> int:
    """Fetch and check documents until it is over; how many it were."""
    count = 0
    while not over.is_set():
        await get_document(client, server, PATHS[count % len(PATHS)])
        count += 1
    return count


@pytest.mark.parametrize("tls", [True, False], ids=["https", "http"])
def test_reloads_and_graceful_restarts_under_load_fail_no_request(fleet: Fleet, arun: Any, tls: bool) -> None:
    async def scenario(server: Server) -> None:
        over = tasks.Event()
        async with client_for(server) as client:
            workers = [tasks.start(load(client, server, over)) for _ in range(WORKERS)]
            for _ in range(RELOADS):
                await tasks.sleep(AT_LEAST_S)
                await tasks.to_thread(server.reload)
            await tasks.sleep(AT_LEAST_S)
            for _ in range(RESTARTS):
                await tasks.to_thread(upgrade, server)
                await tasks.sleep(AT_LEAST_S)
            over.set()
            counts = await tasks.gather(*workers)
            assert all(counts)
            print(f"{RELOADS} reloads, {RESTARTS} graceful restarts, {sum(counts)} GETs, 0 failed")
            # The old workers are gone: the origin is served by new connections alone.
            begin = monotonic()
            await get_document(client, server, "/1k")
            assert monotonic() - begin < 5

    with fleet.run("nginx", tls=tls, upgradable=True) as server:
        arun(scenario(server))


@pytest.mark.parametrize("tls", [True, False], ids=["https", "http"])
def test_goaway_after_so_many_requests_fails_no_request(fleet: Fleet, arun: Any, tls: bool) -> None:
    async def scenario(server: Server) -> None:
        async with client_for(server) as client:

            async def fetch() -> None:
                for _ in range(2 * GOAWAY_AFTER):
                    await get_document(client, server, "/100")

            await tasks.gather(*(fetch() for _ in range(WORKERS)))

    with fleet.run("nginx", tls=tls, keepalive_requests=GOAWAY_AFTER) as server:
        arun(scenario(server))
    print(f"GOAWAY after every {GOAWAY_AFTER}: {2 * GOAWAY_AFTER * WORKERS} GETs, 0 failed")


def test_http1_connections_closed_after_every_hundred_requests_fail_no_request(fleet: Fleet, arun: Any) -> None:
    async def scenario(server: Server) -> None:
        async with client_for(server, http1=True, http2=False) as client:

            async def fetch() -> None:
                for _ in range(100):
                    response = await client.get(server.url("/100"))
                    assert (response.status_code, len(response.content)) == (200, 100)

            await tasks.gather(*(fetch() for _ in range(WORKERS)))

    with fleet.run("nginx", keepalive_requests=100) as server:
        arun(scenario(server))

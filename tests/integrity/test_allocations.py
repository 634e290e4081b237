"""What the pools save a whole client over real servers, in counts that no machine's speed changes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

import tasks
from deuterium import AsyncClient, Response
from deuterium.config import PoolOptions
from integration.exchange import client_for
from servers import Fleet

pytestmark = pytest.mark.every_loop

REQUESTS = 300
KEPT = 1000
TENFOLD = 10

COMMON = (
    "cache-control 'public, max-age=31536000'",
    "vary 'accept-encoding, origin'",
    "x-content-type-options nosniff",
    "referrer-policy strict-origin-when-cross-origin",
    "x-region eu-central",
)
UNIQUE = ("x-request-id $request_id", "x-trace-id trace-$request_id", "x-served-at $msec")
REFUSED = 4  # values of nginx's own that are new or never shared: date, content-length, last-modified, etag

Work = Callable[[AsyncClient, str], Awaitable[None]]


async def one_by_one(client: AsyncClient, base: str) -> None:
    for _ in range(REQUESTS):
        assert len((await client.get(base + "/1k")).content) == 1024


async def lent(client: AsyncClient, base: str) -> None:
    async def worker() -> None:
        for _ in range(REQUESTS * 2):  # a buffer nobody looks at is received into again: few are needed, pool or not
            async with client.stream("GET", base + "/64k") as response:
                assert sum([len(view) async for view in response.aiter_buffers()]) == 64 * 1024

    await tasks.gather(*(worker() for _ in range(10)))


async def uploads(client: AsyncClient, base: str) -> None:
    content = bytes(20_000)
    for _ in range(REQUESTS):
        assert (await client.post(base + "/1k", content=content)).status_code == 200


@pytest.mark.parametrize("work", [one_by_one, lent, uploads])
def test_buffers_allocated_with_the_pool_are_a_tenth(fleet: Fleet, arun: Any, work: Work) -> None:
    server = fleet.get("nghttpd")

    async def created(pooled: bool) -> tuple[int, int]:
        async with client_for(server, pools=PoolOptions(buffers=pooled)) as client:
            await work(client, server.base_url)
            for _ in range(2):  # this task may run within the read that answered it, and an idle connection gives
                await tasks.sleep(0)  # its buffers back at the end of the turn after
            stats = client.workshop.buffers.stats()
            assert stats.outstanding == 0
            return stats.created, stats.bytes_created

    on, on_octets = arun(created(True))
    off, off_octets = arun(created(False))
    assert on * TENFOLD <= off
    assert on_octets * TENFOLD <= off_octets


def test_streams_made_with_the_pool_are_a_tenth(fleet: Fleet, arun: Any) -> None:
    server = fleet.get("nghttpd")

    async def created(pooled: bool) -> int:
        async with client_for(server, pools=PoolOptions(objects=pooled)) as client:
            await one_by_one(client, server.base_url)
            count: int = client.workshop.streams.stats().created
            return count

    on = arun(created(True))
    off = arun(created(False))
    assert off == REQUESTS
    assert on * TENFOLD <= off


@pytest.mark.parametrize("version", ["h2", "h1"])
def test_strings_of_kept_responses_are_shared_and_unique_ones_not_kept(fleet: Fleet, arun: Any, version: str) -> None:
    """nginx indexes nothing: without the pool every response has strings of its own."""

    async def live(base: str, client: AsyncClient) -> int:
        responses: list[Response] = []
        async with client:
            async for response in client.fetch_many([base + "/100"] * KEPT, concurrency=10):
                responses.append(response)
            size = client.workshop.strings.stats().size
        # Names and common values, once each; the first of a kind may come again on each connection.
        assert size < 2 * (len(COMMON) + len(UNIQUE) + 8)
        return len({id(text) for response in responses for pair in response.headers.multi_items() for text in pair})

    options: dict[str, Any] = {} if version == "h2" else {"http1": True, "http2": False}
    with fleet.run("nginx", fields=(*COMMON, *UNIQUE)) as server:
        on = arun(live(server.base_url, client_for(server, **options)))
        off = arun(live(server.base_url, client_for(server, pools=PoolOptions(strings=False), **options)))
    assert on < KEPT * (len(UNIQUE) + REFUSED + 1)
    assert off > KEPT * (len(UNIQUE) + REFUSED + len(COMMON))

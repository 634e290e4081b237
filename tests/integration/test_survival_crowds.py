"""Many requests at once, and one that stands still among them."""

from __future__ import annotations

from time import monotonic
from typing import Any

import pytest

import tasks
from deuterium import Limits
from integration.exchange import check_document, client_for, get_document
from integration.test_connection_count import ConnectionCounter
from lengths import length
from servers import Fleet

pytestmark = pytest.mark.every_loop

MOST = 8
NEIGHBOURS = 50
CROWD = length(2000, 10_000)


def test_crowd_of_requests_all_succeed_within_the_connection_limit(fleet: Fleet, arun: Any) -> None:
    """nghttpd takes 100 streams on a connection: most of the crowd wait their turn."""
    server = fleet.get("nghttpd")
    counter = ConnectionCounter()

    async def scenario() -> None:
        limits = Limits(max_http2_connections_per_host=MOST)
        async with client_for(server, limits=limits, trace=counter, timeout=60.0) as client:
            await tasks.gather(*(get_document(client, server, "/100") for _ in range(CROWD)))

    arun(scenario())
    assert 1 <= counter.count <= MOST


def test_stalled_stream_does_not_stall_its_neighbours(fleet: Fleet, arun: Any) -> None:
    """The consumer of 10 MiB takes one piece and then nothing, while its window fills."""
    server = fleet.get("nginx")

    async def scenario() -> None:
        async with (
            client_for(server, limits=Limits(max_connections=1)) as client,
            client.stream("GET", server.url("/10m")) as stalled,
        ):
            pieces = stalled.aiter_raw()
            taken = len(await anext(pieces))
            await tasks.sleep(0.2)
            begin = monotonic()
            await tasks.gather(*(get_document(client, server, "/64k") for _ in range(NEIGHBOURS)))
            assert monotonic() - begin < 5
            async for piece in pieces:
                taken += len(piece)
            assert taken == 10 * 1024 * 1024

    arun(scenario())


def test_stalled_streams_left_unread_give_their_window_back(fleet: Fleet, arun: Any) -> None:
    """Twenty streams are closed with their content unread; the next downloads are whole."""
    server = fleet.get("nginx")

    async def scenario() -> None:
        async with client_for(server, limits=Limits(max_connections=1)) as client:
            for _ in range(20):
                async with client.stream("GET", server.url("/10m")) as response:
                    await anext(response.aiter_raw())
            check_document(await client.get(server.url("/10m")), "/10m")

    arun(scenario())

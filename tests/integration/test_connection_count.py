"""How many connections a burst of requests opens."""

from __future__ import annotations

from typing import Any

import pytest

import tasks
from integration.exchange import client_for, get_document
from servers import Fleet

pytestmark = pytest.mark.every_loop

SETTINGS, ACK = 4, 1


class ConnectionCounter:
    """Counts connections by the one SETTINGS frame that opens each (RFC 9113 section 3.4)."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, outgoing: bool, length: int, kind: int, flags: int, stream_id: int) -> None:
        self.count += outgoing and kind == SETTINGS and not flags & ACK


@pytest.mark.parametrize(("requests", "most"), [(1, 1), (2, 1), (100, 1), (101, 2), (200, 2)])
@pytest.mark.parametrize("warm", [True, False])
def test_burst_opens_no_more_connections_than_its_streams_need(
    fleet: Fleet, arun: Any, requests: int, most: int, warm: bool
) -> None:
    """nghttpd takes 100 streams on a connection; the requests of one burst share its dials.

    The second connection is given up when the first is done before it is open.
    """
    server = fleet.get("nghttpd")
    counter = ConnectionCounter()

    async def scenario() -> None:
        async with client_for(server, trace=counter) as client:
            if warm:
                await get_document(client, server, "/100")
            await tasks.gather(*(get_document(client, server, "/1k") for _ in range(requests)))

    arun(scenario())
    assert 1 <= counter.count <= most


def test_fetch_many_from_nothing_opens_one_connection(fleet: Fleet, arun: Any) -> None:
    server = fleet.get("nghttpd")
    counter = ConnectionCounter()

    async def scenario() -> None:
        async with client_for(server, trace=counter) as client:
            async for response in client.fetch_many([server.url("/100")] * 500, concurrency=100):
                assert response.status_code == 200

    arun(scenario())
    assert counter.count == 1

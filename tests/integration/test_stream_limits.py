"""Servers that take few streams at a time: requests wait, and none is lost."""

from __future__ import annotations

from typing import Any

import pytest

import tasks
from integration.exchange import client_for, get_document
from servers import Fleet

pytestmark = pytest.mark.every_loop


@pytest.mark.parametrize("limit", [1, 2, 10, 100])
@pytest.mark.parametrize("known", [True, False])
def test_burst_above_the_stream_limit_waits_and_all_succeed(fleet: Fleet, arun: Any, limit: int, known: bool) -> None:
    """``known``: the limit has arrived before the burst; otherwise the burst is on its way before the SETTINGS."""

    async def scenario() -> None:
        async with client_for(server) as client:
            if known:
                await get_document(client, server, "/100")
            paths = ["/100", "/1k", "/64k", "/empty"] * 50
            await tasks.gather(*(get_document(client, server, path) for path in paths))

    with fleet.run("nghttpd", options=[f"--max-concurrent-streams={limit}"]) as server:
        arun(scenario())

"""What one turn of the event loop writes and reads, so that client, server and the client's own tasks overlap."""

import asyncio
from typing import Any

import pytest

from deuterium import AsyncClient
from deuterium._net import task_waiter
from deuterium._net.sizes import TURN_READS
from servers import Fleet, Server

COMPILED = not task_waiter.__file__.endswith(".py")


def client_for(server: Server) -> AsyncClient:
    return AsyncClient(verify=str(server.ca_file), timeout=30)


async def connected(client: AsyncClient, url: str) -> Any:
    """The one connection of a client that has sent one request."""
    await client.get(url)
    await asyncio.sleep(0.05)  # SETTINGS and windows have been answered
    sender: Any = client._sender
    (route,) = sender.pool.routes.values()
    (carrier,) = route.carriers
    return carrier


def test_lone_request_is_written_before_the_turn_ends(fleet: Fleet, arun: Any) -> None:
    async def scenario() -> None:
        server = fleet.get("nghttpd")
        async with client_for(server) as client:
            carrier = await connected(client, server.url("/1k"))
            writes = carrier.writer.writes
            task = asyncio.ensure_future(client.get(server.url("/1k")))
            await asyncio.sleep(0)  # its first step has run; what was scheduled for the end of the turn has not
            assert carrier.writer.writes == writes + 1
            assert (await task).status_code == 200

    arun(scenario())


def test_crowd_of_requests_is_written_in_a_few_portions(fleet: Fleet, arun: Any) -> None:
    async def scenario() -> None:
        server = fleet.get("nghttpd")
        async with client_for(server) as client:
            carrier = await connected(client, server.url("/1k"))
            writes = carrier.writer.writes
            tasks = [asyncio.ensure_future(client.get(server.url("/1k"))) for _ in range(100)]
            await asyncio.sleep(0)
            assert 3 <= carrier.writer.writes - writes <= 10
            assert all([(await task).status_code == 200 for task in tasks])

    arun(scenario())


def test_woken_tasks_run_before_more_small_responses_are_read(fleet: Fleet, arun: Any) -> None:
    async def scenario() -> None:
        server = fleet.get("nghttpd")
        async with client_for(server) as client:
            carrier = await connected(client, server.url("/1k"))
            extra = {"x-here": "1"}  # whose tasks wait for a Future
            tasks = [asyncio.ensure_future(client.get(server.url("/1k"), headers=extra)) for _ in range(2000)]
            turns = []
            while not all(task.done() for task in tasks):
                before = carrier.reads
                await asyncio.sleep(0)
                turns.append(carrier.reads - before)
            assert max(turns) <= 2 * TURN_READS  # a turn of uvloop may end one count and begin another
            assert all(task.result().status_code == 200 for task in tasks)

    arun(scenario())


@pytest.mark.skipif(not COMPILED, reason="interpreted, every task waits for a Future")
def test_tasks_of_plain_requests_run_within_the_read_that_answers_them(fleet: Fleet, arun: Any) -> None:
    async def scenario() -> None:
        server = fleet.get("nghttpd")
        async with client_for(server) as client:
            carrier = await connected(client, server.url("/1k"))
            read_at: list[int] = []

            async def fetch() -> None:
                assert (await client.get(server.url("/1k"))).status_code == 200
                read_at.append(carrier.reads)

            tasks = [asyncio.ensure_future(fetch()) for _ in range(90)]
            while not all(task.done() for task in tasks):
                await asyncio.sleep(0)
                finished = sum(task.done() for task in tasks)
                # Whatever was read by now has been answered to its tasks: none is left for the next turn.
                assert finished == len(read_at)
                assert carrier.engine.requests - carrier.engine.active() - 1 == finished
            assert len(set(read_at)) > 1

    arun(scenario())

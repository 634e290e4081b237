"""One AsyncClient in a forked child, and on more than one event loop."""

from __future__ import annotations

import asyncio
import importlib
import os
import threading
from collections.abc import Callable
from typing import Any

import pytest

from deuterium import AsyncClient
from integration.exchange import client_for, get_document
from servers import Fleet, Server

LoopFactory = Callable[[], asyncio.AbstractEventLoop]
CHILDREN = 3


def run_in_child(factory: LoopFactory, client: AsyncClient, server: Server) -> int:
    """Fork; the child uses the client on a loop of its own. Its exit code: 0 when all went well."""
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        async def scenario() -> None:
            assert client.stats().connections == ()
            await asyncio.gather(*(get_document(client, server, "/64k") for _ in range(10)))
            assert len(client.stats().connections) == 1
            await client.aclose()

        with asyncio.Runner(loop_factory=factory) as runner:
            runner.run(scenario())
        code = 0
    finally:
        os._exit(code)


async def ended(child: int) -> int:
    _, status = await asyncio.to_thread(os.waitpid, child, 0)
    return os.waitstatus_to_exitcode(status)


@pytest.mark.parametrize("tls", [True, False], ids=["https", "http"])
def test_forked_children_open_their_own_connections_and_the_parents_go_on(
    fleet: Fleet, loop_factory: LoopFactory, tls: bool
) -> None:
    server = fleet.get("nginx", tls=tls)
    children: list[int] = []

    async def scenario() -> None:
        async with client_for(server) as client:
            await get_document(client, server, "/1k")
            async with client.stream("GET", server.url("/10m")) as stalled:
                pieces = stalled.aiter_raw()
                taken = len(await anext(pieces))  # a request is under way while the children come and go
                for _ in range(CHILDREN):
                    child = run_in_child(loop_factory, client, server)
                    assert await ended(child) == 0
                    await get_document(client, server, "/64k")
                async for piece in pieces:
                    taken += len(piece)
                assert taken == 10 * 1024 * 1024
            (connection,) = client.stats().connections
            assert connection.requests == 2 + CHILDREN  # all of the parent's on its one connection

    with asyncio.Runner(loop_factory=loop_factory) as runner:
        runner.run(scenario())
    assert not children


def test_child_that_closes_the_client_at_once_leaves_the_parents_connection_alone(
    fleet: Fleet, loop_factory: LoopFactory
) -> None:
    server = fleet.get("nginx")

    async def scenario() -> None:
        async with client_for(server) as client:
            await get_document(client, server, "/1k")
            waiting = asyncio.ensure_future(get_document(client, server, "/10m"))
            await asyncio.sleep(0)
            child = os.fork()
            if not child:
                code = 1
                try:
                    asyncio.run(client.aclose())
                    waiting.cancel()
                    code = 0
                finally:
                    os._exit(code)
            assert await ended(child) == 0
            await waiting
            (connection,) = client.stats().connections
            assert connection.requests == 2

    with asyncio.Runner(loop_factory=loop_factory) as runner:
        runner.run(scenario())


@pytest.mark.parametrize("second", ["asyncio", "uvloop"])
def test_client_goes_on_with_new_connections_when_its_loop_is_closed(
    fleet: Fleet, loop_factory: LoopFactory, second: str
) -> None:
    server = fleet.get("nginx")
    client = client_for(server)

    async def some() -> None:
        await asyncio.gather(*(get_document(client, server, "/1k") for _ in range(10)))
        assert len(client.stats().connections) == 1

    async def rest() -> None:
        await some()
        assert [each.status_code async for each in client.fetch_many([server.url("/100")] * 5)] == [200] * 5
        await client.aclose()

    descriptors = len(os.listdir("/proc/self/fd"))
    with asyncio.Runner(loop_factory=loop_factory) as runner:
        runner.run(some())
    with asyncio.Runner(loop_factory=importlib.import_module(second).new_event_loop) as runner:
        runner.run(rest())
    assert len(os.listdir("/proc/self/fd")) <= descriptors + 2  # uvloop keeps some of its own


@pytest.mark.parametrize("verb", ["get", "stream", "fetch_many", "warm_up", "aclose"])
def test_client_used_from_a_second_loop_raises_at_once_with_the_remedy(
    fleet: Fleet, loop_factory: LoopFactory, verb: str
) -> None:
    server = fleet.get("nginx")
    client = client_for(server)
    raised: list[BaseException] = []

    async def use() -> None:
        if verb == "get":
            await client.get(server.url("/100"))
        elif verb == "stream":
            async with client.stream("GET", server.url("/100")) as response:
                await response.aread()
        elif verb == "fetch_many":
            async for _ in client.fetch_many([server.url("/100")]):
                pass
        elif verb == "warm_up":
            await client.warm_up(server.base_url)
        else:
            await client.aclose()

    def elsewhere() -> None:
        try:
            with asyncio.Runner(loop_factory=loop_factory) as runner:
                runner.run(use())
        except RuntimeError as error:
            raised.append(error)

    async def scenario() -> None:
        await get_document(client, server, "/1k")
        thread = threading.Thread(target=elsewhere)
        thread.start()
        await asyncio.to_thread(thread.join)
        await get_document(client, server, "/1k")  # its own loop's use of it is unharmed
        await client.aclose()

    with asyncio.Runner(loop_factory=loop_factory) as runner:
        runner.run(scenario())
    (error,) = raised
    assert "one client for each loop" in str(error)


def test_child_with_a_client_whose_loop_was_closed_touches_no_descriptor(
    fleet: Fleet, loop_factory: LoopFactory
) -> None:
    """Descriptors of a closed loop are closed, and their numbers may be other files by the time of the fork."""
    server = fleet.get("nginx")
    client: Any = client_for(server)
    with asyncio.Runner(loop_factory=loop_factory) as runner:
        runner.run(get_document(client, server, "/1k"))
    files = [os.open(__file__, os.O_RDONLY) for _ in range(20)]
    child = os.fork()
    if not child:
        code = 1
        try:
            code = 0 if all(os.read(file, 3) == b'"""' for file in files) else 2
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    for file in files:
        os.close(file)

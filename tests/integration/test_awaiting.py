"""What ``client.get(url)`` returns, as a coroutine: awaited once, by one task, and given up like any other."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Coroutine
from typing import Any

import pytest

from deuterium import AsyncClient, InvalidURL, Response
from deuterium.testing import PeerRequest, ScriptedPeer
from servers import Fleet, Server


def client_for(server: Server) -> AsyncClient:
    return AsyncClient(verify=str(server.ca_file), timeout=30)


async def opened(server: Server) -> AsyncClient:
    """A client that has sent a request: the first of each goes a longer way."""
    client = client_for(server)
    await client.get(server.url("/1k"))
    return client


async def asking(client: AsyncClient, url: str) -> None:
    await client.get(url)


def under_way(client: AsyncClient) -> int:
    sender: Any = client._sender
    return sum(carrier.engine.active() for route in sender.pool.routes.values() for carrier in route.carriers)


@pytest.fixture
def server(fleet: Fleet) -> Server:
    return fleet.get("nghttpd")


def test_it_is_a_coroutine_and_no_future(server: Server, arun: Any) -> None:
    async def scenario() -> None:
        async with await opened(server) as client:
            fetching = client.get(server.url("/1k"))
            assert isinstance(fetching, Coroutine)
            assert asyncio.iscoroutine(fetching)
            assert not asyncio.isfuture(fetching)
            assert (await fetching).status_code == 200
            assert not asyncio.isfuture(fetching)

    arun(scenario())


def test_nothing_is_sent_before_it_is_awaited(server: Server, arun: Any) -> None:
    async def scenario() -> None:
        async with await opened(server) as client:
            fetching = client.get("https://[bad/")
            never = client.get(server.url("/1k"))
            await asyncio.sleep(0.02)
            assert under_way(client) == 0
            assert client.stats().connections[0].requests == 1
            never.close()
            with pytest.raises(InvalidURL):
                await fetching

    arun(scenario())


def test_every_way_asyncio_has_of_waiting_for_a_coroutine(server: Server, arun: Any) -> None:
    async def scenario() -> None:
        url = server.url("/1k")
        async with await opened(server) as client:
            found: list[Response] = [
                await client.get(url),
                await asyncio.create_task(client.get(url)),
                await asyncio.ensure_future(client.get(url)),
                await asyncio.wait_for(client.get(url), 10),
                await asyncio.shield(client.get(url)),
                *await asyncio.gather(client.get(url), client.get(url), client.head(url)),
            ]
            for next_one in asyncio.as_completed([client.get(url), client.get(url)]):
                found.append(await next_one)
            done, pending = await asyncio.wait([asyncio.create_task(client.get(url)) for _ in range(3)])
            found.extend(task.result() for task in done)
            assert not pending
            assert [response.status_code for response in found] == [200] * len(found)
            assert {len(response.content) for response in found} == {0, 1024}

    arun(scenario())


def test_coroutine_function_run_by_the_loop_itself(server: Server, loop_factory: Any) -> None:
    client = client_for(server)
    url = server.url("/1k")
    with asyncio.Runner(loop_factory=loop_factory) as runner:
        for _ in range(3):
            assert runner.run(client.get(url)).status_code == 200
        runner.run(client.aclose())


def test_request_that_cannot_be_sent_is_over_and_no_future_either(server: Server, arun: Any) -> None:
    async def scenario() -> None:
        async with await opened(server) as client:
            fetching = client.get("https://[bad/")
            with pytest.raises(InvalidURL):
                await fetching
            assert not asyncio.isfuture(fetching)
            with pytest.raises(RuntimeError, match="already awaited"):
                await fetching

    arun(scenario())


def test_awaited_again_it_raises(server: Server, arun: Any) -> None:
    async def scenario() -> None:
        async with await opened(server) as client:
            fetching = client.get(server.url("/1k"))
            await fetching
            with pytest.raises(RuntimeError, match="already awaited"):
                await fetching

    arun(scenario())


def test_two_tasks_cannot_await_one_and_the_first_is_served(server: Server, arun: Any) -> None:
    async def scenario() -> None:
        async def wait_for(fetching: Any) -> int:
            response = await fetching
            return int(response.status_code)

        async with await opened(server) as client:
            fetching = client.get(server.url("/1k"))
            tasks = [asyncio.ensure_future(wait_for(fetching)) for _ in range(2)]
            first, second = await asyncio.gather(*tasks, return_exceptions=True)
            assert first == 200
            assert isinstance(second, RuntimeError)

    arun(scenario())


def test_cancelled_task_gives_its_request_up(server: Server, arun: Any) -> None:
    async def scenario() -> None:
        async with await opened(server) as client:
            for _ in range(50):
                task = asyncio.ensure_future(client.get(server.url("/1k")))
                await asyncio.sleep(0)
                assert under_way(client) == 1
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
                assert under_way(client) == 0
            assert (await client.get(server.url("/1k"))).status_code == 200

    arun(scenario())


def test_task_cancelled_before_its_first_step_sends_nothing(server: Server, arun: Any) -> None:
    async def scenario() -> None:
        async with await opened(server) as client:
            task = asyncio.ensure_future(client.get(server.url("/1k")))
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert client.stats().connections[0].requests == 1

    arun(scenario())


def test_closed_by_the_coroutine_that_awaits_it(server: Server, arun: Any) -> None:
    async def scenario() -> None:
        async with await opened(server) as client:
            coroutine = asking(client, server.url("/1k"))
            coroutine.send(None)
            assert under_way(client) == 1
            coroutine.close()
            assert under_way(client) == 0

    arun(scenario())


def test_exception_thrown_where_it_waits_arrives_as_it_is(server: Server, arun: Any) -> None:
    async def scenario() -> None:
        async with await opened(server) as client:
            coroutine = asking(client, server.url("/1k"))
            coroutine.send(None)
            with pytest.raises(KeyError, match="why"):
                coroutine.throw(KeyError("why"))
            assert under_way(client) == 0
            fetching: Any = client.get(server.url("/1k"))
            with pytest.raises(ZeroDivisionError):
                fetching.throw(ZeroDivisionError)
            with pytest.raises(RuntimeError, match="already awaited"):
                await fetching

    arun(scenario())


def test_response_that_is_not_the_last_word_is_followed(arun: Any) -> None:
    async def answer(request: PeerRequest) -> None:
        if request.target == "/never":
            await asyncio.sleep(60)
        where = {"/go": "/on", "/on": "/there", "/away": "/never"}.get(request.target)
        headers = [("location", where)] if where else None
        request.respond(302 if where else 200, headers=headers, content=request.target.encode())

    async def scenario() -> None:
        async with ScriptedPeer(answer) as peer, AsyncClient(http1=False, follow_redirects=True) as client:
            await client.get(peer.url("/"))
            response = await client.get(peer.url("/go"))
            assert [each.status_code for each in response.history] == [302, 302]
            assert response.content == b"/there"
            task = asyncio.ensure_future(client.get(peer.url("/away")))
            while client.stats().connections[0].requests < 6:
                await asyncio.sleep(0.001)
            task.cancel("enough")
            with pytest.raises(asyncio.CancelledError, match="enough"):
                await task
            assert under_way(client) == 0

            coroutine = asking(client, peer.url("/away"))
            waited_for = coroutine.send(None)
            while not waited_for.done():
                await asyncio.sleep(0.001)
            coroutine.send(None)  # it has gone on
            assert under_way(client) == 1
            coroutine.close()
            assert under_way(client) == 0

    arun(scenario())


def test_whoever_awaits_it_is_not_kept(server: Server, arun: Any) -> None:
    class Caller:
        fetching: Any = None

    async def scenario() -> None:
        async with await opened(server) as client:

            async def ask(caller: Caller) -> None:
                caller.fetching = client.get(server.url("/1k"))
                await caller.fetching

            gone = []
            for _ in range(10):
                caller = Caller()
                gone.append(weakref.ref(caller))
                await asyncio.ensure_future(ask(caller))
                del caller
            gc.collect()
            assert [ref() for ref in gone] == [None] * 10

    arun(scenario())

"""How the iterator over streamed content behaves: when a view ends, who may wait, and what leaving it does."""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

import tasks
from deuterium import AsyncClient, StreamConsumed
from servers import Fleet, Server, content

pytestmark = pytest.mark.every_loop


def client_for(server: Server) -> AsyncClient:
    return AsyncClient(verify=str(server.ca_file), timeout=30)


def is_over(response: Any) -> bool:
    """The exchange of the response has ended."""
    return bool(response._exchange.finished_at)


@asynccontextmanager
async def between_pieces(fleet: Fleet) -> AsyncIterator[tuple[Any, Any]]:
    """A streamed response and its views, the next of which comes a tenth of a second later."""
    server = fleet.get("hypercorn")
    url = server.url("/stream/50/1000/100")
    async with client_for(server) as client, client.stream("GET", url) as response:
        views: Any = response.aiter_buffers()
        for _ in range(2):
            await views.__anext__()
        yield response, views


async def pieces(response: Any, verb: str) -> bytes:
    return b"".join([bytes(piece) async for piece in getattr(response, verb)()])


@pytest.mark.parametrize("verb", ["aiter_buffers", "aiter_raw", "aiter_bytes"])
@pytest.mark.parametrize("path", ["/empty", "/1k", "/64k", "/1m"])
def test_pieces_are_the_content(fleet: Fleet, arun: Any, verb: str, path: str) -> None:
    async def scenario() -> None:
        server = fleet.get("nghttpd")
        async with client_for(server) as client, client.stream("GET", server.url(path)) as response:
            assert await pieces(response, verb) == content.body(path)
            with pytest.raises(StreamConsumed):
                await pieces(response, verb)

    arun(scenario())


def test_view_ends_when_the_next_is_asked_for(fleet: Fleet, arun: Any) -> None:
    async def scenario() -> None:
        server = fleet.get("nghttpd")
        async with client_for(server) as client, client.stream("GET", server.url("/1m")) as response:
            views = response.aiter_buffers()
            first = await views.__anext__()
            assert first.readonly
            kept = first[:100]
            assert bytes(kept) == content.body("/1m")[:100]
            async for _ in views:
                pass
            assert bytes(kept) == content.body("/1m")[:100]
            with pytest.raises(ValueError, match="released"):
                bytes(first)
            with pytest.raises(StopAsyncIteration):
                await views.__anext__()

    arun(scenario())


def test_view_outlives_the_loop_that_was_left(fleet: Fleet, arun: Any) -> None:
    async def scenario() -> None:
        server = fleet.get("nghttpd")
        async with client_for(server) as client, client.stream("GET", server.url("/10m")) as response:
            async for view in response.aiter_buffers():  # noqa: B007
                break
            gc.collect()
            assert bytes(view) == content.body("/10m")[: len(view)]

    arun(scenario())


@pytest.mark.parametrize("how", ["dropped", "closed"])
@pytest.mark.parametrize("verb", ["aiter_buffers", "aiter_raw"])
def test_iterator_that_is_left_ends_the_stream(fleet: Fleet, arun: Any, how: str, verb: str) -> None:
    async def scenario() -> None:
        server = fleet.get("nghttpd")
        async with client_for(server) as client:
            response = await client.send(client.build_request("GET", server.url("/10m")), stream=True)
            iterator = getattr(response, verb)()
            assert await iterator.__anext__()
            assert not is_over(response)
            if how == "closed":
                await iterator.aclose()
            del iterator
            async with tasks.timeout(10):
                while not is_over(response):
                    await tasks.sleep(0.001)
            assert response._exchange.received < 10 * 1024 * 1024
            assert (await client.get(server.url("/1k"))).content == content.body("/1k")

    arun(scenario())


def test_two_tasks_cannot_wait_for_the_same_piece(fleet: Fleet, arun: Any) -> None:
    async def scenario() -> None:
        async with between_pieces(fleet) as (_, views):

            async def next_view() -> Any:
                return await views.__anext__()

            first, second = tasks.start(next_view()), tasks.start(next_view())
            outcomes = await tasks.gather(first, second, return_exceptions=True)
            assert {type(outcome) for outcome in outcomes} == {memoryview, RuntimeError}

    arun(scenario())


def test_wait_for_a_piece_that_is_cancelled_ends_the_stream(fleet: Fleet, arun: Any) -> None:
    async def scenario() -> None:
        async with between_pieces(fleet) as (response, views):

            async def read_on() -> None:
                async for _ in views:
                    pass

            waiting = tasks.start(read_on())
            await tasks.sleep(0.01)
            waiting.cancel()
            with pytest.raises(tasks.CancelledError):
                await waiting
            assert is_over(response)
            with pytest.raises(StopAsyncIteration):
                await views.__anext__()

    arun(scenario())

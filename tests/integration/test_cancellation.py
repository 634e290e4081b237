"""Requests given up at any moment, on real servers: nothing leaks into the requests that follow."""

from __future__ import annotations

import random
from typing import Any

import pytest

import tasks
from deuterium import Limits
from integration.exchange import client_for, get_document
from servers import Server

pytestmark = pytest.mark.every_loop

# Apache's mod_http2 ends the connection when a stream is reset between its making a response and sending it, as
# "proto error -> shutdown" in its log says. What was under way on that connection is lost.
CUTS_CONNECTION_ON_RESET = ("apache",)

# haproxy 2.6 at times forgets streams when others of the connection are reset while content waits to be sent: its
# sockets to the back end hold unread octets, the client's is empty, all windows are open. A PING wakes it.
FORGETS_STREAMS_ON_RESET = ("haproxy",)


async def fifty_of_fifty(client: Any, server: Server) -> None:
    async with tasks.timeout(20):
        await tasks.gather(*(get_document(client, server, "/64k") for _ in range(50)))


def test_cancel_in_the_middle_of_content_then_fifty_of_fifty(server: Server, arun: Any) -> None:
    async def first_chunk_only(client: Any) -> None:
        async with client.stream("GET", server.url("/10m")) as response:
            async for chunk in response.aiter_bytes():
                assert chunk
                await tasks.sleep(3600)

    async def scenario() -> None:
        async with client_for(server) as client:
            running = [tasks.start(first_chunk_only(client)) for _ in range(20)]
            await tasks.sleep(0.2)
            for task in running:
                task.cancel()
            results = await tasks.gather(*running, return_exceptions=True)
            assert [type(result) for result in results] == [tasks.CancelledError] * 20
            await fifty_of_fifty(client, server)

    arun(scenario())


def test_leave_stream_early_without_cancel_then_fifty_of_fifty(server: Server, arun: Any) -> None:
    async def scenario() -> None:
        async with client_for(server) as client:
            for _ in range(20):
                async with client.stream("GET", server.url("/10m")) as response:
                    async for _ in response.aiter_bytes():
                        break
            await fifty_of_fifty(client, server)

    arun(scenario())


def test_cancel_at_random_moments_then_fifty_of_fifty(server: Server, arun: Any) -> None:
    moments = random.Random(9113)

    async def scenario() -> None:
        ping_after_s = 0.5 if server.name in FORGETS_STREAMS_ON_RESET else None
        async with client_for(server, limits=Limits(ping_after_s=ping_after_s)) as client:
            for _ in range(10):
                paths = moments.choices(["/100", "/64k", "/1m"], k=30)
                running = [tasks.start(get_document(client, server, path)) for path in paths]
                await tasks.sleep(moments.uniform(0, 0.01))
                for task in moments.sample(running, 20):
                    task.cancel()
                results = await tasks.gather(*running, return_exceptions=True)
                failed = [result for result in results if isinstance(result, Exception)]
                assert failed == [] or server.name in CUTS_CONNECTION_ON_RESET
            await fifty_of_fifty(client, server)

    arun(scenario())


def test_cancel_before_the_response_then_fifty_of_fifty(app_server: Server, arun: Any) -> None:
    async def scenario() -> None:
        async with client_for(app_server) as client:
            running = [tasks.start(client.get(app_server.url("/slow/60"))) for _ in range(20)]
            await tasks.sleep(0.2)
            for task in running:
                task.cancel()
            await tasks.gather(*running, return_exceptions=True)
            await fifty_of_fifty(client, app_server)

    arun(scenario())


def test_cancel_during_an_upload_then_fifty_of_fifty(app_server: Server, arun: Any) -> None:
    async def endless() -> Any:
        while True:
            yield b"x" * 10_000
            await tasks.sleep(0.001)

    async def scenario() -> None:
        async with client_for(app_server) as client:
            for _ in range(5):
                with pytest.raises(TimeoutError):
                    async with tasks.timeout(0.1):
                        await client.post(app_server.url("/digest"), content=endless())
            await fifty_of_fifty(client, app_server)

    arun(scenario())

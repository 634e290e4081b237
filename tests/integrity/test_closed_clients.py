"""A closed client is gone at once: no cycle keeps its memory until the collector comes."""

from __future__ import annotations

import asyncio
import gc
import json
import subprocess
import sys
import weakref
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from deuterium import AsyncClient, Client
from servers import Fleet

VERSIONS = pytest.mark.parametrize("version", ["http1", "http2"])


def options(fleet: Fleet, version: str) -> tuple[str, dict[str, Any]]:
    server = fleet.get("nginx")
    other = "http2" if version == "http1" else "http1"
    return server.url("/64k"), {"verify": str(server.ca_file), other: False}


@pytest.fixture
def without_collector() -> Any:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@VERSIONS
@pytest.mark.usefixtures("without_collector")
def test_closed_async_client_frees_pools_and_connections_at_once(
    fleet: Fleet, version: str, arun: Callable[[Coroutine[Any, Any, Any]], Any]
) -> None:
    url, given = options(fleet, version)

    async def use() -> list[Any]:
        async with AsyncClient(**given) as client:
            assert len((await client.get(url)).content) == 65536
            async with client.stream("GET", url) as response:
                async for _ in response.aiter_buffers():
                    pass
            (route,) = client._sender.pool.routes.values()
            return [weakref.ref(client.workshop), weakref.ref(route.carriers[0].tls.object)]

    async def run() -> None:
        held = await use()
        await asyncio.sleep(0.05)
        assert [each() for each in held] == [None, None]

    arun(run())


@VERSIONS
@pytest.mark.usefixtures("without_collector")
def test_closed_client_frees_pools_and_connections_at_once(fleet: Fleet, version: str) -> None:
    url, given = options(fleet, version)

    def use() -> list[Any]:
        with Client(**given) as client:
            assert len(client.get(url).content) == 65536
            with client.stream("GET", url) as response:
                for _ in response.iter_buffers():
                    pass
            (route,) = client._sender.pool.routes.values()
            return [weakref.ref(client.workshop), weakref.ref(route.carriers[0].tls.object)]

    assert [each() for each in use()] == [None, None]


# In a process of its own: what Python says of tasks that are destroyed makes pytest keep them.
LEAVE = """
import asyncio, gc, json, logging, os, sys, weakref
from deuterium import AsyncClient

url, given, loops = sys.argv[1], json.loads(sys.argv[2]), sys.argv[3]
if loops == "uvloop":
    from uvloop import new_event_loop
else:
    from asyncio import new_event_loop
logging.disable()
sys.unraisablehook = lambda unraisable: None


async def leave():
    client = AsyncClient(**given)
    await client.get(url)
    tasks = [asyncio.ensure_future(client.get(url)) for _ in range(20)]
    await asyncio.sleep(0)  # they are sent, or wait for a connection
    assert not any(task.done() for task in tasks)
    (route,) = client._sender.pool.routes.values()
    return [weakref.ref(client), weakref.ref(route.carriers[0].tls.object), weakref.ref(tasks[0])]


held = []
for _ in range(5):
    loop = new_event_loop()
    held += loop.run_until_complete(leave())
    loop.close()
del loop
assert any(each() is not None for each in held)
for _ in range(3):
    gc.collect()
print([each() for each in held if each() is not None])
"""


@pytest.mark.parametrize("loops", ["asyncio", "uvloop"])
@VERSIONS
def test_client_left_on_a_closed_loop_amid_requests_is_collected(fleet: Fleet, version: str, loops: str) -> None:
    url, given = options(fleet, version)
    run = [sys.executable, "-W", "ignore", "-c", LEAVE, url, json.dumps(given), loops]
    assert subprocess.run(run, check=True, capture_output=True, text=True).stdout == "[]\n"


def test_response_that_leads_to_itself_is_collected(
    fleet: Fleet, arun: Callable[[Coroutine[Any, Any, Any]], Any]
) -> None:
    url, given = options(fleet, "http2")

    class Keeping(AsyncClient):
        last: Any = None

    async def use() -> weakref.ref[Any]:
        async with Keeping(**given) as client:
            client.last = await client.get(url)
            client.last.request.extensions = {"answer": client.last}
            return weakref.ref(client)

    async def run() -> None:
        held = await use()
        gc.collect()
        assert held() is None

    arun(run())

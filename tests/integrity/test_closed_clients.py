"""A closed client is gone at once: no cycle keeps its memory until the collector comes."""

from __future__ import annotations

import asyncio
import gc
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

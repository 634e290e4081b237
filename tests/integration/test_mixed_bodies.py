"""Many at once on one client, 100 octets beside 10 MB: everybody gets their own content, held by its hash."""

from __future__ import annotations

import asyncio
import hashlib
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from deuterium import AsyncClient, Client
from servers import Fleet, Server
from servers.content import sha256

LoopFactory = Callable[[], asyncio.AbstractEventLoop]
LARGE = "/10m"
SMALL = "/100"
TASKS = 240
THREADS = 64
LINES = [
    ("nghttpd-http", "h2"),
    ("nghttpd-https", "h2"),
    ("nginx-https", "h2"),
    ("caddy-https", "h1"),
    ("caddy-http", "h1"),
]


@pytest.fixture(params=LINES, ids="-".join)
def options(request: pytest.FixtureRequest, fleet: Fleet) -> Iterator[dict[str, Any]]:
    """What a client is made of that speaks one version to one server, with or without TLS."""
    name, version = request.param
    program, scheme = name.split("-")
    server: Server = fleet.get(program, tls=scheme == "https")
    chosen = {"http1": False} if version == "h2" else {"http2": False}
    yield {"verify": str(server.ca_file), "base_url": server.base_url, "timeout": 60, **chosen}


@pytest.fixture(scope="module")
def wanted() -> dict[str, str]:
    return {path: sha256(path) for path in (SMALL, LARGE)}


def path_of(number: int, turn: int, share: int) -> str:
    """One in ``share`` requests is for the large document."""
    return LARGE if (number + turn) % share == 0 else SMALL


def check_idle(client: Any) -> None:
    """Nothing is open, and every buffer is back."""
    for route in client._sender.pool.routes.values():
        for carrier in route.carriers:
            assert (carrier.engine.active(), carrier.tally.outstanding) == (0, 0)
    assert client.workshop.buffers.stats().outstanding == 0


def test_threads_with_mixed_bodies_get_their_own_content(options: dict[str, Any], wanted: dict[str, str]) -> None:
    """64 threads; whole, as bytes and as buffers."""
    errors: list[BaseException] = []

    def run(number: int) -> None:
        try:
            for turn in range(6):
                path = path_of(number, turn, 12)
                digest = hashlib.sha256()
                if turn % 3 == 0:
                    digest.update(client.get(path).content)
                else:
                    with client.stream("GET", path) as response:
                        for piece in response.iter_bytes() if turn % 3 == 1 else response.iter_buffers():
                            digest.update(piece)
                assert digest.hexdigest() == wanted[path]
        except BaseException as error:
            errors.append(error)

    with Client(**options) as client:
        threads = [threading.Thread(target=run, args=(number,), daemon=True) for number in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert not any(thread.is_alive() for thread in threads)
        assert not errors, errors[0]
        check_idle(client)


def test_tasks_with_mixed_bodies_get_their_own_content(
    options: dict[str, Any], wanted: dict[str, str], loop_factory: LoopFactory
) -> None:
    """240 tasks; whole, as bytes and as buffers."""

    async def work(client: AsyncClient, number: int) -> None:
        for turn in range(3):
            path = path_of(number, turn, 24)
            digest = hashlib.sha256()
            if turn == 0:
                digest.update((await client.get(path)).content)
            else:
                async with client.stream("GET", path) as response:
                    async for piece in response.aiter_bytes() if turn == 1 else response.aiter_buffers():
                        digest.update(piece)
            assert digest.hexdigest() == wanted[path]

    async def scenario() -> None:
        async with AsyncClient(**options) as client:
            await asyncio.gather(*(work(client, number) for number in range(TASKS)))
            check_idle(client)

    with asyncio.Runner(loop_factory=loop_factory) as runner:
        runner.run(scenario())

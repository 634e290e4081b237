"""Bodies in frames of every size, buffers that come back late, a pool too small, the collector at random.

``DEUTERIUM_CHAOS_SEED`` chooses the seed, ``DEUTERIUM_CHAOS_REQUESTS`` how long it goes on. The memory that comes back
to the pool is overwritten, so that whoever reads it too late reads nonsense.
"""

from __future__ import annotations

import gc
import os
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any

import pytest

import tasks
from deuterium import AsyncClient, Client, Limits, Response
from deuterium._memory.buffer_pool import BufferPool
from servers import Workspace

from .chaos_server import ChaosServer
from .content import content_of, target

pytestmark = pytest.mark.every_loop

SEED = int(os.environ.get("DEUTERIUM_CHAOS_SEED", "20"))
REQUESTS = int(os.environ.get("DEUTERIUM_CHAOS_REQUESTS", "160"))
WORKERS = 8
SIZES = (0, 1, 100, 4096, 16384, 16385, 70_000, 300_000)
VERSIONS: dict[str, dict[str, Any]] = {"h2": {"http1": False}, "h1": {"http2": False}}


@dataclass
class Held:
    """Slices of lent memory that are kept for a while, with what they must still hold when they are let go."""

    views: list[tuple[memoryview, bytes]] = field(default_factory=list)

    def keep(self, view: memoryview) -> None:
        self.views.append((view[:], bytes(view)))

    def let_go(self, count: int) -> None:
        for view, octets in self.views[:count]:
            assert view == octets
            view.release()
        del self.views[:count]


class Order:
    """What one worker does next, from its own seed."""

    def __init__(self, number: int) -> None:
        self.chance = Random(SEED * 1000 + number)
        self.held = Held()
        self.number = number
        self.count = 0

    def next(self) -> tuple[str, str, int, bytes]:
        """Method, name, size wanted, content brought."""
        self.count += 1
        chance = self.chance
        name = f"w{self.number}n{self.count}"
        size = chance.choice((*SIZES, chance.randint(0, 100_000)))
        method = chance.choice(("GET", "GET", "POST"))
        upload = 0 if method == "GET" else chance.choice((1, 1000, 50_000))
        if chance.random() < 0.1:
            gc.collect()
        return method, name, size, content_of(name + "/up", upload)

    def takes(self, piece: Any) -> bytes:
        """One piece of a body, kept for later or not."""
        if isinstance(piece, memoryview) and self.chance.random() < 0.5:
            self.held.keep(piece)
        if self.chance.random() < 0.3:
            self.held.let_go(self.chance.randint(0, 4))
        return bytes(piece)


def check(response: Response, content: bytes, name: str, size: int) -> None:
    assert response.status_code == 200
    assert response.headers["x-name"] == name
    assert content == content_of(name, size), f"{name}: {len(content)} octets of {size}"


def options_for(server: ChaosServer, workspace: Workspace) -> dict[str, Any]:
    return VERSIONS[server.version] | {
        "verify": str(workspace.ca_file),
        "timeout": 20.0,
        "limits": Limits(max_connections_per_host=6, max_http2_connections_per_host=2),
    }


def shrink(client: Any) -> None:
    """Few buffers, so that each is soon used again."""
    client.workshop.buffers = BufferPool(bounds=(1, 2, 2, 1), poison=True)


async def fetch(client: AsyncClient, server: ChaosServer, order: Order) -> None:
    method, name, size, content = order.next()
    url = server.base_url + target(name, size, len(content))
    how = order.chance.choice(("whole", "aiter_bytes", "aiter_raw", "aiter_buffers", "aiter_buffers", "leave"))
    if how == "whole":
        response = await client.request(method, url, content=content or None)
        check(response, response.content, name, size)
        return
    async with client.stream(method, url, content=content or None) as response:
        received = bytearray()
        async for piece in getattr(response, "aiter_buffers" if how == "leave" else how)():
            received += order.takes(piece)
            if how == "leave":
                return
            if order.chance.random() < 0.1:
                await tasks.sleep(order.chance.uniform(0, 0.003))
        check(response, bytes(received), name, size)


def fetch_in_thread(client: Client, server: ChaosServer, order: Order) -> None:
    method, name, size, content = order.next()
    url = server.base_url + target(name, size, len(content))
    how = order.chance.choice(("whole", "iter_bytes", "iter_raw", "iter_buffers", "iter_buffers", "leave"))
    if how == "whole":
        response = client.request(method, url, content=content or None)
        check(response, response.content, name, size)
        return
    with client.stream(method, url, content=content or None) as response:
        received = bytearray()
        for piece in getattr(response, "iter_buffers" if how == "leave" else how)():
            received += order.takes(piece)
            if how == "leave":
                return
            if order.chance.random() < 0.1:
                time.sleep(order.chance.uniform(0, 0.003))
        check(response, bytes(received), name, size)


@pytest.fixture(params=[f"{version}-{scheme}" for version in VERSIONS for scheme in ("https", "http")])
def server(request: pytest.FixtureRequest, workspace: Workspace) -> Iterator[ChaosServer]:
    version, scheme = request.param.split("-")
    print(f"DEUTERIUM_CHAOS_SEED={SEED}")
    with ChaosServer(workspace, SEED, version, scheme == "https") as server:
        yield server
        assert not server.ledger.wrong_content
        assert not server.failures


def finish(client: Any, orders: list[Order]) -> None:
    for order in orders:
        order.held.let_go(len(order.held.views))
    stats = client.workshop.buffers.stats()
    assert stats.outstanding == 0
    assert stats.created == stats.free + stats.lingering + stats.dropped + stats.dropped_in_use
    assert stats.reused > 0
    assert client.workshop.streams.stats().outstanding == 0


def test_chaos_among_tasks_mixes_up_no_octet(server: ChaosServer, workspace: Workspace, arun: Any) -> None:
    orders = [Order(number) for number in range(WORKERS)]

    async def scenario() -> None:
        async with AsyncClient(**options_for(server, workspace)) as client:
            shrink(client)

            async def worker(order: Order) -> None:
                for _ in range(REQUESTS // WORKERS):
                    await fetch(client, server, order)

            async with tasks.timeout(100):
                await tasks.gather(*(worker(order) for order in orders))
        finish(client, orders)

    arun(scenario())


def test_chaos_among_threads_mixes_up_no_octet(server: ChaosServer, workspace: Workspace) -> None:
    orders = [Order(number) for number in range(WORKERS)]
    failures: list[BaseException] = []
    with Client(**options_for(server, workspace)) as client:
        shrink(client)

        def worker(order: Order) -> None:
            try:
                for _ in range(REQUESTS // WORKERS):
                    fetch_in_thread(client, server, order)
            except BaseException as error:
                failures.append(error)

        threads = [threading.Thread(target=worker, args=(order,), daemon=True) for order in orders]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(100)
        assert not any(thread.is_alive() for thread in threads)
    if failures:
        raise failures[0]
    finish(client, orders)

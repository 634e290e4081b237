"""Cancellation at every await point in turn: k = 1, 2, ... until the operation ends before the k-th.

At each point the Task is cancelled in three ways: as it begins to wait, one turn of the loop later, and at the moment
it would have gone on; under trio by a cancel scope, which goes on cancelling whatever the clean-up waits for.
Afterwards the next request works and nothing is left: no stream, no leased memory, no waiting request, no connection
beyond those of the pool, no descriptor.
"""

from __future__ import annotations

import asyncio
import gc
import os
import types
from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from typing import Any

import pytest
import trio

import tasks
from deuterium import AsyncClient
from deuterium._net.loops import running_loop
from servers import Fleet, Server
from servers.content import body

MOMENTS = ("at once", "one turn later", "as it goes on")
VERSIONS = {"h2": {"http1": False}, "h1": {"http2": False}}
MOST_POINTS = 400
SETTLE_S = 2.0
pytestmark = pytest.mark.every_loop
Operation = Callable[[AsyncClient, str], Awaitable[None]]


@types.coroutine
def cancelled_at(coroutine: Any, point: int, moment: str) -> Generator[Any, Any, bool]:
    """Run a coroutine up to its ``point``-th wait and cancel its Task there; whether it came so far."""
    task = asyncio.current_task()
    assert task is not None
    waits = 0
    error: BaseException | None = None
    value: Any = None
    while True:
        try:
            waited_for = coroutine.send(value) if error is None else coroutine.throw(error)
        except StopIteration:
            return waits >= point
        error, value = None, None
        waits += 1
        if waits == point and moment == "at once":
            task.cancel()
        elif waits == point and moment == "one turn later":
            task.get_loop().call_soon(task.cancel)
        try:
            value = yield waited_for
        except BaseException as caught:
            error = caught
        else:
            if waits == point and moment == "as it goes on":
                error = asyncio.CancelledError()


@types.coroutine
def scope_cancelled_at(coroutine: Any, point: int, moment: str) -> Generator[Any, Any, bool]:
    """The same by a cancel scope of trio's. "As it goes on" it is cancelled, and the next checkpoint tells."""
    scope = trio.CancelScope()
    waits = 0
    error: BaseException | None = None
    value: Any = None
    with scope:
        while True:
            try:
                waited_for = coroutine.send(value) if error is None else coroutine.throw(error)
            except StopIteration:
                return waits >= point
            error, value = None, None
            waits += 1
            if waits == point and moment == "at once":
                scope.cancel()
            elif waits == point and moment == "one turn later":
                running_loop().call_soon(scope.cancel)
            try:
                value = yield waited_for
            except BaseException as caught:
                error = caught
            if waits == point and moment == "as it goes on":
                scope.cancel()
    return True


async def whole(client: AsyncClient, base: str) -> None:
    response = await client.get(base + "/64k")
    assert response.content == body("/64k")


async def streamed(client: AsyncClient, base: str) -> None:
    """Its header section, then its content piece by piece."""
    async with client.stream("GET", base + "/1m") as response:
        received = 0
        async for view in response.aiter_buffers():
            received += len(view)
        assert received == 1 << 20


async def read_whole(client: AsyncClient, base: str) -> None:
    async with client.stream("GET", base + "/64k") as response:
        assert await response.aread() == body("/64k")


async def uploaded(client: AsyncClient, base: str) -> None:
    """Content from an iterator, which waits as well."""

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(4):
            yield bytes(20_000)
            await tasks.sleep(0)

    response = await client.post(base + "/echo", content=pieces())
    assert response.status_code in (200, 404)  # caddy has no echo


async def many(client: AsyncClient, base: str) -> None:
    iterator = client.fetch_many([base + "/1k"] * 6, concurrency=3)
    try:
        async for response in iterator:
            assert len(response.content) == 1024
    finally:
        await iterator.aclose()


async def connected(client: AsyncClient, base: str) -> None:
    await client.warm_up(base)


OPERATIONS: dict[str, Operation] = {
    "whole": whole,
    "streamed": streamed,
    "read_whole": read_whole,
    "uploaded": uploaded,
    "many": many,
    "connected": connected,
}


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def left_over(client: AsyncClient) -> str:
    """What a client at rest must not have; the empty string when there is nothing."""
    assert client._sender is not None
    pool = client._sender.pool
    workshop = client.workshop
    carriers = [carrier for route in pool.routes.values() for carrier in route.carriers]
    counts = {
        "buffers": workshop.buffers.stats().outstanding,
        "streams": workshop.streams.stats().outstanding,
        "exchanges": sum(carrier.engine.active() for carrier in carriers),
        "outstanding": sum(carrier.tally.outstanding for carrier in carriers),
        "waiting": sum(len(route.waiting) for route in pool.routes.values()),
        "dialing": sum(route.dialing for route in pool.routes.values()),
        "uncounted connections": pool.connections - len(carriers),
    }
    return ", ".join(f"{count} {what}" for what, count in counts.items() if count)


async def settled(check: Callable[[], Any]) -> Any:
    """``check()`` once it says nothing, or after some time."""
    for _ in range(int(SETTLE_S / 0.01)):
        if not check():
            break
        await tasks.sleep(0.01)
    return check()


async def one_point(server: Server, version: str, operation: Operation, point: int, moment: str) -> bool:
    """One client, one cancellation; whether the operation came so far."""
    async with AsyncClient(verify=server.ssl_context(), timeout=10.0, **VERSIONS[version]) as client:
        run = operation(client, server.base_url)
        task = tasks.start((scope_cancelled_at if tasks.on_trio() else cancelled_at)(run, point, moment))  # type: ignore[arg-type]
        try:
            reached = await task
        except asyncio.CancelledError:
            reached = True
        response = await client.get(server.url("/1k"))
        assert response.content == body("/1k"), (point, moment)
        left = await settled(lambda: left_over(client))
        assert not left, (point, moment, left)
    return reached


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("scheme", ["https", "http"])
@pytest.mark.parametrize("operation", OPERATIONS)
def test_cancellation_at_every_await_point_leaves_nothing(
    fleet: Fleet, arun: Any, caplog: pytest.LogCaptureFixture, version: str, scheme: str, operation: str
) -> None:
    server = fleet.get("caddy" if version == "h1" else "nghttpd", tls=scheme == "https")

    async def scenario() -> None:
        told: list[Any] = []
        if not tasks.on_trio():
            asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
        await one_point(server, version, OPERATIONS[operation], MOST_POINTS, "at once")  # a loop's own descriptors
        before = descriptors()
        points = 0
        for moment in MOMENTS:
            for point in range(1, MOST_POINTS):
                if not await one_point(server, version, OPERATIONS[operation], point, moment):
                    break
                points += 1
            else:
                pytest.fail(f"more than {MOST_POINTS} await points")
        assert points >= len(MOMENTS)
        assert not await settled(lambda: max(0, descriptors() - before))
        gc.collect()
        await tasks.sleep(0)
        assert not told and not caplog.records

    arun(scenario())

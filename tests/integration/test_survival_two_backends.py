"""Two back ends behind one name, of which one dies: requests go to the other; when both do, the breaker opens."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import monotonic
from typing import Any

import pytest

import tasks
from deuterium import AsyncClient, BreakerPolicy, CircuitOpen, ConnectError, RetryPolicy
from hostile.peer import Asked, Conversation, Peer

pytestmark = pytest.mark.every_loop("trio as a guest")

FIRST, SECOND = "127.0.0.1", "127.0.0.2"
WORKERS = 10
DEATHS = 6
AT_LEAST_S = 0.3  # of load between a death and what follows


class Slowly(Peer):
    """Takes a moment for each answer, so that every death meets requests under way."""

    def __init__(self, host: str) -> None:
        super().__init__(host)
        self.answered = 0

    def on_request(self, conversation: Conversation, asked: Asked) -> None:
        conversation.goes_on(self._answer(conversation, asked))

    async def _answer(self, conversation: Conversation, asked: Asked) -> None:
        await tasks.sleep(0.005)
        self.answered += 1
        conversation.answers(asked, asked.path.encode())


@asynccontextmanager
async def pair() -> AsyncIterator[tuple[Slowly, Slowly]]:
    """Two back ends on one port of two addresses."""
    async with Slowly(FIRST) as first:
        second = Slowly(SECOND)
        second.port = first.port
        async with second:
            yield first, second


async def both(name: str, port: int) -> list[str]:
    """The resolver's answer for every name."""
    return [FIRST, SECOND]


def test_back_ends_that_die_in_turn_fail_no_idempotent_request(arun: Any) -> None:
    async def scenario() -> None:
        over = tasks.Event()
        async with pair() as (first, second), AsyncClient(http1=False, resolver=both, timeout=10.0) as client:

            async def load(worker: int) -> None:
                count = 0
                while not over.is_set():
                    count += 1
                    path = f"/{worker}/{count}"
                    response = await client.get(first.url(path, "two.example"))
                    assert response.content == path.encode()

            workers = [tasks.start(load(number)) for number in range(WORKERS)]
            for turn in range(DEATHS):
                dies = (first, second)[turn % 2]
                await tasks.sleep(AT_LEAST_S)
                dies.kill()
                await tasks.sleep(AT_LEAST_S)
                await tasks.on_asyncio(dies.start())
            over.set()
            await tasks.gather(*workers)
            assert first.answered and second.answered

    arun(scenario())


def test_breaker_opens_when_both_are_dead_and_closes_after_the_probe(arun: Any) -> None:
    async def scenario() -> None:
        policy = BreakerPolicy(failures_in_a_row=3, open_s=0.5, probes=1)
        client = AsyncClient(http1=False, resolver=both, breaker=policy, retry=RetryPolicy(attempts=1))
        async with pair() as (first, second), client:
            url = first.url("/", "two.example")
            assert (await client.get(url)).status_code == 200
            (breaker,) = client.breakers.values()
            first.kill()
            second.kill()
            while first.alive or second.alive:
                await tasks.sleep(0.005)
            await tasks.sleep(0.05)  # the client is told of its connection's end
            for _ in range(3):
                assert breaker.state_at(monotonic()) == "closed"
                with pytest.raises(ConnectError):
                    await client.get(url)
            assert breaker.state_at(monotonic()) == "open"
            with pytest.raises(CircuitOpen):
                await client.get(url)
            await tasks.on_asyncio(second.start())
            with pytest.raises(CircuitOpen):
                await client.get(url)  # its time is not over, though the server is back
            await tasks.sleep(0.55)
            assert breaker.state_at(monotonic()) == "half-open"
            assert (await client.get(url)).status_code == 200
            assert breaker.state_at(monotonic()) == "closed"

    arun(scenario())

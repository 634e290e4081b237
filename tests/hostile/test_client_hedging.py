"""Hedging: a copy of a slow idempotent request goes out, the first answer wins, the loser is reset."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from time import monotonic
from typing import Any

import pytest

import tasks
from deuterium import AsyncClient, Client, RetryPolicy, StreamReset, Timeout, TotalTimeout
from hostile.peer import Asked, Conversation, Peer
from rfc import wire

pytestmark = pytest.mark.every_loop("trio as a guest")

DELAY_S = 0.1


class Stalls(Peer):
    """Answers from the request of that number on; those before it never, or with a refusal to work."""

    def __init__(self, answers_from: int, internal_errors: bool = False) -> None:
        super().__init__()
        self.answers_from = answers_from
        self.internal_errors = internal_errors
        self.asked = 0
        self.asked_at: list[float] = []

    def on_request(self, conversation: Conversation, asked: Asked) -> None:
        self.asked += 1
        self.asked_at.append(monotonic())
        if self.asked >= self.answers_from:
            conversation.answers(asked, b"copy %d" % self.asked)
        elif self.internal_errors:
            conversation.says(wire.rst_stream(asked.stream_id, 2))

    def resets(self) -> list[int]:
        return [frame[1] for each in self.conversations for frame in each.frames if frame[0] == wire.RST_STREAM]


def policy(**options: Any) -> RetryPolicy:
    return RetryPolicy(**{"hedges": 2, "hedge_delay_s": DELAY_S, **options})


@pytest.mark.parametrize("answers_from", [1, 2, 3])
def test_hedge_goes_out_after_each_delay_until_one_is_answered(arun: Any, answers_from: int) -> None:
    async def scenario() -> None:
        async with Stalls(answers_from) as peer, AsyncClient(http1=False, retry=policy()) as client:
            begin = monotonic()
            response = await client.get(peer.url())
            assert response.content == b"copy %d" % answers_from
            assert (answers_from - 1) * DELAY_S <= monotonic() - begin < (answers_from - 1) * DELAY_S + 1
            assert client.stats().retries.taken == answers_from - 1
            assert [each.streams for each in client.stats().connections] == [0]
            await tasks.sleep(0.05)
            assert peer.asked == answers_from
            assert len(peer.resets()) == answers_from - 1  # the losers are told

    arun(scenario())


def test_hedges_end_at_the_number_of_the_policy(arun: Any) -> None:
    async def scenario() -> None:
        async with Stalls(99) as peer, AsyncClient(http1=False, retry=policy()) as client:
            with pytest.raises(TotalTimeout):
                await client.get(peer.url(), timeout=Timeout(5.0, total=0.8))
            assert peer.asked == 3

    arun(scenario())


def test_hedge_goes_out_at_once_when_the_copy_before_it_failed(arun: Any) -> None:
    async def scenario() -> None:
        at_once = policy(hedge_delay_s=5.0, backoff_s=0.01)
        async with Stalls(3, internal_errors=True) as peer, AsyncClient(http1=False, retry=at_once) as client:
            begin = monotonic()
            assert (await client.get(peer.url())).content == b"copy 3"
            assert monotonic() - begin < 1.0

    arun(scenario())


def test_post_is_never_hedged(arun: Any) -> None:
    async def scenario() -> None:
        async with Stalls(2) as peer, AsyncClient(http1=False, retry=policy()) as client:
            with pytest.raises(TotalTimeout):
                await client.post(peer.url(), content=b"order", timeout=Timeout(5.0, total=0.5))
            assert peer.asked == 1

    arun(scenario())


def test_hedges_come_out_of_the_retry_budget(arun: Any) -> None:
    async def scenario() -> None:
        spent = policy(budget_share=0.0, budget_minimum_per_s=0.1)  # one in ten seconds
        async with Stalls(99) as peer, AsyncClient(http1=False, retry=spent) as client:
            with pytest.raises(TotalTimeout):
                await client.get(peer.url(), timeout=Timeout(5.0, total=0.6))
            assert peer.asked == 2
            assert client.stats().retries.refused == 1

    arun(scenario())


def test_streamed_response_is_hedged_until_its_header_section(arun: Any) -> None:
    async def scenario() -> None:
        async with Stalls(2) as peer, AsyncClient(http1=False, retry=policy()) as client:
            async with client.stream("GET", peer.url()) as response:
                assert b"".join([piece async for piece in response.aiter_bytes()]) == b"copy 2"
            await tasks.sleep(0.05)
            assert len(peer.resets()) == 1

    arun(scenario())


def test_cancelled_request_cancels_every_copy(arun: Any) -> None:
    async def scenario() -> None:
        async with Stalls(99) as peer, AsyncClient(http1=False, retry=policy()) as client:
            task = tasks.start(client.get(peer.url()))
            await tasks.sleep(2.5 * DELAY_S)
            task.cancel()
            with pytest.raises(tasks.CancelledError):
                await task
            await tasks.sleep(0.05)
            assert len(peer.resets()) == peer.asked == 3

    arun(scenario())


def test_all_copies_that_fail_end_in_the_last_failure(arun: Any) -> None:
    async def scenario() -> None:
        async with Stalls(99, internal_errors=True) as peer:
            async with AsyncClient(http1=False, retry=policy(backoff_s=0.01)) as client:
                with pytest.raises(StreamReset):
                    await client.get(peer.url())
            assert peer.asked <= 5

    arun(scenario())


@pytest.fixture
def in_thread() -> Iterator[Any]:
    """``in_thread(peer)`` runs a peer beside the test's own thread."""
    stops: list[Any] = []

    def start(peer: Peer) -> None:
        ready = threading.Event()
        loop = asyncio.new_event_loop()
        over = asyncio.Event()

        async def serve() -> None:
            async with peer:
                ready.set()
                await over.wait()

        thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
        thread.start()
        assert ready.wait(10)
        stops.append((loop, over, thread))

    yield start
    for loop, over, thread in stops:
        loop.call_soon_threadsafe(over.set)
        thread.join(10)
        loop.close()


def test_client_in_threads_hedges_too(in_thread: Any) -> None:
    peer = Stalls(3)
    in_thread(peer)
    with Client(http1=False, retry=policy()) as client:
        assert client.get(peer.url()).content == b"copy 3"
        assert client.stats().retries.taken == 2
        assert [each.content for each in client.fetch_many([peer.url()] * 5)] == [b"copy %d" % n for n in range(4, 9)]
        assert [each.streams for each in client.stats().connections] == [0]

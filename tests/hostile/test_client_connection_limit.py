"""The client's limit of connections, and its end, while requests wait for a place."""

from __future__ import annotations

from collections.abc import Mapping
from time import monotonic
from typing import Any

import pytest

import tasks
from deuterium import AsyncClient, Limits, PoolTimeout, Timeout, TransportError
from hostile.peer import Asked, Conversation, Peer
from rfc import wire

pytestmark = pytest.mark.every_loop("trio as a guest")

ONE = Limits(max_connections=1)
THINKS_S = 0.3


class Thinks(Peer):
    """Takes its time for each answer, and takes one request at a time."""

    settings: Mapping[int, int] = {wire.MAX_CONCURRENT_STREAMS: 1}

    def on_request(self, conversation: Conversation, asked: Asked) -> None:
        conversation.goes_on(self._answer(conversation, asked))

    async def _answer(self, conversation: Conversation, asked: Asked) -> None:
        await tasks.sleep(THINKS_S)
        conversation.answers(asked, asked.path.encode())


def test_request_to_another_origin_goes_on_once_the_only_connection_is_idle(arun: Any) -> None:
    async def scenario() -> None:
        async with Thinks() as busy, Thinks() as other, AsyncClient(http1=False, limits=ONE) as client:
            first = tasks.start(client.get(busy.url("/first")))
            await tasks.sleep(0.05)
            begin = monotonic()
            waiting = [tasks.start(client.get(other.url(f"/{number}"))) for number in range(3)]
            assert (await first).content == b"/first"
            assert [(await each).content for each in waiting] == [b"/0", b"/1", b"/2"]
            assert monotonic() - begin < 4.0  # the pool timeout is 5 s
            assert (await client.get(busy.url("/back"))).content == b"/back"
            assert len(busy.conversations) == 2
            assert len(other.conversations) == 1

    arun(scenario())


def test_request_to_another_origin_goes_on_though_the_only_connection_is_never_idle(arun: Any) -> None:
    """Two workers keep both of its streams busy; after a second it is retired for the other's sake."""

    class TakesTwo(Thinks):
        settings: Mapping[int, int] = {wire.MAX_CONCURRENT_STREAMS: 2}

    async def scenario() -> None:
        async with TakesTwo() as busy, TakesTwo() as other, AsyncClient(http1=False, limits=ONE) as client:
            over = tasks.Event()

            async def load(number: int) -> int:
                count = 0
                await tasks.sleep(number * THINKS_S / 2)
                while not over.is_set():
                    assert (await client.get(busy.url("/busy"))).content == b"/busy"
                    count += 1
                return count

            workers = [tasks.start(load(number)) for number in range(2)]
            await tasks.sleep(2 * THINKS_S)
            for number in range(2):
                begin = monotonic()
                assert (await client.get(other.url(f"/{number}"))).content == b"/%d" % number
                assert monotonic() - begin < 4.0  # the pool timeout is 5 s
                await tasks.sleep(2 * THINKS_S)
            over.set()
            assert min(await tasks.gather(*workers)) >= 3

    arun(scenario())


def test_connection_retired_for_another_origin_is_used_again_when_nobody_waits_any_more(arun: Any) -> None:
    class TakesTwo(Thinks):
        settings: Mapping[int, int] = {wire.MAX_CONCURRENT_STREAMS: 2}

        def on_request(self, conversation: Conversation, asked: Asked) -> None:
            if asked.path != "/endless":
                conversation.answers(asked, b"now")

    async def scenario() -> None:
        async with TakesTwo() as busy, Thinks() as other, AsyncClient(http1=False, limits=ONE) as client:
            endless = tasks.start(client.get(busy.url("/endless"), timeout=None))
            await tasks.sleep(0.1)
            with pytest.raises(PoolTimeout):
                await client.get(other.url(), timeout=Timeout(5.0, pool=2.5))
            assert (await client.get(busy.url("/again"))).content == b"now"
            assert len(busy.conversations) == 1
            endless.cancel()

    arun(scenario())


def test_client_closed_while_requests_wait_ends_them_and_dials_no_more(arun: Any) -> None:
    async def scenario() -> None:
        async with Thinks() as peer:
            client = AsyncClient(http1=False, limits=ONE)
            await client.warm_up(peer.url())
            await tasks.sleep(0.1)  # the peer's SETTINGS arrive
            running = [tasks.start(client.post(peer.url(), content=b"order")) for _ in range(4)]
            await tasks.sleep(0.05)
            await client.aclose()
            for task in running:
                with pytest.raises(TransportError, match="closed"):
                    await tasks.wait_for(task, 2)
            await tasks.sleep(0.1)
            assert len(peer.conversations) == 1
            assert not peer.alive

    arun(scenario())

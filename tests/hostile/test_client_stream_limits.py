"""SETTINGS_MAX_CONCURRENT_STREAMS of 0, lowered below what is open, and raised again (RFC 9113 section 5.1.2)."""

from __future__ import annotations

from typing import Any

import pytest

import tasks
from deuterium import AsyncClient, Limits, PoolTimeout, Timeout
from hostile.peer import Asked, Conversation, Peer
from rfc import wire

pytestmark = pytest.mark.every_loop("trio as a guest")

ONE_CONNECTION = Limits(max_connections=1)


class Holds(Peer):
    """Answers when the test says so."""

    def __init__(self) -> None:
        super().__init__()
        self.held: list[Asked] = []
        self.most = 0

    def on_request(self, conversation: Conversation, asked: Asked) -> None:
        if asked.path == "/now":
            conversation.answers(asked, b"/now")
            return
        self.held.append(asked)
        self.most = max(self.most, len(self.held))

    def allows(self, streams: int) -> None:
        self.current.says(wire.settings({wire.MAX_CONCURRENT_STREAMS: streams}))

    def releases(self, count: int) -> None:
        for _ in range(count):
            asked = self.held.pop(0)
            self.current.answers(asked, asked.path.encode())

    async def has(self, held: int) -> None:
        """Wait until so many requests are here, and see that no other follows."""
        async with tasks.timeout(10):
            while len(self.held) < held:
                await tasks.sleep(0.005)
        await tasks.sleep(0.05)
        assert len(self.held) == held


@pytest.mark.rfc("9113", "5.1.2")
def test_stream_limit_of_zero_holds_requests_until_it_is_raised(arun: Any) -> None:
    async def scenario() -> None:
        async with Holds() as peer, AsyncClient(http1=False, limits=ONE_CONNECTION) as client:
            await client.get(peer.url("/now"))
            peer.allows(0)
            await tasks.sleep(0.05)
            waiting = [tasks.start(client.get(peer.url(f"/{number}"))) for number in range(20)]
            await peer.has(0)
            peer.allows(5)
            await peer.has(5)
            peer.releases(5)
            await peer.has(5)
            peer.allows(100)
            await peer.has(15)
            peer.releases(15)
            assert [(await each).content for each in waiting] == [b"/%d" % number for number in range(20)]
            assert len(peer.conversations) == 1

    arun(scenario())


@pytest.mark.rfc("9113", "5.1.2")
def test_stream_limit_below_what_is_open_lets_it_finish_and_holds_the_rest(arun: Any) -> None:
    async def scenario() -> None:
        async with Holds() as peer, AsyncClient(http1=False, limits=ONE_CONNECTION) as client:
            await client.get(peer.url("/now"))
            waiting = [tasks.start(client.get(peer.url(f"/{number}"))) for number in range(10)]
            await peer.has(10)
            peer.allows(2)
            await tasks.sleep(0.05)
            waiting += [tasks.start(client.get(peer.url(f"/{number}"))) for number in range(10, 20)]
            await peer.has(10)
            peer.releases(8)
            await peer.has(2)
            peer.releases(1)
            await peer.has(2)
            peer.allows(50)
            await peer.has(11)
            peer.releases(11)
            assert [(await each).content for each in waiting] == [b"/%d" % number for number in range(20)]
            assert len(peer.conversations) == 1

    arun(scenario())


def test_stream_limit_of_zero_ends_a_request_by_its_pool_timeout(arun: Any) -> None:
    async def scenario() -> None:
        async with Holds() as peer, AsyncClient(http1=False, limits=ONE_CONNECTION) as client:
            await client.get(peer.url("/now"))
            peer.allows(0)
            await tasks.sleep(0.05)
            with pytest.raises(PoolTimeout):
                await client.get(peer.url("/1"), timeout=Timeout(5.0, pool=0.2))
            peer.allows(1)
            assert (await client.get(peer.url("/now"))).content == b"/now"

    arun(scenario())

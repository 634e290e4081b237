"""Requests a peer provably did not process are sent again, whatever their method, once each and not for ever."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

import tasks
from deuterium import AsyncClient, GoAway, RequestError, RetryPolicy, StreamReset
from hostile.peer import Asked, Conversation, Peer
from rfc import wire

pytestmark = pytest.mark.every_loop("trio as a guest")

STREAMS_TAKEN = 10
LAST_TAKEN = 2 * STREAMS_TAKEN - 1


class LeavesAfterTen(Peer):
    """Says GOAWAY on the tenth stream of each connection, and carries out the ten (RFC 9113 section 6.8)."""

    def __init__(self) -> None:
        super().__init__()
        self.bodies: Counter[bytes] = Counter()

    def on_stream(self, conversation: Conversation, asked: Asked) -> None:
        if asked.stream_id == LAST_TAKEN:
            conversation.says(wire.goaway(LAST_TAKEN))

    def on_request(self, conversation: Conversation, asked: Asked) -> None:
        if asked.stream_id <= LAST_TAKEN:
            self.bodies[bytes(asked.content)] += 1
            conversation.answers(asked, bytes(asked.content))


class Refuses(Peer):
    """Resets every stream with REFUSED_STREAM."""

    def on_stream(self, conversation: Conversation, asked: Asked) -> None:
        conversation.says(wire.rst_stream(asked.stream_id, wire.REFUSED_STREAM))

    def on_request(self, conversation: Conversation, asked: Asked) -> None:
        """Nothing: it was refused."""


class LeavesAtOnce(Refuses):
    """Says that it took nothing, on every connection."""

    def on_stream(self, conversation: Conversation, asked: Asked) -> None:
        conversation.says(wire.goaway(0))


@pytest.mark.rfc("9113", "6.8")
def test_posts_under_goaway_after_ten_streams_all_arrive_once(arun: Any) -> None:
    async def scenario() -> None:
        async with LeavesAfterTen() as peer, AsyncClient(http1=False, timeout=30.0) as client:
            bodies = [b"order %d" % number for number in range(200)]
            responses = await tasks.gather(*(client.post(peer.url(), content=body) for body in bodies))
            assert [response.content for response in responses] == bodies
            assert peer.bodies == Counter(bodies)
            assert len(peer.conversations) >= 200 // STREAMS_TAKEN

    arun(scenario())


@pytest.mark.rfc("9113", "8.7")
@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("replays", [0, 1, 6])
def test_refused_stream_for_ever_ends_after_the_replays_of_the_policy(arun: Any, method: str, replays: int) -> None:
    async def scenario() -> None:
        async with Refuses() as peer:
            async with AsyncClient(http1=False, retry=RetryPolicy(replays=replays)) as client:
                with pytest.raises(StreamReset) as caught:
                    await client.request(method, peer.url(), content=b"order" if method == "POST" else None)
            assert caught.value.code == wire.REFUSED_STREAM
            assert caught.value.request_processed is False
            assert "REFUSED_STREAM" in str(caught.value)
            assert sum(len(each.streams) for each in peer.conversations) == 1 + replays

    arun(scenario())


@pytest.mark.rfc("9113", "6.8")
def test_goaway_of_nothing_for_ever_ends_after_the_replays_of_the_policy(arun: Any) -> None:
    async def scenario() -> None:
        async with LeavesAtOnce() as peer:
            async with AsyncClient(http1=False, retry=RetryPolicy(replays=4)) as client:
                with pytest.raises(GoAway) as caught:
                    await client.post(peer.url(), content=b"order")
            assert caught.value.request_processed is False
            assert len(peer.conversations) == 5

    arun(scenario())


def test_post_lost_with_its_connection_is_not_sent_again(arun: Any) -> None:
    class Breaks(Peer):
        def on_request(self, conversation: Conversation, asked: Asked) -> None:
            conversation.abort()

    async def scenario() -> None:
        async with Breaks() as peer, AsyncClient(http1=False) as client:
            with pytest.raises(RequestError) as caught:
                await client.post(peer.url(), content=b"order")
            assert caught.value.request_processed is None
            assert len(peer.conversations) == 1

    arun(scenario())

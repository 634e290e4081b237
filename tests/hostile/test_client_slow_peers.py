"""A peer that drips, stalls or falls silent costs its own request time, and no other."""

from __future__ import annotations

from time import monotonic
from typing import Any

import pytest

import tasks
from deuterium import AsyncClient, Limits, ReadError, ReadTimeout, RetryPolicy, Timeout, TotalTimeout
from hostile.peer import Asked, Conversation, Peer
from rfc import wire

pytestmark = pytest.mark.every_loop("trio as a guest")

DRIP_S = 0.02
SLACK_S = 1.5  # a busy machine's


class Drips(Peer):
    """``/octets``: a response without end, an octet at a time. ``/pings``: none at all, but PING after PING."""

    def on_request(self, conversation: Conversation, asked: Asked) -> None:
        if asked.path == "/octets":
            conversation.says(wire.response(asked.stream_id))
            conversation.goes_on(self._drip(conversation, wire.data(asked.stream_id, b"x")))
        elif asked.path == "/pings":
            conversation.goes_on(self._drip(conversation, wire.ping()))
        elif asked.path != "/never":
            super().on_request(conversation, asked)

    async def _drip(self, conversation: Conversation, frame: bytes) -> None:
        while True:
            conversation.says(frame)
            await tasks.sleep(DRIP_S)


class FallsSilent(Peer):
    """The first ``mute`` connections read and say nothing any more, not even to a PING."""

    def __init__(self, mute: int) -> None:
        super().__init__()
        self.mute = mute
        self.pings = 0

    def on_request(self, conversation: Conversation, asked: Asked) -> None:
        if conversation.number > self.mute:
            super().on_request(conversation, asked)

    def on_ping(self, conversation: Conversation, payload: bytes) -> None:
        self.pings += 1
        if conversation.number > self.mute:
            super().on_ping(conversation, payload)


@pytest.mark.parametrize("path", ["/octets", "/pings", "/never"])
def test_total_deadline_ends_a_drip_on_time_and_the_connection_stays(arun: Any, path: str) -> None:
    async def scenario() -> None:
        async with Drips() as peer, AsyncClient(http1=False) as client:
            begin = monotonic()
            with pytest.raises(TotalTimeout):
                await client.get(peer.url(path), timeout=Timeout(5.0, total=0.5))
            assert 0.49 <= monotonic() - begin <= 0.5 + SLACK_S
            assert (await client.get(peer.url("/after"))).content == b"/after"
            assert len(peer.conversations) == 1

    arun(scenario())


def test_read_timeout_is_not_put_off_by_pings(arun: Any) -> None:
    async def scenario() -> None:
        async with Drips() as peer, AsyncClient(http1=False) as client:
            begin = monotonic()
            with pytest.raises(ReadTimeout):
                await client.get(peer.url("/pings"), timeout=Timeout(5.0, read=0.3))
            assert 0.29 <= monotonic() - begin <= 0.3 + SLACK_S

    arun(scenario())


def test_silent_peer_is_found_by_ping_and_the_request_goes_elsewhere(arun: Any) -> None:
    async def scenario() -> None:
        limits = Limits(ping_after_s=0.2, ping_timeout_s=0.3)
        async with FallsSilent(1) as peer, AsyncClient(http1=False, limits=limits, timeout=30.0) as client:
            begin = monotonic()
            assert (await client.get(peer.url("/found"))).content == b"/found"
            assert monotonic() - begin <= 4.0 + SLACK_S  # two looks, a second apart, and one retry
            assert peer.pings == 1
            assert len(peer.conversations) == 2

    arun(scenario())


def test_silent_peer_is_told_as_a_lost_connection_when_nothing_may_be_retried(arun: Any) -> None:
    async def scenario() -> None:
        limits = Limits(ping_after_s=0.2, ping_timeout_s=0.3)
        policy = RetryPolicy(attempts=1)
        async with FallsSilent(9) as peer:
            async with AsyncClient(http1=False, limits=limits, retry=policy, timeout=30.0) as client:
                with pytest.raises(ReadError, match="PING"):
                    await client.get(peer.url())
            assert len(peer.conversations) == 1

    arun(scenario())


def test_peer_that_answers_pings_may_think_longer_than_the_ping_timeout(arun: Any) -> None:
    class Thinks(Peer):
        def on_request(self, conversation: Conversation, asked: Asked) -> None:
            conversation.goes_on(self._think(conversation, asked))

        async def _think(self, conversation: Conversation, asked: Asked) -> None:
            await tasks.sleep(2.5)
            conversation.answers(asked, b"thought")

    async def scenario() -> None:
        limits = Limits(ping_after_s=0.2, ping_timeout_s=0.3)
        async with Thinks() as peer, AsyncClient(http1=False, limits=limits) as client:
            assert (await client.get(peer.url())).content == b"thought"
            assert len(peer.conversations) == 1

    arun(scenario())

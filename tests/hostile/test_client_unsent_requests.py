"""What a timeout says of a request that was not sent: False when that is certain, None when octets may still leave."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

import tasks
from deuterium import AsyncClient, Limits, PoolTimeout, ReadTimeout, RequestError, Timeout, TotalTimeout
from hostile.peer import Asked, Conversation, Peer
from rfc import wire

pytestmark = pytest.mark.every_loop("trio as a guest")


class Silent(Peer):
    """Takes one request at a time and answers none."""

    settings: Mapping[int, int] = {wire.MAX_CONCURRENT_STREAMS: 1}

    def on_request(self, conversation: Conversation, asked: Asked) -> None:
        """Nothing."""


@pytest.mark.parametrize(
    ("timeout", "kind"), [(Timeout(5.0, pool=0.2), PoolTimeout), (Timeout(5.0, total=0.2), TotalTimeout)]
)
def test_request_that_timed_out_in_the_queue_was_not_processed(
    arun: Any, timeout: Timeout, kind: type[RequestError]
) -> None:
    async def scenario() -> None:
        async with Silent() as peer, AsyncClient(http1=False, limits=Limits(max_connections=1)) as client:
            first = tasks.start(client.post(peer.url("/first"), content=b"1", timeout=30.0))
            async with tasks.timeout(10):
                while not peer.alive or (wire.SETTINGS, 0, b"") not in peer.current.frames:
                    await tasks.sleep(0.005)  # until the client said that it knows the limit
                while not peer.current.streams:
                    await tasks.sleep(0.005)
            with pytest.raises(kind) as caught:
                await client.post(peer.url("/second"), content=b"2", timeout=timeout)
            assert caught.value.request_processed is False
            assert [asked.path for asked in peer.current.streams.values()] == ["/first"]
            first.cancel()

    arun(scenario())


def test_request_that_timed_out_after_it_was_sent_may_have_been_processed(arun: Any) -> None:
    async def scenario() -> None:
        async with Silent() as peer, AsyncClient(http1=False) as client:
            with pytest.raises(ReadTimeout) as caught:
                await client.post(peer.url(), content=b"order", timeout=Timeout(5.0, read=0.2))
            assert caught.value.request_processed is None
            assert len(peer.conversations) == 1

    arun(scenario())

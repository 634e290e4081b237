"""A peer that answers a little, then no more: the read timeout runs from the last octet, in both clients."""

from __future__ import annotations

import asyncio
import time

import pytest

from deuterium import ReadTimeout, Timeout
from integration.faces import face_of
from rfc import wire

from .background import in_background
from .peer import Asked, Conversation, Peer

PAUSE_S = 0.25
READ_S = 0.4


class Drip(Peer):
    """A header section, an octet, and then silence."""

    def on_request(self, conversation: Conversation, asked: Asked) -> None:
        async def answer() -> None:
            await asyncio.sleep(PAUSE_S)
            conversation.says(wire.response(asked.stream_id))
            await asyncio.sleep(PAUSE_S)
            conversation.says(wire.data(asked.stream_id, b"x"))

        conversation.goes_on(answer())


@pytest.mark.parametrize("name", ["async-h2", "sync-h2"])
def test_read_timeout_of_a_peer_that_falls_silent_is_kept(name: str) -> None:
    with in_background(Drip()) as drip, face_of(name) as face:
        begun = time.monotonic()
        with pytest.raises(ReadTimeout):
            face.get(drip.url(), timeout=Timeout(5.0, read=READ_S))
        assert 2 * PAUSE_S + READ_S - 0.02 < time.monotonic() - begun < 3.0

"""A client held up beyond a timeout first reads what came meanwhile; a silent peer is given up all the same."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any

import pytest

from deuterium import AsyncClient, Client, ReadTimeout
from deuterium.testing import PeerRequest, ScriptedPeer

TIMEOUT_S = 0.2
HELD_UP_S = 0.4
LIMIT_S = 20.0  # far beyond any grace
LENGTH = 65_536  # as much as one read takes
VERSIONS = {"h2": {"http1": False}, "h1": {"http2": False}}


class Peer(ScriptedPeer):
    """Answers ``/now`` at once and ``/late`` when it is told to; ``answered`` says when the answers have left."""

    def __init__(self) -> None:
        super().__init__(self._answer)
        self.asked = threading.Semaphore(0)
        self.answered = threading.Semaphore(0)
        self.released: Any = None

    async def _answer(self, request: PeerRequest) -> None:
        if request.target == "/never":
            return
        self.asked.release()
        if request.target == "/late":
            self.released = self.released or asyncio.Event()
            await self.released.wait()
        request.respond(200, content=bytes(LENGTH))
        asyncio.get_running_loop().call_later(0.02, self.answered.release)  # when it is in the client's socket

    async def release(self) -> None:
        self.released.set()


def lock_of(client: Client) -> Any:
    """What every thread of the client needs before it may look at anything."""
    sender: Any = client._sender
    return sender.pool.lock


@pytest.mark.parametrize("version", VERSIONS)
def test_answers_that_came_while_the_event_loop_was_held_up_are_no_timeouts(arun: Any, version: str) -> None:
    async def scenario(peer: Peer) -> None:
        async with AsyncClient(timeout=TIMEOUT_S, **VERSIONS[version]) as client:
            await client.get(peer.url("/now"), timeout=LIMIT_S)
            assert peer.answered.acquire(timeout=LIMIT_S)
            tasks = [asyncio.ensure_future(client.get(peer.url("/late"))) for _ in range(4)]
            while len(peer.requests) < 1 + len(tasks):
                await asyncio.sleep(0)
            began = time.monotonic()
            peer.run(peer.release())
            for _ in tasks:
                assert peer.answered.acquire(timeout=LIMIT_S)
            time.sleep(max(0.0, began + HELD_UP_S - time.monotonic()))  # the loop stands still
            assert [len(response.content) for response in await asyncio.gather(*tasks)] == [LENGTH] * len(tasks)

    with Peer() as peer:
        arun(scenario(peer))


@pytest.mark.parametrize("version", VERSIONS)
def test_answers_that_came_while_threads_were_held_up_are_no_timeouts(version: str) -> None:
    lengths: list[Any] = []

    def ask() -> None:
        try:
            lengths.append(len(client.get(peer.url("/late")).content))
        except ReadTimeout as error:
            lengths.append(error)

    with Peer() as peer, Client(timeout=TIMEOUT_S, **VERSIONS[version]) as client:
        client.get(peer.url("/now"), timeout=LIMIT_S)
        assert peer.answered.acquire(timeout=LIMIT_S)
        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        for _ in [0, *threads]:
            assert peer.asked.acquire(timeout=LIMIT_S)
        # Whoever wakes up, to read or because its time is up, has to wait here.
        with lock_of(client):
            time.sleep(HELD_UP_S)
            peer.run(peer.release())
            for _ in threads:
                assert peer.answered.acquire(timeout=LIMIT_S)
        for thread in threads:
            thread.join(LIMIT_S)
        assert lengths == [LENGTH] * len(threads)


@pytest.mark.parametrize("version", VERSIONS)
def test_silent_peer_is_given_up_by_an_event_loop_that_is_always_late(arun: Any, version: str) -> None:
    async def hold_up() -> None:
        while True:
            time.sleep(0.05)
            await asyncio.sleep(0)

    async def scenario(peer: Peer) -> None:
        async with AsyncClient(timeout=TIMEOUT_S, **VERSIONS[version]) as client:
            await client.get(peer.url("/now"), timeout=LIMIT_S)
            holder = asyncio.ensure_future(hold_up())
            began = time.monotonic()
            with pytest.raises(ReadTimeout):
                await client.get(peer.url("/never"))
            holder.cancel()
            assert TIMEOUT_S <= time.monotonic() - began < LIMIT_S

    with Peer() as peer:
        arun(scenario(peer))


@pytest.mark.parametrize("version", VERSIONS)
def test_silent_peer_is_given_up_by_threads_that_were_held_up(version: str) -> None:
    with Peer() as peer, Client(timeout=TIMEOUT_S, **VERSIONS[version]) as client:
        client.get(peer.url("/now"), timeout=LIMIT_S)
        held = threading.Event()

        def hold_up() -> None:
            with lock_of(client):
                held.set()
                time.sleep(HELD_UP_S)

        began = time.monotonic()
        holder = threading.Timer(TIMEOUT_S / 2, hold_up)
        holder.start()
        with pytest.raises(ReadTimeout):
            client.get(peer.url("/never"))
        assert TIMEOUT_S <= time.monotonic() - began < LIMIT_S
        holder.join()
        assert held.is_set()

"""A scripted peer on a thread of its own, for tests of the client for threads."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

from .peer import Peer

PeerT = TypeVar("PeerT", bound=Peer)


@contextmanager
def in_background(peer: PeerT) -> Iterator[PeerT]:
    """``peer`` listening, for the length of the block."""
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()
    ready = threading.Event()

    async def listen() -> None:
        async with peer:
            ready.set()
            await stop.wait()

    def run() -> None:
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            runner.run(listen())

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        assert ready.wait(10)
        yield peer
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)

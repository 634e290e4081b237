"""The reader: asyncio receives straight into memory the driver leased."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .driver import AsyncDriver


class ZeroCopyReader(asyncio.BufferedProtocol):
    """A transport's protocol that owns nothing: every event goes to the driver.

    A plain Python class, because a compiled one cannot be a BufferedProtocol. The two verbs called for every read are
    the driver's own methods: event loops look them up once or call them directly, and no frame of ours is in between.
    """

    def __init__(self, driver: AsyncDriver, first: bytes = b"") -> None:
        """``first``: octets that were received before the driver took over."""
        self.driver = driver
        self.first = first
        self.get_buffer = driver.get_buffer  # type: ignore[method-assign]
        self.buffer_updated = driver.buffer_updated  # type: ignore[method-assign, assignment]

    def connection_made(self, transport: Any) -> None:
        self.driver.connection_made(transport)
        first, self.first = self.first, b""
        while first:
            space = self.driver.get_buffer(-1)
            size = min(len(space), len(first))
            space[:size] = first[:size]
            self.driver.buffer_updated(size)
            first = first[size:]

    def eof_received(self) -> bool:
        self.driver.eof_received()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self.driver.connection_lost(exc)

    def pause_writing(self) -> None:
        self.driver.writer.pause()

    def resume_writing(self) -> None:
        self.driver.writer.resume()

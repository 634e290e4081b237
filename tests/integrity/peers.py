"""What the peers of both HTTP versions share: an asyncio protocol that follows a script."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any

from .content import Ledger
from .script import Script


class ScriptedPeer(asyncio.Protocol):
    """``say`` sends octets; with ``split_writes`` they leave in pieces of any size, in order."""

    def __init__(self, script: Script, ledger: Ledger) -> None:
        self.script = script
        self.ledger = ledger
        self.loop: Any = asyncio.get_running_loop()
        self.transport: Any = None
        self.unsaid: deque[bytes] = deque()
        self.saying = False
        self.closing = False
        self.gone = False

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        self.gone = True

    def later(self, delay_s: float, function: Any, *arguments: Any) -> None:
        """Call it then, unless the connection is gone."""
        self.loop.call_later(delay_s, self._unless_gone, function, arguments)

    def _unless_gone(self, function: Any, arguments: tuple[Any, ...]) -> None:
        if not self.gone:
            function(*arguments)

    def say(self, *octets: bytes) -> None:
        if self.gone or self.closing:
            return
        joined = b"".join(octets)
        if not joined:
            return
        if not self.script.temper.split_writes:
            self.transport.write(joined)
            return
        while joined:
            size = self.script.chance.choice((1, self.script.chance.randint(1, 50), len(joined), len(joined)))
            self.unsaid.append(joined[:size])
            joined = joined[size:]
        if not self.saying:
            self._say_next()

    def _say_next(self) -> None:
        self.saying = bool(self.unsaid)
        if self.saying and not self.gone:
            self.transport.write(self.unsaid.popleft())
            self.loop.call_soon(self._say_next)

    def close(self) -> None:
        """Say what is to be said, then close."""
        if self.gone or self.closing:
            return
        if self.unsaid:
            self.later(0.001, self.close)
            return
        self.closing = True
        self.transport.close()

    def drop(self) -> None:
        """Drop the connection; what was said lately may be lost."""
        if not self.gone:
            self.closing = True
            self.transport.abort()

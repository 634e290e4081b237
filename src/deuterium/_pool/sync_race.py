"""Several copies of one request in threads: each is sent by a thread of its own, and the first to be over wins."""

from __future__ import annotations

from collections.abc import Callable
from queue import Empty, SimpleQueue
from threading import Thread
from time import monotonic
from typing import Any

from .._http.exchange import Exchange
from .._http.phases import NEVER


class SyncRace:
    """``send(exchange)`` submits it and returns once it is over, or has its header section if it comes in pieces."""

    __slots__ = ("_over", "_send", "_started")

    def __init__(self, send: Callable[[Exchange], None]) -> None:
        self._send = send
        self._started: set[Exchange] = set()
        self._over: SimpleQueue[Exchange] = SimpleQueue()

    def wait(self, exchanges: list[Exchange], until: float) -> Exchange | None:
        """Send those that are not sent yet; the first of all that is over, or None at ``until``."""
        for exchange in exchanges:
            if exchange not in self._started:
                self._started.add(exchange)
                Thread(target=self._run, args=(exchange,), daemon=True).start()
        while True:
            left_s: Any = None if until == NEVER else until - monotonic()
            if left_s is not None and left_s <= 0:
                return None
            try:
                over = self._over.get(timeout=left_s)
            except Empty:
                return None
            if over in exchanges:
                return over

    def _run(self, exchange: Exchange) -> None:
        try:
            self._send(exchange)
        except Exception as error:  # handed to the thread that waits
            if exchange.error is None:
                exchange.error = error
        finally:
            self._over.put(exchange)

"""Waiting for time, for Futures and for signals, on any loop that has ``create_future`` and ``call_later``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


async def sleep(loop: Any, delay_s: float) -> None:
    """Let ``delay_s`` seconds pass."""
    future = loop.create_future()
    timer = loop.call_later(delay_s, _finish, future)
    try:
        await future
    finally:
        timer.cancel()


async def first_done(loop: Any, futures: Iterable[Any], timeout_s: float | None = None) -> None:
    """Wait until one of the Futures is done or the time is up; none is cancelled."""
    await _some_done(loop, tuple(futures), 1, timeout_s)


async def all_done(loop: Any, futures: Iterable[Any], timeout_s: float | None = None) -> None:
    """Wait until all of the Futures are done or the time is up; none is cancelled."""
    every = tuple(futures)
    await _some_done(loop, every, len(every), timeout_s)


def gathered(loop: Any, futures: Iterable[Any]) -> Any:
    """A Future that is done when all of these are, however each of them ended."""
    over = loop.create_future()
    missing = 0

    def count(_: Any) -> None:
        nonlocal missing
        missing -= 1
        if not missing:
            _finish(over)

    for future in tuple(futures):
        missing += 1
        future.add_done_callback(count)
    if not missing:
        _finish(over)
    return over


class Signal:
    """Set and cleared any number of times; whoever waits is woken when it is set."""

    __slots__ = ("_is_set", "_loop", "_waiting")

    def __init__(self, loop: Any) -> None:
        self._loop = loop
        self._is_set = False
        self._waiting: list[Any] = []

    def set(self) -> None:
        """Wake those that wait."""
        self._is_set = True
        waiting, self._waiting = self._waiting, []
        for future in waiting:
            _finish(future)

    def clear(self) -> None:
        """Have the next wait wait."""
        self._is_set = False

    async def wait(self) -> None:
        """Until it is set."""
        if not self._is_set:
            future = self._loop.create_future()
            self._waiting.append(future)
            await future


async def _some_done(loop: Any, futures: tuple[Any, ...], wanted: int, timeout_s: float | None) -> None:
    pending = [future for future in futures if not future.done()]
    missing = wanted - (len(futures) - len(pending))
    if missing <= 0:
        return
    enough = loop.create_future()

    def count(_: Any) -> None:
        nonlocal missing
        missing -= 1
        if missing <= 0:
            _finish(enough)

    timer = None if timeout_s is None else loop.call_later(timeout_s, _finish, enough)
    for future in pending:
        future.add_done_callback(count)
    try:
        await enough
    finally:
        if timer is not None:
            timer.cancel()
        for future in pending:
            future.remove_done_callback(count)


def _finish(future: Any) -> None:
    if not future.done():
        future.set_result(None)

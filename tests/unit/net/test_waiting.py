"""Waiting on any loop: for time, for Futures, for signals; asyncio, uvloop and trio give the same answers."""

from __future__ import annotations

from time import monotonic
from typing import Any

import pytest

import tasks
from deuterium._net import waiting
from deuterium._net.loops import lock, running_loop, time_limit

pytestmark = pytest.mark.every_loop


def test_first_done_waits_for_one_and_cancels_none(arun: Any) -> None:
    async def scenario() -> None:
        loop = running_loop()
        futures = [loop.create_future() for _ in range(3)]
        loop.call_later(0.01, futures[1].set_result, "there")
        await waiting.first_done(loop, futures)
        assert [future.done() for future in futures] == [False, True, False]
        assert futures[1].result() == "there"
        await waiting.first_done(loop, futures)  # nothing to wait for

    arun(scenario())


def test_all_done_waits_for_the_last_however_each_ended(arun: Any) -> None:
    async def scenario() -> None:
        loop = running_loop()
        futures = [loop.create_future() for _ in range(3)]
        loop.call_later(0.01, futures[0].cancel)
        loop.call_later(0.02, futures[1].set_exception, ZeroDivisionError())
        loop.call_later(0.03, futures[2].set_result, None)
        over = waiting.gathered(loop, futures)
        await waiting.all_done(loop, futures)
        assert all(future.done() for future in futures)
        await over
        assert isinstance(futures[1].exception(), ZeroDivisionError)
        await waiting.all_done(loop, ())
        await waiting.gathered(loop, ())

    arun(scenario())


def test_time_that_is_up_ends_the_wait_and_leaves_the_future(arun: Any) -> None:
    async def scenario() -> None:
        loop = running_loop()
        future = loop.create_future()
        begin = monotonic()
        await waiting.all_done(loop, (future,), 0.02)
        await waiting.first_done(loop, (future,), 0.02)
        assert 0.03 < monotonic() - begin < 2.0
        assert not future.done()

    arun(scenario())


def test_time_limit_raises_timeout_error_and_nothing_in_time(arun: Any) -> None:
    async def scenario() -> None:
        loop = running_loop()
        async with time_limit(loop, 5.0):
            await waiting.sleep(loop, 0.001)
        async with time_limit(loop, None):
            await waiting.sleep(loop, 0.001)
        with pytest.raises(TimeoutError):
            async with time_limit(loop, 0.01):
                await waiting.sleep(loop, 5.0)
        with pytest.raises(ZeroDivisionError):
            async with time_limit(loop, 5.0):
                raise ZeroDivisionError

    arun(scenario())


def test_lock_is_held_by_one_task_at_a_time(arun: Any) -> None:
    async def scenario() -> None:
        loop = running_loop()
        one = lock(loop)
        holders: list[int] = []

        async def hold() -> None:
            async with one:
                holders.append(1)
                assert len(holders) == 1
                await waiting.sleep(loop, 0.002)
                holders.pop()

        await tasks.gather(*(hold() for _ in range(5)))

    arun(scenario())


def test_signal_wakes_everyone_each_time_it_is_set(arun: Any) -> None:
    async def scenario() -> None:
        loop = running_loop()
        signal = waiting.Signal(loop)
        woken: list[int] = []

        async def listen(number: int) -> None:
            for _ in range(2):
                await signal.wait()
                woken.append(number)
                signal.clear()
                await waiting.sleep(loop, 0.005)

        async with tasks.timeout(5):
            listeners = [tasks.start(listen(number)) for number in range(3)]
            for count in (3, 6):
                await waiting.sleep(loop, 0.02)
                signal.set()
                while len(woken) < count:
                    await waiting.sleep(loop, 0.001)
            await tasks.gather(*listeners)
        assert sorted(woken) == [0, 0, 1, 1, 2, 2]

    arun(scenario())


def test_cancelled_wait_is_over_and_its_timer_gone(arun: Any) -> None:
    async def scenario() -> None:
        loop = running_loop()
        future = loop.create_future()
        task = tasks.start(waiting.first_done(loop, (future,), 60.0))
        await waiting.sleep(loop, 0.005)
        task.cancel()
        with pytest.raises(tasks.CancelledError):
            await task
        assert not future.done()
        future.set_result(None)

    arun(scenario())

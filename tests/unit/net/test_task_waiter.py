"""A Task that waits without a Future: run on at once or soon, cancelled, and told of nothing twice."""

from __future__ import annotations

import asyncio
import contextvars
from typing import Any

import pytest

from deuterium._http.exchange import Exchange
from deuterium._net.carrier import Carrier
from deuterium._net.task_waiter import TaskWaiter

NAME: contextvars.ContextVar[str] = contextvars.ContextVar("NAME", default="nobody")


def exchange_on(carrier: Carrier | None) -> Exchange:
    exchange = Exchange("GET", "https", "example.com", "/")
    exchange.carrier = carrier
    return exchange


def new_waiter() -> TaskWaiter:
    loop = asyncio.get_running_loop()
    answered = loop.create_future()
    answered.set_result(None)
    return TaskWaiter(loop, answered)


async def waiting(waiter: TaskWaiter, seen: list[Any]) -> None:
    seen.append("waits")
    try:
        await waiter
    except asyncio.CancelledError as error:
        seen.append(error.args)
        raise
    seen.append("goes on")


def soon(function: Any, *arguments: Any) -> None:
    asyncio.get_running_loop().call_soon(function, *arguments)


def test_task_runs_within_wake_when_the_carrier_says_so(arun: Any) -> None:
    async def scenario() -> None:
        seen: list[Any] = []
        waiter = new_waiter()
        task = asyncio.ensure_future(waiting(waiter, seen))
        await asyncio.sleep(0)
        carrier = Carrier()

        def read() -> None:
            carrier.direct = True
            waiter.wake(exchange_on(carrier))
            seen.append(("read over", carrier.direct))

        soon(read)
        await task
        assert seen == ["waits", "goes on", ("read over", False)]

    arun(scenario())


@pytest.mark.parametrize("carrier", [None, Carrier()], ids=["no carrier", "not direct"])
def test_task_runs_in_a_turn_of_its_own_otherwise(arun: Any, carrier: Carrier | None) -> None:
    async def scenario() -> None:
        seen: list[Any] = []
        waiter = new_waiter()
        task = asyncio.ensure_future(waiting(waiter, seen))
        await asyncio.sleep(0)

        def read() -> None:
            waiter.wake(exchange_on(carrier))
            seen.append("read over")

        soon(read)
        await task
        assert seen == ["waits", "read over", "goes on"]

    arun(scenario())


def test_whom_a_task_that_runs_at_once_wakes_waits_for_a_turn(arun: Any) -> None:
    async def scenario() -> None:
        seen: list[Any] = []
        first, second = new_waiter(), new_waiter()
        carrier = Carrier()

        async def waking() -> None:
            await first
            second.wake(exchange_on(carrier))  # inside a task nobody else's task may run
            seen.append("first goes on")

        async def woken() -> None:
            await second
            seen.append("second goes on")

        tasks = [asyncio.ensure_future(waking()), asyncio.ensure_future(woken())]
        await asyncio.sleep(0)

        def read() -> None:
            carrier.direct = True
            first.wake(exchange_on(carrier))
            seen.append("read over")

        soon(read)
        await asyncio.gather(*tasks)
        assert seen == ["first goes on", "read over", "second goes on"]

    arun(scenario())


def test_woken_before_it_is_awaited_does_not_suspend(arun: Any) -> None:
    async def scenario() -> None:
        waiter = new_waiter()
        waiter.wake(exchange_on(None))
        seen: list[Any] = []
        soon(seen.append, "a turn")
        await waiter
        assert seen == []
        assert waiter.done()

    arun(scenario())


def test_cancelled_task_gets_its_message_and_a_late_wake_is_nothing(arun: Any) -> None:
    async def scenario() -> None:
        seen: list[Any] = []
        waiter = new_waiter()
        task = asyncio.ensure_future(waiting(waiter, seen))
        await asyncio.sleep(0)
        task.cancel("enough")
        carrier = Carrier()
        carrier.direct = True
        waiter.wake(exchange_on(carrier))
        assert seen == ["waits"]
        with pytest.raises(asyncio.CancelledError):
            await task
        assert seen == ["waits", ("enough",)]

    arun(scenario())


def test_task_cancelled_between_its_wake_and_its_turn_is_cancelled(arun: Any) -> None:
    async def scenario() -> None:
        seen: list[Any] = []
        waiter = new_waiter()
        task = asyncio.ensure_future(waiting(waiter, seen))
        await asyncio.sleep(0)
        waiter.wake(exchange_on(None))
        assert not waiter.cancel()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert "goes on" not in seen

    arun(scenario())


def test_timeout_around_it_ends_it_in_time(arun: Any) -> None:
    async def scenario() -> None:
        seen: list[Any] = []
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(waiting(new_waiter(), seen), 0.01)
        assert seen == ["waits", ()]

    arun(scenario())


def test_task_keeps_its_own_context(arun: Any) -> None:
    async def scenario() -> None:
        waiter = new_waiter()

        async def named() -> str:
            NAME.set("the task")
            await waiter
            return NAME.get()

        task = asyncio.ensure_future(named())
        await asyncio.sleep(0)
        carrier = Carrier()

        def read() -> None:
            NAME.set("the reader")
            carrier.direct = True
            waiter.wake(exchange_on(carrier))

        soon(read)
        assert await task == "the task"

    arun(scenario())


def test_exit_raised_by_a_task_that_runs_at_once_reaches_the_loop_after_the_others(loop_factory: Any) -> None:
    seen: list[Any] = []

    async def scenario() -> None:
        leaving, other = new_waiter(), new_waiter()

        async def leave() -> None:
            await leaving
            raise SystemExit(3)

        tasks = [asyncio.ensure_future(leave()), asyncio.ensure_future(waiting(other, seen))]
        await asyncio.sleep(0)
        carrier = Carrier()

        def read() -> None:
            for waiter in (leaving, other):
                carrier.direct = True
                waiter.wake(exchange_on(carrier))
            seen.append("read over")

        soon(read)
        await asyncio.gather(*tasks)

    with pytest.raises(SystemExit), asyncio.Runner(loop_factory=loop_factory) as runner:
        runner.run(scenario())
    assert seen[:3] == ["waits", "goes on", "read over"]

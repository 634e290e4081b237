"""asyncio's verbs for tests that run on trio as well: on asyncio they are asyncio's own.

Under trio a task is cancelled by a scope of its own, and who awaits it is told by asyncio's CancelledError.
"""

from __future__ import annotations

import asyncio
from asyncio import CancelledError
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Generator
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import sniffio
import trio

__all__ = [
    "CancelledError", "Event", "Queue", "gather", "on_asyncio", "run_guest", "run_trio", "sleep", "start", "timeout",
    "to_thread", "wait", "wait_for",
]

T = TypeVar("T")
_nursery: trio.lowlevel.RunVar[trio.Nursery] = trio.lowlevel.RunVar("nursery of the test")


def on_trio() -> bool:
    """Whether trio runs this."""
    return sniffio.current_async_library() == "trio"


def run_trio(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run it to its end; tasks that are left are cancelled, as asyncio's Runner does."""
    return trio.run(_main, coroutine)


def run_guest(coroutine: Coroutine[Any, Any, T]) -> T:
    """The same with trio as the guest of an asyncio loop, on which the test's peers run."""

    async def host() -> T:
        loop = asyncio.get_running_loop()
        over = loop.create_future()
        trio.lowlevel.start_guest_run(
            _main,
            coroutine,
            run_sync_soon_threadsafe=loop.call_soon_threadsafe,
            done_callback=over.set_result,
            host_uses_signal_set_wakeup_fd=True,
        )
        outcome = await over
        return outcome.unwrap()  # type: ignore[no-any-return]

    return asyncio.run(host())


async def on_asyncio(coroutine: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine of asyncio's; where trio is a guest, its host runs it."""
    if not on_trio():
        return await coroutine
    task = asyncio.ensure_future(coroutine)
    over = trio.Event()
    task.add_done_callback(lambda _: over.set())
    await over.wait()
    return task.result()


async def _main(coroutine: Coroutine[Any, Any, T]) -> T:
    error: BaseException | None = None
    async with trio.open_nursery() as nursery:
        _nursery.set(nursery)
        try:
            value = await coroutine
        except trio.Cancelled:
            raise
        except BaseException as failure:  # kept out of the nursery, which would wrap it
            error = failure
        nursery.cancel_scope.cancel()
    if error is not None:
        raise error
    return value


class TrioHandle:
    """What ``start`` returns under trio."""

    def __init__(self, coroutine: Coroutine[Any, Any, Any]) -> None:
        self.coroutine = coroutine
        self.scope = trio.CancelScope()
        self.over = trio.Event()
        self.value: Any = None
        self.error: BaseException | None = CancelledError()

    async def run(self) -> None:
        try:
            if self.scope.cancel_called:
                self.coroutine.close()
                return
            with self.scope:
                try:
                    self.value = await self.coroutine
                    self.error = None
                except trio.Cancelled:
                    raise
                except BaseException as error:
                    self.error = error
        finally:
            self.over.set()

    def cancel(self) -> bool:
        if self.over.is_set():
            return False
        self.scope.cancel()
        return True

    def done(self) -> bool:
        return self.over.is_set()

    def cancelled(self) -> bool:
        return self.over.is_set() and isinstance(self.error, CancelledError)

    def result(self) -> Any:
        assert self.over.is_set()
        if self.error is not None:
            raise self.error
        return self.value

    def exception(self) -> BaseException | None:
        assert self.over.is_set()
        return self.error

    def __await__(self) -> Generator[Any, Any, Any]:
        yield from self.over.wait().__await__()
        return self.result()


def start(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """A task with ``cancel``, ``done`` and ``result``, which can be awaited."""
    if not on_trio():
        return asyncio.ensure_future(coroutine)
    handle = TrioHandle(coroutine)
    _nursery.get().start_soon(handle.run)
    return handle


async def gather(*coroutines: Awaitable[Any], return_exceptions: bool = False) -> list[Any]:
    """The results in order; the first failure is raised, or stands among them. Cancelled, it cancels them all."""
    if not on_trio():
        return await asyncio.gather(*coroutines, return_exceptions=return_exceptions)
    handles: list[Any] = [each if isinstance(each, TrioHandle) else start(each) for each in coroutines]  # type: ignore[arg-type]
    try:
        for handle in handles:
            await handle.over.wait()
            if handle.error is not None and not return_exceptions:
                raise handle.error
    except BaseException:
        for handle in handles:
            handle.cancel()
        raise
    return [handle.value if handle.error is None else handle.error for handle in handles]


async def wait(tasks: Any, timeout: float | None = None) -> None:
    """Wait for all of them."""
    if not on_trio():
        await asyncio.wait(tasks, timeout=timeout)
        return
    with trio.move_on_after(float("inf") if timeout is None else timeout):
        for task in tasks:
            await task.over.wait()


async def wait_for(task: Any, seconds: float) -> Any:
    """The task's result, in time."""
    async with timeout(seconds):
        return await task


async def sleep(seconds: float) -> None:
    """Let time pass."""
    await (trio.sleep(seconds) if on_trio() else asyncio.sleep(seconds))


@asynccontextmanager
async def timeout(seconds: float) -> AsyncIterator[None]:
    """TimeoutError when the block takes longer."""
    if on_trio():
        with trio.move_on_after(seconds) as scope:
            yield
        if scope.cancelled_caught:
            raise TimeoutError
    else:
        async with asyncio.timeout(seconds):
            yield


async def to_thread(function: Callable[..., T], *arguments: Any) -> T:
    """Call it in a worker thread."""
    return await (
        trio.to_thread.run_sync(function, *arguments) if on_trio() else asyncio.to_thread(function, *arguments)
    )


def Event() -> Any:
    """One of the loop's own events."""
    return trio.Event() if on_trio() else asyncio.Event()


class TrioQueue:
    """A queue without a limit."""

    def __init__(self) -> None:
        self.sender, self.receiver = trio.open_memory_channel[Any](float("inf"))
        self.put_nowait = self.sender.send_nowait
        self.get = self.receiver.receive


def Queue() -> Any:
    """One of the loop's own queues."""
    return TrioQueue() if on_trio() else asyncio.Queue()

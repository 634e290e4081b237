"""Futures and tasks with asyncio's verbs, awaited by trio's tasks."""

from __future__ import annotations

from asyncio import CancelledError, InvalidStateError
from collections.abc import Callable, Coroutine, Generator
from contextvars import copy_context
from typing import Any, Final

import trio
from trio.lowlevel import Abort, current_task, reschedule, spawn_system_task, wait_task_rescheduled

PENDING: Final = 0
FINISHED: Final = 1
CANCELLED: Final = 2


class TrioFuture:
    """One result, awaited by a task. A cancel scope that ends the wait cancels the Future, as a cancelled task of
    asyncio does: whoever comes with the result later is told by InvalidStateError.
    """

    __slots__ = ("_callbacks", "_error", "_loop", "_result", "_state", "_task")

    def __init__(self, loop: Any) -> None:
        self._loop = loop
        self._state = PENDING
        self._result: Any = None
        self._error: BaseException | None = None
        self._task: Any = None  # the one that waits
        self._callbacks: list[Callable[[Any], object]] | None = None

    def done(self) -> bool:
        """It has its result or its exception, or was cancelled."""
        return self._state != PENDING

    def cancelled(self) -> bool:
        """Nobody waits for it any more."""
        return self._state == CANCELLED

    def result(self) -> Any:
        """What it came to; raises what it failed with."""
        if self._state == FINISHED:
            if self._error is not None:
                raise self._error
            return self._result
        if self._state == CANCELLED:
            raise CancelledError
        raise InvalidStateError("the result is not there yet")

    def exception(self) -> BaseException | None:
        """What it failed with."""
        if self._state == PENDING:
            raise InvalidStateError("the result is not there yet")
        if self._state == CANCELLED:
            raise CancelledError
        return self._error

    def set_result(self, result: Any) -> None:
        """Have whoever waits run again in the scheduler's next pass."""
        if self._state != PENDING:
            raise InvalidStateError("the result is there, or nobody waits for it")
        self._result = result
        self._end(FINISHED)

    def set_exception(self, error: BaseException) -> None:
        """The same with a failure."""
        if self._state != PENDING:
            raise InvalidStateError("the result is there, or nobody waits for it")
        self._error = error
        self._end(FINISHED)

    def cancel(self) -> bool:
        """Give it up, unless it is done."""
        if self._state != PENDING:
            return False
        self._end(CANCELLED)
        return True

    def add_done_callback(self, verb: Callable[[Any], object]) -> None:
        """Call ``verb(self)`` soon after it is done."""
        if self._state != PENDING:
            self._loop.call_soon(verb, self)
        elif self._callbacks is None:
            self._callbacks = [verb]
        else:
            self._callbacks.append(verb)

    def remove_done_callback(self, verb: Callable[[Any], object]) -> None:
        """Do not."""
        if self._callbacks is not None:
            self._callbacks = [each for each in self._callbacks if each is not verb]

    def __await__(self) -> Generator[Any, Any, Any]:
        if self._state == PENDING:
            if self._task is not None:
                raise RuntimeError("another task waits for this Future already")
            self._task = current_task()
            yield from wait_task_rescheduled(self._abort).__await__()
        return self.result()

    def _abort(self, _: Any) -> Abort:
        """A scope around the wait was cancelled; trio raises Cancelled there."""
        self._task = None
        self.cancel()
        return Abort.SUCCEEDED

    def _end(self, state: int) -> None:
        self._state = state
        task = self._task
        if task is not None:
            self._task = None
            reschedule(task)
        callbacks, self._callbacks = self._callbacks, None
        for verb in callbacks or ():
            self._loop.call_soon(verb, self)


class TrioTask(TrioFuture):
    """A coroutine that runs as one of trio's system tasks, in a cancel scope of its own.

    It belongs to no nursery of the user's, for it may outlive the call that began it: an upload goes on while its
    response is read. trio cancels it when the run ends.
    """

    __slots__ = ("_heard", "_scope")

    def __init__(self, loop: Any, coroutine: Coroutine[Any, Any, Any]) -> None:
        super().__init__(loop)
        self._heard = False
        self._scope = trio.CancelScope()
        spawn_system_task(self._run, coroutine, context=copy_context())

    def cancel(self) -> bool:
        """Have it cancelled at its next checkpoint."""
        if self._state != PENDING:
            return False
        self._scope.cancel()
        return True

    def result(self) -> Any:
        """What it returned; raises what it raised."""
        self._heard = True
        return super().result()

    def exception(self) -> BaseException | None:
        """What it raised."""
        self._heard = True
        return super().exception()

    def __del__(self) -> None:
        if self._error is not None and not self._heard:
            self._loop.call_exception_handler({"message": "nobody heard what a task raised", "exception": self._error})

    def cancelling(self) -> int:
        """Whether it was asked to end."""
        return int(self._scope.cancel_called)

    def _abort(self, _: Any) -> Abort:
        self._task = None
        self.cancel()  # as awaiting a Task of asyncio does
        return Abort.SUCCEEDED

    async def _run(self, coroutine: Coroutine[Any, Any, Any]) -> None:
        """What it raises is its exception: one that left a system task would end the whole run."""
        state = CANCELLED
        try:
            if self._scope.cancel_called:
                coroutine.close()  # before it began
                return
            with self._scope:
                try:
                    self._result = await coroutine
                    state = FINISHED
                except trio.Cancelled:
                    raise
                except BaseException as error:
                    self._error = error
                    state = FINISHED
        finally:
            self._end(state)

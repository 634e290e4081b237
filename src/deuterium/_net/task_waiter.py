"""What an asyncio Task waits for while its request is under way: no Future, and no turn of the loop to be woken."""

from __future__ import annotations

from asyncio import CancelledError
from contextvars import Context
from typing import Any

from .._http.exchange import Exchange, Waiter
from .._memory.foresight import address_of, foresee, owner_address
from .carrier import Carrier

COMPILED = not __file__.endswith((".py", ".pyc"))


class TaskWaiter(Waiter):
    """Awaited by one Task, once; to the Task it is like a Future.

    A Future has the event loop call its Task in a turn of its own. This one runs it at once when the carrier says that
    nothing else runs (``direct``): what the Task sends next then leaves with what the others send. ``answered`` is a
    Future of the loop that is done: a Task looks at it faster than at anything else.
    """

    __slots__ = (
        "_asyncio_future_blocking",
        "_loop",
        "_loop_getter",
        "answered",
        "callback",
        "callback_at",
        "context",
        "context_at",
        "message",
        "task_at",
        "withdrawn",
        "woken",
    )

    def __init__(self, loop: Any, answered: Any) -> None:
        self.prepare(loop, answered)
        self._asyncio_future_blocking: bool | None = False  # a Task asks by this name whether it may wait here

    def prepare(self, loop: Any, answered: Any) -> None:
        """Nobody waits yet."""
        self._loop = loop  # a Task asks for it by this name, unless it finds ``get_loop``
        self._loop_getter: Any = None
        self.answered = answered
        self.again()

    def again(self) -> None:
        """Nobody waits yet, once more."""
        self.callback: Any = None  # the Task's
        self.context: Context | None = None
        self.callback_at = self.context_at = self.task_at = 0
        self.woken = False
        self.withdrawn = False  # the Task was cancelled
        self.message: Any = None  # and what its ``cancel`` was told

    def __await__(self) -> TaskWaiter:
        return self

    def __iter__(self) -> TaskWaiter:
        return self

    def __next__(self) -> TaskWaiter:
        if self.woken:
            raise StopIteration
        self._asyncio_future_blocking = True
        return self

    # -- what a Task asks of it --------------------------------------------------------------------------------------

    def add_done_callback(self, callback: Any, context: Context | None = None) -> None:
        """Have ``callback`` called in ``context`` when there is something to see."""
        self._add(callback, context)

    def _add(self, callback: Any, context: Context | None) -> None:
        self.callback = callback
        self.context = context
        self.callback_at = address_of(callback)
        self.context_at = address_of(context)
        self.task_at = owner_address(callback)
        if self.woken:
            self._call_soon(self.answered)

    def cancel(self, msg: Any = None) -> bool:
        """The Task is cancelled; False when it is about to go on anyway."""
        if self.woken:
            return False
        self.woken = True
        self.withdrawn = True
        self.message = msg
        self._call_soon(self)
        return True

    def done(self) -> bool:
        """There is something to see."""
        return self.woken

    def result(self) -> None:
        """Raises CancelledError when the Task was cancelled."""
        if self.withdrawn:
            raise CancelledError() if self.message is None else CancelledError(self.message)

    # -- what the driver asks of it ----------------------------------------------------------------------------------

    def wake(self, exchange: Exchange) -> None:
        """Run the Task now or soon."""
        if self.woken:
            return
        self.woken = True
        carrier: Carrier = exchange.carrier
        if self.callback is None or self.context is None or carrier is None or not carrier.direct:
            self._call_soon(self.answered)
            return
        carrier.direct = False  # the Task may end other exchanges: whom that wakes must wait for a turn
        callback, self.callback = self.callback, None
        try:
            if COMPILED:
                run_in(self.context, callback, self.answered)  # type: ignore[name-defined]  # noqa: F821
            else:
                self.context.run(callback, self.answered)
        except BaseException as error:  # KeyboardInterrupt, SystemExit: the loop's to see, after the others' responses
            self._loop.call_soon(_raise, error)

    def foresee(self) -> None:
        """It will be woken soon, and its Task run."""
        foresee(self.callback_at, 64)
        foresee(self.context_at, 64)
        foresee(self.task_at, 192)

    def _call_soon(self, future: Any) -> None:
        if self.callback is not None:
            callback, self.callback = self.callback, None
            self._loop.call_soon(callback, future, context=self.context)


def _raise(error: BaseException) -> None:
    raise error


def loop_getter(loop: Any) -> Any:
    """A function that returns ``loop``: what a Task asks sooner, and quicker, than ``_loop``; interpreted, None."""
    return returning(loop) if COMPILED else None  # type: ignore[name-defined]  # noqa: F821


def blocking(waiter: Any) -> Any:
    """Its ``_asyncio_future_blocking``."""
    asked: TaskWaiter = waiter
    return asked._asyncio_future_blocking


def block(waiter: Any, value: Any) -> None:
    """Set it."""
    asked: TaskWaiter = waiter
    asked._asyncio_future_blocking = value


def getter_of(waiter: Any) -> Any:
    """What ``get_loop`` is; None before it has a loop."""
    asked: TaskWaiter = waiter
    if asked._loop_getter is None and asked._loop is not None:
        asked._loop_getter = loop_getter(asked._loop)  # else the Task would be told by an AttributeError
    return asked._loop_getter


def call_back(waiter: Any, callback: Any, context: Any) -> None:
    """Its ``add_done_callback``."""
    asked: TaskWaiter = waiter
    asked._add(callback, context)


if COMPILED:
    answer_in_c(TaskWaiter, blocking, block, getter_of, call_back)  # type: ignore[name-defined]  # noqa: F821

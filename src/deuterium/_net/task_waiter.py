"""What an asyncio Task waits for while its request is under way: no Future, and no turn of the loop to be woken."""

from __future__ import annotations

from asyncio import CancelledError
from contextvars import Context
from typing import Any

from .._http.exchange import Exchange, Waiter
from .carrier import Carrier


class TaskWaiter(Waiter):
    """Awaited by one Task, once; to the Task it is like a Future.

    A Future has the event loop call its Task in a turn of its own. This one runs it at once when the carrier says that
    nothing else runs (``direct``): what the Task sends next then leaves with what the others send. ``answered`` is a
    Future of the loop that is done: a Task looks at it faster than at anything else.
    """

    __slots__ = (
        "_asyncio_future_blocking",
        "_loop",
        "answered",
        "callback",
        "context",
        "message",
        "withdrawn",
        "woken",
    )

    def __init__(self, loop: Any, answered: Any) -> None:
        self._loop = loop  # a Task asks for it by this name
        self._asyncio_future_blocking = False  # and by this one whether it may wait here
        self.answered = answered
        self.callback: Any = None  # the Task's
        self.context: Context | None = None
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
        self.callback = callback
        self.context = context
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
            self.context.run(callback, self.answered)
        except BaseException as error:  # KeyboardInterrupt, SystemExit: the loop's to see, after the others' responses
            self._loop.call_soon(_raise, error)

    def _call_soon(self, future: Any) -> None:
        if self.callback is not None:
            callback, self.callback = self.callback, None
            self._loop.call_soon(callback, future, context=self.context)


def _raise(error: BaseException) -> None:
    raise error

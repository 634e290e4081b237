"""The verbs of an asyncio loop that this client uses, carried out by trio."""

from __future__ import annotations

import logging
import socket
from collections import deque
from collections.abc import Callable, Coroutine
from heapq import heapify, heappop, heappush
from math import inf
from time import monotonic
from typing import Any, Final

import trio
from trio.lowlevel import (
    Abort,
    RunVar,
    checkpoint,
    current_task,
    current_trio_token,
    reschedule,
    spawn_system_task,
    wait_task_rescheduled,
)

from ..config import TransportOptions
from . import trio_sockets
from .trio_future import TrioFuture, TrioTask
from .trio_transport import TrioTransport

LITTER: Final = 64  # so many cancelled timers may lie in the heap before it is swept


class TrioTimer:
    """What ``call_later`` returns."""

    __slots__ = ("_loop", "arguments", "at", "verb")

    def __init__(self, loop: TrioLoop, at: float, verb: Callable[..., object], arguments: tuple[Any, ...]) -> None:
        self._loop = loop
        self.at = at
        self.verb: Callable[..., object] | None = verb
        self.arguments = arguments

    def cancel(self) -> None:
        """Do not call."""
        if self.verb is not None:
            self.verb = None
            self.arguments = ()
            self._loop.timer_cancelled()

    def __lt__(self, other: TrioTimer) -> bool:
        return self.at < other.at


class TrioLoop:
    """One for each trio run, made when a client first asks; its two system tasks end with the run.

    ``call_soon`` keeps asyncio's promise: what is asked for in one pass of the scheduler is done in the next, before
    trio waits for the network again.
    """

    def __init__(self) -> None:
        self._due: deque[tuple[Callable[..., object], tuple[Any, ...]]] = deque()
        self._timers: list[TrioTimer] = []
        self._litter = 0
        self._parked: Any = None  # the task that makes the calls, while it has none to make
        self._nap = trio.CancelScope()
        self._closed = False
        self._token = current_trio_token()
        spawn_system_task(self._make_calls)
        spawn_system_task(self._keep_time)

    # -- asyncio's verbs ---------------------------------------------------------------------------------------------

    def is_closed(self) -> bool:
        """The run is over."""
        return self._closed

    def time(self) -> float:
        """Seconds of the clock that deadlines are told by."""
        return monotonic()

    def create_future(self) -> TrioFuture:
        """A Future of this loop."""
        return TrioFuture(self)

    def create_task(self, coroutine: Coroutine[Any, Any, Any]) -> TrioFuture:
        """Run the coroutine beside everything else."""
        if not self._closed:
            return TrioTask(self, coroutine)
        coroutine.close()
        never = TrioFuture(self)
        never.cancel()
        return never

    def call_soon(self, verb: Callable[..., object], *arguments: Any) -> None:
        """Call it in the scheduler's next pass."""
        self._due.append((verb, arguments))
        task = self._parked
        if task is not None:
            self._parked = None
            reschedule(task)
        elif self._closed:
            self._call_due()

    def call_soon_threadsafe(self, verb: Callable[..., object], *arguments: Any) -> None:
        """The same, from any thread. Raises RuntimeError when the run is over."""
        self._token.run_sync_soon(self.call_soon, verb, *arguments)

    def call_later(self, delay_s: float, verb: Callable[..., object], *arguments: Any) -> TrioTimer:
        """Call it after ``delay_s`` seconds."""
        timer = TrioTimer(self, trio.current_time() + delay_s, verb, arguments)
        heappush(self._timers, timer)
        if timer.at < self._nap.deadline:  # noqa: PLR1730  # to set the same again would cost as much
            self._nap.deadline = timer.at
        return timer

    def run_in_executor(self, executor: None, function: Callable[..., Any], *arguments: Any) -> TrioFuture:
        """The result of a call in a worker thread, which goes on when nobody waits for it any more."""
        return self.create_task(trio.to_thread.run_sync(function, *arguments, abandon_on_cancel=True))

    async def getaddrinfo(self, host: str, port: int, *, type: int) -> Any:
        """The addresses of a name."""
        return await trio.socket.getaddrinfo(host, port, type=type)

    async def create_connection(self, factory: Callable[[], Any], *, sock: socket.socket) -> None:
        """Connect a protocol to a connected socket."""
        TrioTransport(self, sock, factory()).start()

    async def sock_connect(self, sock: socket.socket, address: Any) -> None:
        """Connect a non-blocking socket."""
        await trio_sockets.connect(sock, address)

    async def sock_sendall(self, sock: socket.socket, octets: bytes) -> None:
        """Send all of it."""
        await trio_sockets.send_all(sock, octets)

    async def sock_recv(self, sock: socket.socket, most: int) -> bytes:
        """Receive something."""
        return await trio_sockets.receive(sock, most)

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """Log what went wrong where nobody waits."""
        logging.getLogger("deuterium").error(context["message"], exc_info=context["exception"])

    # -- what asyncio has outside its loops --------------------------------------------------------------------------

    def lock(self) -> trio.Lock:
        """What one task at a time holds."""
        return trio.Lock()

    def time_limit(self, seconds: float | None) -> TimeLimit:
        """``asyncio.timeout``."""
        return TimeLimit(seconds)

    async def connect_first(self, addresses: Any, options: TransportOptions) -> socket.socket:
        """The first of the addresses to be reached (RFC 8305)."""
        return await trio_sockets.connect_first(addresses, options)

    # -- system tasks ------------------------------------------------------------------------------------------------

    async def _make_calls(self) -> None:
        task = current_task()
        try:
            while True:
                self._call_due()
                if self._due:
                    await checkpoint()
                else:
                    self._parked = task
                    await wait_task_rescheduled(self._unpark)
        finally:
            self.end()

    def _unpark(self, _: Any) -> Abort:
        self._parked = None
        return Abort.SUCCEEDED

    def _call_due(self) -> None:
        """What is due now; what that asks for has its turn later."""
        due = self._due
        for _ in range(len(due)):
            verb, arguments = due.popleft()
            try:
                verb(*arguments)
            except Exception as error:
                self.call_exception_handler({"message": f"{verb!r} raised", "exception": error})

    async def _keep_time(self) -> None:
        timers = self._timers
        while True:
            with trio.CancelScope(deadline=timers[0].at if timers else inf) as self._nap:
                await trio.sleep_forever()
            now = trio.current_time()
            while timers and timers[0].at <= now:
                timer = heappop(timers)
                if timer.verb is None:
                    self._litter -= 1
                else:
                    self.call_soon(timer.verb, *timer.arguments)
                    timer.verb = None

    def timer_cancelled(self) -> None:
        """One more timer in the heap is of no use."""
        self._litter += 1
        if self._litter > LITTER and self._litter * 2 > len(self._timers):
            self._timers[:] = [timer for timer in self._timers if timer.verb is not None]
            heapify(self._timers)
            self._litter = 0

    def end(self) -> None:
        """The run is over: what is asked for from now on is done at once."""
        self._closed = True
        self._call_due()


class TimeLimit:
    """TimeoutError when the block takes longer; it is no cancellation that the user's scopes would see."""

    __slots__ = ("_scope",)

    def __init__(self, seconds: float | None) -> None:
        self._scope = trio.CancelScope(deadline=inf if seconds is None else trio.current_time() + seconds)

    async def __aenter__(self) -> None:
        self._scope.__enter__()

    async def __aexit__(self, kind: Any, error: Any, trace: Any) -> bool | None:
        handled = self._scope.__exit__(kind, error, trace)
        if self._scope.cancelled_caught:
            raise TimeoutError from None
        return handled


_current: RunVar[TrioLoop] = RunVar("deuterium")


def running_loop() -> TrioLoop:
    """The loop of the trio run this is called in."""
    try:
        return _current.get()
    except LookupError:
        loop = TrioLoop()
        _current.set(loop)
        return loop

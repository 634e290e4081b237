"""A plain request of an AsyncClient, as its caller awaits it: compiled, the coroutine and what it waits for are one."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

from ._memory import collector
from ._memory.foresight import address_of
from ._net.step import thrown
from ._net.task_waiter import TaskWaiter
from .response import Response
from .sender import AsyncSender

COMPILED = not __file__.endswith((".py", ".pyc"))


class Fetching(TaskWaiter):
    """What ``AsyncSender.fetch`` does, without a coroutine: nothing before it is awaited, and then once.

    Where the event loop's Futures are not asyncio's, or the response is not the last word, a coroutine does the rest.
    """

    __slots__ = ("client", "exchange", "follow_redirects", "method", "over", "rest", "sender", "timeout", "url")

    def ask(
        self, sender: AsyncSender, client: Any, method: str, url: str, timeout: Any, follow_redirects: Any
    ) -> None:
        """What to send once it is awaited: in place of ``__init__``, which compiled code cannot call directly."""
        self._asyncio_future_blocking = None  # not a Future to anybody, until its Task waits for it
        self.sender: Any = sender
        self.client = client
        self.method = method
        self.url = url
        self.timeout = timeout
        self.follow_redirects = follow_redirects
        self.exchange: Any = None
        self.rest: Any = None  # the coroutine that goes on
        self.over = False

    # -- what an awaiting Task asks of it ----------------------------------------------------------------------------

    def __next__(self) -> Any:
        return self.send(None)

    def send(self, value: Any) -> Any:
        """Go on, as a coroutine does."""
        step = advance(self, value)
        if self.over:
            raise StopIteration(step)
        return step

    def throw(self, kind: Any, value: Any = None, traceback: Any = None) -> Any:
        """Raise an exception where it waits, as in a coroutine; that gives the request up."""
        error = thrown(kind, value, traceback)
        if self.rest is None:
            self.close()
            raise error
        try:
            return self.rest.throw(error)
        except BaseException:
            self._end()
            raise

    def close(self) -> None:
        """Give the request up, if it is under way."""
        sender, exchange, rest = self.sender, self.exchange, self.rest
        self._end()
        if rest is not None:
            rest.close()
        elif exchange is not None:
            sender.pool.cancel(exchange, None)

    # -- carrying out ------------------------------------------------------------------------------------------------

    def _advance(self, value: Any) -> Any:
        """What to wait for; or the response, and ``over`` is set."""
        if self.rest is not None:
            return self._go_on(value)
        exchange = self.exchange
        if exchange is None:
            return self._start()
        if not self.woken:
            if self.callback is not None:
                raise RuntimeError("the request is awaited already")
            self._asyncio_future_blocking = True
            return self
        sender, client = self.sender, self.client
        if sender.is_final(exchange):
            self._end()
            return Response(exchange, None, client)
        self.rest = client.go_on(exchange, self.follow_redirects).__await__()
        return self._go_on(None)

    def _start(self) -> Any:
        """Send the request."""
        if self.over:
            raise RuntimeError("cannot reuse an already awaited request")
        sender = self.sender
        sender.match_loop()
        timeout = sender.client_timeout if self.timeout is None else self.timeout
        if not sender.standard:
            self.rest = sender.fetch(self.client, self.method, self.url, timeout, self.follow_redirects).__await__()
            return self._go_on(None)
        self.prepare(sender.loop, sender.answered)
        self._loop_getter = sender.loop_getter
        self.over = True  # if it cannot be sent
        exchange = sender.start_plain(self.method, self.url, self, timeout)
        self.over = False
        collector.untrack(self)  # while it is under way its connection holds it
        exchange.waiter_at = address_of(self)
        self.exchange = exchange
        if self.woken:  # the client is closed
            return self._advance(None)
        self._asyncio_future_blocking = True
        return self

    def _go_on(self, value: Any) -> Any:
        try:
            return self.rest.send(value)
        except StopIteration as result:
            self._end()
            return result.value
        except BaseException:
            self._end()
            raise

    def _end(self) -> None:
        self.over = True
        self._asyncio_future_blocking = None
        self.exchange = self.rest = self.sender = self.client = None


def fetch(
    sender: AsyncSender, client: Any, method: str, url: str, timeout: Any, follow_redirects: Any
) -> Coroutine[Any, Any, Response]:
    """What to await for the response to a plain request. ``timeout``: a Timeout, or None for the client's."""
    fetching = Fetching.__new__(Fetching)
    fetching.ask(sender, client, method, url, timeout, follow_redirects)
    return fetching  # type: ignore[return-value]


def advance(fetching: Any, value: Any) -> Any:
    """One step of a request that is awaited."""
    awaited: Fetching = fetching
    return awaited._advance(value)


def is_over(fetching: Any) -> bool:
    """Whether the step was the last."""
    awaited: Fetching = fetching
    return awaited.over


Coroutine.register(Fetching)
if COMPILED:
    step_in_c(Fetching, advance, is_over)  # type: ignore[name-defined]  # noqa: F821
else:
    globals()["fetch"] = AsyncSender.fetch  # there a coroutine costs less: it is written in C

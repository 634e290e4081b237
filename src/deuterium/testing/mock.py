"""Answers by a function, without a server."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from ..request import Request
from ..response import Response as ClientResponse
from .engine import Visit
from .response import Response, as_sent
from .transport import InProcessTransport

Handler = Callable[[Request], ClientResponse | Awaitable[ClientResponse]]


class MockTransport(InProcessTransport):
    """``handler(request)`` returns the :class:`Response` to each request, or raises what the client shall meet.

    The request is a copy, its content read whole. The handler may be ``async``: under a sync Client it then runs on an
    event loop in a thread of its own; any other runs in the thread that asked, where no timeout can end it.

    >>> import deuterium
    >>> transport = MockTransport(lambda request: Response(200, text=f"{request.method} {request.url.path}"))
    >>> with deuterium.Client(transport=transport) as client:
    ...     client.get("https://example.org/hello").text
    'GET /hello'
    """

    collects = True

    def __init__(self, handler: Handler) -> None:
        self.handler = handler
        self.in_thread: bool = not inspect.iscoroutinefunction(handler) and not inspect.iscoroutinefunction(
            getattr(handler, "__call__", None)  # noqa: B004  # an object whose __call__ is async
        )

    async def answer(self, visit: Visit) -> None:
        """Call the handler and send what it returns."""
        await content_complete(visit)
        result: Any = self.handler(received_request(visit))
        response = as_sent(await result if inspect.isawaitable(result) else result)
        _start(visit, response)
        content = response.sent_content
        if isinstance(content, bytes):
            visit.write(content)
        elif hasattr(content, "__aiter__"):
            async for piece in content:
                await room(visit)
                visit.write(piece)
        else:
            for piece in content:
                await room(visit)
                visit.write(piece)
        visit.finish(response.sent_trailers)

    def steps(self, visit: Visit) -> Iterator[None]:
        """The same in the calling thread."""
        result = self.handler(received_request(visit))
        if inspect.isawaitable(result):
            raise TypeError("under a sync Client a handler is a plain function or an async one, not a mixture")
        response = as_sent(result)
        _start(visit, response)
        content = response.sent_content
        if isinstance(content, bytes):
            visit.write(content)
        elif hasattr(content, "__aiter__"):
            raise TypeError("under a sync Client content from an async iterator needs an async handler")
        else:
            for piece in content:
                visit.write(piece)
                yield
        visit.finish(response.sent_trailers)

    def __repr__(self) -> str:
        return f"MockTransport({self.handler!r})"


def _start(visit: Visit, response: Response) -> None:
    for hint in response.sent_hints:
        visit.inform(103, hint)
    visit.start(response.status_code, response.sent_fields)


def received_request(visit: Visit) -> Request:
    """The request as it arrived: a new object, so that nobody sees what the handler does to it."""
    exchange = visit.exchange
    fields = (*exchange.common, *exchange.extra)
    if exchange.origin is not None and exchange.authority != exchange.origin.authority:
        fields = (("host", exchange.authority), *fields)
    request = Request(exchange.method, exchange.origin, exchange.path, (), fields)
    sent = exchange.request
    if sent is not None:
        request.timeout = sent.timeout
        request.extensions = dict(sent.extensions) if sent.extensions else None
    request.set_content((visit.take_content(),))  # as a stream, or it would add a content-length nobody sent
    request.read()
    return request


async def content_complete(visit: Visit) -> None:
    """Wait for the end of the request's content."""
    await until(visit, lambda: visit.content_ended or visit.over)


async def room(visit: Visit) -> None:
    """Wait until the client takes more."""
    if not visit.has_room():
        await until(visit, visit.has_room)


async def until(visit: Visit, condition: Callable[[], bool]) -> None:
    """Wait for a change that makes the condition true."""
    changed = visit.changes()
    while True:
        changed.clear()
        if condition():
            return
        await changed.wait()

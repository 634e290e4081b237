"""Server-sent events that go on after the connection broke, as the HTML standard section 9.2.3 has it, with bounds."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator
from types import TracebackType
from typing import Any, Final

from ._http.events import EventParser, ServerSentEvent
from ._http.field import check_value
from ._net.loops import running_loop
from ._net.waiting import sleep
from ._pool.retry import retry_after_s
from .errors import HTTPStatusError, LocalProtocolError, RemoteProtocolError, RequestError, TotalTimeout, TransportError
from .request import checked_fields
from .response import Response

RETRY_S: Final = 3.0  # browsers wait 3 to 5 s when the server does not say
MIN_RETRY_S: Final = 0.1  # a server that says 0 is not asked in a loop
TRY_AGAIN: Final = frozenset((429, 500, 502, 503, 504))  # gateways of a server that restarts


class Subscription:
    """What to ask for, when, and when to stop: decisions for both clients, no I/O."""

    def __init__(
        self,
        headers: Any,
        last_event_id: str,
        options: dict[str, Any],
        *,
        reconnect: bool,
        attempts: int,
        max_retry_s: float,
    ) -> None:
        if attempts < 1 or max_retry_s < MIN_RETRY_S:
            raise ValueError(f"attempts must be at least 1, max_retry_s at least {MIN_RETRY_S}")
        self._fields = checked_fields(headers or ())
        self.last_event_id = last_event_id
        self.retry_s = RETRY_S
        content = options.get("content")
        one_shot = hasattr(content, "__next__") or hasattr(content, "__anext__") or options.get("files")
        self._reconnect = reconnect and not one_shot
        self._attempts = attempts
        self._max_retry_s = max_retry_s
        self._fruitless = 0  # connections in a row that brought no event
        self._asked_to_wait_s = 0.0
        self._parser = EventParser()
        self._answered = False

    def fields(self) -> list[tuple[str, str]]:
        """The fields of the next request."""
        given = {name for name, _ in self._fields}
        own = [("accept", "text/event-stream"), ("cache-control", "no-store")]
        fields = [pair for pair in own if pair[0] not in given] + list(self._fields)
        if self.last_event_id:
            value = self.last_event_id.encode().decode("latin-1")
            try:
                check_value(value)
            except LocalProtocolError:
                return fields  # an id no field can carry: the server starts where it likes
            fields = [pair for pair in fields if pair[0] != "last-event-id"] + [("last-event-id", value)]
        return fields

    def begin(self, response: Response) -> bool:
        """Look at the header section; False: the server wants no more connections (204).

        Raises HTTPStatusError or RemoteProtocolError for what is no event stream.
        """
        self._answered = True
        self._fruitless += 1
        self._asked_to_wait_s = 0.0
        if response.status_code == 204:
            return False
        if response.status_code != 200:
            if response.status_code in TRY_AGAIN:
                self._asked_to_wait_s = retry_after_s(response.headers.get("retry-after") or "", time.time()) or 0.0
            raise HTTPStatusError(
                f"no event stream: {response.status_code} {response.reason_phrase} for {response.url}",
                request=response.request,
                response=response,
            )
        kind = (response.headers.get("content-type") or "").partition(";")[0].strip().lower()
        if kind != "text/event-stream":
            raise _NoEvents(f"HTML 9.2.3: the content is {kind or 'untyped'}, not text/event-stream")
        self._parser = EventParser(self.last_event_id)
        return True

    def feed(self, octets: bytes) -> list[ServerSentEvent]:
        """The events that are complete."""
        events = self._parser.feed(octets)
        self.last_event_id = self._parser.committed_id
        if self._parser.retry is not None:
            self.retry_s = self._parser.retry / 1000
        if events:
            self._fruitless = 0
        return events

    def next_delay(self, error: Exception | None) -> float | None:
        """Seconds until the next connection; None: no more, the last one ended in good order. Raises ``error``."""
        if not self._answered:
            self._fruitless += 1
        self._answered = False
        passing = error is None or (
            error.response.status_code in TRY_AGAIN
            if isinstance(error, HTTPStatusError)
            else isinstance(error, TransportError)
            and not isinstance(error, TotalTimeout | _NoEvents)
            and error.initiator != "user"
        )
        if not (self._reconnect and passing and self._fruitless < self._attempts):
            if error is not None:
                raise error
            return None
        growth = 2.0 ** max(0, self._fruitless - 1)
        return min(self._max_retry_s, max(MIN_RETRY_S, self.retry_s * growth, self._asked_to_wait_s))


class _NoEvents(RemoteProtocolError):
    """The response is something else than an event stream."""


class AsyncEventSource(AsyncIterator[ServerSentEvent]):
    """An async iterator of events. When the connection ends it waits, as long as the server's ``retry`` says, and asks
    for what came after the last event's id.

    It ends when the server answers 204, or when connections in a row that brought no event ended in good order; any
    other status raises HTTPStatusError, other content RemoteProtocolError, and a failure that goes on raises it.
    429 and 5xx count as failures that may pass. A request whose content cannot be sent again is not.
    ``last_event_id`` tells how far it is. Close it, or use it in an ``async with`` block, to give up the stream.
    """

    def __init__(self, client: Any, method: str, url: Any, subscription: Subscription, options: dict[str, Any]) -> None:
        self._subscription = subscription
        self.response: Response | None = None
        self._events: AsyncGenerator[ServerSentEvent, None] = self._follow(client, method, url, options)

    @property
    def last_event_id(self) -> str:
        """The id of the last event that was complete."""
        return self._subscription.last_event_id

    async def _follow(
        self, client: Any, method: str, url: Any, options: dict[str, Any]
    ) -> AsyncGenerator[ServerSentEvent, None]:
        subscription = self._subscription
        while True:
            error: Exception | None = None
            try:
                async with client.stream(method, url, headers=subscription.fields(), **options) as response:
                    self.response = response
                    if not subscription.begin(response):
                        return
                    async for octets in response.aiter_bytes():
                        for event in subscription.feed(octets):
                            yield event
            except (RequestError, HTTPStatusError) as failure:
                error = failure
            delay_s = subscription.next_delay(error)
            if delay_s is None:
                return
            await sleep(running_loop(), delay_s)

    def __aiter__(self) -> AsyncEventSource:
        return self

    async def __anext__(self) -> ServerSentEvent:
        return await self._events.__anext__()

    async def aclose(self) -> None:
        """Give up the stream. Any number of times."""
        await self._events.aclose()

    async def __aenter__(self) -> AsyncEventSource:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()


class EventSource(Iterator[ServerSentEvent]):
    """The same for threads: an iterator, and a context manager."""

    def __init__(self, client: Any, method: str, url: Any, subscription: Subscription, options: dict[str, Any]) -> None:
        self._subscription = subscription
        self.response: Response | None = None
        self._events: Generator[ServerSentEvent, None, None] = self._follow(client, method, url, options)

    @property
    def last_event_id(self) -> str:
        """The id of the last event that was complete."""
        return self._subscription.last_event_id

    def _follow(
        self, client: Any, method: str, url: Any, options: dict[str, Any]
    ) -> Generator[ServerSentEvent, None, None]:
        subscription = self._subscription
        while True:
            error: Exception | None = None
            try:
                with client.stream(method, url, headers=subscription.fields(), **options) as response:
                    self.response = response
                    if not subscription.begin(response):
                        return
                    for octets in response.iter_bytes():
                        yield from subscription.feed(octets)
            except (RequestError, HTTPStatusError) as failure:
                error = failure
            delay_s = subscription.next_delay(error)
            if delay_s is None:
                return
            time.sleep(delay_s)

    def __iter__(self) -> EventSource:
        return self

    def __next__(self) -> ServerSentEvent:
        return next(self._events)

    def close(self) -> None:
        """Give up the stream. Any number of times."""
        self._events.close()

    def __enter__(self) -> EventSource:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

"""Names to addresses in the calling thread: carries out what the DNS cache decides."""

from __future__ import annotations

import socket
from threading import Event, Lock
from time import monotonic
from typing import Any

from .._http.phases import NEVER
from ..config import TransportOptions
from ..errors import ConnectError
from .dns_cache import DnsCache, Failed, Found, Resolve, Ticket, Wait
from .race import Expired
from .resolver import AddressInfo, addresses_of, cache_name, literal_address


class EventSleeper:
    """A thread that waits for another's resolution."""

    __slots__ = ("event",)

    def __init__(self) -> None:
        self.event = Event()

    def wake(self) -> None:
        """End the wait."""
        self.event.set()


class BlockingResolver:
    """Resolves by getaddrinfo, or by the resolver the options name; one cache for each client.

    ``lock`` guards the cache and is not held while a name is resolved. getaddrinfo cannot be interrupted: a deadline
    is looked at when it is back.
    """

    __slots__ = ("cache", "hook", "lock")

    def __init__(self, options: TransportOptions) -> None:
        self.hook: Any = options.resolver
        self.cache: DnsCache[AddressInfo] = DnsCache(options.dns_life_s)
        self.lock = Lock()

    def resolve(self, host: str, port: int, deadline: float) -> tuple[AddressInfo, ...]:
        """The addresses of ``host``, at least one. Raises ConnectError or Expired."""
        literal = literal_address(host, port)
        if literal is not None:
            return (literal,)
        name = cache_name(host, port)
        while True:
            sleeper = EventSleeper()
            with self.lock:
                answer = self.cache.look_up(name, monotonic(), sleeper)
            if isinstance(answer, Resolve):
                self._look_up(answer.ticket, host, port)
                result = answer.ticket.result
            elif isinstance(answer, Wait):
                result = self._share(answer.ticket, sleeper, deadline)
            else:
                result = answer
            if isinstance(result, Found):
                return result.addresses
            if isinstance(result, Failed):
                error = result.error
                reason = error.strerror if isinstance(error, socket.gaierror) else str(error)
                raise ConnectError(f"the name {host!r} has no address: {reason}", request_processed=False) from error

    def demote(self, host: str, port: int, address: AddressInfo) -> None:
        """``address`` did not answer first: try it last until the name is resolved again."""
        with self.lock:
            self.cache.demote(cache_name(host, port), address)

    def forget(self, host: str, port: int) -> None:
        """Resolve the name again when it is next needed."""
        with self.lock:
            self.cache.forget(cache_name(host, port))

    def _share(self, ticket: Ticket[AddressInfo], sleeper: EventSleeper, deadline: float) -> Any:
        """The result of another thread's resolution."""
        try:
            if not sleeper.event.wait(None if deadline == NEVER else max(0.0, deadline - monotonic())):
                raise Expired
        finally:
            with self.lock:
                self.cache.leave(ticket, sleeper)
        return ticket.result

    def _look_up(self, ticket: Ticket[AddressInfo], host: str, port: int) -> None:
        try:
            if self.hook is None:
                found: Any = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            else:
                found = addresses_of(_answer(self.hook(host, port)), port)
        except Exception as error:  # whatever a resolver raises, the name has no address
            with self.lock:
                self.cache.failed(ticket, error, monotonic())
        except BaseException:
            with self.lock:
                self.cache.abandoned(ticket)
            raise
        else:
            with self.lock:
                self.cache.resolved(ticket, found, monotonic())


def _answer(given: Any) -> Any:
    if hasattr(given, "__await__"):
        if hasattr(given, "close"):
            given.close()
        raise TypeError("a Client needs a resolver that answers at once, not a coroutine")
    return given

"""Names to addresses on an event loop: carries out what the DNS cache decides."""

from __future__ import annotations

import socket
from collections.abc import Iterable
from ipaddress import ip_address
from time import monotonic
from typing import Any

from ..config import TransportOptions
from ..errors import ConnectError
from .dns_cache import DnsCache, Failed, Found, Resolve, Ticket

# As getaddrinfo returns it: family, type, protocol, canonical name, socket address.
AddressInfo = tuple[int, int, int, str, Any]


class FutureSleeper:
    """Waits for another's resolution."""

    __slots__ = ("future",)

    def __init__(self, future: Any) -> None:
        self.future = future

    def wake(self) -> None:
        """End the wait, unless it was given up."""
        if not self.future.done():
            self.future.set_result(None)


class AsyncResolver:
    """Resolves by getaddrinfo in a thread, or by the resolver the options name; one cache for each client."""

    __slots__ = ("cache", "hook", "loop")

    def __init__(self, loop: Any, options: TransportOptions) -> None:
        self.loop = loop
        self.hook = options.resolver
        self.cache: DnsCache[AddressInfo] = DnsCache(options.dns_life_s)

    async def resolve(self, host: str, port: int) -> tuple[AddressInfo, ...]:
        """The addresses of ``host``, at least one. Raises ConnectError."""
        literal = literal_address(host, port)
        if literal is not None:
            return (literal,)
        name = cache_name(host, port)
        while True:
            sleeper = FutureSleeper(self.loop.create_future())
            answer = self.cache.look_up(name, monotonic(), sleeper)
            if isinstance(answer, Resolve):
                await self._look_up(answer.ticket, host, port)
                result = answer.ticket.result
            elif isinstance(answer, Found | Failed):
                result = answer
            else:
                try:
                    await sleeper.future
                finally:
                    self.cache.leave(answer.ticket, sleeper)
                result = answer.ticket.result
            if isinstance(result, Found):
                return result.addresses
            if isinstance(result, Failed):
                error = result.error
                reason = error.strerror if isinstance(error, socket.gaierror) else str(error)
                raise ConnectError(f"the name {host!r} has no address: {reason}", request_processed=False) from error

    def demote(self, host: str, port: int, address: AddressInfo) -> None:
        """``address`` did not answer first: try it last until the name is resolved again."""
        self.cache.demote(cache_name(host, port), address)

    def forget(self, host: str, port: int) -> None:
        """Resolve the name again when it is next needed."""
        self.cache.forget(cache_name(host, port))

    async def _look_up(self, ticket: Ticket[AddressInfo], host: str, port: int) -> None:
        try:
            if self.hook is None:
                found: Any = await self.loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            else:
                found = addresses_of(await self.hook(host, port), port)
        except Exception as error:  # whatever a resolver raises, the name has no address
            self.cache.failed(ticket, error, monotonic())
        except BaseException:
            self.cache.abandoned(ticket)
            raise
        else:
            self.cache.resolved(ticket, found, monotonic())


def cache_name(host: str, port: int) -> str:
    """What the cache calls it: a resolver may answer differently for another port."""
    return f"{host}:{port}"


def literal_address(host: str, port: int) -> AddressInfo | None:
    """The address when ``host`` is one already; one with a zone is left to getaddrinfo."""
    if "%" in host:
        return None
    try:
        address = ip_address(host)
    except ValueError:
        return None
    if address.version == 4:
        return (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (host, port))
    return (socket.AF_INET6, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (host, port, 0, 0))


def addresses_of(texts: Iterable[str], port: int) -> list[AddressInfo]:
    """What a resolver answered, as addresses. Raises ValueError for what is not an IP address."""
    found = []
    for text in texts:
        address = literal_address(text, port)
        if address is None:
            raise ValueError(f"the resolver answered {text!r}, which is not an IP address")
        found.append(address)
    return found

"""Which origins are reached in a way of their own: through a proxy, from other sockets, or in process."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AsyncExitStack, ExitStack
from typing import Any

from .._net.blocking_dialer import BlockingDialer
from .._net.dialer import AsyncDialer
from .._net.proxy import Proxy
from ..config import TransportOptions
from .patterns import Patterns

MountTypes = Mapping[str, Any] | None


class Mount:
    """A way: ``proxy``, or None, and who opens connections: ``options`` of sockets, or ``in_process``, a transport of
    deuterium.testing. Without either it is as the client opens others.
    """

    __slots__ = ("in_process", "options", "proxy")

    def __init__(self, proxy: Proxy | None = None, options: TransportOptions | None = None, in_process: Any = None):
        self.proxy: Proxy | None = proxy
        self.options: TransportOptions | None = options
        self.in_process: Any = in_process

    def async_dialer(self, loop: Any) -> Any:
        """For an AsyncClient."""
        return AsyncDialer(loop, self.options) if self.in_process is None else self.in_process.async_dialer(loop)

    def sync_dialer(self) -> Any:
        """For a Client."""
        if self.in_process is None:
            return BlockingDialer(self.options or TransportOptions())
        return self.in_process.sync_dialer()


class Mounts:
    """The ways of one client, looked at when a connection is opened. ``default``: that of origins no pattern names.

    ``given``: for a pattern (see Patterns) a proxy or its URL, TransportOptions, a transport of deuterium.testing, or
    None: the default, without a proxy. Raises ValueError for a pattern or proxy that is none, and TypeError.
    """

    __slots__ = ("_patterns", "default", "network")

    def __init__(self, given: MountTypes = None, default: Mount | None = None) -> None:
        self.default: Mount = default or Mount()
        self.network: Mount = Mount(options=self.default.options)  # where a proxy is reached
        self._patterns = Patterns({text: self._mount(value) for text, value in (given or {}).items()})

    def find(self, origin: Any) -> Mount | None:
        """The way to an origin, if it has one of its own."""
        if not self._patterns:
            return None
        pattern = self._patterns.find(origin.scheme, origin.host, origin.port)
        return None if pattern is None else pattern.value

    def in_process(self, origin: Any) -> bool:
        """There is no network on the way to the origin."""
        return (self.find(origin) or self.default).in_process is not None

    def async_dialer(self, loop: Any) -> Any:
        """For an AsyncClient."""
        return MountedAsyncDialer(loop, self) if self._patterns else self.default.async_dialer(loop)

    def sync_dialer(self) -> Any:
        """For a Client."""
        return MountedSyncDialer(self) if self._patterns else self.default.sync_dialer()

    def _mount(self, value: Any) -> Mount:
        if value is None:
            return self.default
        if isinstance(value, str | Proxy):
            if self.network.options is not None and self.network.options.uds is not None:
                raise ValueError("uds and proxy exclude each other")
            return Mount(Proxy(value) if isinstance(value, str) else value, self.network.options)
        if isinstance(value, TransportOptions):
            return Mount(options=value)
        if hasattr(value, "async_dialer"):
            return Mount(in_process=value)
        raise TypeError(f"{value!r} is no proxy, TransportOptions or transport of deuterium.testing")


class MountedAsyncDialer:
    """A dialer for each way, made when it is first gone."""

    __slots__ = ("dialers", "loop", "mounts")

    def __init__(self, loop: Any, mounts: Mounts) -> None:
        self.loop = loop
        self.mounts = mounts
        self.dialers: dict[Mount, Any] = {}

    async def dial(self, origin: Any, workshop: Any, timeout_s: float | None) -> Any:
        """A connection that is ready."""
        return await self._dialer(origin).dial(origin, workshop, timeout_s)

    def on_loop(self, loop: Any) -> MountedAsyncDialer:
        """One like it on another loop."""
        return MountedAsyncDialer(loop, self.mounts)

    def forget(self, origin: Any) -> None:
        """Resolve the origin's name again before the next connection to it."""
        self._dialer(origin).forget(origin)

    async def aclose(self) -> None:
        """End what begins and ends with the client."""
        async with AsyncExitStack() as every:  # each of them, whatever another one raises
            for dialer in self.dialers.values():
                every.push_async_callback(dialer.aclose)

    def _dialer(self, origin: Any) -> Any:
        mount = self.mounts.find(origin) or self.mounts.default
        dialer = self.dialers.get(mount)
        if dialer is None:
            dialer = self.dialers[mount] = mount.async_dialer(self.loop)
        return dialer


class MountedSyncDialer:
    """The same for threads, which may dial at once."""

    __slots__ = ("dialers", "mounts")

    def __init__(self, mounts: Mounts) -> None:
        self.mounts = mounts
        self.dialers: dict[Mount, Any] = {}

    def dial(self, origin: Any, workshop: Any, lock: Any, timeout_s: float | None) -> Any:
        """A connection that is ready."""
        with lock:
            dialer = self._dialer(origin)
        return dialer.dial(origin, workshop, lock, timeout_s)

    def forget(self, origin: Any) -> None:
        """Resolve the origin's name again before the next connection to it."""
        self._dialer(origin).forget(origin)

    def close(self) -> None:
        """End what begins and ends with the client."""
        with ExitStack() as every:
            for dialer in self.dialers.values():
                every.callback(dialer.close)

    def _dialer(self, origin: Any) -> Any:
        mount = self.mounts.find(origin) or self.mounts.default
        dialer = self.dialers.get(mount)
        if dialer is None:
            dialer = self.dialers[mount] = mount.sync_dialer()
        return dialer

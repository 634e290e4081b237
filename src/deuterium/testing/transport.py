"""What every in-process transport is: something that answers instead of a network."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .async_carrier import AsyncStage
from .engine import Visit
from .lifespan import Lifespan
from .sync_carrier import SyncStage


class InProcessTransport:
    """Give one to a client as ``transport``. Redirects, cookies, authentication, retries, content codings and hooks
    work as over a network, because everything above the connection is the same.

    A subclass has ``answer``, and ``steps`` where the sync client's own thread can do the work.
    """

    collects = False  # the request's content is taken in whole before anything is answered
    in_thread = False  # the sync client's own thread answers, by ``steps``

    async def answer(self, visit: Visit) -> None:
        """Answer one request on an event loop."""
        raise NotImplementedError

    def steps(self, visit: Visit) -> Iterator[None]:
        """Answer one request in the calling thread, piece by piece."""
        raise NotImplementedError

    def lifespan(self) -> Lifespan:
        """What begins and ends with the client."""
        return Lifespan()

    def async_dialer(self, loop: Any) -> AsyncStage:
        """For an AsyncClient."""
        return AsyncStage(loop, self)

    def sync_dialer(self) -> SyncStage:
        """For a Client."""
        return SyncStage(self)

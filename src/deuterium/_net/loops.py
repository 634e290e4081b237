"""Which event loop runs this code, asyncio's or trio's, and what only the two together have no common name for.

Everything else is asked of the loop itself: ``create_future``, ``create_task``, ``call_soon``, ``call_later``,
``run_in_executor`` and the ``sock_...`` verbs. asyncio's loops have them, and ``TrioLoop`` has what is used of them.
"""

from __future__ import annotations

import asyncio
import sys
from asyncio.trsock import TransportSocket
from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from functools import cache
from typing import Any

from .sockets import lead_nowhere


def running_loop() -> Any:
    """The loop of the task that runs. Raises RuntimeError where none does.

    trio is asked first: as a guest it runs inside an asyncio loop. It says so through sniffio, which it needs in a
    version that has ``thread_local``; where that was not imported there is no trio.
    """
    running = getattr(sys.modules.get("sniffio"), "thread_local", None)
    if running is not None and running.name == "trio":
        return _trio_verb()()
    return asyncio.get_running_loop()


@cache
def _trio_verb() -> Callable[[], Any]:
    """What tells trio's loop; to import it anew for each request would cost more than to ask it."""
    from .trio_loop import running_loop

    return running_loop


def lock(loop: Any) -> AbstractAsyncContextManager[Any]:
    """What one task at a time holds."""
    make: Callable[[], AbstractAsyncContextManager[Any]] = getattr(loop, "lock", asyncio.Lock)
    return make()


def time_limit(loop: Any, seconds: float | None) -> AbstractAsyncContextManager[Any]:
    """TimeoutError, raised at the end of the block, when it takes longer."""
    make: Callable[[float | None], AbstractAsyncContextManager[Any]] = getattr(loop, "time_limit", asyncio.timeout)
    return make(seconds)


def connector(loop: Any) -> Callable[..., Coroutine[Any, Any, Any]] | None:
    """The loop's own race between addresses; None where aiohappyeyeballs runs."""
    return getattr(loop, "connect_first", None)


def forsake(transport: Any, loop: Any) -> None:
    """Have the transport of a loop that is closed, or a parent process's, lead nowhere."""
    sock = transport.get_extra_info("socket")
    # A closed uvloop has closed its descriptors: the number may be another file's by now.
    if isinstance(sock, TransportSocket) or (sock is not None and not loop.is_closed()):
        lead_nowhere(sock)

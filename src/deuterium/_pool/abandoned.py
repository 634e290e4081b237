"""Clients that were dropped with requests under way, on an event loop that was closed.

Such a request holds, and is held by, objects that the garbage collector does not track (``_memory/collector.py``): it
could not find that nobody else holds them. So before the collector looks at old objects, the pools whose loop is closed
let go of everything.
"""

from __future__ import annotations

import gc
from contextlib import suppress
from typing import Any
from weakref import WeakSet

from .._memory import collector

UNTRACKS = not collector.__file__.endswith((".py", ".pyc"))
_pools: WeakSet[Any] = WeakSet()


def watch(pool: Any) -> None:
    """Have the pool forsake its connections once its loop is closed and the collector runs."""
    if UNTRACKS:
        _pools.add(pool)
        if _before_collection not in gc.callbacks:
            gc.callbacks.append(_before_collection)


def _before_collection(phase: str, info: dict[str, int]) -> None:
    if phase == "start" and info["generation"] > 0:
        with suppress(RuntimeError):  # the collector came while a pool was added; it comes again
            for pool in list(_pools):
                if pool.loop.is_closed():
                    pool.forsake()

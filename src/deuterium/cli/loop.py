"""The event loop a command runs on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from .failures import USAGE, Failure

T = TypeVar("T")


def loop_factory(uvloop: bool | None) -> tuple[str, Callable[[], asyncio.AbstractEventLoop]]:
    """The name of the loop and what makes one. ``None``: uvloop where it is installed."""
    if uvloop is not False:
        try:
            import uvloop as module
        except ImportError:
            if uvloop:
                raise Failure("uvloop is not installed: pip install 'deuterium[uvloop]'", USAGE) from None
        else:
            return "uvloop", module.new_event_loop
    return "asyncio", asyncio.new_event_loop


def run(main: Coroutine[Any, Any, T], factory: Callable[[], asyncio.AbstractEventLoop]) -> T:
    """Run to the end. What fails in the background reaches the request it belongs to, so the loop prints nothing."""
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.get_loop().set_exception_handler(lambda loop, context: None)
        return runner.run(main)

"""An event loop in a thread of its own, for applications that need one when the client has none."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from threading import Event, Thread
from typing import Any


class Portal:
    """Starts with its thread, and runs coroutines for other threads until it is closed."""

    def __init__(self) -> None:
        self._loop: Any = None
        self._tasks: set[Any] = set()
        running = Event()
        self._thread = Thread(target=self._run, args=(running,), name="deuterium.testing", daemon=True)
        self._thread.start()
        running.wait()

    def call(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """Run the coroutine and wait for its result."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    def spawn(self, coroutine: Coroutine[Any, Any, None]) -> None:
        """Run the coroutine beside everything else."""
        self._loop.call_soon_threadsafe(self._start, coroutine)

    def close(self) -> None:
        """Cancel what still runs, and end the thread."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _start(self, coroutine: Coroutine[Any, Any, None]) -> None:
        task = self._loop.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _run(self, running: Event) -> None:
        with asyncio.Runner() as runner:  # its end cancels the tasks that are left
            self._loop = runner.get_loop()
            self._loop.call_soon(running.set)
            self._loop.run_forever()

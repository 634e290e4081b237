"""Both clients behind one set of blocking verbs, the async one on asyncio and on trio, so that one test holds all."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from anyio.from_thread import start_blocking_portal

from deuterium import AsyncClient, Client


class TrioRunner:
    """asyncio.Runner's verbs over a trio run in a thread of its own, which lasts until it is closed."""

    def __init__(self) -> None:
        self._run = start_blocking_portal("trio")
        self._portal = self._run.__enter__()

    def run(self, coroutine: Any) -> Any:
        async def await_it() -> Any:
            return await coroutine

        return self._portal.call(await_it)

    def close(self) -> None:
        self._run.__exit__(None, None, None)


FACES = ("async-h2", "async-h1", "trio-h2", "trio-h1", "sync-h2", "sync-h1")
RUNNERS: dict[str, Any] = {"async": asyncio.Runner, "trio": TrioRunner}


class Face:
    """``AsyncClient`` or ``Client``; what the former awaits, this runs to its end."""

    def __init__(self, name: str, **options: Any) -> None:
        kind, version = name.split("-")
        options = {"http1": False} | options if version == "h2" else {"http2": False} | options
        self.version = "HTTP/2" if version == "h2" else "HTTP/1.1"
        self.runner = RUNNERS[kind]() if kind in RUNNERS else None
        self.client: Any = AsyncClient(**options) if self.runner else Client(**options)

    def __getattr__(self, name: str) -> Any:
        """A verb of the client; a coroutine is run."""
        verb = getattr(self.client, name)

        def call(*arguments: Any, **options: Any) -> Any:
            return self.run(verb(*arguments, **options))

        return call

    def run(self, result: Any) -> Any:
        """What a verb returned, or what the coroutine it returned came to."""
        if self.runner is not None and asyncio.iscoroutine(result):
            return self.runner.run(result)
        return result

    def stream_list(
        self, method: str, url: str, verb: str, *, most: int = -1, iteration: Any = None, **options: Any
    ) -> list[Any]:
        """What the response's ``iter_...`` verb gives, the first ``most`` of it."""
        wanted = iteration or {}
        if self.runner is None:
            with self.client.stream(method, url, **options) as response:
                return self._take(getattr(response, verb)(**wanted), most)

        async def collect() -> list[Any]:
            async with self.client.stream(method, url, **options) as response:
                return await self._atake(getattr(response, "a" + verb)(**wanted), most)

        return self.runner.run(collect())

    def collect(self, iterator: Any, most: int = -1) -> list[Any]:
        """What an iterator of the client gives, the first ``most`` of it."""
        return self._take(iterator, most) if self.runner is None else self.runner.run(self._atake(iterator, most))

    @staticmethod
    def _take(iterator: Any, most: int) -> list[Any]:
        found = []
        for item in iterator:
            found.append(item)
            if len(found) == most:
                break
        getattr(iterator, "close", lambda: None)()
        return found

    @staticmethod
    async def _atake(iterator: Any, most: int) -> list[Any]:
        found = []
        async for item in iterator:
            found.append(item)
            if len(found) == most:
                break
        if hasattr(iterator, "aclose"):
            await iterator.aclose()
        return found

    def close(self) -> None:
        if self.runner is None:
            self.client.close()
        else:
            self.runner.run(self.client.aclose())
            self.runner.close()


@contextmanager
def face_of(name: str, **options: Any) -> Iterator[Face]:
    """A client of the kind and version that ``name`` says, closed at the end."""
    face = Face(name, **{"timeout": 10.0, "trust_env": False, **options})
    try:
        yield face
    finally:
        face.close()

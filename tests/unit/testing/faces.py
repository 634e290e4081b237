"""The clients behind one call, so that a table of cases holds for all: ``sync``, ``async`` and ``trio``."""

from __future__ import annotations

import asyncio
from typing import Any

import tasks
from deuterium import AsyncClient, Client, Response


def fetch(
    face: str, transport: Any, method: str, url: str, options: dict[str, Any] | None = None, **kw: Any
) -> Response:
    """One request by a new client, ``options`` being its own."""
    return fetch_all(face, transport, [(method, url, kw)], options)[-1]


def fetch_all(
    face: str, transport: Any, requests: list[tuple[str, str, dict[str, Any]]], options: dict[str, Any] | None = None
) -> list[Response]:
    """Requests one after the other by one client."""
    if face == "sync":
        with Client(transport=transport, **(options or {})) as client:
            return [client.request(method, url, **kw) for method, url, kw in requests]

    async def run() -> list[Response]:
        async with AsyncClient(transport=transport, **(options or {})) as client:
            return [await client.request(method, url, **kw) for method, url, kw in requests]

    return tasks.run_trio(run()) if face == "trio" else asyncio.run(run())

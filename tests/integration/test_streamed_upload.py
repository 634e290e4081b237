"""Content from an iterator reaches a real server whole, however much of it must wait for room."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import pytest

from deuterium import AsyncClient
from servers import Fleet, Server

pytestmark = pytest.mark.every_loop

PIECE = bytes(range(256)) * 64  # 16 KiB


async def pieces(count: int) -> AsyncIterator[bytes]:
    for _ in range(count):
        yield PIECE


@pytest.mark.parametrize("tls", [False, True], ids=["h2c", "tls"])
@pytest.mark.parametrize("count", [1, 4, 16, 17, 512])
def test_streamed_upload_of_any_length_is_echoed_whole(
    fleet: Fleet, arun: Callable[[Coroutine[Any, Any, bytes]], bytes], tls: bool, count: int
) -> None:
    """The queue of unsent content takes 256 KiB: past that the iterator waits until the writer has taken some.

    The server's windows hold all of it, so that no WINDOW_UPDATE arrives which would wake the iterator by chance.
    """

    async def upload(server: Server) -> bytes:
        async with AsyncClient(verify=str(server.ca_file), http1=False, timeout=10) as client:
            response = await client.post(server.url("/echo"), content=pieces(count))
            assert response.status_code == 200
            return response.content

    with fleet.run("nghttpd", tls=tls, options=("-w24", "-W24")) as server:
        echoed = arun(upload(server))
    assert hashlib.sha256(echoed).digest() == hashlib.sha256(PIECE * count).digest()

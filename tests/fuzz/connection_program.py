"""Octets read as what a server says to a whole client on a real socket: a response or an error of ours, soon.

The first octet chooses the client (asyncio or threads), the protocol and the act; the second how the rest is cut into
writes. The server then ends the connection in good order.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

from deuterium import AsyncClient, Client, HTTPError, RetryPolicy, Timeout
from hostile.raw_peer import Line, RawPeer
from rfc import wire

LIMIT_S = 5.0
OPTIONS: dict[str, Any] = {
    "trust_env": False,
    "timeout": Timeout(2.0, total=2.0),
    "retry": RetryPolicy(attempts=1, replays=0),
}
METHODS = ("GET", "HEAD", "POST")


def run(octets: bytes) -> None:
    """Raises for a finding."""
    if len(octets) < 2:
        return
    shape, cut, said = octets[0], octets[1], octets[2:]
    http2 = bool(shape & 2)

    def script(line: Line) -> None:
        if http2:
            line.hears_preface()
            line.says(wire.settings())
            line.hears_request(1)
        else:
            line.hears_head()
        for start in range(0, len(said), cut + 16):
            line.says(said[start : start + cut + 16])
        line.ends()

    with RawPeer(None, script) as peer:
        begin = time.monotonic()
        options = OPTIONS | ({"http1": False} if http2 else {"http2": False})
        method = METHODS[(shape >> 2) % 3]
        streamed = bool(shape & 32)
        try:
            if shape & 1:
                with_threads(peer.url, method, streamed, options)
            else:
                asyncio.run(with_asyncio(peer.url, method, streamed, options))
        except HTTPError:
            pass
        assert time.monotonic() - begin < LIMIT_S
    assert peer.failures == []


def with_threads(url: str, method: str, streamed: bool, options: dict[str, Any]) -> None:
    with Client(**options) as client:
        if not streamed:
            client.request(method, url)
            return
        with client.stream(method, url) as response:
            for _ in response.iter_bytes():
                pass


async def with_asyncio(url: str, method: str, streamed: bool, options: dict[str, Any]) -> None:
    async with AsyncClient(**options) as client:
        if not streamed:
            await client.request(method, url)
            return
        async with client.stream(method, url) as response:
            async for _ in response.aiter_bytes():
                pass

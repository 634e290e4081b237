"""aiohttp: HTTP/1.1 only, so as many connections as requests in flight."""

import argparse
import contextlib
from collections.abc import AsyncIterator

from harness import Package, Verbs, chunks, main, needed, tls

with needed("aiohttp"):
    import aiohttp


@contextlib.asynccontextmanager
async def opened(chosen: argparse.Namespace) -> AsyncIterator[Verbs]:
    connector = aiohttp.TCPConnector(ssl=tls(chosen), limit=0)
    async with aiohttp.ClientSession(connector=connector) as session:

        async def get(url: str) -> tuple[int, int]:
            async with session.get(url) as response:
                return response.status, len(await response.read())

        async def download(url: str) -> tuple[int, int]:
            read = 0
            async with session.get(url) as response:
                async for chunk in response.content.iter_any():
                    read += len(chunk)
                return response.status, read

        async def upload(url: str, size: int) -> tuple[int, int]:
            async with session.post(url, data=chunks(size)) as response:
                await response.read()
                return response.status, size

        yield Verbs(get, download, upload)


main(Package("aiohttp", aiohttp.__version__ + " (h1)"), opened)

"""httpx over HTTP/2."""

import argparse
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator

from harness import Package, Verbs, chunks, main, needed, tls

with needed("httpx[http2]"):
    import h2  # noqa: F401  httpx falls back to HTTP/1.1 without it
    import httpx

LIMITS = httpx.Limits(max_connections=None, max_keepalive_connections=None)
OPTIONS = {"http2": True, "timeout": 60, "limits": LIMITS, "trust_env": False}


@contextlib.asynccontextmanager
async def opened(chosen: argparse.Namespace) -> AsyncIterator[Verbs]:
    async with httpx.AsyncClient(verify=tls(chosen), **OPTIONS) as client:

        async def get(url: str) -> tuple[int, int]:
            response = await client.get(url)
            return response.status_code, len(response.content)

        async def download(url: str) -> tuple[int, int]:
            read = 0
            async with client.stream("GET", url) as response:
                async for chunk in response.aiter_raw():
                    read += len(chunk)
            return response.status_code, read

        async def upload(url: str, size: int) -> tuple[int, int]:
            response = await client.post(url, content=chunks(size))
            return response.status_code, size

        yield Verbs(get, download, upload)


@contextlib.contextmanager
def opened_sync(chosen: argparse.Namespace) -> Iterator[Callable[[str], tuple[int, int]]]:
    with httpx.Client(verify=tls(chosen), **OPTIONS) as client:

        def get(url: str) -> tuple[int, int]:
            response = client.get(url)
            return response.status_code, len(response.content)

        yield get


main(Package("httpx", httpx.__version__), opened, opened_sync)

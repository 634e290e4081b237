"""wreq (Rust, BoringSSL) over HTTP/2."""

import argparse
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from importlib.metadata import version
from pathlib import Path

from harness import Package, Verbs, main, needed

with needed("wreq"):
    import wreq
    import wreq.blocking


@contextlib.asynccontextmanager
async def opened(chosen: argparse.Namespace) -> AsyncIterator[Verbs]:
    async with wreq.Client(http2_only=True, tls_verify=Path(chosen.ca), no_proxy=True) as client:

        async def get(url: str) -> tuple[int, int]:
            response = await client.get(url)
            return response.status.as_int(), len(await response.bytes())

        async def download(url: str) -> tuple[int, int]:
            read = 0
            response = await client.get(url)
            async for chunk in response.stream():
                read += len(chunk)
            return response.status.as_int(), read

        yield Verbs(get, download)


@contextlib.contextmanager
def opened_sync(chosen: argparse.Namespace) -> Iterator[Callable[[str], tuple[int, int]]]:
    with wreq.blocking.Client(http2_only=True, tls_verify=Path(chosen.ca), no_proxy=True) as client:

        def get(url: str) -> tuple[int, int]:
            response = client.get(url)
            return response.status.as_int(), len(response.bytes())

        yield get


main(Package("wreq", version("wreq")), opened, opened_sync)

"""pyreqwest (Rust reqwest from Python) over HTTP/2."""

import argparse
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from importlib.metadata import version
from pathlib import Path

from harness import Package, Verbs, main, needed

with needed("pyreqwest"):
    from pyreqwest.client import ClientBuilder, SyncClientBuilder


@contextlib.asynccontextmanager
async def opened(chosen: argparse.Namespace) -> AsyncIterator[Verbs]:
    authority = Path(chosen.ca).read_bytes()
    async with ClientBuilder().add_root_certificate_pem(authority).http2(True).no_proxy().build() as client:

        async def get(url: str) -> tuple[int, int]:
            response = await client.get(url).build().send()
            return response.status, len(await response.bytes())

        async def download(url: str) -> tuple[int, int]:
            read = 0
            async with client.get(url).build_streamed() as response:
                while (chunk := await response.body_reader.read_chunk()) is not None:
                    read += len(chunk)
                return response.status, read

        yield Verbs(get, download)


@contextlib.contextmanager
def opened_sync(chosen: argparse.Namespace) -> Iterator[Callable[[str], tuple[int, int]]]:
    authority = Path(chosen.ca).read_bytes()
    with SyncClientBuilder().add_root_certificate_pem(authority).http2(True).no_proxy().build() as client:

        def get(url: str) -> tuple[int, int]:
            response = client.get(url).build().send()
            return response.status, len(response.bytes())

        yield get


main(Package("pyreqwest", version("pyreqwest")), opened, opened_sync)

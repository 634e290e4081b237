"""niquests over HTTP/2."""

import argparse
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator

from harness import Package, Verbs, main, needed

with needed("niquests"):
    import niquests


@contextlib.asynccontextmanager
async def opened(chosen: argparse.Namespace) -> AsyncIterator[Verbs]:
    async with niquests.AsyncSession(verify=chosen.ca, disable_http3=True, pool_maxsize=1) as session:
        session.trust_env = False

        async def get(url: str) -> tuple[int, int]:
            response = await session.get(url)
            return response.status_code or 0, len(response.content or b"")

        yield Verbs(get)


@contextlib.contextmanager
def opened_sync(chosen: argparse.Namespace) -> Iterator[Callable[[str], tuple[int, int]]]:
    with niquests.Session(verify=chosen.ca, disable_http3=True, pool_maxsize=chosen.concurrency) as session:
        session.trust_env = False

        def get(url: str) -> tuple[int, int]:
            response = session.get(url)
            return response.status_code or 0, len(response.content or b"")

        yield get


main(Package("niquests", niquests.__version__), opened, opened_sync)
